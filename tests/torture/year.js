// @ts-check
/*
 * A year of outlook-addin-renew, fired by cron once an hour: the programs' clock by libfaketime, the simulators' with it.
 *
 *     node tests/torture/year.js [DAYS [SEED [MAILBOXES]]]
 *
 * Sync does not run: all that a subscription needs is done by the renewal alone; what sync would do afterwards, the
 * catch-up, has to stand in its queue. Meanwhile Graph, Entra and our webhook fail for hours or days, consents are
 * revoked, users go and come back, subscriptions vanish without a word, lists lie, Graph grants less, the host is
 * switched off, a pass is killed, the clock is set wrong. At every firing each mailbox is looked at:
 *
 * - One that nothing is wrong with has no subscription at Graph for at most two firings. Whoever was refused is parked,
 *   and asked again a day later: that is the first moment that counts. Refused is whom Graph has answered 403, or 404
 *   when one was to be made, and who would have been.
 * - What Graph has lost without a word is not known to anybody until something is due and the list is read: two firings
 *   behind the first true list, and never longer than half of a life.
 * - Nothing of ours runs out while nothing is wrong.
 *
 * In the end each mailbox has exactly one, which the store knows; those of others are as they were.
 */

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { Crowd } from '../lib/crowd.js';
import { FakeClock } from '../lib/faketime.js';
import { pause } from '../lib/wait.js';

const HOUR = 3600_000;
const DAY = 24 * HOUR;
const [DAYS = 365, SEED = 20261128, MAILBOXES = 24] = process.argv.slice(2).map(Number);
const FACTOR = 60; /* a pass may wait for half a minute */
const FIRINGS_ALLOWED = 2;
const PARKED_MS = 25 * HOUR; /* a day, and the tenth more by which retries are spread */
const LIFE_MS = 10_065 * 60_000;

/** Numbers that hang on the seed alone. */
class Chance {
	/** @param {number} seed */
	constructor(seed) {
		this.state = seed >>> 0;
	}

	next() {
		this.state = (this.state + 0x6d2b79f5) >>> 0;
		let t = this.state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	}

	/** @param {number} p */
	of(p) {
		return this.next() < p;
	}

	/** @param {number} from @param {number} to */
	between(from, to) {
		return from + Math.floor(this.next() * (to - from + 1));
	}

	/** @template T @param {T[]} list @returns {T} */
	one(list) {
		return list[Math.floor(this.next() * list.length)];
	}
}

/** What is wrong for some firings. @typedef {{ name: string, until: number, end: () => void, hits: (user: any) => boolean }} Trouble */

class Year {
	/** @param {Crowd} crowd @param {FakeClock} clock */
	constructor(crowd, clock) {
		this.crowd = crowd;
		this.clock = clock;
		this.sim = crowd.sim;
		this.chance = new Chance(SEED);
		this.start = Math.ceil(Date.now() / HOUR) * HOUR;
		this.firing = 0;
		/** @type {Trouble[]} */
		this.troubles = [];
		/** @type {string[]} */
		this.wrong = [];
		/** First firing at which a mailbox had none although it should, by object id. @type {Map<string, number>} */
		this.bare = new Map();
		/** Was refused last at, by object id: it is parked. @type {Map<string, number>} */
		this.refused = new Map();
		/** Lost without a word, and no true list was read since: firing of the loss. @type {Map<string, number>} */
		this.silent = new Map();
		/** Firing at which something was wrong last, by object id. @type {Map<string, number>} */
		this.ill = new Map();
		/** Ids that the store knows. @type {Set<string>} */
		this.known = new Set();
		/** @type {any[]} those of another product */
		this.others = [];
		this.others = crowd.users.slice(0, 3).map((u) => this.foreign(u));
		this.stats = { runs: 0, renewed: 0, created: 0, recreated: 0, removed: 0, parked: 0, failed: 0, killed: 0, off: 0, silent: 0, longestSilent: 0, longestBare: 0 };
		this.told = new Map();
		/** What each had at first. */
		this.first = new Map(crowd.users.map((u) => [u.oid, this.ours(u)[0].id]));
		this.sim.journal.listeners.add((/** @type {string} */ type, /** @type {any} */ data) => this.heard(type, data));
	}

