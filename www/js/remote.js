// @ts-check
/*
 * remote.js - the other sides. The one file that calls fetch: time limit, size limit, no cookies, no redirects, JSON or
 * nothing. Over that Unblu's web API through the Auth Gateway, as the signed-in agent, and our own server's
 * {base}/api/links/{conversationId}: announce, ask, take back; each may be repeated. Creating never makes a twin: each
 * create carries a sourceId, and after any doubt the conversation is looked for by it before another attempt. What goes
 * on then, and whatever else a first click does not need, is in unblu-more.js and links-more.js.
 */

import { AddinError, partLoaded } from './errors.js';

const TIMEOUT_MS = 20_000;
const LARGEST = 1024 * 1024;

/**
 * @typedef {{ status: number, body: any, retryAfter: string | null }} Answer body: parsed JSON, null when there was none; retryAfter: the header, see retry.js
 * @typedef {{ headers?: Record<string, string>, body?: unknown, timeoutMs?: number, text?: boolean }} Options text: the answer is taken as it is
 * @typedef {object} Net
 * @property {(method: string, url: string, options?: Options) => Promise<Answer>} send any answer of the other side; AddinError `network` (no answer) or `not-json`
 * @property {(method: string, url: string, options?: Options) => Promise<Answer>} json the same as send, and AddinError `http` for a status of 400 and above
 */

/** @param {Response} reply */
async function readText(reply) {
	if (Number(reply.headers.get('Content-Length')) > LARGEST)
		throw new AddinError('not-json', { status: reply.status, said: 'the answer is too large', uncertain: true });
	const text = await reply.text();
	if (text.length > LARGEST)
		throw new AddinError('not-json', { status: reply.status, said: 'the answer is too large', uncertain: true });
	return text;
}

/** @param {Response} reply @param {string} text */
function parse(reply, text) {
	if (text === '')
		return null;
	const type = reply.headers.get('Content-Type') ?? '';
	if (!/^application\/(json|[\w.-]+\+json)\b/i.test(type)) {
		/* An error may come from any box on the way; a success in HTML is a login page. */
		if (reply.status >= 400)
			return null;
		throw new AddinError('not-json', { status: reply.status, said: `the answer is ${type.split(';')[0] || 'of no type'}`, uncertain: true });
	}
	try {
		return JSON.parse(text);
	} catch {
		throw new AddinError('not-json', { status: reply.status, said: 'the answer is not JSON', uncertain: true });
	}
}

