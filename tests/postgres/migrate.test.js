// @ts-check
/* outlook-addinctl migrate-store: a running installation goes from SQLite to PostgreSQL. */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { buildFolder, serviceAccount, SOURCE_ROOT } from '../lib/build.js';
import { body, item } from '../lib/notification.js';
import { Postgres } from '../lib/postgres.js';
import { Stack } from '../lib/stack.js';
import { pause, waitFor } from '../lib/wait.js';
import { CTL, story } from '../ctl/world.js';

const MINUTE = 60_000;
/** So much that the copy can be met half-way. */
const AUDITED = 15_000;
const server = new Postgres();

/** migrate-store, killed as soon as it has said so much. @param {Stack} stack @param {string} url @param {RegExp} said */
function killedAt(stack, url, said) {
	const child = spawn(stack.parts.ctl, ['--config', stack.configFile, 'migrate-store', url], { env: stack.env(), cwd: stack.dir, stdio: ['ignore', 'ignore', 'pipe'], ...serviceAccount() ?? {} });
	let text = '';
	child.stderr.on('data', (chunk) => {
		text += chunk;
		if (said.test(text))
			child.kill('SIGKILL');
	});
	return new Promise((resolve) => child.once('close', (_, signal) => resolve(`${signal}`)));
}

/** Edits of every link, told through nginx, until stopped: what was answered 202 is owed. @param {Stack} stack @param {any[]} links */
function load(stack, links) {
	const owed = links.map((link) => ({ link, version: 0, owed: 0 }));
	/** How often each status. @type {Record<number, number>} */
	const seen = { 202: 0, 503: 0 };
	let running = true;
	const lanes = owed.map(async (l) => {
		while (running) {
			l.version++;
			stack.sims.editEvent(l.link.mailbox, l.link.event, { subject: `#${l.version}`, start: l.link.start + l.version * MINUTE });
			const { status } = await stack.http.post('/addin/webhook/events', body(item(l.link.sub, l.link.event.id)));
			seen[status] = (seen[status] ?? 0) + 1;
			if (status === 202)
				l.owed = l.version;
			await pause(20);
		}
	});
	return {
		owed, seen,
		async stop() {
			running = false;
			await Promise.all(lanes);
		},
	};
}

