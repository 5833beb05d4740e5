// @ts-check
/*
 * unblu-client.js - Unblu's web API through the Auth Gateway, as the signed-in agent. Creating never makes a twin: each
 * create carries a sourceId, and after any doubt the conversation is looked for by it before another attempt.
 */

import { AddinError } from './errors.js';

/**
 * @typedef {{ id: string, state: string, engagementType: string, topic: string | null, scheduledTimestamp: number | null, sourceId: string | null, publicLink: string | null, participants: number }} Conversation
 * @typedef {{ sourceId: string, topic: string, scheduledTimestamp: number, personId: string, locale?: string, templateId?: string, metadata?: Record<string, string> }} Wanted
 * @typedef {object} UnbluClient
 * @property {() => Promise<{ id: string, name: string }>} getCurrentPerson the agent who is signed in; `not-an-agent` otherwise
 * @property {(wanted: Wanted) => Promise<Conversation>} create makes it, or finds it when an earlier attempt had made it
 * @property {(sourceId: string) => Promise<Conversation | null>} getBySource the not-ended conversation with this sourceId
 * @property {(id: string) => Promise<Conversation | null>} read null: there is none (any more)
 * @property {(id: string, topic: string) => Promise<void>} setTopic
 * @property {(id: string, ms: number) => Promise<void>} setScheduledTimestamp
 * @property {(id: string) => Promise<void>} remove gone already is a success; `remove-refused` when others took part
 */

/** A way to get tokens. @typedef {(force: boolean) => Promise<{ accessToken: string }>} Tokens */

const CREATE_MS = 20_000;
const CALL_MS = 10_000;
const LONGEST_WAIT_MS = 10_000;
const LOOK_AGAIN_MS = [0, 700, 2000];
const ID = /^[A-Za-z0-9_=-]{1,127}$/;

/** @param {any} body @returns {Conversation} */
function conversationOf(body) {
	if (typeof body !== 'object' || body === null || typeof body.id !== 'string' || !ID.test(body.id))
		throw new AddinError('gateway-answer', { said: 'the answer is no conversation', uncertain: true });
	const links = Array.isArray(body.links) ? body.links : [];
	const link = links.find((/** @type {any} */ l) => l?.type === 'OPEN_PUBLIC_LINK' && typeof l.url === 'string');
	return {
		id: body.id, state: String(body.state), engagementType: String(body.initialEngagementType), topic: typeof body.topic === 'string' ? body.topic : null,
		scheduledTimestamp: typeof body.scheduledTimestamp === 'number' ? body.scheduledTimestamp : null, sourceId: typeof body.sourceId === 'string' ? body.sourceId : null,
		publicLink: link?.url ?? null, participants: Array.isArray(body.participants) ? body.participants.length : 0,
	};
}

