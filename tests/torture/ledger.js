// @ts-check
/*
 * What is owed under load: one version of an event per notification; version n sets topic "#n" and a start n
 * minutes later. Whatever was answered 202 has to be seen in the simulated Unblu.
 */

import { body, item } from '../lib/notification.js';
import { pause, waitFor } from '../lib/wait.js';

const MINUTE = 60_000;
export const WRITES = ['setTopic', 'setScheduledTimestamp', 'delete'];

/** @typedef {{ link: import('../lib/stack.js').Followed, version: number, owed: number }} Track owed: the newest version that was answered 202 */

/** Resolves as soon as a setter or a deletion has taken effect in Unblu. @param {any} sim @returns {Promise<void>} */
export function nextWrite(sim) {
	return new Promise((resolve) => {
		const listener = (/** @type {string} */ type, /** @type {any} */ data) => {
			if (type !== 'conversation' || !WRITES.includes(data.write?.op))
				return;
			sim.journal.listeners.delete(listener);
			resolve();
		};
		sim.journal.listeners.add(listener);
	});
}

export class Ledger {
	/** @param {import('../lib/simulators.js').Simulators} sims @param {import('../lib/stack.js').Followed[]} links */
	constructor(sims, links) {
		this.sims = sims;
		/** @type {Track[]} */
		this.tracks = links.map((link) => ({ link, version: 0, owed: 0 }));
		this.running = false;
		/** @type {Promise<void>[]} */
		this.lanes = [];
		/** Times that an event was left alone until what was owed had been seen. */
		this.alone = 0;
	}

	/**
	 * Edits each event again and again, and tells it.
	 * @param {(text: string) => Promise<boolean>} send was it answered 202?
	 * @param {() => number} rest milliseconds between two edits of an event
	 * @param {() => boolean} [waits] leave it alone now until its effect is seen, so that no later notification hides a lost one
	 * @param {number} [ms] how long an effect may take
	 */
	start(send, rest, waits = () => false, ms = 45_000) {
		this.running = true;
		this.lanes = this.tracks.map(async (t) => {
			while (this.running) {
				t.version++;
				this.sims.editEvent(t.link.mailbox, t.link.event, { subject: `#${t.version}`, start: t.link.start + t.version * MINUTE });
				if (await send(body(item(t.link.sub, t.link.event.id))))
					t.owed = t.version;
				if (waits()) {
					this.alone++;
					await waitFor(() => this.settled(t), ms, `the effect of one notification answered 202: ${this.describe(t)}`);
				}
				await pause(rest());
			}
		});
		/* A lane that fails is told by whoever waits for them. */
		Promise.all(this.lanes).catch(() => {});
	}

	async stop() {
		this.running = false;
		await Promise.all(this.lanes);
	}

	/** Fails as soon as a lane does. @returns {Promise<never>} */
	failure() {
		return new Promise((_, reject) => Promise.all(this.lanes).catch(reject));
	}

	/** @param {Track} t */
	settled(t) {
		const conv = this.sims.conversation(t.link.conv.id);
		return t.owed === 0 || Number(conv?.topic.slice(1)) >= t.owed && (conv.scheduledTimestamp - t.link.start) / MINUTE >= t.owed;
	}

	/** @param {Track} t */
	describe(t) {
		return JSON.stringify({ conversation: t.link.conv.id, event: t.link.event.id, owed: t.owed, version: t.version, topic: this.sims.conversation(t.link.conv.id)?.topic });
	}

	/** All that is owed is there, at last. @param {number} ms */
	async settle(ms) {
		await waitFor(() => this.tracks.every((t) => this.settled(t)), ms, 'everything that was answered 202 has its effect').catch((e) => {
			const lost = this.tracks.filter((t) => !this.settled(t));
			throw new Error(`${e.message}: ${lost.length} not: ${lost.slice(0, 5).map((t) => this.describe(t)).join('\n')}`);
		});
	}

	/** Writes that changed nothing. */
	get repeated() {
		return this.tracks.flatMap((t) => this.sims.ledger(t.link.conv.id)).filter((w) => WRITES.includes(w.op) && !w.changed).length;
	}
}