test('a running installation is moved under load, killed twice, moved on: every 202 has its effect', async (t) => {
	const db = server.database();
	await Stack.play('migrate', { onSqlite: true, settings: { graph: { latencyMs: [1, 20] }, unblu: { latencyMs: [1, 25] } }, config: { notificationDebounceMs: 50, logLevel: 'info' } }, async (stack) => {
		stack.expectErrors = true;
		const followed = await Promise.all(stack.mailboxes.map((m) => stack.followMany(m, 4)));
		const links = followed.flatMap((f) => f.links);
		await stack.fcgiDown();
		await stack.writeStore(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${AUDITED})
			INSERT INTO audit (at_ms, tenant, user_id, event, conversation, action, outcome, detail) SELECT i, 't', 'u', 'e', 'c' || i, 'set-topic', 'done', '' FROM n;`);
		await stack.startFcgi();
		await waitFor(async () => (await stack.http.get('/ready')).status === 200, 15_000, 'ready');
		stack.sims.silence(true);
		const work = load(stack, links);
		t.after(work.stop);
		/* Killed behind the last moment of the old store it is closed: then the next one finds it so. */
		const goesOn = async (/** @type {string} */ what) => {
			if ((await stack.query('PRAGMA user_version'))[0].user_version === 2)
				await taken(what);
		};
		const taken = (/** @type {string} */ what) => {
			const from = work.seen[202];
			return waitFor(() => work.seen[202] > from + links.length, 15_000, what);
		};
		await taken('notifications are taken');

		assert.equal(await killedAt(stack, db.url, /copying/), 'SIGKILL');
		await goesOn('the old store is in use');
		const early = await stack.ctl('--database', db.url, 'status');
		assert.equal(early.code, 2);
		assert.match(early.stderr, /migrate-store is filling this database, or was interrupted/);
		assert.equal(await killedAt(stack, db.url, /programs wait/), 'SIGKILL');
		await goesOn('the old store is in use again');

		const done = await stack.ctl('migrate-store', db.url);
		assert.equal(done.code, 0, done.stderr);
		assert.ok(Number(/^audit +(\d+) +[0-9a-f]{64}$/m.exec(done.stdout)?.[1]) > AUDITED, done.stdout);
		/* Nobody works with the old one: each says so, and where to. */
		for (const refused of [await stack.ctl('status'), await stack.renew()]) {
			assert.equal(refused.code, 2, refused.stderr);
			assert.match(refused.stderr, /the store was moved by outlook-addinctl migrate-store/);
			assert.ok(refused.stderr.includes(db.url), refused.stderr);
		}
		const closed = await stack.query('SELECT (SELECT max(id) FROM arrival) AS a, (SELECT sum(generation) FROM work) AS b, (SELECT count(*) FROM audit) AS c');
		const before = { ...work.seen };
		await waitFor(() => work.seen[503] > before[503] + links.length, 15_000, 'notifications are refused');
		assert.equal(work.seen[202], before[202], 'answered 202 into a store that nobody reads any more');
		assert.equal((await stack.http.get('/ready')).status, 200);
		assert.equal((await stack.http.post('/addin/webhook/events?validationToken=abc', '')).text, 'abc');
		assert.deepEqual(await stack.query('SELECT (SELECT max(id) FROM arrival) AS a, (SELECT sum(generation) FROM work) AS b, (SELECT count(*) FROM audit) AS c'), closed);

		stack.writeConfig({ database: db.url });
		stack.postgres = db;
		await stack.restart();
		await taken('notifications are taken into PostgreSQL');
		await work.stop();
		assert.deepEqual(Object.keys(work.seen), ['202', '503']);
		await waitFor(() => work.owed.every((l) => Number(stack.sims.conversation(l.link.conv.id)?.topic.slice(1)) >= l.owed), 45_000, 'all that was answered 202 has its effect');
		await stack.idle(20_000);
		assert.equal(await stack.deadLetters(), 0);
		assert.equal((await stack.renew()).code, 0);
	});
});

story('migrate-store says what it would do, what it does and what it has done; and what can not be', async (world) => {
	const db = server.database();
	await world.seed();
	const dry = await world.ctl('migrate-store', '-n', db.url);
	assert.equal(dry.code, 0, dry.stderr);
	assert.match(dry.stdout, /^link +\d+ *$/m);
	assert.match(dry.stdout, /\d+ rows would be moved to .*; nothing was written$/m);
	assert.equal((await db.query("SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'"))[0].n, 0);
	assert.equal((await world.sql('SELECT count(*) AS n FROM moved'))[0].n, 0);

	const cases = [
		[['migrate-store'], 2, /needs a PostgreSQL URL/],
		[['migrate-store', db.url, db.url], 2, /unexpected argument/],
		[['migrate-store', 'postgresql://u:secret@h/d'], 2, /must not hold the password/],
		[['migrate-store', 'postgresql://u@/d'], 2, /must name the host/],
		[['migrate-store', 'sqlite:/tmp/other.db'], 2, /moved to PostgreSQL/],
		[['migrate-store', db.url.replace(db.name, 'nowhere')], 2, /does not exist/],
		[['migrate-store', 'postgresql://outlook@/d?host=/nowhere'], 1, /nowhere/],
		[['--database', db.url, 'migrate-store', db.url], 2, /in PostgreSQL already/],
		[['--database', 'sqlite:/tmp/oa-no-such-store.db', 'migrate-store', db.url], 1, /no store at/],
	];
	for (const [args, code, text] of /** @type {[string[], number, RegExp][]} */ (cases)) {
		const refused = await world.ctl(...args);
		assert.equal(refused.code, code, `${args.join(' ')}: ${refused.stderr}`);
		assert.match(refused.stderr, text);
		assert.doesNotMatch(refused.stderr, /secret/);
	}
	assert.equal((await world.ctl('mailbox', 'list')).code, 0, 'the store is as it was');

	const done = await world.ctl('migrate-store', db.url);
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stderr, /^copying, the programs go on\n {2}(\d+) of \1 rows, \1 changed there\nthe programs wait: .*\n {2}\1 of \1 rows, 0 changed there\nall equal, the old store is closed\nthe new store can be used\n$/);
	assert.match(done.stdout, /\d+ rows are in .*, every one compared; writers waited \d+\.\d s\n.* is closed: /);
	const again = await world.ctl('migrate-store', db.url);
	assert.equal(again.code, 0, again.stderr);
	assert.match(again.stdout, /was moved to .* before, nothing was left to do/);
	const elsewhere = await world.ctl('migrate-store', server.database().url);
	assert.equal(elsewhere.code, 2);
	assert.match(elsewhere.stderr, /moved before, and to another database: /);
	/* And it is what it was. */
	world.database = db.url;
	world.write({});
	assert.deepEqual((await world.list('mailbox', 'list')).length > 0, true);
});

story('on a terminal migrate-store counts in one line', async (world) => {
	await world.seed();
	const done = await world.run('script', ['-qec', `'${CTL}' --config '${world.config}' migrate-store '${server.database().url}'`, '/dev/null']);
	assert.equal(done.code, 0, done.stdout);
	assert.match(done.stdout, /^copying, the programs go on\r\n(\r\x1b\[K {2}\d+ of \d+ rows, \d+ changed there)+\r\nthe programs wait/);
});

story('the lines of the guide, as they are typed into one shell, move it', async (w) => {
	await w.seed(0, 'waiting');
	const { url } = server.database();
	const guide = fs.readFileSync(path.join(SOURCE_ROOT, 'docs/upgrade.md'), 'utf8');
	const head = [...guide.split(/^## /m)[0].matchAll(/^ {4}(.*)$/gm)].map((m) => m[1]);
	const section = guide.slice(guide.indexOf('## From SQLite to PostgreSQL')).split(/^## /m)[1];
	const lines = [...section.matchAll(/^ {7}(.*)$/gm)].map((m) => m[1]);
	/* What an operator has of his own: an account, systemd, an editor, the address. */
	const own = { '/etc/outlook-addin': w.dir, '/etc/systemd/system': `${w.dir}/units`, ' -g outlook-addin': '', 'postgresql://outlook_addin@db.example/outlook_addin': url };
	let script = [...head, ...lines].join('\n');
	for (const [theirs, ours] of Object.entries(own)) {
		assert.ok(script.includes(theirs), theirs);
		script = script.replaceAll(theirs, ours);
	}
	for (const name of ['CLIENT_SECRET', 'SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET'])
		fs.writeFileSync(path.join(w.dir, name), 'not-a-secret\n', { mode: 0o600 });
	const bin = path.join(w.dir, 'bin');
	fs.mkdirSync(bin);
	fs.writeFileSync(path.join(bin, 'systemctl'), `#!/bin/sh\necho "$*" >>${w.dir}/systemctl.log\n`, { mode: 0o755 });
	fs.writeFileSync(path.join(bin, 'edit'), `#!/bin/sh\ncp ${w.dir}/edited "$1"\n`, { mode: 0o755 });
	fs.writeFileSync(path.join(w.dir, 'edited'), JSON.stringify({ ...JSON.parse(fs.readFileSync(w.config, 'utf8')), database: url }));
	const env = { PATH: [bin, path.join(buildFolder(), 'ctl'), process.env.PATH].join(':'), EDITOR: path.join(bin, 'edit'), OUTLOOK_ADDIN_CONFIG: w.config, ASAN_OPTIONS: process.env.ASAN_OPTIONS };
	const text = await new Promise((resolve) => {
		execFile('sh', ['-c', 'echo password | sh -c "$1" 2>&1', 'sh', script], { env, cwd: '/', timeout: 60_000 }, (_, stdout, stderr) => resolve(`${stdout}${stderr}`));
	});
	assert.match(text, /nothing was written[^]*the new store can be used[^]*^mailboxes +1 followed, 1 parked/m, text);
	assert.equal(JSON.parse(fs.readFileSync(w.config, 'utf8')).database, url);
	assert.equal(fs.readFileSync(`${w.dir}/systemctl.log`, 'utf8'), 'daemon-reload\nrestart outlook-addin\n');
	const dropIn = `[Service]\nEnvironment=DATABASE_PASSWORD_FILE=${w.dir}/DATABASE_PASSWORD\n`;
	for (const unit of ['outlook-addin', 'outlook-addin-renew'])
		assert.equal(fs.readFileSync(`${w.dir}/units/${unit}.service.d/database.conf`, 'utf8'), dropIn);
	assert.equal(fs.readFileSync(`${w.dir}/DATABASE_PASSWORD`, 'utf8'), 'password\n');
	assert.equal((await w.ctl('status')).stderr, '', 'the configuration names the new store');
});
