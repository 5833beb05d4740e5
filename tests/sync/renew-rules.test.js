// @ts-check
/* What outlook-addin-renew makes of lives that Graph will not grant, of changed settings, and of mailboxes that nobody follows any more. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'node:test';
import { buildFolder } from '../lib/build.js';
import { FakeClock, libfaketime } from '../lib/faketime.js';
import { ON_POSTGRESQL } from '../lib/postgres.js';
import { waitFor } from '../lib/wait.js';
import { asked, change, crowd, DAY, MINUTE } from './renew-crowd.js';

test('a life that Graph refuses as too long is shortened, for creations and renewals, and the pass goes on', async (t) => {
	const c = await crowd(t, { count: 30 });
	c.sim.settings.graph.expiry.maxMinutes = 4230;
	const lost = c.users[0];
	c.sim.subscriptions.remove(c.at(lost)[0], 'removed');
	const run = await c.renew();
	assert.equal(run.code, 0, run.stderr);
	assert.deepEqual([run.summary.renewed, run.summary.recreated], [29, 1]);
	for (const user of c.users)
		assert.ok(Math.abs(c.at(user)[0].expiresAt - c.sim.clock.now() - 4229 * MINUTE) < MINUTE);
	assert.equal(run.stderr.match(/subscription-life-shortened/g)?.length, 1, 'told once');
	assert.equal((await c.renew()).summary.due, 0, 'half of what was granted has not passed');
});

test('a life that Graph shortens without a word is honoured', async (t) => {
	const c = await crowd(t, { count: 3 });
	Object.assign(c.sim.settings.graph.expiry, { maxMinutes: 120, beyondMax: 'clamp' });
	assert.equal((await c.renew()).code, 0);
	const { subscriptions } = await c.dump();
	assert.deepEqual(new Set(subscriptions.map((/** @type {any} */ s) => s.expires)), new Set(c.users.map((u) => c.at(u)[0].expiresAt)));
	const dry = await c.renew('-n');
	assert.match(dry.stdout, /nothing .* not due, 1[12]\d minutes left, due at/);
});

test('what has expired by our clock alone is renewed, not made twice', async (t) => {
	const c = await crowd(t, { count: 3, settings: { graph: { conflictRule: false } } });
	const before = c.users.map((u) => c.at(u)[0].id);
	await change(c, `UPDATE subscription SET expires_ms = ${Date.now() - DAY};`);
	const run = await c.renew();
	assert.equal(run.code, 0, run.stderr);
	assert.deepEqual(c.users.map((u) => c.at(u).map((s) => s.id)), before.map((id) => [id]));
	const { work } = await c.dump();
	assert.equal(work.filter((/** @type {any} */ w) => w.kind === 3).length, 3, 'each is caught up');
});

test('a clock set forward by a day, then back, loses no subscription and makes no hot loop', { skip: libfaketime() === null && 'libfaketime is not installed' }, async (t) => {
	const c = await crowd(t, { count: 25 });
	const clock = new FakeClock(c.dir);
	t.after(() => clock.close());
	c.env = { ...clock.env, ASAN_OPTIONS: 'verify_asan_link_order=0' };
	const before = c.users.map((u) => c.at(u)[0].id);
	for (const offset of [DAY, 0, -DAY, 0]) {
		clock.set(offset);
		await change(c, 'UPDATE mailbox SET renew_ms = 1;');
		const run = await c.renew('--force');
		assert.deepEqual([run.code, run.summary.renewed, run.summary.failed], [0, 25, 0], run.stderr);
		const asked = c.sim.journal.find({ limit: 10_000 }).length;
		assert.deepEqual([(await c.renew()).summary.due, c.sim.journal.find({ limit: 10_000 }).length], [0, asked], `${offset}: nothing is due then`);
		for (const user of c.users)
			assert.ok(c.at(user)[0].expiresAt - Date.now() > 3 * DAY, `${offset}: ${(c.at(user)[0].expiresAt - Date.now()) / DAY} days are left`);
	}
	assert.deepEqual(c.users.map((u) => c.at(u).map((s) => s.id)), before.map((id) => [id]), 'each is the same one');
});

test('short lives that were granted while the clock was a day ahead are renewed once it is right again', { skip: libfaketime() === null && 'libfaketime is not installed' }, async (t) => {
	const c = await crowd(t, { count: 5 });
	const clock = new FakeClock(c.dir);
	t.after(() => clock.close());
	c.env = { ...clock.env, ASAN_OPTIONS: 'verify_asan_link_order=0' };
	Object.assign(c.sim.settings.graph.expiry, { maxMinutes: 300, beyondMax: 'clamp' });
	clock.set(DAY);
	assert.equal((await c.renew('--force')).summary.renewed, 5);
	clock.set(0);
	assert.match((await c.renew('-n')).stdout, /^renew .*our clock was set back$/m);
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.renewed], [0, 5], run.stderr);
	assert.equal((await c.renew()).summary.due, 0, 'once');
});

