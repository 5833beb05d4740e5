// @ts-check
/* A replica that dies, or sleeps for too long, leaves what it had claimed to the others. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Postgres } from '../lib/postgres.js';
import { pause, waitFor } from '../lib/wait.js';
import { edit, play, shows, through } from './harness.js';

const server = new Postgres();

test('one that is killed, and one that sleeps, leave their work to others; the sleeper does nothing more with it', async () => {
	const db = server.database();
	await play('replicas-dead', { postgres: db }, 2, async (stack, [first, second]) => {
		const followed = await Promise.all(stack.mailboxes.map((m) => stack.followMany(m, 2)));
		const links = followed.flatMap((f) => f.links);
		stack.sims.silence(true);
		await stack.idle(20_000);
		/* What is claimed now stays under way. */
		stack.sims.fault({ service: 'graph', op: 'getEvent', kind: 'delay', delayMs: 20_000, probability: 1 });
		await Promise.all(links.map((l) => edit(stack, l, 1, through(first))));
		await waitFor(async () => (await db.query('SELECT count(DISTINCT claimed_by) AS n FROM work WHERE claimed = 1'))[0].n >= 1, 10_000, 'rows are claimed');
		const sleeper = await second.pid('sync');
		const [{ id: sleeping }] = await db.query(`SELECT id FROM replica ORDER BY id DESC LIMIT 1`);
		process.kill(sleeper, 'SIGSTOP');
		await first.program.destroy();
		stack.sims.clearFaults();
		await waitFor(() => links.every((l) => shows(stack, l, 1)), 60_000, 'the last one does what they had claimed');
		assert.equal((await db.query('SELECT count(*) AS n FROM replica'))[0].n, 1, 'the dead are gone');
		assert.ok(sleeping > 0);
		const writes = () => stack.sims.requests({ service: 'unblu' }).filter((r) => /^set|delete/.test(r.op)).length;
		const before = writes();
		process.kill(sleeper, 'SIGCONT');
		await waitFor(() => second.program.log.some((l) => l.event === 'replica-lease-lost'), 15_000, 'it notices');
		await waitFor(async () => (await db.query('SELECT count(*) AS n FROM replica'))[0].n === 2, 15_000, 'and joins again');
		await pause(500);
		assert.equal(writes(), before, 'it has written nothing');
	});
});
