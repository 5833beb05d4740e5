// @ts-check
/* From log lines to sentences. Pure. */

/**
 * @typedef {string | { tag: string, text: string, cls?: string }} Part
 * @typedef {{ text: string, parts: Part[], level: string, fold: boolean, conversation?: string }} Said
 */

/** @param {any} v */
const code = (v) => ({ tag: 'code', text: String(v) });
/** @param {any} v */
const strong = (v) => ({ tag: 'b', text: String(v) });

const SKIP = new Set(['time', 'level', 'program', 'role', 'event', 'seq', 'at', 'service', 'op', 'method', 'path', 'status', 'ms', 'requestId', 'clientRequestId', 'pid', 'message']);

/** @param {string} id */
export function short(id) {
	return id.length > 12 ? `${id.slice(0, 8)}\u2026` : id;
}

/** The members that have no sentence of their own. @param {any} entry @returns {Part[]} */
function rest(entry) {
	/** @type {Part[]} */
	const out = [];
	for (const [key, value] of Object.entries(entry))
		if (!SKIP.has(key) && value !== null && value !== '' && typeof value !== 'object')
			out.push({ tag: 'i', text: ` ${key} ` }, code(short(String(value))));
	return out;
}

/** One exchange at a simulator. @param {any} e @returns {Part[]} */
function exchange(e) {
	const path = String(e.path ?? '').replace(/\?.*/, '').replace(/[0-9A-Za-z_-]{24,}/g, (id) => `${id.slice(0, 6)}\u2026`);
	return [strong(e.method ?? ''), ' ', code(path), ' ', { tag: 'b', text: String(e.status), cls: e.status >= 400 || e.status === 0 ? 'bad' : 'good' }, { tag: 'i', text: ` ${e.ms} ms` }];
}

/** @type {Record<string, (e: any) => Part[]>} */
const SENTENCES = {
	'in-step': (e) => ['Unblu has followed: ', strong(e.topic), ` at ${e.when}, after `, strong(`${(e.ms / 1000).toFixed(1)} s`)],
};

/**
 * What to show for a line; null: nothing.
 * @param {string} source @param {any} entry @returns {Said | null}
 */
export function say(source, entry) {
	const own = SENTENCES[entry.event];
	let parts = own !== undefined ? own(entry) : entry.method !== undefined && entry.status !== undefined ? exchange(entry) : null;
	if (parts === null)
		parts = [strong(String(entry.event ?? entry.text ?? '').replaceAll('-', ' ')), ...(entry.message === undefined ? [] : [` ${entry.message}`]), ...rest(entry)];
	const level = entry.level === 'error' || entry.level === 'warning' ? entry.level : entry.level === 'debug' ? 'debug' : 'info';
	return { text: parts.map((p) => typeof p === 'string' ? p : p.text).join(''), parts, level, fold: true, ...(typeof entry.conversation === 'string' && entry.conversation !== '' ? { conversation: entry.conversation } : {}) };
}