	get now() {
		return this.start + this.firing * HOUR;
	}

	/** From when on a day is counted for whom Graph refuses now: a clock that is ahead is believed up to thirty hours (RETRY_WAIT_MAX_MS). */
	get parkedAt() {
		return this.now + Math.min(Math.max(this.skew ?? 0, 0), 6 * HOUR);
	}

	/** One that Graph has beside ours, whatever its rule of one. @param {any} user @param {string} url @param {number} expiresAt @param {any} [more] */
	beside(user, url, expiresAt, more = {}) {
		const { byKey } = this.sim.subscriptions;
		const sub = this.crowd.subscribe(this.sim.directory.tenants.get(user.tenant), user, url, expiresAt);
		const [own] = this.ours(user).filter((s) => s !== sub);
		byKey.delete(sub.key);
		if (own !== undefined)
			byKey.set(own.key, own);
		sub.key = `${sub.key}${sub.id}`;
		return Object.assign(sub, more);
	}

	/** A subscription of another product in the same mailbox. @param {any} user */
	foreign(user) {
		return this.beside(user, 'https://elsewhere.example.com/addin/webhook/events', this.start + (DAYS + 30) * DAY, { applicationId: this.sim.rng.guid() });
	}

	/** @param {any} user */
	ours(user) {
		return this.crowd.at(user).filter((s) => !this.others.includes(s));
	}

	/** @param {string} type @param {any} data */
	heard(type, data) {
		if (type !== 'subscription' || data.what !== 'expired' || this.others.some((o) => o.id === data.id))
			return;
		const user = this.crowd.users.find((u) => u.oid === data.oid);
		if (user !== undefined && this.known.has(data.id) && this.firing - (this.ill.get(user.oid) ?? -9) > FIRINGS_ALLOWED)
			this.wrong.push(`firing ${this.firing}: ${data.oid}: ran out although nothing was wrong`);
	}

	/** @param {any} user */
	isWell(user) {
		return !this.troubles.some((t) => t.hits(user));
	}

	/* ---- what goes wrong ---- */

	/** @param {string} name @param {number} firings @param {(user: any) => boolean} hits @param {() => void} end */
	begin(name, firings, hits, end) {
		this.troubles.push({ name, until: this.firing + firings, hits, end });
		this.told.set(name, (this.told.get(name) ?? 0) + 1);
	}

	/** @param {string} name */
	has(name) {
		return this.troubles.some((t) => t.name === name);
	}

	/** Graph answers nobody, or one tenant not. */
	outage() {
		const { chance } = this;
		const tenant = chance.of(0.5) ? chance.one([...this.crowd.mailboxes.keys()]) : undefined;
		const fault = chance.one([{ kind: 'status', status: 503, retryAfter: 900 }, { kind: 'status', status: 503 }, { kind: 'throttle', retryAfter: 600 }, { kind: 'reset' }, { kind: 'html' }, { kind: 'garbage' }, { kind: 'empty' }, { kind: 'status', status: 401 }]);
		const rule = this.sim.faults.add({ service: 'graph', ...(tenant === undefined ? {} : { tenant }), ...fault, scope: tenant === undefined ? 'service' : 'tenant', punish: false });
		const firings = chance.of(0.05) ? chance.between(100, 200) : chance.between(1, 30);
		this.begin('outage', firings, (u) => tenant === undefined || u.tenant === tenant, () => this.sim.faults.remove(rule.id));
	}

	noTokens() {
		const rule = this.sim.faults.add({ service: 'entra', ...this.chance.one([{ kind: 'status', status: 500 }, { kind: 'reset' }, { kind: 'html' }]), punish: false });
		this.begin('no-tokens', this.chance.between(1, 12), () => true, () => this.sim.faults.remove(rule.id));
	}

	/** Our own webhook: what has to be made anew is refused. */
	deaf() {
		this.crowd.refuseHandshake = true;
		this.begin('deaf', this.chance.between(1, 10), () => true, () => {
			this.crowd.refuseHandshake = false;
		});
	}

