// @ts-check
/* What web does when PostgreSQL is gone, slow, read-only or full of others, and how soon it is well again. */

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { serviceAccount } from '../lib/build.js';
import { body, item, lifecycleItem, longId } from '../lib/notification.js';
import { Database, Postgres } from '../lib/postgres.js';
import { descendants } from '../lib/program.js';
import { pause, waitFor } from '../lib/wait.js';
import { HINT, KIND, LIFECYCLE, Web } from '../web/harness.js';
import { edit, play, shows, throughNginx } from './harness.js';

const server = new Postgres();

/** Short enough for the quick way. */
const config = { notificationDebounceMs: 2000 };

/** The program's own account there: no superuser, so that limits hold for it. */
async function ownDatabase() {
	const db = server.database();
	await db.query(`DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; ALTER DATABASE ${db.name} OWNER TO app; ALTER SCHEMA public OWNER TO app`);
	db.url = db.url.replace('//outlook@', '//app@');
	return db;
}

/** @param {Web} web */
async function isUp(web) {
	const from = Date.now();
	assert.equal((await web.ask('GET', '/live')).status, 200);
	assert.equal((await web.ask('GET', '/ready')).status, 200);
	const shake = await web.ask('POST', '/addin/webhook/events?validationToken=abc');
	assert.deepEqual([shake.status, shake.body], [200, 'abc']);
	assert.ok(Date.now() - from < 1000, `three answers took ${Date.now() - from} ms`);
}

/** @param {Web} web @param {any} sub @param {string} name */
async function isRefused(web, sub, name) {
	const from = Date.now();
	const answer = await web.notify(body(item(sub, longId(name))));
	assert.equal(answer.status, 503, answer.body);
	assert.ok(Number(answer.headers['retry-after']) > 0);
	assert.ok(Date.now() - from < 1800, `refused after ${Date.now() - from} ms`);
}

