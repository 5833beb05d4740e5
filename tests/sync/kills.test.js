// @ts-check
/* kill -9 at random moments under load: every piece of work has its effect, few writes happen twice. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, BEN, Bench, CARLA, STATE, TENANT_OF, until } from './harness.js';

const KILLS = Number(process.env.KILLS ?? 15);
const USERS = [ANNA, BEN, CARLA];

/** Seeded, so that a failure can be repeated. @param {number} seed */
function random(seed) {
	let a = seed;
	return () => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

test(`${KILLS} times kill -9 of sync under load`, async (t) => {
	const seed = Number(process.env.SEED ?? 20261123);
	t.diagnostic(`SEED=${seed} KILLS=${KILLS}`);
	const rand = random(seed);
	const b = await Bench.start(t, { config: { logLevel: 'info', maxDeletionsPerMailbox: 10_000, maxDeletionsPerTenant: 10_000 }, settings: { graph: { latencyMs: [1, 15], notify: { profile: 'none' } }, unblu: { latencyMs: [1, 15] } } });
	/** @type {{ user: string, id: string, event: string, topic: string, gone: boolean }[]} */
	const all = [];
	for (let i = 0; i < 24; i++) {
		const user = USERS[i % 3];
		const m = await b.meeting(user);
		all.push({ user, id: m.id, event: m.event.immutableId, topic: 'Portfolio review', gone: false });
		await b.tool('work', '0', TENANT_OF[user], user, m.event.immutableId, '1', '0');
	}
	await b.wake();
	await until('all are linked', async () => (await b.dump()).links.length === all.length);
	let kills = 0;
	let round = 0;
	while (kills < KILLS) {
		round++;
		for (let i = 0; i < 6; i++) {
			const m = all[Math.floor(rand() * all.length)];
			if (m.gone)
				continue;
			if (rand() < 0.08) {
				m.gone = true;
				await b.act({ action: 'delete', mailbox: m.user, event: m.event });
			} else {
				m.topic = `Round ${round} of ${i}`;
				await b.act({ action: 'edit', mailbox: m.user, event: m.event, subject: m.topic, start: 1803891600000 + round * 60_000, end: 1803893400000 + round * 60_000 });
			}
			await b.tool('work', '0', TENANT_OF[m.user], m.user, m.event, m.gone ? '4' : '2', '0');
		}
		await b.wake();
		await new Promise((resolve) => setTimeout(resolve, rand() * 150));
		const pid = await until('sync is there', () => {
			try {
				return b.pid();
			} catch {
				return null;
			}
		});
		process.kill(pid, 'SIGKILL');
		kills++;
	}
	await until('everything has its effect', async () => (await b.dump()).work.length === 0, 60_000);
	const d = await b.dump();
	assert.deepEqual(d.dead, []);
	let repeated = 0;
	let deletions = 0;
	for (const m of all) {
		const c = await b.conversation(m.id);
		if (m.gone) {
			assert.equal(c.deleted, true, m.id);
			deletions++;
			assert.equal(d.links.find((/** @type {any} */ l) => l.conversation === m.id).state, STATE.deleted);
			continue;
		}
		assert.equal(c.topic, m.topic);
		const link = d.links.find((/** @type {any} */ l) => l.conversation === m.id);
		if (link !== undefined)
			assert.equal(link.writing, '');
		repeated += c.ledger.filter((/** @type {any} */ w) => w.op.startsWith('set') && !w.changed).length;
	}
	const tried = await b.count('unblu', 'delete');
	t.diagnostic(`${repeated} writes repeated, ${deletions} deletions, ${tried} tried`);
	assert.ok(repeated <= kills);
	assert.ok(tried <= deletions + kills);
	assert.equal(d.audit.filter((/** @type {any} */ a) => a.action === 'delete' && a.outcome === 'done').length, deletions);
});
