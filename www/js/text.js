// @ts-check
/* text.js - topics as the server makes them (lib/rule/plan.c): equal here and there, or the first synchronisation would write. Pure. */

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
const BLANK = '[ \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\t\\n\\v\\f\\r\\u0085\\u2028\\u2029]+';
const BLANK_ENDS = new RegExp(`^${BLANK}|${BLANK}$`, 'g');
/* Default_Ignorable_Code_Point, as far as text has them. */
const UNSEEN = new RegExp(`${BLANK}|[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0]|[\\u{e0000}-\\u{e0fff}]`, 'gu');
const TOPIC_BYTES = 1023;

/** Without blanks at both ends. @param {string} text */
export function trim(text) {
	return text.replace(BLANK_ENDS, '');
}

/** In one line: a run of control characters is a blank. @param {string} text */
export function oneLine(text) {
	return trim(text.replace(CONTROLS, ' '));
}

/** At most max code points. @param {string} text @param {number} max */
export function cutPoints(text, max) {
	const points = Array.from(text);
	return points.length <= max ? text : points.slice(0, max).join('');
}

/** @param {string} text @param {number} max bytes of UTF-8 */
function cutBytes(text, max) {
	const encoder = new TextEncoder();
	let points = Array.from(text);
	while (encoder.encode(points.join('')).length > max)
		points = points.slice(0, -1);
	return points.join('');
}

/** Whether a reader sees anything. @param {string} text */
export function isVisible(text) {
	return text.replace(CONTROLS, '').replace(UNSEEN, '') !== '';
}

/**
 * The topic of a conversation: the subject in one line, at most max code points, the fallback when nothing is to be seen.
 * @param {string} subject @param {string} fallback @param {number} max
 */
export function topicOf(subject, fallback, max) {
	const line = oneLine(subject.replace(/\p{Surrogate}/gu, '\ufffd'));
	return trim(cutBytes(cutPoints(isVisible(line) ? line : oneLine(fallback), max), TOPIC_BYTES));
}
