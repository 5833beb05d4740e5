// @ts-check
/* A rolling update to another schema version: what older programs still do beside it, and that they go on when it is taken back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Postgres } from '../lib/postgres.js';
import { waitFor } from '../lib/wait.js';
import { edit, play, shows, throughNginx } from './harness.js';

const server = new Postgres();

test('a newer program migrates beside older ones: they take notifications, refuse or leave all else, and go on when it is taken back', async () => {
	const db = server.database();
	await play('replicas-versions', { postgres: db }, 0, async (stack) => {
		const { sims } = stack;
		const link = await stack.follow(stack.mailboxes[0]);
		const conv = await sims.book(link.mailbox, { topic: 'new', start: link.start });
		await stack.quiet();
		sims.silence(true);
		const pids = [await stack.pid('web'), await stack.pid('sync')];
		const ask = async (/** @type {string} */ method, /** @type {any} */ { id, sourceId }) => (await stack.http.request(method, `/addin/api/links/${encodeURIComponent(id)}`, {
			headers: { ...stack.authorization(link.mailbox), 'Content-Type': 'application/json' },
			...method === 'PUT' ? { body: JSON.stringify({ v: 1, sourceId, topic: 'new', start: new Date(link.start).toISOString(), mailbox: 'own' }) } : {} })).status;
		const writes = () => sims.requests({ service: 'unblu' }).filter((r) => /^set|delete/.test(r.op)).length;
		const before = writes();
		stack.expectErrors = true;

		/* What a step may do to that table: docs/store.md. */
		await db.query('BEGIN; UPDATE store_version SET version = version + 1; ALTER TABLE arrival ADD COLUMN later BIGINT NOT NULL DEFAULT 0; COMMIT');
		await edit(stack, link, 1, throughNginx(stack));
		await waitFor(() => stack.log.some((l) => l.role === 'sync' && l.event === 'store-commit-failed' && l.code === 'newer'), 10_000, 'sync says why it does nothing');
		assert.deepEqual([await ask('PUT', conv), await ask('DELETE', conv)], [503, 503]);
		assert.equal((await stack.renew()).code, 2);
		assert.equal((await db.query('SELECT count(*) AS n FROM arrival'))[0].n, 1, 'it is kept');
		assert.equal(writes(), before);

		await db.query('UPDATE store_version SET version = version - 1');
		await waitFor(() => shows(stack, link, 1), 10_000, 'what was taken meanwhile is done');
		assert.deepEqual([await ask('PUT', conv), (await stack.renew()).code], [202, 0]);
		assert.deepEqual([await stack.pid('web'), await stack.pid('sync')], pids, 'nobody was restarted');
	});
});
