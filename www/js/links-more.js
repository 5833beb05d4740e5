// @ts-check
/* links-more.js - an announcement that was not accepted at once, and what is asked of the server of a link that is there; loaded then. */

import { AddinError } from './errors.js';
import { retryAfterMs } from './retry.js';

const WAITS_MS = [0, 1000, 5000];
const LONGEST_WAIT_MS = 6000;

/** @param {import('./remote.js').Answer} answer */
function refusal(answer) {
	const error = answer.body?.error;
	return new AddinError(answer.status === 404 ? 'server-off' : 'server-refused', { status: answer.status, said: error?.message ?? `status ${answer.status}`, reference: error?.requestId });
}

/** @param {{ attempt: (method: string, id: string, body: unknown, force: boolean) => Promise<import('./remote.js').Answer>, sleep: (ms: number) => Promise<void>, log: import('./errors.js').Log }} env attempt: one exchange */
export function createMore({ attempt, sleep, log }) {
	/** @param {string} method @param {string} id @param {unknown} [body] @param {Promise<import('./remote.js').Answer>} [first] an attempt that was made already @returns {Promise<import('./remote.js').Answer>} */
	async function call(method, id, body, first) {
		let fault = new AddinError('server-down');
		let force = false;
		/** @type {import('./remote.js').Answer | null} */
		let refused = null;
		let wait = WAITS_MS[0];
		for (let turn = 0; turn < WAITS_MS.length; turn++) {
			if (turn > 0)
				await sleep(Math.min(wait, LONGEST_WAIT_MS));
			wait = WAITS_MS[Math.min(turn + 1, WAITS_MS.length - 1)];
			try {
				/** @type {import('./remote.js').Answer} */
				const answer = await (turn === 0 && first !== undefined ? first : attempt(method, id, body, force));
				if (answer.status < 500 && answer.status !== 429 && (answer.status !== 401 || force))
					return answer;
				wait = answer.status === 401 ? 0 : retryAfterMs(answer.retryAfter, Date.now()) ?? wait;
				force = answer.status === 401;
				refused = force ? answer : null;
				fault = new AddinError('server-down', { status: answer.status, said: answer.body?.error?.message ?? `status ${answer.status}`, reference: answer.body?.error?.requestId });
			} catch (e) {
				/* A new token would need a person. */
				if (refused !== null && e instanceof AddinError && e.code === 'signin-needed')
					return refused;
				if (!(e instanceof AddinError) || e.code !== 'network' && e.code !== 'not-json')
					throw e;
				log.add('links', { method, fault: e.message });
				fault = new AddinError('server-down', e.details);
			}
		}
		throw fault;
	}

	return {
		/** @param {string} id @param {unknown} body @param {Promise<import('./remote.js').Answer>} first attempt */
		async put(id, body, first) {
			const answer = await call('PUT', id, body, first);
			if (answer.status < 200 || answer.status > 299)
				throw refusal(answer);
		},
		/** @param {string} id @returns {Promise<import('./remote.js').LinkState | null>} */
		async get(id) {
			const answer = await call('GET', id);
			if (answer.status === 404)
				return null;
			if (answer.status !== 200 || typeof answer.body?.state !== 'string')
				throw refusal(answer);
			return answer.body;
		},
		/** @param {string} id */
		async remove(id) {
			const answer = await call('DELETE', id);
			if (answer.status > 299 && answer.status !== 404)
				throw refusal(answer);
		},
	};
}
