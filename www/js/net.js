// @ts-check
/* net.js - the one file that calls fetch. Time limit, size limit, no cookies, no redirects, JSON or nothing. */

import { AddinError } from './errors.js';

const TIMEOUT_MS = 20_000;
const LARGEST = 1024 * 1024;

/**
 * @typedef {{ status: number, body: any, retryAfterMs: number | undefined, requestId: string | null }} Answer body: parsed JSON, null when there was none
 * @typedef {{ headers?: Record<string, string>, body?: unknown, timeoutMs?: number, signal?: AbortSignal }} Options
 * @typedef {object} Net
 * @property {(method: string, url: string, options?: Options) => Promise<Answer>} send any answer of the other side; AddinError `network` (no answer) or `not-json`
 * @property {(url: string) => Promise<string>} text what lies there; AddinError `network` or `http`
 * @property {(method: string, url: string, options?: Options) => Promise<Answer>} json the same as send, and AddinError `http` for a status of 400 and above
 */

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

/** @param {Response} reply */
async function readText(reply) {
	if (Number(reply.headers.get('Content-Length') ?? 0) > LARGEST)
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

/** @param {{ fetch: typeof fetch, now: () => number, signal?: AbortSignal }} env signal: ends every exchange @returns {Net} */
export function createNet({ fetch, now, signal }) {
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
		const parsed = parse(reply, await readText(reply));
		return { status: reply.status, body: parsed, retryAfterMs: retryAfterMs(reply.headers.get('Retry-After'), now()), requestId: reply.headers.get('X-Request-Id') };
	}

	/** @type {Net['send']} */
	async function send(method, url, options = {}) {
		const control = new AbortController();
		const stop = () => control.abort();
		const timer = setTimeout(stop, options.timeoutMs ?? TIMEOUT_MS);
		for (const s of [signal, options.signal])
			if (s?.aborted)
				stop();
			else
				s?.addEventListener('abort', stop, { once: true });
		try {
			return await exchange(method, url, options, control);
		} catch (e) {
			if (e instanceof AddinError)
				throw e;
			throw new AddinError('network', { said: control.signal.aborted ? 'no answer in time' : 'no connection', uncertain: true });
		} finally {
			clearTimeout(timer);
			for (const s of [signal, options.signal])
				s?.removeEventListener('abort', stop);
		}
	}

	return {
		send,
		async text(url) {
			try {
				const reply = await fetch(url, { credentials: 'omit', redirect: 'error', signal });
				if (reply.ok)
					return await readText(reply);
			} catch (e) {
				throw new AddinError('network', { said: /** @type {Error} */ (e).message });
			}
			throw new AddinError('http', { said: 'it is not there' });
		},
		async json(method, url, options) {
			const answer = await send(method, url, options);
			if (answer.status >= 400)
				throw new AddinError('http', { status: answer.status, said: `status ${answer.status}` });
			return answer;
		},
	};
}
