// @ts-check
/* What Graph grants a mailbox and a tenant it grants to all replicas together: the simulator counts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
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
