// @ts-check
/* What Graph grants a mailbox and a tenant it grants to all replicas together: the simulator counts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { body, item } from '../lib/notification.js';
import { Postgres } from '../lib/postgres.js';
import { directoryOf } from '../lib/simulators.js';
import { waitFor } from '../lib/wait.js';
import { edit, play, shows, through, throughNginx } from './harness.js';

const server = new Postgres();
const MAILBOXES = 8;
const LINKS = 5;

test('three replicas: two exchanges at once for a mailbox, and what one is told to wait holds the others, for the tenant', async () => {
	const db = server.database();
	await play('replicas-limits', { postgres: db, directory: directoryOf(MAILBOXES), settings: { graph: { latencyMs: [20, 60] }, unblu: { latencyMs: [1, 25] } } }, 2, async (stack, others) => {
		const { sims } = stack;
		const boxes = stack.mailboxes.slice(0, MAILBOXES);
		const links = (await Promise.all(boxes.map((m) => stack.followMany(m, LINKS)))).map((f) => f.links);
		sims.silence(true);
		await stack.idle(20_000);
		const doors = [throughNginx(stack), ...others.map(through)];

		/* Who works on what, and what else is in progress there: as each claim finds it. */
		await db.query(`CREATE TABLE seen (replica bigint, rows bigint, replicas bigint);
			CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				INSERT INTO seen SELECT NEW.claimed_by, count(*), count(DISTINCT claimed_by) FROM work WHERE lane = NEW.lane AND claimed = 1; RETURN NULL; END $$;
			CREATE TRIGGER note AFTER UPDATE ON work FOR EACH ROW WHEN (NEW.claimed = 1 AND OLD.claimed = 0) EXECUTE FUNCTION note()`);
		let version = 0;
		/* A mailbox stays where it is as long as something is in progress there: who comes first may have all of them for a while. */
		for (let working = 0; version < 15 && working < 2;) {
			for (const last = version + 3; version < last;) {
				version++;
				await Promise.all(links.flat().map((link, i) => edit(stack, link, version, doors[(i + version) % doors.length])));
			}
			await waitFor(() => links.flat().every((l) => shows(stack, l, version)), 30_000, 'every conversation shows what was answered 202');
			await stack.idle(20_000);
			[{ working }] = await db.query('SELECT count(DISTINCT replica) AS working FROM seen');
		}
		const [{ rows, replicas, working }] = await db.query('SELECT max(rows) AS rows, max(replicas) AS replicas, count(DISTINCT replica) AS working FROM seen');
		assert.deepEqual([rows, replicas], [2, 1], 'two rows of a mailbox at once, and at one replica');
		assert.ok(working > 1, `${working} of them have worked`);
		assert.deepEqual([...new Set(boxes.map((m) => sims.mailboxCounters(m).maxExchanges))], [2]);
		assert.equal(sims.earlyRetries(), 0);

		/* One mailbox is told for the tenant; a second one, of another replica, has to be told to know. */
		sims.fault({ service: 'graph', op: 'getEvent', tenant: boxes[0].tenant, kind: 'throttle', scope: 'tenant', retryAfter: 6, count: 1 });
		let held = 0;
		for (const [i, [link]] of links.entries()) {
			await edit(stack, link, version + 1, doors[i % doors.length]);
			const isHeld = async () => (await db.query(`SELECT work.id FROM work JOIN lane ON lane.id = work.lane WHERE lane.user_id = '${boxes[i].oid}' AND claimed = 0 AND not_before_ms > ${Date.now()}`)).length > 0;
			held += await waitFor(async () => shows(stack, link, version + 1) ? [0] : await isHeld() && [1], 15_000, `${boxes[i].upn} is held, or done`).then(([n]) => n);
		}
		await waitFor(() => links.every(([l]) => shows(stack, l, version + 1)), 60_000, 'all is done behind it');
		assert.ok(held > doors.length, `${held} were held`);
		assert.ok(sims.earlyRetries() <= 1, `${sims.earlyRetries()} came before Retry-After had passed`);
		assert.deepEqual([...new Set(boxes.map((m) => sims.mailboxCounters(m).maxExchanges))], [2]);
	});
});

test('two replicas: what one has begun to delete counts for the other before it is done', async () => {
	const db = server.database();
	const LIMIT = 3;
	await play('replicas-brake', { postgres: db, directory: directoryOf(2 * LIMIT), config: { maxDeletionsPerTenant: LIMIT, deletionGraceSeconds: 0 } }, 1, async (stack, [other]) => {
		const { sims } = stack;
		const boxes = stack.mailboxes.filter((m) => m.tenant === stack.mailboxes[0].tenant);
		const links = (await Promise.all(boxes.map((m) => stack.followMany(m, 1)))).flatMap((f) => f.links);
		sims.silence(true);
		await stack.idle(20_000);
		/** @param {any[]} some @param {(text: string) => Promise<number>} send */
		const remove = (some, send) => Promise.all(some.map(async (link) => {
			sims.deleteEvent(link.mailbox, link.event);
			assert.equal(await send(body({ ...item(link.sub, link.event.id), changeType: 'deleted' })), 202);
		}));
		const states = async (/** @type {any[]} */ some) => (await db.query('SELECT conversation, state FROM link')).filter((/** @type {any} */ l) => some.some((s) => s.conv.id === l.conversation)).map((/** @type {any} */ l) => l.state);

		/* Both sleep in turn, so each has the other's to count. Who is stopped may hold the lock for ten seconds. */
		stack.expectErrors = true;
		const [own, its] = [await stack.pid('sync'), await other.pid('sync')];
		sims.fault({ service: 'unblu', op: 'delete', kind: 'delay', delayMs: 2000, probability: 1 });
		process.kill(own, 'SIGSTOP');
		try {
			await remove(links.slice(0, LIMIT), through(other));
			await waitFor(async () => (await db.query("SELECT conversation FROM link WHERE writing = 'delete'")).length === LIMIT, 15_000, 'one has begun as many as it may');
			process.kill(its, 'SIGSTOP');
		} finally {
			process.kill(own, 'SIGCONT');
		}
		try {
			await remove(links.slice(LIMIT), throughNginx(stack));
			await waitFor(async () => (await states(links.slice(LIMIT))).every((s) => s !== 1 && s !== 2), 25_000, 'the other one has decided');
		} finally {
			process.kill(its, 'SIGCONT');
		}
		await waitFor(async () => (await states(links.slice(0, LIMIT))).every((s) => s === 7), 25_000, 'what was begun is done');
		assert.deepEqual(await states(links.slice(LIMIT)), Array(LIMIT).fill(3), 'the rest is held');
		assert.equal(links.filter((l) => sims.conversation(l.conv.id) === null).length, LIMIT);
	});
});
