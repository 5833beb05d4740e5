// @ts-check
/*
 * errors.js - what can go wrong, as codes. A code is the name of a text in strings/*.json ("error.<code>"), so every
 * failure has words of its own. Pure.
 */

/**
 * @typedef {object} Details
 * @property {number} [status] HTTP status of the answer; absent when there was none
 * @property {number} [retryAfterMs] how long the other side asks to wait
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

/** The code of anything that was thrown. @param {unknown} e */
export function errorCode(e) {
	return e instanceof AddinError ? e.code : 'unexpected';
}

/** Anything that was thrown as an AddinError. @param {unknown} e */
export function errorOf(e) {
	return e instanceof AddinError ? e : new AddinError('unexpected', { said: e instanceof Error ? `${e.name}: ${e.message}` : String(e) });
}
