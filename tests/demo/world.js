// @ts-check
/*
 * What the page sees and does: the simulators' state and the programs' log as one picture, and a person's
 * clicks as what Outlook, the add-in and an operator would do. It knows nothing of the product's inside.
 */

import { parseLines } from '../lib/program.js';
import { waitFor } from '../lib/wait.js';
import { Outlook } from './outlook.js';
import * as picture from './picture.js';
import { OF } from './picture.js';
import { Refusal } from './server.js';
import { Tail } from './tail.js';

const LOOK_MS = 500;
const CRON_MS = 60_000;
const SETTLE_MS = 25;
const LONGEST_SUBJECT = 250;
/** The roles that a log line can come from; everything else of outlook-addin-fcgi is the supervisor. */
const ROLES = ['web', 'sync'];
const HEALTH = /^(\/[^/]+)?\/(ready|live|metrics)$/;

/**
 * @typedef {import('../lib/stack.js').Stack} Stack
 * @typedef {{ ready: number, health: string, degraded: string[], queue: number | null, web: number | null, sync: number | null, renewLast: string | null, renewNext: number | null, busy: string | null }} Status
 */

export class World {
	/** @param {Stack} stack @param {(name: 'state' | 'log', data: any) => void} tell */
	constructor(stack, tell) {
		this.stack = stack;
		this.tell = tell;
		this.sim = stack.sims.sim;
		this.outlook = new Outlook(this);
		/** @type {Status} */
		this.status = { ready: 0, health: 'starting', degraded: [], queue: null, web: null, sync: null, renewLast: null, renewNext: null, busy: null };
		this.told = '';
		/** @type {number | null} */
		this.dead = null;
		/** @type {NodeJS.Timeout | null} */
		this.soon = null;
		this.cron = false;
		/** @type {Promise<any> | null} */
		this.renewing = null;
		this.over = false;
		/** Requests that web has not answered yet, by id. @type {Map<string, any>} */
		this.requests = new Map();
	}

	start() {
		this.tail = new Tail((name, line) => this.logged(name, line));
		for (const program of [this.stack.fcgi, this.stack.nginx])
			if (program !== null)
				this.tail.follow(program.name, program.stderrFile);
		this.listener = (/** @type {string} */ type, /** @type {any} */ data) => this.happened(type, data);
		this.sim.journal.listeners.add(this.listener);
		this.looking = this.look();
	}

	async stop() {
		this.over = true;
		this.sim.journal.listeners.delete(this.listener);
		this.tail?.stop();
		if (this.soon !== null)
			clearTimeout(this.soon);
		await this.looking;
	}

	/** @param {string} source @param {any} entry */
	log(source, entry) {
		this.tell('log', { at: this.sim.clock.now(), source, entry });
	}

	/** A line of a program. @param {string} name @param {string} line */
	logged(name, line) {
		const [entry] = parseLines(line);
		if (name === 'nginx' && HEALTH.test(entry.uri ?? ''))
			return;
		if (name !== 'fcgi')
			this.log(name, entry);
		else if (entry.role === 'web' && (entry.event === 'request' || entry.event === 'answer'))
			this.asked(entry);
		else
			this.log(ROLES.includes(entry.role) ? entry.role : 'supervisor', entry);
	}

	/** One line for a request and its answer; none for our own looks at the health. @param {any} entry */
	asked(entry) {
		const begun = this.requests.get(entry.requestId);
		if (entry.event === 'request' && entry.status === 0) {
			this.requests.set(entry.requestId, entry);
			return;
		}
		this.requests.delete(entry.requestId);
		const whole = { ...begun, ...entry, event: 'answered', level: 'info' };
		if (whole.path !== undefined && !HEALTH.test(whole.path))
			this.log('web', whole);
	}

	/** Something of the simulators. @param {string} type @param {any} data */
	happened(type, data) {
		if (type === 'request' && !(data.op === 'token' || data.op === 'keys' || data.op === 'discovery'))
			this.log(data.service, data);
		else if (type === 'request')
			this.log(data.service === 'unblu' ? 'gateway' : data.service, data);
		else if (type === 'delivery')
			this.log('graph', this.delivery(data));
		else if (type === 'subscription')
			this.log('graph', { event: `subscription-${data.what}`, mailbox: data.oid, subscription: data.id, until: data.expirationDateTime });
		else if (type === 'violation')
			this.log('demo', { level: 'error', event: 'violation', message: `${data.service} ${data.spec}: ${data.complaints?.join('; ')}` });
		this.changed();
	}