/** @param {{ fetch: typeof fetch, signal?: AbortSignal }} env signal: ends every exchange @returns {Net} */
export function createNet({ fetch, signal }) {
	/** @param {string} method @param {string} url @param {Options} options @returns {Promise<Answer>} */
	async function exchange(method, url, options, /** @type {AbortController} */ control) {
		const { headers = {}, body } = options;
		const reply = await fetch(url, {
			method, cache: 'no-store', credentials: 'omit', redirect: 'manual', referrerPolicy: 'no-referrer', signal: control.signal,
			headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		if (reply.type === 'opaqueredirect' || reply.status >= 300 && reply.status < 400)
			throw new AddinError('not-json', { status: 302, said: 'the answer is a redirect', uncertain: true });
		const text = await readText(reply);
		return { status: reply.status, body: options.text ? text : parse(reply, text), retryAfter: reply.headers.get('Retry-After') };
	}

	/** @type {Net['send']} */
	async function send(method, url, options = {}) {
		const control = new AbortController();
		const stop = () => control.abort();
		const timer = setTimeout(stop, options.timeoutMs ?? TIMEOUT_MS);
		if (signal?.aborted)
			stop();
		signal?.addEventListener('abort', stop);
		try {
			return await exchange(method, url, options, control);
		} catch (e) {
			if (e instanceof AddinError)
				throw e;
			throw new AddinError('network', { said: control.signal.aborted ? 'no answer in time' : 'no connection', uncertain: true });
		} finally {
			clearTimeout(timer);
			signal?.removeEventListener('abort', stop);
		}
	}

	return {
		send,
		async json(method, url, options) {
			const answer = await send(method, url, options);
			if (answer.status >= 400)
				throw new AddinError('http', { status: answer.status, said: `status ${answer.status}` });
			return answer;
		},
	};
}

/* Unblu. */

/**
 * @typedef {{ id: string, engagementType: string, topic: string | null, scheduledTimestamp: number | null, publicLink: string | null }} Conversation
 * @typedef {{ sourceId: string, topic: string, scheduledTimestamp: number, personId: string, templateId: string, metadata: Record<string, string> }} Wanted templateId "": Unblu's default
 * @typedef {object} UnbluClient
 * @property {() => Promise<{ id: string }>} getCurrentPerson the agent who is signed in; `not-an-agent` otherwise
 * @property {(wanted: Wanted) => Promise<Conversation>} create makes it, or finds it when an earlier attempt had made it
 * @property {(id: string) => Promise<Conversation | null>} read null: there is none (any more)
 * @property {(id: string, topic: string) => Promise<void>} setTopic
 * @property {(id: string, ms: number) => Promise<void>} setScheduledTimestamp
 * @property {(id: string) => Promise<void>} remove gone already is a success; `remove-refused` when others took part
 */

/** A way to get tokens. @typedef {(force: boolean) => Promise<{ accessToken: string }>} Tokens */

const CREATE_MS = 20_000;
const CALL_MS = 10_000;
const ID = /^[A-Za-z0-9_=-]{1,127}$/;

/** @param {any} body @returns {Conversation} */
export function conversationOf(body) {
	if (typeof body !== 'object' || body === null || typeof body.id !== 'string' || !ID.test(body.id))
		throw new AddinError('gateway-answer', { said: 'the answer is no conversation', uncertain: true });
	const links = Array.isArray(body.links) ? body.links : [];
	const link = links.find((/** @type {any} */ l) => l?.type === 'OPEN_PUBLIC_LINK' && typeof l.url === 'string');
	return {
		id: body.id, engagementType: String(body.initialEngagementType), topic: typeof body.topic === 'string' ? body.topic : null,
		scheduledTimestamp: typeof body.scheduledTimestamp === 'number' ? body.scheduledTimestamp : null, publicLink: link?.url ?? null,
	};
}

/**
 * @param {{ net: Net, base: string, token: Tokens, sleep: (ms: number) => Promise<void>, log: import('./errors.js').Log }} env
 *   base: unbluApiUrl; token(force): the agent's access token, a new one with force
 * @returns {UnbluClient}
 */
export function createUnbluClient({ net, base, token, sleep, log }) {
	/** One exchange, once. @param {string} method @param {string} path @param {unknown} body @param {number} timeoutMs @param {boolean} force */
	async function attempt(method, path, body, timeoutMs, force) {
		const { accessToken } = await token(force);
		const answer = await net.send(method, `${base}/${path}`, { headers: { Authorization: `Bearer ${accessToken}` }, body, timeoutMs });
		log.add('unblu', { method, path: path.split('?')[0], status: answer.status });
		return answer;
	}

	const more = async () => (await partLoaded(import('./unblu-more.js'))).createMore({ attempt, call, make, sleep, log });

	/** One exchange, again where that may help. @param {string} method @param {string} path @param {unknown} [body] @param {number} [timeoutMs] */
	async function call(method, path, body, timeoutMs = CALL_MS) {
		const first = attempt(method, path, body, timeoutMs, false);
		const answer = await first.catch(() => null);
		if (answer !== null && answer.status < 400)
			return answer;
		return (await more().catch((e) => first.then(() => Promise.reject(e)))).callAgain(method, path, body, timeoutMs, first);
	}

	/** One attempt. @param {Wanted} w @returns {Promise<Conversation>} */
	async function make(w) {
		const answer = await call('POST', 'conversations/create', {
			$_type: 'ConversationCreationData', initialEngagementType: 'SCHEDULED_CONVERSATION', topic: w.topic, scheduledTimestamp: w.scheduledTimestamp, sourceId: w.sourceId,
			participants: [{ $_type: 'ConversationCreationParticipantData', personId: w.personId, participationType: 'ASSIGNED_AGENT' }],
			conversationTemplateId: w.templateId || undefined, metadata: w.metadata,
		}, CREATE_MS);
		if (answer.status !== 200)
			throw (await more()).refusal(answer);
		return conversationOf(answer.body);
	}

	return {
		async getCurrentPerson() {
			const answer = await call('GET', 'authenticator/getCurrentPerson');
			if (answer.status !== 200)
				throw (await more()).refusal(answer);
			const { body } = answer;
			if (typeof body?.id !== 'string' || !ID.test(body.id))
				throw new AddinError('gateway-answer', { said: 'the answer is no person' });
			if (body.personType !== 'AGENT')
				throw new AddinError('not-an-agent', { said: `person of type ${String(body.personType)}` });
			return { id: body.id };
		},
		create: (wanted) => make(wanted).catch(async (e) => (await more().catch(() => Promise.reject(e))).createAgain(wanted, e)),
		read: async (id) => (await more()).read(id),
		setTopic: async (id, topic) => (await more()).setTopic(id, topic),
		setScheduledTimestamp: async (id, ms) => (await more()).setScheduledTimestamp(id, ms),
		remove: async (id) => (await more()).remove(id),
	};
}

/* Our own server. */

/**
 * @typedef {{ sourceId: string, topic: string, start: Date, mailbox: 'own' | 'shared', timeZone?: string, eventId?: string }} Announcement
 * @typedef {{ state: string, reason?: string, topic: string | null, start: string | null, syncedAt: string | null, lastError: string | null, mailbox?: { state: string, reason: string | null }, writes?: string }} LinkState
 * @typedef {object} LinksClient
 * @property {(id: string, what: Announcement) => Promise<void>} put resolves when the server has accepted it
 * @property {(id: string) => Promise<LinkState | null>} get null: the server knows no such link of ours
 * @property {(id: string) => Promise<void>} remove
 */

const LINKS_MS = 4000;
const ZONE = /^[A-Za-z0-9_+/-]{1,63}$/;
const EVENT = /^[A-Za-z0-9_=-]{1,500}$/;

/**
 * @param {{ net: Net, base: string, token: Tokens, sleep: (ms: number) => Promise<void>, log: import('./errors.js').Log }} env
 *   base: {base}/api/links
 * @returns {LinksClient}
 */
export function createLinksClient({ net, base, token, sleep, log }) {
	/** @param {string} method @param {string} id @param {unknown} body @param {boolean} force */
	async function attempt(method, id, body, force) {
		const { accessToken } = await token(force);
		const answer = await net.send(method, `${base}/${encodeURIComponent(id)}`, { headers: { Authorization: `Bearer ${accessToken}`, 'X-Request-Id': log.requestId }, body, timeoutMs: LINKS_MS });
		log.add('links', { method, status: answer.status, code: answer.body?.error?.code });
		return answer;
	}

	const more = async () => (await partLoaded(import('./links-more.js'))).createMore({ attempt, sleep, log });

	return {
		async put(id, what) {
			const body = {
				v: 1, sourceId: what.sourceId, topic: what.topic, start: what.start.toISOString(), mailbox: what.mailbox,
				timeZone: ZONE.test(what.timeZone ?? '') ? what.timeZone : undefined, eventId: EVENT.test(what.eventId ?? '') ? what.eventId : undefined,
			};
			const first = attempt('PUT', id, body, false);
			if ((await first.catch(() => null))?.status !== 202)
				await (await more()).put(id, body, first);
		},
		get: async (id) => (await more()).get(id),
		remove: async (id) => (await more()).remove(id),
	};
}
