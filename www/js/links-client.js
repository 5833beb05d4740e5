// @ts-check
/* links-client.js - our own server's {base}/api/links/{conversationId}: announce, ask, take back. Each may be repeated. */

import { AddinError } from './errors.js';

/**
 * @typedef {{ sourceId: string, topic: string, start: Date, mailbox: 'own' | 'shared', timeZone?: string, eventId?: string }} Announcement
 * @typedef {{ state: string, reason?: string, topic: string | null, start: string | null, syncedAt: string | null, lastError: string | null, mailbox?: { state: string, reason: string | null }, writes?: string }} LinkState
 * @typedef {object} LinksClient
 * @property {(id: string, what: Announcement) => Promise<void>} put resolves when the server has accepted it
 * @property {(id: string) => Promise<LinkState | null>} get null: the server knows no such link of ours
 * @property {(id: string) => Promise<void>} remove
 */

const CALL_MS = 4000;
const WAITS_MS = [0, 1000, 5000];
const LONGEST_WAIT_MS = 6000;
const ZONE = /^[A-Za-z0-9_+/-]{1,63}$/;
const EVENT = /^[A-Za-z0-9_=-]{1,500}$/;

/**
 * @param {{ net: import('./net.js').Net, base: string, token: import('./unblu-client.js').Tokens, sleep: (ms: number) => Promise<void>, log: import('./log.js').Log }} env
 *   base: {base}/api/links
 * @returns {LinksClient}
 */
export function createLinksClient({ net, base, token, sleep, log }) {
	/** @param {string} method @param {string} id @param {unknown} body @param {boolean} force */
	async function attempt(method, id, body, force) {
		const { accessToken } = await token(force);
		return net.send(method, `${base}/${encodeURIComponent(id)}`, { headers: { Authorization: `Bearer ${accessToken}`, 'X-Request-Id': log.requestId }, body, timeoutMs: CALL_MS });
	}

	/** @param {string} method @param {string} id @param {unknown} [body] @returns {Promise<import('./net.js').Answer>} */
	async function call(method, id, body) {
		let fault = new AddinError('server-down');
		let force = false;
		let wait = WAITS_MS[0];
		for (let turn = 0; turn < WAITS_MS.length; turn++) {
			if (turn > 0)
				await sleep(Math.min(wait, LONGEST_WAIT_MS));
			wait = WAITS_MS[Math.min(turn + 1, WAITS_MS.length - 1)];
			try {
				const answer = await attempt(method, id, body, force);
				log.add('links', { method, status: answer.status, code: answer.body?.error?.code });
				if (answer.status < 500 && answer.status !== 429 && (answer.status !== 401 || force))
					return answer;
				wait = answer.status === 401 ? 0 : answer.retryAfterMs ?? wait;
				force = answer.status === 401;
				fault = new AddinError('server-down', { status: answer.status, said: answer.body?.error?.message ?? `status ${answer.status}`, reference: answer.body?.error?.requestId });
			} catch (e) {
				if (!(e instanceof AddinError) || e.code !== 'network' && e.code !== 'not-json')
					throw e;
				log.add('links', { method, fault: e.message });
				fault = new AddinError('server-down', e.details);
			}
		}
		throw fault;
	}

	/** @param {import('./net.js').Answer} answer */
	function refusal(answer) {
		const error = answer.body?.error;
		return new AddinError(answer.status === 404 ? 'server-off' : 'server-refused', { status: answer.status, said: error?.message ?? `status ${answer.status}`, reference: error?.requestId });
	}

	return {
		async put(id, what) {
			const answer = await call('PUT', id, {
				v: 1, sourceId: what.sourceId, topic: what.topic, start: what.start.toISOString(), mailbox: what.mailbox,
				...(what.timeZone !== undefined && ZONE.test(what.timeZone) ? { timeZone: what.timeZone } : {}), ...(what.eventId !== undefined && EVENT.test(what.eventId) ? { eventId: what.eventId } : {}),
			});
			if (answer.status < 200 || answer.status > 299)
				throw refusal(answer);
		},
		async get(id) {
			const answer = await call('GET', id);
			if (answer.status === 404)
				return null;
			if (answer.status !== 200 || typeof answer.body?.state !== 'string')
				throw refusal(answer);
			return answer.body;
		},
		async remove(id) {
			const answer = await call('DELETE', id);
			if (answer.status > 299 && answer.status !== 404)
				throw refusal(answer);
		},
	};
}