	/** A delivery without its clientStates. @param {any} d */
	delivery(d) {
		const { subscriptionId } = d.items[0];
		const sub = this.sim.subscriptions.byId.get(subscriptionId) ?? this.sim.subscriptions.gone.get(subscriptionId);
		const changes = d.items.map((/** @type {any} */ i) => i.lifecycleEvent ?? i.changeType);
		return { event: 'notification', mailbox: sub?.oid ?? '', subscription: subscriptionId, path: new URL(d.url).pathname, changes, attempts: d.attempts };
	}

	/** The page hears of it soon, once. */
	changed() {
		if (this.soon !== null || this.over)
			return;
		this.soon = setTimeout(() => {
			this.soon = null;
			const state = this.state();
			const text = JSON.stringify({ ...state, now: 0 });
			if (text !== this.told) {
				this.told = text;
				this.tell('state', state);
			}
		}, SETTLE_MS);
	}

	/** Looks at the programs, again and again; runs the renewal as cron would. */
	async look() {
		while (!this.over) {
			await this.lookOnce();
			if (this.cron && this.status.renewNext !== null && Date.now() >= this.status.renewNext && this.renewing === null)
				this.renew().catch((e) => this.log('demo', { level: 'error', event: 'renewal', message: e.message }));
			this.changed();
			await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
		}
	}

	async lookOnce() {
		const { stack, status } = this;
		const ready = await stack.http.get('/ready');
		status.ready = ready.status;
		try {
			status.health = ready.json.status;
			status.degraded = ready.json.degraded ?? [];
		} catch {
			status.degraded = [];
		}
		status.queue = await this.queue();
		this.dead = await this.metric('outlook_addin_dead_letters') ?? null;
		status.web = stack.pids('web')[0] ?? null;
		status.sync = stack.pids('sync')[0] ?? null;
	}

	/** Rows that wait, from the product's own metrics; null when they can not be read. */
	async queue() {
		const value = await this.metric('outlook_addin_work_rows');
		return value === undefined ? null : value;
	}

	/** Sum of a metric over its labels. @param {string} name @returns {Promise<number | undefined>} */
	async metric(name) {
		try {
			const reply = await fetch(`http://127.0.0.1:${this.stack.metricsPort}/metrics`, { signal: AbortSignal.timeout(2000) });
			const lines = (await reply.text()).split('\n').filter((l) => l.startsWith(name) && ' {'.includes(l[name.length]));
			return lines.length === 0 ? undefined : lines.reduce((sum, l) => sum + Number(l.slice(l.lastIndexOf(' ') + 1)), 0);
		} catch {
			return undefined;
		}
	}

	state() {
		return { ...picture.draw(this.sim, this.dead), shares: this.outlook.shares(), base: new URL(this.stack.base).pathname, status: { ...this.status } };
	}

	events() {
		return picture.events(this.sim);
	}

	conversations() {
		return picture.conversations(this.sim);
	}

	/** Those that live. */
	subscriptions() {
		return picture.subscriptions(this.sim);
	}

	/** As the agent, through the gateway. @param {any} box @param {string} id */
	readConversation(box, id) {
		return fetch(`${this.sim.urls.rest}/conversations/${encodeURIComponent(id)}/read`, { headers: { Authorization: `Bearer ${this.stack.sims.bearer(box)}` } });
	}

	/** @param {string} tenant @param {string} user */
	mailbox(tenant, user) {
		const box = this.stack.mailboxes.find((m) => m.oid === user && m.tenant === tenant);
		if (box === undefined)
			throw new Refusal(404, 'no such mailbox');
		return box;
	}

	/** @param {string} tenant @param {string} user @param {string} id */
	event(tenant, user, id) {
		this.mailbox(tenant, user);
		const found = this.events().find((e) => e.id === id && e.user === user);
		if (found === undefined)
			throw new Refusal(404, 'no such event');
		return found;
	}

	/** @param {any} want @returns {any} */
	run(want) {
		try {
			return this.sim.actions.run(want).event;
		} catch (e) {
			if (e instanceof RangeError)
				throw new Refusal(400, e.message);
			throw e;
		}
	}

	/** @param {string} tenant @param {string} user @param {any} what */
	async add(tenant, user, what) {
		this.mailbox(tenant, user);
		const made = this.run({ action: 'create', mailbox: user, ...checked(what, true) });
		return this.event(tenant, user, made.immutableId);
	}

	/** @param {string} tenant @param {string} user @param {string} id @param {any} what */
	async change(tenant, user, id, what) {
		const before = this.event(tenant, user, id);
		const to = checked({ start: before.start, end: before.end, ...what }, false);
		const [event, date] = id.split(OF);
		if (date === undefined)
			this.run({ action: 'edit', mailbox: user, event, ...to });
		else
			this.run({ action: 'editOccurrence', mailbox: user, event, date, keepsProperty: true, ...to });
		return this.event(tenant, user, id);
	}