test('short lives that are granted while the clock is a day behind are renewed before they end', { skip: libfaketime() === null && 'libfaketime is not installed' }, async (t) => {
	const c = await crowd(t, { count: 3 });
	const clock = new FakeClock(c.dir);
	t.after(() => clock.close());
	c.env = { ...clock.env, ASAN_OPTIONS: 'verify_asan_link_order=0' };
	Object.assign(c.sim.settings.graph.expiry, { maxMinutes: 300, beyondMax: 'clamp' });
	clock.set(-DAY);
	assert.equal((await c.renew('--force')).summary.renewed, 3);
	assert.equal((await c.renew()).summary.due, 0);
	clock.set(-DAY + 150 * MINUTE);
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.renewed, run.summary.recreated], [0, 3, 0], run.stderr);
	clock.set(0);
	assert.equal((await c.renew()).summary.failed, 0);
	assert.deepEqual(c.users.map((u) => c.at(u).length), [1, 1, 1]);
	assert.equal((await c.renew()).summary.due, 0, 'the right time costs each one call');
});

test('the store becomes short again when much of it was removed, once a day', { skip: ON_POSTGRESQL && 'no file' }, async (t) => {
	const c = await crowd(t, { count: 2, agedMinutes: 10 });
	const size = () => fs.statSync(`${c.dir}/state.db`).size;
	await change(c, `WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
		INSERT INTO audit (at_ms, tenant, user_id, event, conversation, action, outcome, detail) SELECT i, 't', 'u', 'e', 'c', 'delete', 'refused', hex(randomblob(80)) FROM n;`);
	const full = size();
	assert.ok(full > 5 << 20, `${full}`);
	const run = await c.renew('-v');
	assert.match(run.stderr, /"event":"store-expired","rows":30000/);
	assert.match(run.stderr, /"event":"store-compacted","bytes":\d{7}/);
	assert.ok(size() < full / 3, `${size()} of ${full}`);
	assert.doesNotMatch((await c.renew('-v')).stderr, /store-/);
	assert.equal((await c.dump()).mailboxes.length, 2);
});

for (const [name, setting] of /** @type {[string, any][]} */ ([['addinId', { addinId: '30000000-0000-4000-8000-000000000000' }], ['deploymentAddinEndpoint', { deploymentAddinEndpoint: 'moved' }]]))
	test(`another ${name}: each subscription is made anew, with the reason`, async (t) => {
		const c = await crowd(t, { count: 3, agedMinutes: 10 });
		assert.equal((await c.renew()).summary.due, 0);
		const before = c.users.map((u) => c.at(u)[0].id);
		c.configure(setting);
		const dry = await c.renew('-n');
		assert.equal(dry.stdout.match(/^recreate .* made for another (addinId|deploymentUrl)$/gm)?.length, 3, dry.stdout);
		const run = await c.renew();
		assert.deepEqual([run.code, run.summary.recreated], [0, 3], run.stderr);
		c.users.forEach((u, i) => {
			assert.equal(c.at(u).length, 1);
			assert.notEqual(c.at(u)[0].id, before[i]);
		});
		assert.equal((await c.renew()).summary.due, 0);
	});

test('what lives is not given up for another deploymentUrl whose webhook does not answer, but for one', async (t) => {
	const c = await crowd(t, { count: 6, tenants: 2, agedMinutes: 10 });
	await c.renew();
	c.configure({ deploymentAddinEndpoint: 'moved' });
	c.refuseHandshake = true;
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.failed], [1, 6], run.stderr);
	assert.equal(c.users.filter((u) => c.at(u).length === 1).length, 5);
	c.refuseHandshake = false;
	const next = await c.renew();
	assert.deepEqual([next.code, next.summary.recreated], [0, 6], next.stderr);
	assert.ok(c.users.every((u) => c.at(u).length === 1 && c.at(u)[0].notificationUrl.includes('/moved/')));
});

