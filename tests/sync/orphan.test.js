// @ts-check
/* The removal of a conversation whose event was never saved: brake, release, dry run, pause, kills. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import { buildFolder } from '../lib/build.js';
import { ANNA, Bench, HINT, KIND, STATE, until } from './harness.js';
import { START, announced, audit, bench, due, leadsTo, searched } from './orphans.js';

const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');

/** @param {Bench} b @param {...string} args @returns {Promise<string>} */
function ctl(b, ...args) {
	return new Promise((resolve, reject) => execFile(CTL, ['--config', path.join(b.dir, 'addin.json'), ...args], { env: { PATH: process.env.PATH } },
		(e, stdout, stderr) => e ? reject(new Error(`${args.join(' ')}: ${e.message} ${stderr}`)) : resolve(stdout)));
}

describe('the removal of an orphan', { concurrency: 4 }, () => {
	test('obeys the brake, and the operator who releases it', async (t) => {
		const b = await bench(t, { config: { maxDeletionsPerMailbox: 0 } });
		const m = await announced(b);
		const d = await leadsTo(b, m, STATE.held);
		assert.deepEqual(audit(d), ['delete held']);
		assert.match(d.audit[0].detail, /^orphan: more deletions/);
		assert.equal(await b.count('unblu', 'delete'), 0);
		await ctl(b, 'deletion', 'release', m.id);
		await until('it is removed', async () => (await b.link(m.id)).state === STATE.deleted);
		const after = await b.settled();
		assert.deepEqual(audit(after), ['delete held', 'delete released', 'delete done']);
		assert.deepEqual([after.work, after.dead], [[], []]);
	});

	test('that was released ends with its event being found: the next deletion meets the brake again', async (t) => {
		const b = await bench(t, { now: '2027-02-01T12:00:00Z', config: { maxDeletionsPerMailbox: 0 } });
		const m = await announced(b);
		await leadsTo(b, m, STATE.held);
		/* Down, for a catch-up may find the event before the operator comes. */
		await b.down();
		/* Long enough that what was searched before does not count any more. */
		await b.goTo(b.now() + 600_000);
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'Portfolio review', start: START, end: START + 1800_000 });
		await b.act({ action: 'link', mailbox: ANNA, event: event.immutableId, conversationId: m.id, sourceId: m.made.sourceId });
		await ctl(b, 'deletion', 'release', m.id);
		await b.up();
		await until('its event is found', async () => (await b.link(m.id)).state === STATE.linked, 20_000);
		await b.settled();
		assert.deepEqual(Object.keys((await b.dump()).facts).filter((f) => f.startsWith('release:')), []);
		await b.act({ action: 'delete', mailbox: ANNA, event: event.immutableId });
		await b.notify(ANNA, event.immutableId, HINT.deleted);
		await until('it is held or deleted', async () => [STATE.held, STATE.deleted].includes((await b.link(m.id)).state), 20_000);
		assert.equal((await b.link(m.id)).state, STATE.held);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('that was released is used up when the conversation is kept', async (t) => {
		const b = await bench(t, { config: { maxDeletionsPerMailbox: 0 } });
		const m = await announced(b);
		await leadsTo(b, m, STATE.held);
		await b.control('POST', `/control/conversations/${m.id}/join`, { name: 'Guest' });
		await ctl(b, 'deletion', 'release', m.id);
		await until('it is kept', async () => (await b.link(m.id)).state === STATE.kept, 20_000);
		assert.deepEqual(Object.keys((await b.settled()).facts).filter((f) => f.startsWith('release:')), []);
	});

	test('counts for the brake like any other', async (t) => {
		const b = await bench(t, { config: { maxDeletionsPerMailbox: 1 } });
		const ms = [await announced(b), await announced(b)];
		for (let i = 0; i < 20 && (await b.dump()).links.some((/** @type {any} */ l) => l.state === STATE.announced); i++)
			for (const m of ms)
				await due(b, m);
		assert.deepEqual((await b.dump()).links.map((/** @type {any} */ l) => l.state).sort(), [STATE.held, STATE.deleted]);
	});

	test('is not done in a dry run', async (t) => {
		const b = await bench(t, { config: { syncServerDryRun: true } });
		const m = await announced(b);
		for (let i = 0; i < 3; i++)
			await due(b, m);
		assert.equal((await b.link(m.id)).state, STATE.announced);
		assert.ok(b.lines().some((l) => l.event === 'dry-run' && l.delete === true && l.conversation === m.id));
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('waits while writes are paused', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await ctl(b, 'writes', 'pause');
		await due(b, m);
		await due(b, m);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.link && w.reason === 'writes are paused'));
		assert.equal(await b.count('unblu', 'delete'), 0);
		await ctl(b, 'writes', 'resume');
		await until('it is removed', async () => (await b.link(m.id)).state === STATE.deleted);
	});

	test('waits while the history can not be read', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'history', kind: 'status', status: 403, count: 1000 });
		await due(b, m);
		await due(b, m);
		await until('it waits', () => b.lines().some((l) => l.event === 'deletion-waits'));
		assert.equal(await b.count('unblu', 'delete'), 0);
		assert.equal((await b.link(m.id)).state, STATE.announced);
	});

	test('survives kill -9 between the two searches, and between mark and deletion', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await due(b, m);
		await searched(b, m.id, 1);
		const kill = async () => {
			const pid = b.pid();
			const starts = b.lines().filter((l) => l.event === 'ready' && l.role === 'sync').length;
			process.kill(pid, 'SIGKILL');
			await until('it has started again', () => b.lines().filter((l) => l.event === 'ready' && l.role === 'sync').length > starts);
		};
		/* The next search is due as soon as it is there again. */
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'delete', kind: 'hang', count: 1 });
		await kill();
		await b.notify(ANNA, m.id, 0, KIND.link);
		await until('the mark is made and the deletion under way', async () => (await b.link(m.id)).writing === 'delete' && await b.count('unblu', 'delete') > 0);
		await kill();
		await until('it is removed', async () => (await b.link(m.id)).state === STATE.deleted, 20_000);
		const d = await b.settled();
		assert.deepEqual(audit(d), ['delete done']);
		assert.equal((await b.conversation(m.id)).deleted, true);
	});

	test('whose deletion took effect before kill -9 is recorded as ours', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await due(b, m);
		await searched(b, m.id, 1);
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'delete', kind: 'delay', delayAfterMs: 5000, count: 1 });
		await b.notify(ANNA, m.id, 0, KIND.link);
		await until('the conversation is deleted, the answer not there yet', async () => (await b.conversation(m.id)).deleted);
		process.kill(b.pid(), 'SIGKILL');
		await until('it is known', async () => (await b.link(m.id)).state === STATE.deleted, 20_000);
		const d = await b.settled();
		assert.deepEqual(audit(d), ['delete done']);
		assert.match(d.audit[0].detail, /interruption/);
	});
});
