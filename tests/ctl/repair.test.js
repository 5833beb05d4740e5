// @ts-check
/* outlook-addinctl: the commands that change something, on a store. */

import assert from 'node:assert/strict';
import { waitFor } from '../lib/wait.js';
import { ALICE, BOB, TENANT, story } from './world.js';

story('dead letters are listed, shown, replayed and dropped', async (w) => {
	await w.seed();
	const list = await w.ctl('dead', 'list');
	assert.match(list.stdout, new RegExp(`^(\\d+)  .*  event  ${TENANT}/${ALICE}  Unblu answered 400\\n$`));
	const id = list.stdout.split(' ')[0];
	const shown = await w.ctl('dead', 'show', id);
	assert.equal(shown.code, 0);
	assert.match(shown.stdout, /^event {9}event-9$/m);
	assert.match(shown.stdout, /^reason {8}Unblu answered 400$/m);
	const full = JSON.parse((await w.ctl('dead', 'show', id, '--json')).stdout);
	assert.deepEqual([full.id, full.kind, full.tenant, full.user, full.event, full.reason], [Number(id), 'event', TENANT, ALICE, 'event-9', 'Unblu answered 400']);
	assert.equal((await w.ctl('dead', 'show', '999')).code, 1);
	assert.equal((await w.ctl('dead', 'drop', '999')).code, 1);
	const sync = await w.listen();
	try {
		assert.equal((await w.ctl('dead', 'replay', id)).code, 0);
		await waitFor(() => sync.count() === 1, 5000, 'sync is woken');
	} finally {
		sync.stop();
	}
	let { doc } = await w.status();
	assert.equal(doc.deadLetters, 0);
	assert.equal(doc.queue.rows, 1);
	assert.equal((await w.ctl('dead', 'replay', id)).code, 1, 'a second time there is nothing left');

	await w.seed();
	const again = (await w.ctl('dead', 'list')).stdout.split(' ')[0];
	const mixed = await w.ctl('dead', 'drop', '999', again);
	assert.equal(mixed.code, 1, 'one of two is unknown');
	({ doc } = await w.status());
	assert.equal(doc.deadLetters, 0, 'the other is dropped all the same');
});

story('dead letters of a tenant or a mailbox are replayed and dropped together', async (w) => {
	await w.seed();
	const other = '00000000-2222-4333-8444-555566667777';
	assert.deepEqual(await w.list('dead', 'list', '--tenant', other), []);
	assert.equal((await w.list('dead', 'list', '--tenant', TENANT, '--user', ALICE)).length, 1);
	assert.equal((await w.ctl('dead', 'replay', '--all', '--user', BOB)).stdout, '');
	assert.equal((await w.ctl('dead', 'drop', '--all', '--tenant', other)).stdout, '');
	assert.equal((await w.list('dead', 'list')).length, 1);
	const back = await w.ctl('dead', 'replay', '--all', '--tenant', TENANT.toUpperCase(), '--user', ALICE);
	assert.equal(back.code, 0);
	assert.match(back.stdout, /^\d+ is back in the queue\n$/);
	assert.equal((await w.ctl('dead', 'drop', '--all')).code, 0, 'none is left, which is no failure');
	for (const words of [['replay'], ['replay', '1', '--all'], ['drop', '1', '--tenant', TENANT], ['replay', '--all', '--tenant', 'x'], ['list', '--all'], ['replay', '--all', '--json']])
		assert.equal((await w.ctl('dead', ...words)).code, 2, words.join(' '));
});

story('a mailbox is parked and resumed, by object id or sign-in name', async (w) => {
	await w.seed();
	const parked = await w.ctl('mailbox', 'park', '--tenant', TENANT.toUpperCase(), '--user', 'Alice@Contoso.example', '--reason', 'on leave');
	assert.equal(parked.code, 0, parked.stderr);
	let { doc } = await w.status();
	const alice = () => doc.mailboxes.find((/** @type {any} */ m) => m.user === ALICE);
	assert.equal(alice().state, 'parked');
	assert.equal(alice().reason, 'on leave');
	assert.match(alice().retry, /^9999-/, 'it does not resume by itself');
	const sync = await w.listen();
	try {
		assert.equal((await w.ctl('mailbox', 'resume', '--tenant', TENANT, '--user', ALICE)).code, 0);
		await waitFor(() => sync.count() === 1, 5000, 'sync is woken');
	} finally {
		sync.stop();
	}
	({ doc } = await w.status());
	assert.equal(alice().state, 'followed');
	assert.equal(doc.queue.rows, 2, 'its subscription and its events are looked at');
	const list = await w.ctl('mailbox', 'list');
	assert.match(list.stdout, new RegExp(`${BOB}  parked `));
	for (const [tenant, user, code] of [[TENANT, 'nobody@contoso.example', 1], [TENANT, TENANT, 1], ['contoso', ALICE, 2]])
		assert.equal((await w.ctl('mailbox', 'park', '--tenant', `${tenant}`, '--user', `${user}`)).code, code);
	assert.equal((await w.ctl('mailbox', 'close', '--tenant', TENANT, '--user', ALICE)).code, 2);
});

