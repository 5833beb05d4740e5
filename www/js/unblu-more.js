// @ts-check
/* unblu-more.js - what the making of a conversation needs only after a doubt, and what is done with one that is there; loaded then. */

import { AddinError } from './errors.js';
import { conversationOf } from './remote.js';
import { retryAfterMs } from './retry.js';

/**
 * @typedef {import('./remote.js').Answer} Answer
 * @typedef {import('./remote.js').Conversation} Conversation
 * @typedef {import('./remote.js').Wanted} Wanted
 */

const LONGEST_WAIT_MS = 10_000;
const LOOK_AGAIN_MS = [0, 700, 2000];
/** A conversation was not made, and a second attempt would end as the first. */
const FINAL = ['gateway-unauthorized', 'gateway-forbidden', 'gateway-path', 'gateway-busy'];

/** A login page, as text/html or as a redirect, is a refused token. @param {unknown} e */
function loginOf(e) {
	if (!(e instanceof AddinError) || e.code !== 'not-json')
		return e;
	return new AddinError(e.details.status === 302 || e.details.said?.includes('text/html') ? 'gateway-login' : 'gateway-answer', e.details);
}

/** The error for an answer that is none of the expected. @param {import('./remote.js').Answer} answer */
function refusal(answer) {
	const { status } = answer;
	const said = typeof answer.body?.errorMessage === 'string' ? answer.body.errorMessage.slice(0, 300) : `status ${status}`;
	const details = { status, said, uncertain: status >= 500, params: { said } };
	if (status === 401)
		return new AddinError('gateway-unauthorized', details);
	if (status === 403)
		return new AddinError('gateway-forbidden', details);
	if (status === 404 && answer.body === null)
		return new AddinError('gateway-path', details);
	if (status === 429)
		return new AddinError('gateway-busy', details);
	return new AddinError(status >= 500 ? 'gateway-down' : 'gateway-refused', details);
}

/**
 * @param {{ attempt: (method: string, path: string, body: unknown, timeoutMs: number, force: boolean) => Promise<Answer>, call: (method: string, path: string, body?: unknown) => Promise<Answer>, make: (wanted: Wanted) => Promise<Conversation>, sleep: (ms: number) => Promise<void>, log: import('./errors.js').Log }} env
 *   of the client: one exchange once, and again where that may help; one attempt of making a conversation
 */
export function createMore({ attempt, call, make, sleep, log }) {
	/**
	 * One exchange from its first attempt on; a refused token is replaced once, where that needs no person, a 429 waited out once.
	 * @param {string} method @param {string} path @param {unknown} body @param {number} timeoutMs @param {Promise<Answer>} first attempt @returns {Promise<Answer>}
	 */
	async function callAgain(method, path, body, timeoutMs, first) {
		let renewed = false;
		let waited = false;
		/** How the token was refused. @type {Promise<Answer> | null} */
		let refused = null;
		for (let next = first; ; next = attempt(method, path, body, timeoutMs, renewed)) {
			/** @type {Answer} */
			let answer;
			try {
				answer = await next;
			} catch (e) {
				const fault = loginOf(e);
				if (refused !== null && fault instanceof AddinError && fault.code === 'signin-needed')
					return await refused.catch((was) => Promise.reject(loginOf(was)));
				if (fault instanceof AddinError && fault.code === 'gateway-login' && !renewed) {
					renewed = true;
					refused = next;
					continue;
				}
				log.add('unblu', { method, path: path.split('?')[0], fault: /** @type {Error} */ (fault).message });
				throw fault;
			}
			const wait = retryAfterMs(answer.retryAfter, Date.now()) ?? 1000;
			if (answer.status === 401 && !renewed) {
				renewed = true;
				refused = next;
			} else if (answer.status === 429 && !waited && wait <= LONGEST_WAIT_MS) {
				waited = true;
				await sleep(wait);
			} else {
				return answer;
			}
		}
	}

	/** @param {import('./remote.js').Answer} answer */
	function good(answer) {
		if (answer.status < 200 || answer.status > 299)
			throw refusal(answer);
		return answer.body;
	}

	/** The not-ended conversation with this sourceId. @param {string} sourceId @returns {Promise<Conversation | null>} */
	async function getBySource(sourceId) {
		const answer = await call('GET', `conversations/getBySourceIdAndChannelId?sourceId=${encodeURIComponent(sourceId)}`);
		if (answer.status === 404 && answer.body !== null)
			return null;
		return conversationOf(good(answer));
	}

	/** Whether an attempt of create left a conversation: asked until there is an answer. @param {string} sourceId @param {number[]} waits */
	async function look(sourceId, waits) {
		for (const [i, ms] of waits.entries()) {
			await sleep(ms);
			try {
				return await getBySource(sourceId);
			} catch (e) {
				if (i === waits.length - 1 || !(e instanceof AddinError) || !e.details.uncertain)
					throw e;
			}
		}
		return null;
	}

	/**
	 * After an attempt that failed.
	 * @param {Wanted} w @param {unknown} fault of the attempt @param {boolean} [again] whether another one is left @returns {Promise<Conversation>}
	 */
	async function createAgain(w, fault, again = true) {
		/* Without an answer and without a doubt nothing was asked. */
		if (!(fault instanceof AddinError) || !fault.details.uncertain && fault.details.status === undefined || FINAL.includes(fault.code))
			throw fault;
		/* It may stand all the same: the answer was lost, or the sourceId is taken by an earlier attempt. */
		let there;
		try {
			there = await look(w.sourceId, fault.details.uncertain ? LOOK_AGAIN_MS : [0]);
		} catch (e) {
			log.add('look-failed', { fault: /** @type {Error} */ (e).message });
			/* Also what looks like a plain refusal may be about a conversation that an earlier attempt has made. */
			const { code, details } = !fault.details.uncertain && e instanceof AddinError && e.details.uncertain ? e : fault;
			throw new AddinError(code, { ...details, uncertain: true });
		}
		if (there !== null)
			return there;
		if (!fault.details.uncertain || !again)
			throw new AddinError(fault.code, { ...fault.details, uncertain: false });
		return make(w).catch((e) => createAgain(w, e, false));
	}

	return {
		refusal,
		callAgain,
		createAgain,
		/** @param {string} id */
		async read(id) {
			const answer = await call('GET', `conversations/${encodeURIComponent(id)}/read`);
			return answer.status === 404 && answer.body !== null ? null : conversationOf(good(answer));
		},
		/** @param {string} id @param {string} topic */
		async setTopic(id, topic) {
			good(await call('POST', `conversations/${encodeURIComponent(id)}/setTopic`, { topic }));
		},
		/** @param {string} id @param {number} ms */
		async setScheduledTimestamp(id, ms) {
			good(await call('POST', `conversations/${encodeURIComponent(id)}/setScheduledTimestamp`, { scheduledTimestamp: ms }));
		},
		/** @param {string} id */
		async remove(id) {
			const answer = await call('DELETE', `conversations/${encodeURIComponent(id)}/delete`);
			if (answer.status === 404 && answer.body !== null)
				return;
			if (answer.status === 403)
				throw new AddinError('remove-refused', { status: 403, said: refusal(answer).details.said });
			good(answer);
		},
	};
}
