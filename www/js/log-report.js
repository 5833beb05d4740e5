// @ts-check
/*
 * log-report.js - the log as a person may see it: for the pane's debug section, a report to support, and the console in
 * debug mode. Nothing that looks like a token, no address and no topic is shown. Pure; loaded only for these.
 */

const LONGEST = 500;
const JWT = /\b[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;
const SECRET = /\b(Bearer|access_token|id_token|refresh_token|code|client_info|assertion|client_secret|nonce)(["']?\s*[=: ]\s*["']?)[^\s"'&,;}]+/gi;
const MAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;

/** @param {string} text */
export function redact(text) {
	const clean = text.replace(JWT, '<token>').replace(SECRET, '$1$2<hidden>').replace(MAIL, '<address>');
	return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}...` : clean;
}

/** An entry as a line of JSON. @param {import('./errors.js').Entry} entry */
export function logLine({ at, event, facts }) {
	/** @type {Record<string, string | number | boolean>} */
	const line = { at: new Date(at).toISOString(), event };
	for (const [name, value] of Object.entries(facts))
		if (value !== undefined && value !== null)
			line[name] = typeof value === 'number' || typeof value === 'boolean' ? value : redact(String(value));
	return JSON.stringify(line);
}

/** @param {import('./errors.js').Log} log */
export function logText(log) {
	return log.entries.map(logLine).join('\n');
}

/** Shows everything from now on, and what was before. @param {import('./errors.js').Log} log @param {(line: string) => void} show */
export function logShow(log, show) {
	log.sink = (entry) => show(logLine(entry));
	log.entries.forEach(log.sink);
}