test('a webhook that does not answer is not tried with thousands in one pass, and again by the next', async (t) => {
	const c = await crowd(t, { count: 1 });
	const [tenant] = c.mailboxes.keys();
	for (let i = 0; i < 500; i++)
		c.sim.directory.addUser(c.sim.directory.tenants.get(tenant), { oid: `40000000-0000-4000-8000-${String(i).padStart(12, '0')}`, upn: `new${i}@x.example` });
	await change(c, `INSERT INTO mailbox (tenant, user_id, upn, state, reason, retry_ms, since_ms, catch_up_ms) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 499) SELECT '${tenant}', '40000000-0000-4000-8000-' || substr(cast(1000000000000 + i AS text), 2), '', 0, '', 0, ${Date.now()}, 0 FROM n;`);
	c.refuseHandshake = true;
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.failed, run.summary.renewed], [1, 500, 1], run.stderr);
	assert.ok(asked(c, 'createSubscription') < 400, `${asked(c, 'createSubscription')} tries`);
	c.refuseHandshake = false;
	const next = await c.renew();
	assert.deepEqual([next.code, next.summary.created], [0, 500], next.stderr);
});

test('a terminal sees a counter, a file a line for each mailbox', { skip: !fs.existsSync('/usr/bin/script') && 'script is not installed' }, async (t) => {
	const c = await crowd(t, { count: 30 });
	const program = path.join(buildFolder(), 'cronjob/outlook-addin-renew');
	const { stdout } = await promisify(execFile)('script', ['-qec', `${program} --config ${c.config} -v 2>/dev/null`, '/dev/null'], { env: { PATH: process.env.PATH, CLIENT_SECRET: c.sim.directory.defaultSecret } });
	assert.match(stdout, /\r30 of 30, 0 failed \r?\n$/);
	assert.doesNotMatch(stdout, /next look/);
	const lines = await c.renew('--force', '-v');
	assert.equal(lines.stdout.match(/^renewed +\S+\/\S+ {2}forced; next look \S+Z$/gm)?.length, 30, lines.stdout);
});

test('a tenant that is no longer configured loses its subscriptions, and has them again when it is back', async (t) => {
	const c = await crowd(t, { count: 6, tenants: 2, agedMinutes: 10 });
	const [stays, goes] = [...c.mailboxes.keys()];
	await c.renew();
	c.configure({ tenantIds: [stays] });
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.removed], [0, 3], run.stderr);
	assert.deepEqual(c.mailboxes.get(goes)?.map((u) => c.at(u).length), [0, 0, 0]);
	assert.deepEqual(c.mailboxes.get(stays)?.map((u) => c.at(u).length), [1, 1, 1]);
	const { mailboxes, facts } = await c.dump();
	assert.ok(mailboxes.filter((/** @type {any} */ m) => m.tenant === goes).every((/** @type {any} */ m) => m.state === 2 && m.reason === 'its tenant is not in tenantIds'));
	assert.ok(!('degraded:credentials' in facts));
	assert.equal((await c.renew()).summary.due, 0);

	c.configure({});
	const back = await c.renew();
	assert.deepEqual([back.code, back.summary.created], [0, 3], back.stderr);
	assert.deepEqual(c.users.map((u) => c.at(u).length), [1, 1, 1, 1, 1, 1]);
});

test('a tenant that went and gives no token any more fails once an hour, and is nobody\'s trouble', async (t) => {
	const c = await crowd(t, { count: 4, tenants: 2, agedMinutes: 10 });
	const [stays, goes] = [...c.mailboxes.keys()];
	await c.renew();
	c.sim.directory.tenants.get(goes).app.consented = false;
	c.configure({ tenantIds: [stays] });
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.failed], [1, 2], run.stderr);
	const next = await c.renew();
	assert.deepEqual([next.code, next.summary.due], [0, 0], next.stderr);
	assert.ok(!('degraded:credentials' in (await c.dump()).facts));
	/* They run out by themselves: then only the rows go. */
	await change(c, `UPDATE subscription SET expires_ms = 1 WHERE tenant = '${goes}'; UPDATE mailbox SET renew_ms = 1;`);
	const last = await c.renew();
	assert.deepEqual([last.code, last.summary.removed], [0, 2], last.stderr);
	assert.equal((await c.dump()).subscriptions.length, 2);
});

test('a server that is switched off takes everything away, and resumes when it is on again', async (t) => {
	const c = await crowd(t, { count: 4, agedMinutes: 10 });
	await c.renew();
	c.configure({ syncServerEnabled: false });
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.removed], [0, 4], run.stderr);
	assert.deepEqual(c.users.map((u) => c.at(u).length), [0, 0, 0, 0]);
	assert.equal((await c.renew()).code, 0);
	c.configure({});
	assert.equal((await c.renew()).summary.created, 4);
});