	/** Graph drops the subscriptions of an application that has no consent any more. */
	revoke() {
		const id = this.chance.one([...this.crowd.mailboxes.keys()]);
		const { app } = this.sim.directory.tenants.get(id);
		const roles = app.roles;
		if (this.chance.of(0.5))
			app.consented = false;
		else
			app.roles = [];
		this.sim.directory.tokens?.clear?.();
		for (const user of this.crowd.mailboxes.get(id) ?? [])
			this.takeAway(user);
		this.begin('revoked', this.chance.between(2, 80), (u) => u.tenant === id, () => {
			app.consented = true;
			app.roles = roles;
		});
	}

	/** What goes with its mailbox is lost without a word as well, until somebody asks. @param {any} user */
	takeAway(user) {
		for (const sub of this.ours(user))
			this.sim.subscriptions.remove(sub, 'removed');
		if (!this.silent.has(user.oid))
			this.silent.set(user.oid, this.firing);
	}

	/** A user is removed, loses his licence, moves away; most come back. */
	goAway() {
		const user = this.chance.one(this.crowd.users);
		if (user.state !== 'ok')
			return;
		user.state = this.chance.one(['deleted', 'noLicence', 'forbidden', 'policy', 'flapping']);
		if (user.state === 'deleted' || this.chance.of(0.5))
			this.takeAway(user);
		this.begin(user.state, this.chance.between(3, 400), (u) => u === user, () => {
			user.state = 'ok';
		});
	}

	/** Graph forgets some, and tells nobody. */
	lose() {
		for (let count = this.chance.of(0.1) ? MAILBOXES : this.chance.between(1, 3); count > 0; count--) {
			const user = this.chance.one(this.crowd.users);
			const sub = this.ours(user).find((s) => this.known.has(s.id));
			if (sub === undefined)
				continue;
			this.sim.subscriptions.remove(sub, 'removed');
			this.stats.silent++;
			if (!this.silent.has(user.oid))
				this.silent.set(user.oid, this.firing);
		}
	}

	/** One that the store does not know: an answer was lost, or a backup restored. */
	stray() {
		const user = this.chance.one(this.crowd.users);
		this.beside(user, `${this.crowd.url}/addin/webhook/events`, this.now + 6 * DAY);
	}

	lie() {
		this.sim.settings.graph.subscriptionList = this.chance.one(['empty', 'stale']);
		this.begin('lie', this.chance.between(3, 60), () => false, () => {
			this.sim.settings.graph.subscriptionList = 'ok';
		});
	}

	/** Graph grants less for some time. */
	stingy() {
		Object.assign(this.sim.settings.graph.expiry, { maxMinutes: this.chance.one([4230, 1440, 300]), beyondMax: this.chance.one(['reject', 'clamp']) });
		this.begin('stingy', this.chance.between(24, 240), () => false, () => {
			Object.assign(this.sim.settings.graph.expiry, { maxMinutes: 10_080, beyondMax: 'reject' });
		});
	}

	switchOff() {
		this.begin('off', this.chance.of(0.1) ? this.chance.between(100, 180) : this.chance.between(1, 12), () => true, () => {});
	}

	/** Our clock is wrong by up to a day. */
	wrongClock() {
		this.skew = this.chance.one([-DAY, DAY, -5 * HOUR, 7 * HOUR]);
		this.begin('wrong-clock', this.chance.between(1, 6), () => false, () => {
			this.skew = 0;
		});
	}

	/** Another addinId: all are made anew, in order. */
	change() {
		this.crowd.configure({ ...this.crowd.options.config, addinId: this.sim.rng.guid() });
		this.told.set('other-addin', (this.told.get('other-addin') ?? 0) + 1);
	}

	happen() {
		const { chance } = this;
		/** @type {[string, number, () => void][]} */
		const list = [
			['outage', 1 / 80, () => this.outage()], ['no-tokens', 1 / 300, () => this.noTokens()], ['deaf', 1 / 300, () => this.deaf()], ['revoked', 1 / 500, () => this.revoke()],
			['', 1 / 60, () => this.goAway()], ['', 1 / 40, () => this.lose()], ['', 1 / 100, () => this.stray()], ['lie', 1 / 400, () => this.lie()],
			['stingy', 1 / 600, () => this.stingy()], ['off', 1 / 200, () => this.switchOff()], ['wrong-clock', 1 / 250, () => this.wrongClock()], ['', 1 / 1500, () => this.change()],
		];
		for (const [name, odds, act] of list)
			if (chance.of(odds) && (name === '' || !this.has(name)))
				act();
	}