story('resync queues the mailbox, its search and its linked events', async (w) => {
	await w.seed();
	const done = await w.ctl('resync', '--tenant', TENANT, '--user', ALICE);
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, /^1 linked event of /);
	assert.equal((await w.status()).doc.queue.rows, 3);
	assert.equal((await w.ctl('resync', '--tenant', TENANT, '--user', ALICE)).code, 0);
	assert.equal((await w.status()).doc.queue.rows, 3, 'twice is as good as once');
	assert.equal((await w.ctl('resync', '--tenant', TENANT, '--user', TENANT)).code, 1);
});

story('resync --adopt follows a mailbox that was never announced here', async (w) => {
	await w.seed();
	const stranger = 'cccccccc-0000-0000-0000-00000000000c';
	assert.equal((await w.ctl('resync', '--tenant', TENANT, '--user', stranger)).code, 1);
	const done = await w.ctl('resync', '--adopt', '--tenant', TENANT, '--user', stranger.toUpperCase());
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, new RegExp(`^${stranger} is followed from now on\n0 linked events of `));
	const box = (await w.status()).doc.mailboxes.find((/** @type {any} */ m) => m.user === stranger);
	assert.equal(box.state, 'followed');
	const again = await w.ctl('resync', '--adopt', '--tenant', TENANT, '--user', stranger);
	assert.equal(again.code, 0);
	assert.doesNotMatch(again.stdout, /from now on/);
	assert.equal((await w.ctl('resync', '--adopt', '--tenant', TENANT, '--user', 'carol@contoso.example')).code, 2);
	const foreign = await w.ctl('resync', '--adopt', '--tenant', stranger, '--user', stranger);
	assert.equal(foreign.code, 2);
	assert.match(foreign.stderr, /tenantIds/);
});

