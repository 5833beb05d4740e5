// @ts-check
/* retry.js - how long the other side asks to wait. Pure; loaded only when it has refused. */

/** Retry-After in ms: seconds or a date. @param {string | null} text @param {number} now @returns {number | undefined} */
export function retryAfterMs(text, now) {
	if (text === null || text.trim() === '')
		return undefined;
	const seconds = Number(text);
	if (Number.isFinite(seconds))
		return Math.max(0, seconds * 1000);
	const at = Date.parse(text);
	return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