	heal() {
		for (const t of this.troubles.filter((x) => x.until <= this.firing))
			t.end();
		this.troubles = this.troubles.filter((x) => x.until > this.firing);
	}

	/* ---- one firing ---- */

	advance() {
		const offset = this.now - Date.now();
		for (const user of this.crowd.users)
			if (!this.isWell(user))
				this.ill.set(user.oid, this.firing);
		this.sim.clock.set({ factor: 1, offsetMs: offset });
		this.sim.clock.set({ factor: FACTOR });
		this.clock.set(offset + (this.skew ?? 0));
	}

	/** @returns {Promise<boolean>} whether a pass ran to its end */
	async pass() {
		if (this.has('off')) {
			this.stats.off++;
			return false;
		}
		this.stats.runs++;
		if (this.chance.of(1 / 100)) {
			const child = this.crowd.begin();
			child.stdout.resume();
			child.stderr.resume();
			const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal === 'SIGKILL')));
			await Promise.race([pause(this.chance.between(1, 40)), ended]);
			child.kill('SIGKILL');
			if (await ended) {
				this.stats.killed++;
				return false;
			}
			return true;
		}
		const run = await this.crowd.renew('-v');
		this.logs = [...(this.logs ?? []).slice(-3), run.stderr];
		if (run.signal !== null || run.code === null || run.code > 1 || run.summary === undefined)
			throw new Error(`firing ${this.firing}: ${run.code} ${run.signal} ${run.stderr.slice(-2000)}`);
		if (process.env.YEAR_TRACE)
			console.log(this.firing, Math.round(run.ms), run.code, this.troubles.map((t) => t.name).join(), JSON.stringify(run.summary.due), run.summary.failed);
		for (const name of /** @type {const} */ (['renewed', 'created', 'recreated', 'removed', 'parked', 'failed']))
			this.stats[name] += run.summary[name];
		this.last = run;
		return true;
	}

	async fire() {
		const ran = await this.pass();
		if (!ran || this.last?.summary.due !== 0)
			await this.remember();
		this.look(ran);
	}

	/** Graph refuses it; whoever is parked for longer stays so. @param {string} oid */
	park(oid) {
		this.refused.set(oid, Math.max(this.parkedAt, this.refused.get(oid) ?? 0));
	}

	/** What Graph has told since the last look: the tenants of which a true list was read; who was refused is noted. */
	readJournal() {
		const seen = new Set();
		const after = this.seq ?? 0;
		for (const entry of this.sim.journal.find({ service: 'graph', after, limit: 5000 })) {
			this.seq = Math.max(this.seq ?? 0, entry.seq);
			if (entry.op === 'listSubscriptions' && entry.status === 200 && this.sim.settings.graph.subscriptionList === 'ok')
				seen.add(entry.tenant);
			if (entry.mailbox !== undefined && (entry.status === 403 || (entry.status === 404 && entry.op === 'createSubscription')))
				this.park(entry.mailbox);
		}
		return seen;
	}

	/** @param {boolean} ran */
	look(ran) {
		const lists = this.readJournal();
		for (const user of this.crowd.users) {
			if (this.ours(user).some((s) => this.known.has(s.id))) {
				this.noteCovered(user);
				continue;
			}
			const since = this.silent.get(user.oid);
			if (!this.isWell(user) || !ran) {
				this.bare.delete(user.oid);
				if (ran && lists.has(user.tenant))
					this.silent.delete(user.oid);
				if (!this.isWell(user) && !this.has('off') && !this.has('outage') && !this.has('no-tokens'))
					this.park(user.oid);
				continue;
			}
			if (since !== undefined && (this.firing - since) * HOUR <= LIFE_MS / 2 + FIRINGS_ALLOWED * HOUR && !lists.has(user.tenant))
				continue;
			this.silent.delete(user.oid);
			if (this.now - (this.refused.get(user.oid) ?? 0) <= PARKED_MS)
				continue;
			const first = this.bare.get(user.oid) ?? this.firing;
			this.bare.set(user.oid, first);
			this.stats.longestBare = Math.max(this.stats.longestBare, this.firing - first + 1);
			if (this.firing - first >= FIRINGS_ALLOWED)
				this.wrong.push(`firing ${this.firing}: ${user.tenant}/${user.oid} has had no subscription since firing ${first}`);
		}
	}

	/** @param {any} user */
	noteCovered(user) {
		const since = this.silent.get(user.oid);
		if (since !== undefined)
			this.stats.longestSilent = Math.max(this.stats.longestSilent, this.firing - since);
		this.silent.delete(user.oid);
		this.bare.delete(user.oid);
		this.refused.delete(user.oid);
	}

	/** Only those whose clientState the store has are of use. */
	async remember() {
		const { subscriptions } = await this.crowd.dump();
		this.known = new Set(subscriptions.filter((/** @type {any} */ s) => s.granted > 0).map((/** @type {any} */ s) => s.id));
	}

	async live() {
		await this.remember();
		for (; this.firing < DAYS * 24; this.firing++) {
			this.heal();
			this.advance();
			this.happen();
			await this.fire();
			await this.complain();
		}
		await this.settle();
	}

	/** With what the store has of those mailboxes. */
	async complain() {
		if (this.wrong.length === 0)
			return;
		const { mailboxes, subscriptions } = await this.crowd.dump();
		const names = this.troubles.map((t) => t.name).join();
		const rows = [...mailboxes, ...subscriptions].filter((r) => this.wrong.some((w) => w.includes(r.user)));
		throw new Error(`seed ${SEED}: ${this.wrong.join('\n')}\nnow ${this.now} ${names} ${rows.map((r) => JSON.stringify(r)).join('\n')}\n${this.logs?.join('---\n').slice(-9000)}`);
	}

	/** Nothing is wrong for some days. */
	async settle() {
		for (const t of this.troubles)
			t.end();
		this.troubles = [];
		for (const end = this.firing + 8 * 24; this.firing < end; this.firing++) {
			this.advance();
			await this.fire();
		}
		const { subscriptions, mailboxes, work } = await this.crowd.dump();
		for (const user of this.crowd.users) {
			const there = this.ours(user);
			const rows = subscriptions.filter((/** @type {any} */ s) => s.user === user.oid);
			if (there.length !== 1 || rows.length !== 1 || rows[0].id !== there[0].id)
				this.wrong.push(`in the end: ${user.oid}: ${there.map((s) => s.id)} at Graph, ${rows.map((/** @type {any} */ r) => r.id)} in the store`);
			if (there[0]?.id !== this.first.get(user.oid) && !work.some((/** @type {any} */ w) => w.user === user.oid && w.kind === 3))
				this.wrong.push(`in the end: ${user.oid}: no catch-up waits for sync`);
		}
		for (const other of this.others)
			if (!this.sim.subscriptions.byId.has(other.id) || other.renewals !== 0)
				this.wrong.push(`in the end: another product's ${other.id} was touched`);
		if (mailboxes.some((/** @type {any} */ m) => m.state !== 0))
			this.wrong.push('in the end: a mailbox is not followed any more');
		await this.complain();
	}
}

async function main() {
	const crowd = await Crowd.start({ count: MAILBOXES, tenants: 3, agedMinutes: 100, config: { linkRetentionDays: 3650 }, logSize: 2000 });
	const clock = new FakeClock(crowd.dir, FACTOR);
	crowd.env = { ...clock.env, ASAN_OPTIONS: 'verify_asan_link_order=0' };
	try {
		const year = new Year(crowd, clock);
		const began = Date.now();
		await year.live();
		console.log(`year: ${DAYS} days, seed ${SEED}, ${MAILBOXES} mailboxes, ${Math.round((Date.now() - began) / 1000)} s: ${JSON.stringify(year.stats)} ${JSON.stringify(Object.fromEntries(year.told))}`);
	} finally {
		clock.close();
		await crowd.close();
	}
}

await main();
