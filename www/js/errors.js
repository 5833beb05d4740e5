// @ts-check
/*
 * errors.js - what can go wrong, as codes, and the log of what happened. A code is the name of a text in strings/*.json
 * ("error.<code>"), so every failure has words of its own. Pure.
 */

/**
 * @typedef {object} Details
 * @property {number} [status] HTTP status of the answer; absent when there was none
 * @property {string} [said] what the other side said, in its own words: for the log and the pane, never for the invitation
 * @property {string} [reference] an id under which the other side knows the failure (AADSTS code, correlation id)
 * @property {boolean} [uncertain] the request may have had its effect all the same
 * @property {Record<string, string>} [params] values for the text
 */

export class AddinError extends Error {
	/** @param {string} code @param {Details} [details] */
	constructor(code, details = {}) {
		super(details.said === undefined ? code : `${code}: ${details.said}`);
		this.name = 'AddinError';
		this.code = code;
		this.details = details;
	}
}

/** Anything that was thrown as an AddinError. @param {unknown} e */
export function errorOf(e) {
	return e instanceof AddinError ? e : new AddinError('unexpected', { said: e instanceof Error ? `${e.name}: ${e.message}` : String(e) });
}

/**
 * A module that only some clicks need, once it is there. AddinError part-missing when it can not be had; uncertain, since
 * what was asked for before may have its effect.
 * @template T @param {Promise<T>} part import('./name.js') @returns {Promise<T>}
 */
export function partLoaded(part) {
	return part.catch((e) => {
		throw new AddinError('part-missing', { said: String(e), uncertain: true });
	});
}

const SIZE = 200;

/**
 * @typedef {{ at: number, event: string, facts: Record<string, unknown> }} Entry at: Unix ms
 * @typedef {{ add(event: string, facts?: Record<string, unknown>): void, entries: Entry[], sink: ((entry: Entry) => void) | null, requestId: string }} Log sink: where entries go, in debug mode
 */

/** @param {{ now: () => number, requestId: string }} env @returns {Log} */
export function createLog({ now, requestId }) {
	return {
		requestId,
		entries: [],
		sink: null,
		add(event, facts = {}) {
			const entry = { at: now(), event, facts };
			if (this.entries.push(entry) > SIZE)
				this.entries.shift();
			this.sink?.(entry);
		},
	};
}