story('held deletions are an alarm, are listed, released and dropped', async (w) => {
	await w.seed(0, 'held');
	let { code, doc } = await w.status();
	assert.equal(code, 1);
	assert.deepEqual(doc.degraded.map((/** @type {any} */ d) => d.reason), ['deletions'], 'told once');
	assert.match((await w.ctl('status')).stdout, /deletions: deletions are held: outlook-addinctl deletion list\n/);
	const rows = await w.list('deletion', 'list');
	assert.deepEqual(rows.map((r) => [r.conversation, r.user, r.event]), [['conv-4', ALICE, 'event-4'], ['conv-5', ALICE, 'event-5'], ['conv-6', BOB, 'event-6']]);
	assert.ok(rows.every((r) => Date.parse(r.goneSince) < Date.now() && r.start === null));
	assert.equal((await w.list('deletion', 'list', '--user', BOB.toUpperCase(), '--tenant', TENANT)).length, 1);
	assert.deepEqual(await w.list('deletion', 'list', '--tenant', ALICE), []);
	const text = (await w.ctl('deletion', 'list')).stdout;
	assert.match(text, new RegExp(`^conv-4  gone since \\S+  start -  ${TENANT}/${ALICE}\n`));
	assert.equal(text.includes('topic-canary'), false, 'topics are nobody\'s business');

	const sync = await w.listen();
	try {
		const done = await w.ctl('deletion', 'release', 'conv-4', 'conv-1', 'conv-99');
		assert.equal(done.code, 1, 'two of three are not held');
		assert.match(done.stdout, /^conv-4 will be deleted/);
		assert.match(done.stderr, /no deletion of conv-1 is held\n.*no deletion of conv-99 is held/);
		await waitFor(() => sync.count() === 1, 5000, 'sync is woken');
	} finally {
		sync.stop();
	}
	assert.deepEqual(await w.sql(`SELECT conversation, state FROM link WHERE conversation IN ('conv-1', 'conv-4') ORDER BY 1`),
		[{ conversation: 'conv-1', state: 1 }, { conversation: 'conv-4', state: 2 }], 'back in its grace time, which is over');
	assert.deepEqual(await w.sql(`SELECT name FROM fact WHERE name LIKE 'release:%'`), [{ name: 'release:conv-4' }]);
	assert.deepEqual(await w.sql(`SELECT event, kind, hints FROM work`), [{ event: 'event-4', kind: 0, hints: 4 }]);
	assert.equal((await w.sql(`SELECT 1 FROM fact WHERE name = 'degraded:deletions'`)).length, 1, 'others are still held');

	const dropped = await w.ctl('deletion', 'drop', '--all', '--user', ALICE);
	assert.deepEqual([dropped.code, dropped.stdout], [0, 'conv-5 is kept\n']);
	assert.equal((await w.ctl('deletion', 'drop', 'conv-5')).code, 1, 'a second time there is nothing held');
	assert.equal((await w.ctl('deletion', 'release', '--all')).stdout.split(' ')[0], 'conv-6');
	assert.deepEqual(await w.sql(`SELECT 1 FROM fact WHERE name = 'degraded:deletions'`), [], 'the alarm ends with the last one');
	({ code, doc } = await w.status());
	assert.equal(code, 0, JSON.stringify(doc.degraded));
	assert.deepEqual([doc.links.gone, doc.links.kept, doc.links.held], [2, 1, 0]);
	assert.equal((await w.ctl('deletion', 'release', '--all')).stdout, 'no deletion is held\n');
	const audit = (await w.list('audit', 'list')).filter((a) => a.action === 'delete').map((a) => `${a.outcome} ${a.conversation}`);
	assert.deepEqual(audit, ['held conv-4', 'released conv-4', 'kept conv-5', 'released conv-6']);
	for (const args of [[], ['release'], ['release', 'a', '--all'], ['drop', 'a', '--tenant', TENANT], ['release', 'a', '--json'], ['list', 'a'], ['list', '--tenant', 'x'], ['keep']])
		assert.equal((await w.ctl('deletion', ...args)).code, 2, args.join(' '));
});

story('a series without end that is dropped is not kept for ever', async (w) => {
	await w.seed(0, 'held');
	const never = Date.parse('9999-01-01T00:00:00Z');
	await w.sql(`UPDATE link SET end_ms = ${never}`);
	await w.sql("UPDATE link SET series = 'master' WHERE conversation = 'conv-4'");
	assert.equal((await w.ctl('deletion', 'drop', 'conv-4', 'conv-5')).code, 0);
	const [series, single] = await w.sql("SELECT end_ms FROM link WHERE conversation IN ('conv-4', 'conv-5') ORDER BY conversation");
	assert.ok(series.end_ms <= Date.now());
	assert.equal(single.end_ms, never, 'an end that is known stays');
});

story('a held orphan has no event that could be gone: released, it is looked for once more', async (w) => {
	await w.seed(0, 'held');
	await w.sql("UPDATE link SET gone_since_ms = 0, event = '' WHERE conversation = 'conv-4'");
	assert.match((await w.ctl('deletion', 'list')).stdout, /^conv-4  never seen  start -/);
	assert.equal((await w.list('deletion', 'list')).find((r) => r.conversation === 'conv-4')?.goneSince, null);
	assert.equal((await w.ctl('deletion', 'release', 'conv-4')).code, 0);
	assert.deepEqual(await w.sql(`SELECT state FROM link WHERE conversation = 'conv-4'`), [{ state: 0 }], 'announced, as before');
	assert.deepEqual(await w.sql(`SELECT event, kind, hints FROM work`), [{ event: 'conv-4', kind: 4, hints: 0 }], 'the conversation itself');
	assert.deepEqual(await w.sql(`SELECT name FROM fact WHERE name LIKE 'release:%'`), [{ name: 'release:conv-4' }]);
});