test('a mailbox without an unfinished link for linkRetentionDays is left; PUT resumes it', async (t) => {
	const c = await crowd(t, { count: 4, agedMinutes: 10 });
	const [unused, used, fresh, held] = c.users;
	const [tenant] = c.mailboxes.keys();
	await c.tool('announce', 'conversation-1', tenant, used.oid, 'outlook-addin:x', 'Topic', String(Date.now() + 40 * DAY), '', '');
	await c.tool('announce', 'conversation-2', tenant, held.oid, 'outlook-addin:y', 'Topic', '1', '', '');
	await change(c, `UPDATE mailbox SET since_ms = 1 WHERE user_id <> '${fresh.oid}'; UPDATE link SET created_ms = 1, announced_ms = 1;
		UPDATE link SET state = 3, gone_since_ms = 1, check_ms = 0, start_ms = 1, end_ms = 1 WHERE conversation = 'conversation-2';`);
	const dry = await c.renew('-n');
	assert.match(dry.stdout, new RegExp(`^remove +${tenant}/${unused.oid}  no unfinished link within linkRetentionDays$`, 'm'));
	assert.equal(dry.stdout.match(/linkRetentionDays/g)?.length, 1);
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.removed], [0, 1], run.stderr);
	assert.deepEqual([unused, used, fresh, held].map((u) => c.at(u).length), [0, 1, 1, 1], 'a deletion that waits for an operator is not finished');
	const row = (await c.dump()).mailboxes.find((/** @type {any} */ m) => m.user === unused.oid);
	assert.deepEqual([row.state, row.reason], [2, 'no unfinished link within linkRetentionDays']);
	await c.tool('resume', tenant, unused.oid);
	assert.equal((await c.renew()).summary.created, 1);
});

test('a PUT while the subscription is being taken away is not lost', async (t) => {
	const c = await crowd(t, { count: 1, agedMinutes: 10 });
	const [user] = c.users;
	await c.renew();
	await change(c, "UPDATE mailbox SET state = 2, reason = 'by an operator', renew_ms = 1;");
	c.sim.faults.add({ service: 'graph', op: 'deleteSubscription', kind: 'delay', delayMs: 1500, count: 1 });
	const child = c.begin();
	const gone = new Promise((resolve) => child.once('close', resolve));
	await waitFor(async () => (await c.sql("SELECT count(*) AS n FROM lease WHERE name LIKE 'mailbox:%'"))[0].n === 1, 10_000, 'its claim is taken');
	assert.match(fs.readFileSync(`/proc/${child.pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m, 'who holds secrets leaves no core');
	await c.tool('resume', user.tenant, user.oid);
	await c.tool('work', '1', user.tenant, user.oid, '', '0', '0');
	assert.equal(await gone, 0);
	assert.equal(c.at(user).length, 0);
	const { work, mailboxes } = await c.dump();
	assert.deepEqual([work.length, mailboxes[0].state], [1, 0], 'it is followed, and sync has been asked to');
	assert.equal((await c.renew()).summary.created, 1);
});

test('a third of the members is throttled: Retry-After is never undercut, all are renewed in one pass', async (t) => {
	const c = await crowd(t, { count: 90, tenants: 2 });
	c.watch();
	c.users.forEach((u, i) => {
		if (i % 3 === 0)
			c.sim.faults.add({ service: 'graph', op: 'renewSubscription', mailbox: u.oid, kind: 'throttle', retryAfter: 2, count: 1 });
	});
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.renewed], [0, 90], run.stderr);
	assert.equal(c.sim.journal.early, 0);
	assert.ok(run.ms >= 2000, `${run.ms} ms`);
});

test('not more than 16 batches are in flight, whatever the number of tenants', async (t) => {
	const c = await crowd(t, { count: 400, tenants: 200 });
	c.watch();
	c.slowBatches(50);
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.renewed], [0, 400], run.stderr);
	assert.ok(c.flight.most <= 16 && c.flight.most > 4, `${c.flight.most}`);
});

test('a tenant that does not answer holds nobody else up', async (t) => {
	const c = await crowd(t, { count: 1200, tenants: 3 });
	const [hangs] = c.mailboxes.keys();
	c.sim.faults.add({ service: 'graph', op: 'batch', tenant: hangs, kind: 'hang' });
	const child = c.begin();
	const gone = new Promise((resolve) => child.once('close', resolve));
	const others = c.users.filter((u) => u.tenant !== hangs);
	const end = Date.now() + 12_000;
	while (!others.every((u) => c.at(u)[0].renewals === 1)) {
		assert.ok(Date.now() < end, 'the others are renewed within 12 s');
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	child.kill('SIGTERM');
	await gone;
});
