// @ts-check
/* The validation request that Graph sends inside POST /subscriptions (graph.md 4.2, 5). */

import { graphError } from './errors.js';

/** Percent-encodes the token as one of the observed dialects. @param {string} token @param {'+' | '%20'} blank @param {'upper' | 'lower'} hex */
export function encodeToken(token, blank, hex) {
	const text = encodeURIComponent(token).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16));
	const cased = text.replace(/%[0-9A-Fa-f]{2}/g, (h) => (hex === 'upper' ? h.toUpperCase() : h.toLowerCase()));
	return blank === '+' ? cased.replace(/%20/g, '+') : cased;
}

/**
 * Asks one URL. Resolves to null when it answered as it must, else to what was wrong.
 * @param {any} sim @param {string} url @param {any} about for the record @param {string} [token]
 */
export async function askToValidate(sim, url, about, token) {
	const { rng, settings, journal } = sim;
	const h = settings.graph.handshake;
	const text = token ?? `Validation: Testing client application reachability for subscription Request-Id: ${rng.guid()}`;
	const blank = h.blank === 'random' ? rng.pick(['+', '%20']) : h.blank;
	const hex = h.hex === 'random' ? rng.pick(['upper', 'lower']) : h.hex;
	const target = `${url}${url.includes('?') ? '&' : '?'}validationToken=${encodeToken(text, blank, hex)}`;
	journal.handshakes.sent++;
	const answer = await sim.outbound.send(target, { 'Content-Type': 'text/plain; charset=utf-8' }, '', h.timeoutMs);
	const problem = judge(answer, text);
	journal.handshakes[problem === null ? 'answered' : 'unanswered']++;
	const entry = { at: sim.clock.iso(), url, sent: target, status: answer.status, type: answer.type, body: answer.body.slice(0, 4096), ms: answer.ms, error: answer.error, problem, ...about };
	sim.handshakes.push(entry);
	journal.emit('handshake', entry);
	return problem;
}

/** @param {import('../lib/outbound.js').Answer} answer @param {string} token @returns {string | null} */
function judge(answer, token) {
	if (answer.status === 0)
		return answer.error === 'timeout' ? 'Subscription validation request timed out.' : 'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.';
	if (answer.status !== 200)
		return `Subscription validation request failed. HTTP status code is '${STATUS_WORDS[answer.status] ?? answer.status}'. Notification endpoint must respond with 200 OK to validation request.`;
	if (answer.type.split(';')[0].trim().toLowerCase() !== 'text/plain' || answer.body !== token)
		return 'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.';
	return null;
}

/** @type {Record<number, string>} */
const STATUS_WORDS = { 301: 'MovedPermanently', 302: 'Found', 400: 'BadRequest', 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 405: 'MethodNotAllowed', 500: 'InternalServerError', 502: 'BadGateway', 503: 'ServiceUnavailable', 504: 'GatewayTimeout' };

/**
 * Both URLs, one after the other; the error reply or null.
 * @param {any} sim @param {any} ctx @param {string} notificationUrl @param {string | null} lifecycleUrl
 */
export async function handshake(sim, ctx, notificationUrl, lifecycleUrl) {
	for (const url of [notificationUrl, lifecycleUrl]) {
		if (url === null)
			continue;
		const problem = await askToValidate(sim, url, { mailbox: ctx.mailbox, tenant: ctx.tenant });
		if (problem !== null)
			return graphError(sim, ctx, 400, 'ValidationError', problem);
	}
	return null;
}
