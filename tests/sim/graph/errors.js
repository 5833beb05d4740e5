// @ts-check
/* Graph's error bodies (graph.md 4.4, 11.3). */

/** @type {Record<number, [string, string]>} what a fault says when the test names no code */
const USUAL = {
	400: ['BadRequest', 'Invalid request.'],
	401: ['InvalidAuthenticationToken', 'Access token has expired or is not yet valid.'],
	403: ['ErrorAccessDenied', 'Access is denied. Check credentials and try again.'],
	404: ['ResourceNotFound', 'Resource could not be discovered.'],
	409: ['ErrorIrresolvableConflict', 'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.'],
	413: ['RequestEntityTooLarge', 'The request body is too large.'],
	429: ['TooManyRequests', 'Please retry again later.'],
	500: ['generalException', 'An unexpected error occurred.'],
	502: ['UnknownError', ''],
	503: ['ServiceUnavailable', 'The service is temporarily unavailable.'],
	504: ['UnknownError', ''],
	509: ['BandwidthLimitExceeded', 'Your app has been throttled for exceeding the maximum bandwidth cap.'],
};

/**
 * @param {any} sim @param {any} ctx @param {number} status @param {string} [code] @param {string} [message]
 * @returns {import('../lib/listener.js').Reply}
 */
export function graphError(sim, ctx, status, code, message) {
	const usual = USUAL[status] ?? ['UnknownError', ''];
	ctx.code = code ?? usual[0];
	const date = new Date(sim.clock.now()).toISOString().slice(0, 19);
	const client = ctx.headers['client-request-id'] ?? ctx.requestId;
	/** @type {any} */
	const innerError = { date, 'request-id': ctx.requestId, 'client-request-id': client };
	if (ctx.code === 'TooManyRequests')
		Object.assign(innerError, { code: '429', message: 'Please retry after', status: '429' });
	return {
		status,
		headers: { 'Content-Type': 'application/json' },
		body: { error: { code: ctx.code, message: message ?? usual[1], innerError } },
	};
}

/** The refusal that a mailbox's state causes on reading; null when it is served. @param {any} sim @param {any} ctx @param {any} user */
export function mailboxError(sim, ctx, user) {
	switch (user.state) {
	case 'ok':
		return null;
	case 'forbidden':
		return graphError(sim, ctx, 403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
	case 'policy':
		return graphError(sim, ctx, 403, 'ErrorAccessDenied', 'Access to OData is disabled.');
	case 'deleted':
		return graphError(sim, ctx, 404, 'ErrorInvalidUser', `The requested user '${user.upn}' is invalid.`);
	case 'amnesia':
		/* Every item of the mailbox seems to be gone, the calendar itself too. */
		return graphError(sim, ctx, 404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
	case 'flapping':
		/* The same user is answered with either code in turn. */
		if (user.flips++ % 2 === 0)
			return graphError(sim, ctx, 404, 'ResourceNotFound', 'Resource could not be discovered.');
		/* falls through */
	default:
		return graphError(sim, ctx, 404, 'MailboxNotEnabledForRESTAPI', 'The mailbox is either inactive, soft-deleted, or is hosted on-premise.');
	}
}

/** The same for operations on subscriptions, which wrap Outlook's answer. @param {any} sim @param {any} ctx @param {any} user @param {string} operation */
export function extensionError(sim, ctx, user, operation) {
	/** @param {number} status @param {string} reason @param {string} word */
	const wrap = (status, reason, word) => graphError(sim, ctx, status, 'ExtensionError', `Operation: ${operation}; Exception: [Status Code: ${word}; Reason: ${reason}]`);
	switch (user.state) {
	case 'ok':
	case 'amnesia':
		return null;
	case 'forbidden':
	case 'policy':
		return wrap(403, 'Forbidden', 'Forbidden');
	case 'deleted':
		return wrap(404, `The requested user '${user.oid}@${user.tenant}' is invalid.`, 'NotFound');
	default:
		return wrap(404, 'REST API is not yet supported for this mailbox.', 'NotFound');
	}
}
