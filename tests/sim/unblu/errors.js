// @ts-check
/*
 * Unblu's error answers. The API document declares only `default`, so the codes below are choices
 * (unblu.md section 10); they stand in one table to be corrected against a real server.
 */

export const CODES = {
	unauthorized: 401, forbidden: 403, invalid: 400, notFound: 404, duplicateSource: 400, staleVersion: 409, missingVersion: 400, alreadyEnded: 400, tooLarge: 413, notReady: 503,
};

/** @type {Record<number, string>} */
const WORDS = {
	400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 409: 'Conflict', 412: 'Precondition Failed',
	413: 'Payload Too Large', 429: 'Too Many Requests', 500: 'Internal Server Error', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout',
};

/** An error that an operation raises. */
export class UnbluError extends Error {
	/** @param {keyof typeof CODES | number} code @param {string} message */
	constructor(code, message) {
		super(message);
		this.status = typeof code === 'number' ? code : CODES[code];
	}
}

/** @param {any} ctx @param {number} status @param {string} [code] @param {string} [message] @returns {import('../lib/listener.js').Reply} */
export function unbluError(ctx, status, code, message) {
	ctx.code = code ?? String(status);
	return { status, headers: { 'Content-Type': 'application/json;charset=UTF-8' }, body: { $_type: 'Error', statusCode: status, statusDescription: WORDS[status] ?? 'Error', errorMessage: message ?? WORDS[status] ?? 'Error' } };
}
