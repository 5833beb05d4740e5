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

/** The process, once it is there. @param {Bench} b */
function syncOf(b) {
	return until('sync is there', () => {
		try {
			return b.pid();
		} catch {
			return null;
		}
	});
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
		process.kill(await syncOf(b), 'SIGKILL');
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

test('a row over which sync dies by itself three times is a dead letter, the others go on', async (t) => {
	const b = await Bench.start(t);
	const bad = await b.meeting(ANNA);
	const good = await b.meeting(BEN);
	await b.control('POST', '/control/faults', { service: 'graph', op: 'getEvent', mailbox: ANNA, kind: 'hang', count: 1000 });
	await b.tool('work', '0', TENANT_OF[ANNA], ANNA, bad.event.immutableId, '2', '0');
	await b.wake();
	for (let death = 0; death < 6; death++) {
		const seen = await until('it is in progress, or buried', async () => {
			const d = await b.dump();
			return d.dead.length > 0 ? 'dead' : d.work.some((/** @type {any} */ w) => w.inProgress) && 'busy';
		}, 20_000);
		if (seen === 'dead')
			break;
		const starts = b.lines().filter((l) => l.event === 'ready').length;
		process.kill(await syncOf(b), 'SIGABRT');
		await until('it has started again', () => b.lines().filter((l) => l.event === 'ready').length > starts);
	}
	const d = await until('it is buried', async () => {
		const now = await b.dump();
		return now.dead.length === 1 && now;
	});
	assert.match(d.dead[0].reason, /poison/);
	await b.act({ action: 'edit', mailbox: BEN, event: good.event.immutableId, subject: 'Goes on' });
	await b.notify(BEN, good.event.immutableId);
	await until('the other goes on', async () => (await b.conversation(good.id)).topic === 'Goes on');
});