/** The error for an answer that is none of the expected. @param {import('./net.js').Answer} answer */
function refusal(answer) {
	const { status } = answer;
	const said = typeof answer.body?.errorMessage === 'string' ? answer.body.errorMessage.slice(0, 300) : `status ${status}`;
	const details = { status, said, retryAfterMs: answer.retryAfterMs, uncertain: status >= 500, params: { said } };
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
 * @param {{ net: import('./net.js').Net, base: string, token: Tokens, sleep: (ms: number) => Promise<void>, log: import('./log.js').Log }} env
 *   base: unbluApiUrl; token(force): the agent's access token, a new one with force
 * @returns {UnbluClient}
 */
export function createUnbluClient({ net, base, token, sleep, log }) {
	/** @param {string} method @param {string} path @param {unknown} body @param {number} timeoutMs @param {boolean} force */
	async function attempt(method, path, body, timeoutMs, force) {
		const { accessToken } = await token(force);
		try {
			return await net.send(method, `${base}/${path}`, { headers: { Authorization: `Bearer ${accessToken}` }, body, timeoutMs });
		} catch (e) {
			/* A login page, as text/html or as a redirect, is a refused token. */
			if (e instanceof AddinError && e.code === 'not-json')
				throw new AddinError(e.details.status === 302 || e.details.said?.includes('text/html') ? 'gateway-login' : 'gateway-answer', e.details);
			throw e;
		}
	}

	/** One exchange; a refused token is replaced once, a 429 waited out once. @param {string} method @param {string} path @param {unknown} [body] @param {number} [timeoutMs] */
	async function call(method, path, body, timeoutMs = CALL_MS) {
		let renewed = false;
		let waited = false;
		for (;;) {
			let answer;
			try {
				answer = await attempt(method, path, body, timeoutMs, renewed);
			} catch (e) {
				if (e instanceof AddinError && e.code === 'gateway-login' && !renewed) {
					renewed = true;
					continue;
				}
				log.add('unblu', { method, path: pathForLog(path), fault: /** @type {Error} */ (e).message });
				throw e;
			}
			log.add('unblu', { method, path: pathForLog(path), status: answer.status });
			if (answer.status === 401 && !renewed) {
				renewed = true;
			} else if (answer.status === 429 && !waited && (answer.retryAfterMs ?? 1000) <= LONGEST_WAIT_MS) {
				waited = true;
				await sleep(answer.retryAfterMs ?? 1000);
			} else {
				return answer;
			}
		}
	}

	/** @param {string} path */
	const pathForLog = (path) => path.split('?')[0];

	/** @param {import('./net.js').Answer} answer */
	function good(answer) {
		if (answer.status < 200 || answer.status > 299)
			throw refusal(answer);
		return answer.body;
	}

	/** @type {UnbluClient['getBySource']} */
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

	/** @param {Wanted} w */
	function creation(w) {
		return {
			$_type: 'ConversationCreationData', initialEngagementType: 'SCHEDULED_CONVERSATION', topic: w.topic, scheduledTimestamp: w.scheduledTimestamp, sourceId: w.sourceId,
			participants: [{ $_type: 'ConversationCreationParticipantData', personId: w.personId, participationType: 'ASSIGNED_AGENT' }],
			...(w.templateId ? { conversationTemplateId: w.templateId } : {}), ...(w.locale ? { locale: w.locale } : {}), ...(w.metadata ? { metadata: w.metadata } : {}),
		};
	}

	/** @param {Wanted} w @param {boolean} again whether a second attempt is left @returns {Promise<Conversation>} */
	async function createOnce(w, again) {
		let fault;
		try {
			const answer = await call('POST', 'conversations/create', creation(w), CREATE_MS);
			if (answer.status === 200)
				return conversationOf(answer.body);
			fault = refusal(answer);
		} catch (e) {
			if (!(e instanceof AddinError) || !e.details.uncertain)
				throw e;
			fault = e;
		}
		if (['gateway-unauthorized', 'gateway-forbidden', 'gateway-path', 'gateway-busy'].includes(fault.code))
			throw fault;
		/* It may stand all the same: the answer was lost, or the sourceId is taken by an earlier attempt. */
		let there;
		try {
			there = await look(w.sourceId, fault.details.uncertain ? LOOK_AGAIN_MS : [0]);
		} catch (e) {
			log.add('look-failed', { fault: /** @type {Error} */ (e).message });
			throw fault;
		}
		if (there !== null)
			return there;
		if (!fault.details.uncertain || !again)
			throw new AddinError(fault.code, { ...fault.details, uncertain: false });
		return createOnce(w, false);
	}

	return {
		async getCurrentPerson() {
			const body = good(await call('GET', 'authenticator/getCurrentPerson'));
			if (typeof body?.id !== 'string' || !ID.test(body.id))
				throw new AddinError('gateway-answer', { said: 'the answer is no person' });
			if (body.personType !== 'AGENT')
				throw new AddinError('not-an-agent', { said: `person of type ${String(body.personType)}` });
			return { id: body.id, name: String(body.displayName ?? body.username ?? '') };
		},
		create: (wanted) => createOnce(wanted, true),
		getBySource,
		async read(id) {
			const answer = await call('GET', `conversations/${encodeURIComponent(id)}/read`);
			return answer.status === 404 && answer.body !== null ? null : conversationOf(good(answer));
		},
		async setTopic(id, topic) {
			good(await call('POST', `conversations/${encodeURIComponent(id)}/setTopic`, { topic }));
		},
		async setScheduledTimestamp(id, ms) {
			good(await call('POST', `conversations/${encodeURIComponent(id)}/setScheduledTimestamp`, { scheduledTimestamp: ms }));
		},
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