story('of a mailbox that nobody follows a held deletion is dropped, but not released as if somebody would do it', async (w) => {
	await w.seed(0, 'held');
	await w.sql(`UPDATE mailbox SET state = 2, reason = 'by an operator' WHERE user_id = '${ALICE}'`);
	const done = await w.ctl('deletion', 'release', 'conv-4');
	assert.deepEqual([done.code, done.stdout], [1, '']);
	assert.match(done.stderr, new RegExp(`conv-4: mailbox ${TENANT}/${ALICE} is not followed \\(by an operator\\): resume it first, or drop the deletion\n`));
	assert.deepEqual(await w.sql(`SELECT state FROM link WHERE conversation = 'conv-4'`), [{ state: 3 }]);
	assert.deepEqual(await w.sql(`SELECT name FROM fact WHERE name LIKE 'release:%' UNION ALL SELECT event FROM work`), []);
	assert.equal((await w.ctl('deletion', 'drop', 'conv-4')).stdout, 'conv-4 is kept\n');
	assert.equal((await w.ctl('deletion', 'release', '--all')).code, 1, 'conv-5 as well');
	assert.deepEqual(await w.sql(`SELECT conversation, state FROM link WHERE conversation IN ('conv-5', 'conv-6') ORDER BY 1`),
		[{ conversation: 'conv-5', state: 3 }, { conversation: 'conv-6', state: 2 }], 'and another mailbox is not held up by it');
});

story('writes are paused and resumed, for all or for one tenant', async (w) => {
	await w.seed(0, 'waiting');
	const before = await w.sql('SELECT not_before_ms FROM work ORDER BY id');
	assert.equal((await w.ctl('writes', 'pause', '--reason', 'audit\tday')).code, 0);
	assert.equal((await w.ctl('writes', 'pause', '--tenant', TENANT.toUpperCase())).code, 0);
	let { code, doc } = await w.status();
	assert.equal(code, 0, 'it is a decision, not a fault');
	const since = doc.writes.paused[0].since;
	assert.deepEqual(doc.writes.paused.map((/** @type {any} */ p) => [p.tenant, p.reason]), [[null, 'audit\tday'], [TENANT, '']]);
	assert.match((await w.ctl('status')).stdout, /^writes {9}PAUSED for all tenants since \S+: audit\\tday\nwrites {9}PAUSED for tenant 1111/m);
	assert.deepEqual((await w.sql(`SELECT name, fact FROM fact WHERE name LIKE 'pause:%'`)).map((f) => f.name), ['pause:', `pause:${TENANT}`]);
	assert.equal((await w.ctl('writes', 'pause')).code, 0);
	assert.equal((await w.status()).doc.writes.paused[0].since, since, 'paused since the first time');

	const sync = await w.listen();
	try {
		const done = await w.ctl('writes', 'resume');
		assert.equal(done.stdout, `writes to Unblu go on for all tenants\nstill paused for tenant ${TENANT}\n`);
		await waitFor(() => sync.count() === 1, 5000, 'sync is woken');
	} finally {
		sync.stop();
	}
	const after = await w.sql('SELECT event, not_before_ms FROM work ORDER BY id');
	assert.deepEqual([after[0].event, after[0].not_before_ms], ['event-1', 0], 'what the pause held is due');
	assert.equal(after[1].not_before_ms, before[1].not_before_ms, 'other waits are left alone');
	assert.equal((await w.ctl('writes', 'resume', '--tenant', TENANT)).stdout, `writes to Unblu go on for ${TENANT}\n`);
	({ doc } = await w.status());
	assert.deepEqual(doc.writes.paused, []);
	assert.deepEqual((await w.list('audit', 'list')).map((a) => `${a.action} ${a.detail}`),
		['writes-pause all tenants', `writes-pause ${TENANT}`, 'writes-resume all tenants', `writes-resume ${TENANT}`], 'what changed nothing is not recorded');
	const wrong = await w.ctl('writes', 'pause', '--tenant', ALICE);
	assert.equal(wrong.code, 2);
	assert.match(wrong.stderr, /is not in tenantIds/);
	for (const args of [[], ['stop'], ['pause', '--tenant', 'contoso'], ['resume', '--reason', 'x']])
		assert.equal((await w.ctl('writes', ...args)).code, 2, args.join(' '));
	w.write({ syncServerDryRun: true });
	assert.equal((await w.status()).doc.writes.dryRun, true);
	assert.match((await w.ctl('status')).stdout, /^writes {9}DRY RUN/m);
});

