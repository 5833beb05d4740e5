// @ts-check
/*
 * log.js - the last things that happened, for the pane's debug section and a report to support. Nothing that looks like a
 * token, and no topic, gets in. Pure but for the console, and there only in debug mode.
 */

const SIZE = 200;
const LONGEST = 500;
const JWT = /\b[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;
const SECRET = /\b(Bearer|access_token|id_token|refresh_token|code|client_info|assertion|client_secret|nonce)(["']?\s*[=: ]\s*["']?)[^\s"'&,;}]+/gi;
const MAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;

/** @param {string} text */
export function redact(text) {
	const clean = text.replace(JWT, '<token>').replace(SECRET, '$1$2<hidden>').replace(MAIL, '<address>');
	return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}...` : clean;
}

/**
 * @typedef {{ at: string, event: string, [more: string]: string | number | boolean | undefined }} Entry
 * @typedef {{ add(event: string, facts?: Record<string, unknown>): void, list(): Entry[], text(): string, debug: boolean, requestId: string }} Log
 */

/** @param {{ now: () => number, requestId: string, sink?: (line: string) => void }} options sink: where lines go in debug mode @returns {Log} */
export function createLog({ now, requestId, sink }) {
	/** @type {Entry[]} */
	const ring = [];
	return {
		debug: false,
		requestId,
		add(event, facts = {}) {
			/** @type {Entry} */
			const entry = { at: new Date(now()).toISOString(), event };
			for (const [name, value] of Object.entries(facts))
				if (value !== undefined && value !== null)
					entry[name] = typeof value === 'number' || typeof value === 'boolean' ? value : redact(String(value));
			ring.push(entry);
			if (ring.length > SIZE)
				ring.shift();
			if (this.debug)
				sink?.(JSON.stringify(entry));
		},
		list: () => ring.slice(),
		text: () => ring.map((e) => JSON.stringify(e)).join('\n'),
	};
}
