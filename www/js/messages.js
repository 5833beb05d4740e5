// @ts-check
/* messages.js - what stands in the info bar: at most 150 characters, the request id at its end. Pure. */

const LONGEST = 150;

/** When not even the texts could be loaded. @type {import('./i18n.js').Table} */
export const LAST_RESORT = {
	'progress.creating': 'Creating Unblu conversation...',
	'error.generic': 'The Unblu conversation could not be created. Nothing was changed. Try again; if it goes on, tell your administrator.',
};

/** @param {string} text @param {number} max */
function cut(text, max) {
	const points = Array.from(text);
	let out = text;
	while (out.length > max) {
		points.pop();
		out = `${points.join('').trimEnd()}\u2026`;
	}
	return out;
}

/** A text and the id under which the log has it. @param {string} text @param {string} [requestId] */
export function notice(text, requestId) {
	const tail = requestId === undefined ? '' : ` [${requestId}]`;
	const line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
	return cut(line, LONGEST - tail.length) + tail;
}

/**
 * The text of an outcome. An error has its own text, or else the general one.
 * @param {import('./i18n.js').Say} say @param {import('./flow.js').Outcome} outcome
 */
export function outcomeText(say, outcome) {
	const key = `${outcome.kind === 'error' ? 'error' : 'done'}.${outcome.code}`;
	const text = say(key, outcome.params);
	return text === key ? say('error.generic') : text;
}
