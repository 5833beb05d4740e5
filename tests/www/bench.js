// @ts-check
/*
 * A flow in node: the add-in's modules over the stub of Office, the simulators and a stand-in of api/links. Everything
 * that the browser gives (storage, clock, lock) is a parameter of those modules.
 */

import { createItem } from '../../www/js/outlook.js';
import { createLinksClient, createNet, createUnbluClient } from '../../www/js/remote.js';
import { AddinError, createLog } from '../../www/js/errors.js';
import { INVITATION } from '../../www/js/load.js';
import { startSimulators } from '../sim/index.js';
import { loadStub } from './stub.js';

export const ANNA = 'anna@alpinebank.example';

/** @returns {{ get(key: string): string | null, set(key: string, value: string | null): void, map: Map<string, string> }} */
export function memory() {
	/** @type {Map<string, string>} */
	const map = new Map();
	return { map, get: (key) => map.get(key) ?? null, set: (key, value) => void (value === null ? map.delete(key) : map.set(key, value)) };
}

/** What stands in for our server. */
export class Links {
	constructor() {
		/** @type {{ method: string, id: string, body: any }[]} */
		this.calls = [];
		/** Statuses to answer next; then 202 and 204. @type {number[]} */
		this.next = [];
		/** @type {Map<string, any>} */
		this.known = new Map();
	}

	/** @param {string} method @param {string} url @param {any} body @returns {import('../../www/js/remote.js').Answer} */
	answer(method, url, body) {
		const id = decodeURIComponent(url.split('/').pop() ?? '');
		/* As it comes over the wire. */
		body = body === undefined ? undefined : JSON.parse(JSON.stringify(body));
		this.calls.push({ method, id, body });
		const status = this.next.shift() ?? (method === 'PUT' ? 202 : method === 'DELETE' ? 204 : this.known.has(id) ? 200 : 404);
		if (status === 0)
			throw new AddinError('network', { said: 'no connection', uncertain: true });
		if (method === 'PUT' && status === 202)
			this.known.set(id, body);
		return { status, retryAfter: status === 503 ? '5' : null, requestId: 'r', body: status >= 400 ? { error: { code: 'x', message: 'no', requestId: 'r' } } : method === 'GET' ? { v: 1, state: 'linked' } : null };
	}
}

/**
 * @param {any} sim of startSimulators
 * @param {{ stub?: any, config?: any, token?: string, now?: () => number, fetch?: typeof fetch, remote?: any, memory?: ReturnType<typeof memory>, links?: Links, mailbox?: any }} [given]
 */
export async function bench(sim, given = {}) {
	const stub = loadStub(given.mailbox === undefined ? { ...given.stub } : { mailbox: given.mailbox });
	await stub.Office.onReady();
	const { mailbox } = stub.Office.context;
	const log = createLog({ now: () => Date.now(), requestId: 'abcd1234' });
	const token = given.token ?? (await sim.control('POST', '/control/mint', { upn: ANNA })).token;
	const config = {
		version: '1', clientId: 'c', authority: 'https://login.example/common', tenantIds: [], apiScopes: ['s'], unbluApiUrl: sim.urls.rest, syncServerEnabled: true, debugMode: false, showDebugPane: false,
		invitationTexts: {}, fallbackTopic: 'Meeting', topicMaxChars: 250, allowInsecureLinks: true, supportUrl: '', conversationTemplateId: '', ...given.config,
	};
	/** @type {number[]} */
	const slept = [];
	const sleep = async (/** @type {number} */ ms) => {
		slept.push(ms);
	};
	/* The time of a call is over when Outlook will not answer it, and never before: how fast this machine is says nothing. */
	const limits = /** @type {Set<() => void>} */ (new Set());
	stub.mailbox.hanging.add(() => limits.forEach((over) => over()));
	const limit = () => new Promise((resolve) => limits.add(() => resolve(undefined)));
	const tokens = async () => ({ accessToken: token });
	const net = createNet({ fetch: given.fetch ?? fetch });
	const links = given.links ?? new Links();
	const signed = { asked: /** @type {any[]} */ ([]), fault: /** @type {AddinError | null} */ (null), silent: true };
	/** @type {any} */
	const session = {
		async token(/** @type {any} */ how = {}) {
			signed.asked.push(how);
			if (signed.fault !== null && how.interactive)
				throw signed.fault;
			if (!signed.silent && !how.interactive)
				throw new AddinError('signin-needed');
			return { accessToken: token };
		},
	};
	/** @type {any} */
	const remote = {
		config, session, label: INVITATION.en, labels: Object.values(INVITATION), bases: /** @type {string[]} */ ([]), fallbackTopic: 'Meeting',
		unblu: createUnbluClient({ net, base: config.unbluApiUrl, token: tokens, sleep, log }),
		links: createLinksClient({ net: /** @type {any} */ ({ send: async (/** @type {string} */ m, /** @type {string} */ u, /** @type {any} */ o) => links.answer(m, u, o.body) }), base: 'https://addin.example/addin/api/links', token: tokens, sleep, log }),
		...given.remote,
	};
	const kept = given.memory ?? memory();
	let n = 0;
	let over = false;
	const check = () => {
		if (over)
			throw new AddinError('timeout');
	};
	/** @type {import('../../www/js/flow.js').Ports} */
	const ports = {
		item: createItem(mailbox.item, { sleep: /** @type {any} */ (limit), mailbox, log, check }), remote: Promise.resolve(remote), memory: kept, learn: (url) => void remote.bases.push(url.slice(0, url.indexOf('=') + 1)),
		language: 'en-US', timeZone: 'Europe/Zurich', now: given.now ?? (() => Date.UTC(2031, 3, 1)), uuid: () => `00000000-0000-4000-8000-${String(++n).padStart(4, '0')}${Math.random().toString(16).slice(2, 10).padEnd(8, '0')}`,
		sleep, log, check,
	};
	return { ports, remote, links, log, slept, signed, memory: kept, far: stub.mailbox, Office: stub.Office, stop: () => void (over = true), conversations: () => [...sim.conversations.byId.values()] };
}

/** @param {any} t */
export async function simulators(t) {
	const sim = await startSimulators({ seed: 7 });
	t.after(() => sim.close());
	return sim;
}

/** The link in the property, parsed. @param {any} far */
export function property(far) {
	const text = far.item.properties.unblu;
	return text === undefined ? null : JSON.parse(text);
}

/** How often a piece of text is there. @param {string} text @param {string} part */
export function count(text, part) {
	return text.split(part).length - 1;
}
