// @ts-check
/*
 * The sender: gathers items per URL, posts them, retries with exponential back-off for 4 hours of
 * virtual time, and keeps a record of every attempt (graph.md section 5).
 */

import { EndpointHealth } from './health.js';
import { Ring } from '../lib/journal.js';

/**
 * @typedef {object} Delivery
 * @property {string} id @property {string} url @property {any[]} items @property {Set<any>} subs
 * @property {number} firstAt @property {any[]} attempts @property {'pending' | 'delivered' | 'dropped'} state
 */

export class DeliveryEngine {
	/* Late answers of an earlier life must not touch the counts of this one. */
	life = {};
	/** url -> items waiting for company @type {Map<string, { item: any, sub: any }[]>} */
	gathering = new Map();
	/** url -> posts waiting for a free slot @type {Map<string, { running: number, queue: Delivery[] }>} */
	lanes = new Map();
	/** @type {Set<Delivery>} neither delivered nor dropped */
	pending = new Set();
	nextId = 1;

	/** @param {any} sim @param {number} size */
	constructor(sim, size) {
		this.sim = sim;
		this.ring = new Ring(size);
		this.health = new EndpointHealth(sim);
		/** @type {(() => void)[]} */
		this.waiters = [];
	}

	clear() {
		this.life = {};
		this.ring.clear();
		this.health.clear();
		this.gathering = new Map();
		this.lanes = new Map();
		this.pending = new Set();
		this.nextId = 1;
		this.settled();
	}

	/** Nothing is scheduled, gathered or undelivered. */
	get idle() {
		return this.sim.notifier.scheduled === 0 && this.gathering.size === 0 && this.pending.size === 0;
	}

	/** Resolves to true when idle, to false after timeoutMs of real time. @param {number} timeoutMs @returns {Promise<boolean>} */
	whenIdle(timeoutMs) {
		if (this.idle)
			return Promise.resolve(true);
		return new Promise((resolve) => {
			const timer = setTimeout(() => resolve(false), timeoutMs);
			this.waiters.push(() => {
				clearTimeout(timer);
				resolve(true);
			});
		});
	}

	settled() {
		if (this.waiters.length > 0 && this.idle)
			for (const waiter of this.waiters.splice(0))
				waiter();
	}

	/** @param {string} url @param {any} item @param {any} sub */
	add(url, item, sub) {
		const waiting = this.gathering.get(url);
		if (waiting !== undefined) {
			waiting.push({ item, sub });
			return;
		}
		this.gathering.set(url, [{ item, sub }]);
		const wait = this.sim.rng.range(this.sim.settings.graph.notify.gatherMs);
		if (wait <= 0)
			this.flush(url);
		else
			this.sim.clock.after(wait, () => this.flush(url));
	}

	/** @param {string} url */
	flush(url) {
		const { rng, settings } = this.sim;
		let rest = this.gathering.get(url) ?? [];
		this.gathering.delete(url);
		const n = settings.graph.notify;
		if (n.profile === 'real' && rng.chance(n.reorder))
			rest = rng.shuffle(rest);
		while (rest.length > 0) {
			const part = rest.splice(0, n.profile === 'real' ? rng.int(1, n.perPost) : n.perPost);
			this.post(url, part.map((p) => p.item), part.map((p) => p.sub));
		}
	}

	/** @param {string} url @param {any[]} items @param {any[]} subs */
	post(url, items, subs) {
		/** @type {Delivery} */
		const d = { id: `d${this.nextId++}`, url, items, subs: new Set(subs), firstAt: this.sim.clock.now(), attempts: [], state: 'pending' };
		this.pending.add(d);
		this.ring.push(d);
		this.sim.journal.deliveries.posts++;
		this.sim.journal.deliveries.items += items.length;
		const wait = this.health.gate(url, d.subs);
		const { lost } = this.sim.settings.graph.delivery;
		if (lost > 0 && !items.some((i) => i.lifecycleEvent) && this.sim.rng.chance(lost))
			this.drop(d, 'lost', true);
		else if (wait === 'drop')
			this.drop(d, 'endpoint dropped', false);
		else if (wait > 0)
			this.sim.clock.after(wait, () => this.enqueue(d));
		else
			this.enqueue(d);
		return d;
	}

	/** @param {Delivery} d */
	enqueue(d) {
		if (!this.pending.has(d))
			return;
		let lane = this.lanes.get(d.url);
		if (lane === undefined) {
			lane = { running: 0, queue: [] };
			this.lanes.set(d.url, lane);
		}
		lane.queue.push(d);
		this.pump(lane);
	}

	/** @param {{ running: number, queue: Delivery[] }} lane */
	pump(lane) {
		while (lane.running < this.sim.settings.graph.delivery.parallel && lane.queue.length > 0) {
			const d = /** @type {Delivery} */ (lane.queue.shift());
			lane.running++;
			this.attempt(d).catch((e) => this.sim.fail(e)).finally(() => {
				lane.running--;
				this.pump(lane);
			});
		}
	}

	/** @param {Delivery} d */
	async attempt(d) {
		const { sim, life } = this;
		const { delivery } = sim.settings.graph;
		const first = d.attempts.length === 0;
		const body = { value: d.items };
		sim.checks.notification(body);
		const at = sim.clock.iso();
		const answer = await sim.outbound.send(d.url, { 'Content-Type': 'application/json; charset=utf-8' }, JSON.stringify(body), first ? delivery.firstTimeoutMs : delivery.retryTimeoutMs);
		if (this.life !== life || !this.pending.has(d))
			return;
		const attempt = { at, status: answer.status, ms: answer.ms, error: answer.error };
		d.attempts.push(attempt);
		sim.journal.deliveries.attempts++;
		this.health.note(d.url, first, answer);
		if (answer.ms > delivery.firstTimeoutMs)
			sim.journal.deliveries.slow++;
		sim.journal.emit('delivery', { ...describeDelivery(d), items: d.items });
		if (answer.status >= 200 && answer.status < 300) {
			d.state = 'delivered';
			sim.journal.deliveries.delivered++;
			this.pending.delete(d);
			this.settled();
			return;
		}
		sim.journal.deliveries.failedAttempts++;
		this.retry(d);
	}

	/** @param {Delivery} d */
	retry(d) {
		const { rng, settings, clock } = this.sim;
		const { retryBaseMs, giveUpMs } = settings.graph.delivery;
		const step = retryBaseMs * 2 ** (d.attempts.length - 1);
		const wait = Math.round(step * (1 + 0.2 * rng.next()));
		if (clock.now() + wait - d.firstAt > giveUpMs) {
			this.drop(d, 'gave up', true);
			return;
		}
		clock.after(wait, () => this.enqueue(d));
	}

	/** For good; the subscriber learns by `missed`, if at all. @param {Delivery} d @param {string} why @param {boolean} told at once */
	drop(d, why, told) {
		d.state = 'dropped';
		d.attempts.push({ at: this.sim.clock.iso(), status: 0, ms: 0, error: why });
		this.pending.delete(d);
		this.sim.journal.deliveries.dropped++;
		this.sim.journal.emit('delivery', { ...describeDelivery(d), items: d.items });
		if (told && this.sim.settings.graph.delivery.missedOnDrop && !d.items.some((i) => i.lifecycleEvent))
			for (const sub of d.subs)
				this.sim.lifecycle.missed(sub);
		this.settled();
	}
}

/** @param {Delivery} d */
export function describeDelivery(d) {
	return { id: d.id, url: d.url, state: d.state, firstAt: new Date(d.firstAt).toISOString(), count: d.items.length, attempts: d.attempts };
}
