// @ts-check
/* A replica that dies, sleeps for too long, or is cut off from the database, leaves what it had claimed to the others. */

import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { body, item } from '../lib/notification.js';
import { Postgres } from '../lib/postgres.js';
import { pause, waitFor } from '../lib/wait.js';
import { edit, play, shows, through } from './harness.js';

const server = new Postgres();

/** A network between a replica and the server, which can lose everything and say nothing. */
class Link {
	constructor() {
		/** @type {Set<net.Socket>} */
		this.sockets = new Set();
		this.cut = false;
		this.listener = net.createServer((near) => {
			const far = net.connect(path.join(server.dir, '.s.PGSQL.5432'));
			for (const [from, to] of [[near, far], [far, near]]) {
				this.sockets.add(from);
				from.on('data', (bytes) => this.cut || to.write(bytes));
				from.on('error', () => to.destroy());
				from.on('close', () => {
					this.sockets.delete(from);
					/* Whoever is beyond the cut hears nothing of it. */
					if (!this.cut)
						to.destroy();
				});
			}
		});
	}

	/** @returns {Promise<number>} the port */
	listen() {
		return new Promise((resolve) => this.listener.listen(0, '127.0.0.1', () => resolve(/** @type {net.AddressInfo} */ (this.listener.address()).port)));
	}

	/** What was under way is lost for good. */
	mend() {
		this.cut = false;
		for (const socket of this.sockets)
			socket.destroy();
	}

	close() {
		this.mend();
		this.listener.close();
	}
}

/** When a line of that event was written, Unix ms; 0: it was not. @param {any[]} log @param {string} event */
function when(log, event) {
	return Date.parse(log.find((l) => l.event === event)?.time ?? '1970-01-01T00:00:00Z');
}

test('one that is killed, one that sleeps and one that is cut off leave their work to the last one, and do nothing more with it', async () => {
	const db = server.database();
	const link = new Link();
	const own = [{}, {}, { database: `postgresql://outlook@127.0.0.1:${await link.listen()}/${db.name}` }];
	await play('replicas-dead', { postgres: db, own }, 3, async (stack, [dead, asleep, away]) => {
		const followed = await Promise.all(stack.mailboxes.map((m) => stack.followMany(m, 2)));
		const links = followed.map((f) => f.links);
		stack.sims.silence(true);
		await stack.idle(20_000);
		/* What is claimed now stays under way. */
		stack.sims.fault({ service: 'graph', op: 'getEvent', kind: 'delay', delayMs: 20_000, probability: 1 });
		const last = await stack.pid('sync');
		const sleeper = await asleep.pid('sync');
		/* Whoever is stopped may hold the lock, for ten seconds. */
		stack.expectErrors = true;
		process.kill(last, 'SIGSTOP');
		for (const [i, one] of [dead, asleep, away].entries()) {
			await Promise.all(links[i].map((l) => edit(stack, l, 1, through(one))));
			await waitFor(async () => (await db.query('SELECT count(DISTINCT lane) AS n FROM work WHERE claimed = 1'))[0].n === i + 1, 10_000, 'it is claimed');
		}
		await Promise.all(links[3].map((l) => edit(stack, l, 1, through(away))));
		const numbers = (await db.query('SELECT DISTINCT claimed_by AS id FROM work WHERE claimed = 1')).map((r) => r.id);
		const numberOf = (/** @type {any} */ r) => r.program.log.find((/** @type {any} */ l) => l.event === 'replica-joined').number;
		assert.ok(numbers.includes(numberOf(away)), 'the one that is cut off has some of it');

		process.kill(sleeper, 'SIGSTOP');
		link.cut = true;
		await dead.program.destroy();
		process.kill(last, 'SIGCONT');
		assert.equal((await away.ask('POST', '/addin/webhook/events', body(item(links[0][0].sub, links[0][0].event.id)))).status, 503);
		stack.sims.clearFaults();
		await waitFor(() => links.flat().every((l) => shows(stack, l, 1)), 60_000, 'the last one does what they had claimed');
		assert.equal((await db.query('SELECT count(*) AS n FROM replica'))[0].n, 1, 'the others are gone');
		const given = when(stack.log, 'work-recovered');
		const lost = when(away.program.log, 'replica-lease-lost');
		assert.ok(lost > 0 && lost < given, `it had given up at ${lost}, before that was given to another one at ${given}`);
		const writes = () => stack.sims.requests({ service: 'unblu' }).filter((r) => /^set|delete/.test(r.op)).length;
		const before = writes();
		process.kill(sleeper, 'SIGCONT');
		link.mend();
		await waitFor(() => asleep.program.log.some((l) => l.event === 'replica-lease-lost'), 15_000, 'the sleeper notices');
		await waitFor(async () => (await db.query('SELECT count(*) AS n FROM replica'))[0].n === 3, 15_000, 'and both join again');
		await pause(500);
		assert.equal(writes(), before, 'they have written nothing');
	}).finally(() => link.close());
});
