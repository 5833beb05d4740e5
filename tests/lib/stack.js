// @ts-check
/* What stories do with the parts: an agent's clicks, and looks into the product from outside. */

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { Parts } from './parts.js';
import { waitFor } from './wait.js';

/**
 * @typedef {import('./simulators.js').Mailbox} Mailbox
 * @typedef {import('./simulators.js').Conversation} Conversation
 * @typedef {{ id: string, name: string, subject: string }} Event
 * @typedef {{ mailbox: Mailbox, sub: any, conv: Conversation, event: Event, start: number }} Followed
 */

const HOUR = 3600_000;

export class Stack extends Parts {
	/** Two of the first tenant, two of the second. */
	get mailboxes() {
		return this.sims.mailboxes;
	}

	/** deploymentUrl with the add-in's folder. */
	get base() {
		return `http://127.0.0.1:${this.port}/addin`;
	}

	/** @param {Mailbox} mailbox */
	authorization(mailbox) {
		const token = this.sims.bearer(mailbox);
		this.secrets.push(token.split('.')[2]);
		return { Authorization: `Bearer ${token}` };
	}

	/**
	 * What the add-in does after it has made the conversation. 503 (no keys yet) is repeated as asked.
	 * @param {Mailbox} mailbox @param {Conversation} conv @param {{ topic: string, start: number, more?: Record<string, any> }} about
	 */
	async putLink(mailbox, conv, about) {
		const data = { v: 1, sourceId: conv.sourceId, topic: about.topic, start: new Date(about.start).toISOString(), mailbox: 'own', ...about.more };
		return waitFor(async () => {
			const answer = await this.http.request('PUT', `/addin/api/links/${encodeURIComponent(conv.id)}`, { headers: { ...this.authorization(mailbox), 'Content-Type': 'application/json' }, body: JSON.stringify(data) });
			return answer.status === 503 ? null : answer;
		}, 10_000, 'PUT api/links is answered with something else than 503');
	}

	/** What the pane reads, once it satisfies want. @param {Mailbox} mailbox @param {Conversation} conv @param {(link: any) => boolean} want @param {string} what */
	async linkState(mailbox, conv, want, what) {
		return waitFor(async () => {
			const answer = await this.http.get(`/addin/api/links/${encodeURIComponent(conv.id)}`, this.authorization(mailbox));
			if (answer.status !== 200)
				throw new Error(`GET api/links: ${answer.status} ${answer.text}`);
			if (!want(answer.json))
				throw new Error(answer.text);
			return answer.json;
		}, 10_000, what);
	}

	/**
	 * One booked conversation with its event, followed and in step.
	 * @param {Mailbox} mailbox @param {{ start?: number, name?: string, event?: boolean }} [how] event false: only booked
	 * @returns {Promise<Followed>}
	 */
	async follow(mailbox, how = {}) {
		const start = how.start === undefined ? Math.ceil(this.now() / 60_000) * 60_000 + 50 * HOUR : Math.ceil(how.start / 60_000) * 60_000;
		const name = how.name ?? `Meeting of ${mailbox.upn}`;
		const conv = await this.sims.book(mailbox, { topic: name, start });
		const put = await this.putLink(mailbox, conv, { topic: name, start });
		if (put.status !== 202)
			throw new Error(`PUT api/links: ${put.status} ${put.text}`);
		const sub = await waitFor(() => this.sims.subscriptionsOf(mailbox)[0], 10_000, `a subscription for ${mailbox.upn}`);
		if (how.event === false)
			return { mailbox, sub, conv, event: { id: '', name, subject: name }, start };
		const event = await this.sims.addEvent(mailbox, { subject: name, start, conversation: conv });
		await this.linkState(mailbox, conv, (l) => l.state === 'linked', `${name}: the link knows its event`);
		return { mailbox, sub, conv, event, start };
	}

	/** Many of one mailbox. @param {Mailbox} mailbox @param {number} count */
	async followMany(mailbox, count) {
		const links = [];
		const first = await this.follow(mailbox, { name: `${mailbox.upn} 0` });
		links.push(first);
		links.push(...await Promise.all(Array.from({ length: count - 1 }, (_, i) => this.follow(mailbox, { name: `${mailbox.upn} ${i + 1}` }))));
		return { mailbox, sub: first.sub, links };
	}

	/** The events that are queued: notifications that have just arrived, and rows of the queue. @returns {Promise<Set<string>>} */
	async queuedEvents() {
		return new Set((await this.query('SELECT event FROM work WHERE kind = 0 UNION SELECT event FROM arrival WHERE kind = 0')).map((r) => r.event));
	}

	/** Graph has told everything and all of it is done. */
	async quiet() {
		await this.sims.delivered();
		await this.idle();
	}

	/** No event is left in the queue and nothing is being worked at. @param {number} [ms] */
	async idle(ms = 15_000) {
		await waitFor(async () => (await this.query('SELECT (SELECT count(*) FROM arrival) + (SELECT count(*) FROM work WHERE kind = 0 OR claimed = 1) AS n'))[0].n === 0, ms, 'the queue is empty');
	}

	/** Nothing is being worked at; rows may wait. @param {number} [ms] */
	async still(ms = 15_000) {
		await waitFor(async () => (await this.query('SELECT count(*) AS n FROM work WHERE claimed = 1'))[0].n === 0, ms, 'nothing is claimed');
	}

	async deadLetters() {
		return (await this.query('SELECT count(*) AS n FROM dead'))[0].n;
	}

	async integrity() {
		return (await this.query('PRAGMA integrity_check'))[0].integrity_check;
	}

	async restart() {
		await this.fcgiDown();
		await this.startFcgi();
		await waitFor(async () => (await this.http.get('/ready')).status === 200, 10_000, 'ready after the restart');
	}

	/** Ends outlook-addin-fcgi in good order; nginx goes on. */
	async fcgiDown() {
		const exit = await this.fcgi?.stop();
		if (exit?.code !== 0)
			throw new Error(`outlook-addin-fcgi ended with ${JSON.stringify(exit)}`);
		this.fcgi = null;
	}

	/** The lock file that every process takes around the store. */
	get lockFile() {
		return `${this.storeFile}.lock`;
	}

	/** Changes the store behind the product's back; only while it is down. @param {string} sql */
	writeStore(sql) {
		const { uid, gid } = fs.statSync(this.storeFile);
		return new Promise((resolve, reject) => {
			execFile('sqlite3', [this.storeFile, `${sql} PRAGMA wal_checkpoint(TRUNCATE);`], process.getuid?.() === 0 ? { uid, gid } : {}, (e, stdout, stderr) => {
				if (e !== null)
					reject(new Error(stderr));
				else
					resolve(stdout);
			});
		});
	}
}