/** Nothing of the server moves, so that it lets nobody in and answers nobody, until thaw() is called. */
function freeze() {
	const postmaster = Number(fs.readFileSync(path.join(server.dir, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
	const pids = [postmaster, ...descendants(postmaster).map((p) => p.pid)];
	/* One that was just ending may be gone. */
	const tell = (/** @type {NodeJS.Signals} */ signal) => pids.forEach((pid) => fs.existsSync(`/proc/${pid}`) && process.kill(pid, signal));
	tell('SIGSTOP');
	return { thaw: () => tell('SIGCONT') };
}

/** @param {Web} web @param {any} sub @param {string} name @param {number} [ms] */
async function isTakenAgain(web, sub, name, ms = 6000) {
	await waitFor(async () => (await web.notify(body(item(sub, longId(name))))).status === 202, ms, 'notifications are taken');
	assert.ok((await web.events()).includes(longId(name)));
	await waitFor(async () => !(await web.degraded()).includes('store'), 6000, 'ready is well again');
}

test('many notifications and lifecycle events are in the queue when they are answered', async () => {
	await Web.play({ config, postgres: await ownDatabase() }, async (web) => {
		const sub = await web.follow();
		const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => web.notify(body(item(sub, longId(`e-${i}`))))));
		assert.deepEqual([...new Set(answers.map((a) => a.status))], [202]);
		assert.equal((await web.notify(body(lifecycleItem(sub, 'missed')), LIFECYCLE)).status, 202);
		const rows = await web.rows();
		assert.equal(rows.filter((r) => r.kind === KIND.event).length, 200);
		assert.ok(rows.every((r) => r.mailbox === sub.mailbox));
		assert.ok(rows.some((r) => r.kind === KIND.catchup && r.hints === HINT.missed));
	});
});

test('what is answered 202 has been committed synchronously, whatever the account is set to', async () => {
	const db = await ownDatabase();
	await db.query('ALTER ROLE app SET synchronous_commit = off');
	/* The commit's own level, as the server saw it. */
	await Web.play({ config, postgres: db, start: false }, async (web) => {
		await web.start();
		await db.query(`CREATE TABLE seen (level text); GRANT ALL ON seen TO app;
			CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
			CREATE CONSTRAINT TRIGGER note AFTER INSERT ON arrival DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()`);
		const sub = await web.follow();
		assert.equal((await web.notify(body(item(sub, longId('a'))))).status, 202);
		assert.deepEqual(await db.query('SELECT level FROM seen'), [{ level: 'on' }]);
	});
	await db.query('ALTER ROLE app RESET synchronous_commit');
});

test('PostgreSQL goes down at once and comes back: 503 meanwhile, nothing is lost, no restart', async () => {
	await Web.play({ config, postgres: await ownDatabase() }, async (web) => {
		const sub = await web.follow();
		const pid = web.pid();
		for (let round = 0; round < 2; round++) {
			assert.equal((await web.notify(body(item(sub, longId(`kept-${round}`))))).status, 202);
			server.crash();
			await isRefused(web, sub, `gone-${round}`);
			await isUp(web);
			await waitFor(async () => (await web.degraded()).includes('store'), 5000, 'ready says so');
			/* A zero would say that all is well. */
			for (const name of ['work_rows', 'dead_letters', 'oldest_work_seconds', 'subscriptions{state="active"}', 'mailboxes{state="followed"}'])
				assert.equal(await web.metric(name), null, name);
			assert.equal(await web.metric('degraded{reason="store"}'), 1);
			await isUp(web);
			server.again();
			await isTakenAgain(web, sub, `after-${round}`);
			assert.ok((await web.events()).includes(longId(`kept-${round}`)));
			assert.equal(await web.metric('subscriptions{state="active"}'), 1);
		}
		assert.equal(web.pid(), pid, 'the same process');
	});
});

test('it starts while PostgreSQL is not there', async () => {
	const db = await ownDatabase();
	server.crash();
	await Web.play({ config, postgres: db, start: false }, async (web) => {
		try {
			await web.start();
			await isUp(web);
			assert.equal((await web.notify(body(item({ id: 'x', clientState: 'x', tenant: 'y', mailbox: 'z' }, 'x')))).status, 503);
		} finally {
			server.again();
		}
		await waitFor(async () => !(await web.degraded()).includes('store'), 6000, 'ready is well');
		await isTakenAgain(web, await web.follow(), 'first');
		assert.equal(web.log.filter((l) => l.event === 'store-unavailable').length, 1, 'said once, not with every attempt');
	});
});

test('read-only, as behind a failover: refused, and well as soon as it can be written to', async () => {
	const db = await ownDatabase();
	await Web.play({ config, postgres: db }, async (web) => {
		const sub = await web.follow();
		await db.query(`ALTER DATABASE ${db.name} SET default_transaction_read_only = on`);
		await db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
		await isRefused(web, sub, 'read-only');
		await isUp(web);
		await waitFor(async () => (await web.degraded()).includes('store'), 5000, 'ready says so');
		await db.query(`BEGIN READ WRITE; ALTER DATABASE ${db.name} RESET default_transaction_read_only; COMMIT`);
		await isTakenAgain(web, sub, 'written');
	});
});

test('no connection is left: refused, and well as soon as there is one', async () => {
	const db = await ownDatabase();
	await Web.play({ config, postgres: db }, async (web) => {
		const sub = await web.follow();
		await db.query(`ALTER DATABASE ${db.name} CONNECTION LIMIT 0`);
		await db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
		await isRefused(web, sub, 'crowded');
		await isUp(web);
		await db.query(`ALTER DATABASE ${db.name} CONNECTION LIMIT -1`);
		await isTakenAgain(web, sub, 'room');
	});
});

test('a statement that waits for others: refused within a second, nobody else waits, then all is well', async () => {
	const db = await ownDatabase();
	await Web.play({ config, postgres: db }, async (web) => {
		const sub = await web.follow();
		const holder = spawn('psql', ['-qX', '-h', server.dir, '-U', 'outlook', db.name], { stdio: ['pipe', 'pipe', 'inherit'] });
		holder.stdin.write('BEGIN;\nLOCK TABLE arrival;\n\\echo held\n');
		await new Promise((resolve) => holder.stdout.once('data', resolve));
		const asked = Array.from({ length: 5 }, (_, i) => isRefused(web, sub, `slow-${i}`));
		await isUp(web);
		await Promise.all(asked);
		await isUp(web);
		await waitFor(async () => (await web.degraded()).includes('store'), 5000, 'ready says so');
		holder.stdin.end('ROLLBACK;\n');
		await isTakenAgain(web, sub, 'after', 12_000);
	});
});

test('the server is frozen: its connection is given up and a new one works', async () => {
	const db = await ownDatabase();
	await Web.play({ config, postgres: db }, async (web) => {
		const sub = await web.follow();
		assert.equal((await web.notify(body(item(sub, longId('before'))))).status, 202);
		const [{ pid }] = await db.query("SELECT pid FROM pg_stat_activity WHERE usename = 'app'");
		process.kill(pid, 'SIGSTOP');
		try {
			await isRefused(web, sub, 'frozen');
			await isUp(web);
			await isTakenAgain(web, sub, 'thawed', 15_000);
		} finally {
			process.kill(pid, 'SIGCONT');
		}
	});
});

test('the whole server hangs and lets nobody in: refused within a second, nobody else waits, then all is well', async () => {
	await Web.play({ config, postgres: await ownDatabase() }, async (web) => {
		const sub = await web.follow();
		const frozen = freeze();
		try {
			await isRefused(web, sub, 'hangs');
			await isUp(web);
			await waitFor(async () => (await web.degraded()).includes('store'), 12_000, 'ready says so');
			await isRefused(web, sub, 'still hangs');
			await isUp(web);
		} finally {
			frozen.thaw();
		}
		await isTakenAgain(web, sub, 'thawed', 10_000);
	});
});

/** A second server with the same database, as a standby has followed it. @param {Database} db */
async function standby(db) {
	const other = new Postgres();
	const postgres = new Database(other, 'postgres');
	await postgres.query('CREATE ROLE app LOGIN');
	db.url = db.url.replace(`host=${server.dir}`, `host=${server.dir},${other.dir}`);
	const there = new Database(other, db.name);
	/* And what the first will be when it is back. */
	const switchOver = async () => {
		await postgres.query(`CREATE DATABASE ${db.name} OWNER app`);
		execFileSync('sh', ['-c', `pg_dump -h ${server.dir} -U outlook ${db.name} | psql -qX -v ON_ERROR_STOP=1 -h ${other.dir} -U outlook ${db.name} >/dev/null`]);
		await db.query(`ALTER DATABASE ${db.name} SET default_transaction_read_only = on`);
		server.crash();
	};
	return { other, there, switchOver };
}

test('one of two servers goes, and comes back behind the other one: what can be written to is used', async () => {
	const db = await ownDatabase();
	const { other, there, switchOver } = await standby(db);
	await Web.play({ config, postgres: db }, async (web) => {
		const sub = await web.follow();
		await isTakenAgain(web, sub, 'first');
		await switchOver();
		web.postgres = there;
		try {
			await isTakenAgain(web, sub, 'second');
		} finally {
			server.again();
		}
		await there.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
		await isTakenAgain(web, sub, 'third');
		assert.ok((await web.events()).includes(longId('first')));
	});
	other.stop();
});

test('sync writes again within seconds, as well: behind a server that was read-only, and on the other one behind a fail-over', async () => {
	const db = await ownDatabase();
	const { other, there, switchOver } = await standby(db);
	await play('replicas-again', { postgres: db }, 0, async (stack) => {
		const link = await stack.follow(stack.mailboxes[0]);
		await stack.quiet();
		stack.sims.silence(true);
		stack.expectErrors = true;
		const pid = await stack.pid('sync');
		let version = 0;
		const tell = () => throughNginx(stack)(body(item(link.sub, link.event.id)));
		const isWrittenAgain = async () => {
			version++;
			stack.sims.editEvent(link.mailbox, link.event, { subject: `#${version}`, start: link.start + version * 60_000 });
			await waitFor(async () => await tell() === 202, 6000, 'notifications are taken');
			await waitFor(() => shows(stack, link, version), 8000, 'sync writes');
		};
		await db.query(`ALTER DATABASE ${db.name} SET default_transaction_read_only = on`);
		await db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
		assert.equal(await tell(), 503);
		/* sync looks once a second. */
		await pause(1200);
		await db.query(`BEGIN READ WRITE; ALTER DATABASE ${db.name} RESET default_transaction_read_only; COMMIT`);
		await isWrittenAgain();
		await stack.idle();
		await switchOver();
		stack.postgres = there;
		try {
			await isWrittenAgain();
		} finally {
			server.again();
		}
		assert.equal(await stack.pid('sync'), pid, 'nobody was restarted');
	});
	other.stop();
});

test('the password comes from its file, and a wrong one is told', async () => {
	const db = await ownDatabase();
	await db.query("ALTER ROLE app PASSWORD 'canary-database-password'");
	const hba = path.join(server.dir, 'data/pg_hba.conf');
	const before = fs.readFileSync(hba, 'utf8');
	fs.writeFileSync(hba, `local all app scram-sha-256\n${before}`);
	await db.query('SELECT pg_reload_conf()');
	const folder = fs.mkdtempSync(path.join(server.dir, 'secret-'));
	const file = path.join(folder, 'password');
	const own = () => {
		const account = serviceAccount();
		if (account !== null)
			for (const name of [folder, file])
				fs.chownSync(name, account.uid, account.gid);
	};
	fs.writeFileSync(file, 'wrong\n', { mode: 0o400 });
	own();
	try {
		await Web.play({ config, postgres: db, start: false, env: { DATABASE_PASSWORD_FILE: file } }, async (web) => {
			await web.start();
			await waitFor(() => web.log.some((l) => l.event === 'store-unavailable' && /password authentication failed/.test(l.message ?? JSON.stringify(l))), 6000, 'it says why');
			fs.chmodSync(file, 0o600);
			fs.writeFileSync(file, 'canary-database-password\n');
			await waitFor(async () => !(await web.degraded()).includes('store'), 8000, 'ready is well');
			await isTakenAgain(web, await web.follow(), 'let-in');
			assert.ok(!JSON.stringify(web.log).includes('canary'), 'the log does not tell it');
		});
	} finally {
		fs.writeFileSync(hba, before);
		await db.query('SELECT pg_reload_conf()');
	}
});

test('doctor tells what keeps it from the database, and where to look', async () => {
	await Web.play({ config, postgres: await ownDatabase(), start: false }, async (web) => {
		const url = String(web.config.database);
		/** @param {string} database @param {Record<string, string>} [env] */
		const finding = (database, env) => {
			const done = spawnSync(web.parts.ctl, ['--config', web.configFile, '--database', database, 'doctor', '--json'], { encoding: 'utf8', env: { ...web.env(), ...env }, timeout: 60_000 });
			return JSON.parse(done.stdout).findings.find((/** @type {any} */ f) => f.check === 'store');
		};
		for (const [database, env, want] of /** @type {[string, Record<string, string>, RegExp][]} */ ([
			['postgresql://app@127.0.0.1:9/x?sslmode=disable', {}, /port 9 failed/],
			['postgresql://app@nowhere.invalid/x', {}, /nowhere\.invalid/],
			[url.replace(/\/test\d+\?/, '/missing?'), {}, /"missing" does not exist/],
			[url.replace('//app@', '//stranger@'), {}, /stranger/],
			[url, { DATABASE_PASSWORD_FILE: '/nonexistent' }, /DATABASE_PASSWORD_FILE: /],
		])) {
			const { status, detail, advice } = finding(database, env);
			assert.equal(status, 'failed', detail);
			assert.match(detail, want);
			assert.match(advice, /OUTLOOK_ADDIN_DATABASE.*DATABASE_PASSWORD_FILE/);
		}
	});
});

test('notifications that can not become rows are told of, not tried without a pause, and worked on in the end', async () => {
	const db = server.database();
	await play('no-rows', { postgres: db }, 0, async (stack) => {
		stack.expectErrors = true;
		const { links: [link] } = await stack.followMany(stack.mailboxes[0], 1);
		await stack.idle(30_000);
		await db.query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'No space left' USING ERRCODE = '53100'; END $$;
			CREATE TRIGGER full_disk BEFORE INSERT ON work EXECUTE FUNCTION full_disk()`);
		const failures = () => fs.readFileSync(path.join(server.dir, 'log'), 'utf8').split('No space left').length - 1;
		const before = failures();
		await edit(stack, link, 1, throughNginx(stack));
		await waitFor(() => stack.log.some((l) => l.event === 'store-commit-failed' && /No space left/.test(l.error ?? l.message)), 10_000, 'it is told');
		const [told, from] = [failures(), Date.now()];
		await waitFor(() => failures() >= told + 4, 10_000, 'it is tried again');
		const perSecond = 4000 / (Date.now() - from);
		assert.ok(told - before <= 4 && perSecond <= 12, `${told - before} failures before it was told, ${perSecond} a second behind that`);
		await db.query('DROP TRIGGER full_disk ON work');
		await waitFor(() => shows(stack, link, 1), 15_000, 'it has its effect');
	});
});