	/** @param {string} tenant @param {string} user @param {string} id */
	async remove(tenant, user, id) {
		this.event(tenant, user, id);
		const [event, date] = id.split(OF);
		this.run(date === undefined ? { action: 'delete', mailbox: user, event } : { action: 'deleteOccurrence', mailbox: user, event, date });
		return {};
	}

	/**
	 * The button: makes the conversation through the gateway as the agent, writes property and link into
	 * the event, and announces it to the product.
	 * @param {string} tenant @param {string} user @param {string} id
	 */
	async link(tenant, user, id) {
		const box = this.mailbox(tenant, user);
		const e = this.event(tenant, user, id);
		if (e.conversation !== null)
			throw new Refusal(409, 'the event has its conversation');
		const topic = e.subject.trim() === '' ? 'Meeting' : e.subject;
		const conv = await this.stack.sims.book(box, { topic, start: e.start });
		this.run({ action: 'link', mailbox: user, event: id, conversationId: conv.id, sourceId: conv.sourceId, url: this.conversations().find((c) => c.id === conv.id)?.url });
		const answer = await this.stack.putLink(box, conv, { topic, start: e.start });
		this.log('demo', { event: 'announced', status: answer.status, conversation: conv.id, topic });
		if (answer.status !== 202)
			throw new Refusal(502, `PUT api/links was answered ${answer.status}: ${answer.text}`);
		return { conversation: conv.id, sourceId: conv.sourceId, status: answer.status };
	}

	/** @param {string} name */
	async act(name) {
		switch (name) {
		case 'expire': return this.expire();
		case 'renew': return this.renew();
		case 'kill-web': return this.kill('web');
		case 'kill-sync': return this.kill('sync');
		default: throw new Refusal(404, `no action ${name}`);
		}
	}

	/** Past the end of the last subscription. The renewal waits a whole turn, so that one can see it. */
	async expire() {
		const last = Math.max(0, ...this.subscriptions().map((s) => s.expires));
		if (last === 0)
			throw new Refusal(409, 'there is no subscription');
		if (this.cron)
			this.status.renewNext = Date.now() + CRON_MS;
		const ms = last - this.sim.clock.now() + 1000;
		this.log('demo', { event: 'clock-moved', ms });
		await this.stack.advance(ms);
		this.changed();
		return { ms };
	}

	/** One run of outlook-addin-renew. @returns {Promise<{ code: number, stdout: string, log: any[] }>} */
	async renew() {
		if (this.renewing !== null)
			return this.renewing;
		this.status.busy = 'running\u2026';
		this.changed();
		this.renewing = this.stack.renew();
		try {
			const run = await this.renewing;
			for (const entry of run.log)
				this.log('renew', entry);
			this.status.renewLast = `last run ended with ${run.code}`;
			return { code: run.code, stdout: run.stdout, log: run.log };
		} finally {
			this.renewing = null;
			this.status.busy = null;
			if (this.cron)
				this.status.renewNext = Date.now() + CRON_MS;
			this.changed();
		}
	}

	/** As cron would do from now on. */
	startCron() {
		this.cron = true;
		this.status.renewNext = Date.now() + CRON_MS;
	}

	/** @param {'web' | 'sync'} role */
	async kill(role) {
		const pid = await this.stack.kill(role);
		this.log('demo', { event: 'killed', role, pid });
		this.status[role] = null;
		this.changed();
		const next = await waitFor(() => this.stack.pids(role)[0], 10_000, `${role} runs again`);
		this.status[role] = next;
		this.changed();
		return { before: pid, now: next };
	}
}

/** What a page may set. @param {any} what @param {boolean} all */
function checked(what, all) {
	/** @type {any} */
	const out = {};
	for (const name of ['start', 'end'])
		if (what[name] !== undefined) {
			if (!Number.isSafeInteger(what[name]) || Math.abs(what[name]) > 8e15)
				throw new Refusal(400, `${name}: not a time`);
			out[name] = what[name];
		} else if (all) {
			throw new Refusal(400, `${name} is missing`);
		}
	if (out.end <= out.start)
		throw new Refusal(400, 'the end is not after the start');
	if (what.subject !== undefined) {
		if (typeof what.subject !== 'string' || what.subject.length > LONGEST_SUBJECT)
			throw new Refusal(400, 'subject: text of at most 250 characters');
		out.subject = what.subject;
	}
	return out;
}