story('a mailbox is followed no longer, and again', async (w) => {
	await w.seed(0, 'waiting');
	const alice = ['--tenant', TENANT, '--user', ALICE];
	const done = await w.ctl('mailbox', 'unfollow', ...alice, '--reason', 'left');
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, /is no longer followed; the next outlook-addin-renew deletes its subscription at Graph\n$/);
	const box = (await w.list('mailbox', 'list')).find((m) => m.user === ALICE);
	assert.deepEqual([box.state, box.reason, box.upn], ['unfollowed', 'left', 'alice@contoso.example']);
	assert.deepEqual(await w.sql(`SELECT renew_ms FROM mailbox NATURAL JOIN subscription WHERE user_id = '${ALICE}'`), [{ renew_ms: 1 }], 'what it deletes, and that it looks at once');
	assert.deepEqual((await w.sql('SELECT event FROM work')).map((r) => r.event), ['event-2'], 'only its own rows are gone');
	assert.equal((await w.status()).doc.links.linked, 1, 'what is known of it stays');
	assert.equal((await w.list('audit', 'list'))[0].action, 'unfollow');
	const resync = await w.ctl('resync', ...alice);
	assert.equal(resync.code, 1);
	assert.match(resync.stderr, /is not followed/);
	assert.equal((await w.ctl('mailbox', 'resume', ...alice)).code, 0);
	assert.equal((await w.list('mailbox', 'list')).find((m) => m.user === ALICE).state, 'followed');
	await w.sql(`INSERT INTO lease VALUES ('mailbox:${TENANT}/${ALICE}', 'sync', ${Date.now() + 60_000})`);
	const claimed = await w.ctl('mailbox', 'unfollow', ...alice);
	assert.equal(claimed.code, 1, 'somebody works on its subscription');
	assert.match(claimed.stderr, /is being worked on/);
	assert.equal((await w.list('mailbox', 'list')).find((m) => m.user === ALICE).state, 'followed');
	assert.equal((await w.ctl('mailbox', 'list', '--json', ...alice)).code, 0);
	assert.equal((await w.ctl('mailbox', 'park', '--json', ...alice)).code, 2);
});

story('a mailbox is forgotten, but for what was done', async (w) => {
	await w.seed(0, 'held', 'waiting');
	await w.ctl('deletion', 'release', 'conv-4');
	const done = await w.ctl('forget', '--tenant', TENANT, '--user', 'alice@contoso.example');
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, new RegExp(`^removed of ${ALICE}: the mailbox, 5 links, 1 subscriptions, 3 rows of the queue, 1 dead letters\n`));
	assert.match(done.stdout, /its\s+notifications are dropped: \S+Z\n/);
	const tables = (await w.sql(`SELECT name FROM sqlite_master WHERE type = 'table'`)).map((t) => t.name);
	assert.ok(tables.length > 10);
	for (const table of tables) {
		const rest = JSON.stringify(await w.sql(`SELECT * FROM ${table}`));
		assert.equal(rest.includes(ALICE) || rest.includes('alice@') || rest.includes('event-4') || rest.includes('release:conv-4'), false, `${table}: ${rest}`);
	}
	assert.deepEqual((await w.list('audit', 'list')).map((a) => `${a.action} ${a.outcome} ${a.user}`), ['delete held ', 'delete released ', 'forget done ']);
	assert.equal((await w.list('deletion', 'list')).length, 1, 'nothing of others is touched');
	assert.equal((await w.ctl('forget', '--tenant', TENANT, '--user', ALICE)).code, 1);
	assert.equal((await w.ctl('forget', '--tenant', TENANT)).code, 2);
});

story('what sync has under way is not removed under its hands', async (w) => {
	await w.seed(0, 'held', 'busy');
	for (const args of [['forget', '--tenant', TENANT, '--user', ALICE], ['mailbox', 'unfollow', '--tenant', TENANT, '--user', ALICE], ['deletion', 'drop', 'conv-4']]) {
		await w.sql(`UPDATE fact SET at_ms = ${Date.now()} WHERE name = 'sync-heartbeat'`);
		const done = await w.ctl(...args);
		assert.equal(done.code, 1, args.join(' '));
		assert.match(done.stderr, /sync is at work on/);
	}
	assert.equal((await w.list('deletion', 'list')).length, 3);
	await w.sql(`UPDATE fact SET at_ms = ${Date.now() - 20_000} WHERE name = 'sync-heartbeat'`);
	assert.equal((await w.ctl('forget', '--tenant', TENANT, '--user', ALICE)).code, 0, 'a dead sync has nothing under way');
});
