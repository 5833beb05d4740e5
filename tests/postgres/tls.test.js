// @ts-check
/* PostgreSQL behind TLS, with a password: what each sslmode accepts, what is said of what it does not, and web, which is confined. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { giveAway } from '../lib/build.js';
import { makeCertificate } from '../lib/certificate.js';
import { freePort } from '../lib/http.js';
import { body, item, longId } from '../lib/notification.js';
import { Postgres } from '../lib/postgres.js';
import { waitFor } from '../lib/wait.js';
import { Web } from '../web/harness.js';

const PASSWORD = 'canary-database-password';
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-pg-tls-'));
process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
fs.chmodSync(dir, 0o755);

/** @param {string} name */
function authority(name) {
	fs.mkdirSync(path.join(dir, name));
	return makeCertificate(path.join(dir, name), 'DNS:db.example');
}

const good = authority('good');
const other = authority('other');
fs.chmodSync(good.key, 0o600);
/* Of the account of the server, see tests/lib/postgres.sh. */
if (process.getuid?.() === 0)
	fs.chownSync(good.key, 65534, 65534);

/** @param {string} name @param {string} text */
function secretFile(name, text) {
	const file = path.join(dir, name);
	fs.writeFileSync(file, text, { mode: 0o600 });
	giveAway(file);
	return file;
}

const right = secretFile('password', `${PASSWORD}\n`);
const port = await freePort();
const server = new Postgres(['ssl=on', `ssl_cert_file=${good.cert}`, `ssl_key_file=${good.key}`], port);
const db = server.database();
await db.query(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD}'; ALTER DATABASE ${db.name} OWNER TO app; ALTER SCHEMA public OWNER TO app`);
/* By its socket for the tests; over the network with TLS and the password only. */
fs.writeFileSync(path.join(server.dir, 'data/pg_hba.conf'), 'local all outlook trust\nhostssl all app 127.0.0.1/32 scram-sha-256\n');
await db.query('SELECT pg_reload_conf()');

/** The server under a name that no resolver has to know. @param {string} query @param {string} [host] */
function url(query, host = 'db.example') {
	return `postgresql://app@${host}:${port}/${db.name}?hostaddr=127.0.0.1${query === '' ? '' : `&${query}`}`;
}

test('web reads what it checks the server with although it is confined, at each new connection', async () => {
	const ca = path.join(dir, 'ca.pem');
	fs.copyFileSync(good.ca, ca);
	db.url = url(`sslmode=verify-full&sslrootcert=${ca}`);
	const config = { notificationDebounceMs: 2000 };
	await Web.play({ config, postgres: db, env: { DATABASE_PASSWORD_FILE: right } }, async (web) => {
		const cutOff = () => db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
		const isTaken = (/** @type {any} */ sub, /** @type {string} */ name) =>
			waitFor(async () => (await web.notify(body(item(sub, longId(name))))).status === 202, 10_000, 'notifications are taken');
		const sub = await web.follow();
		await isTaken(sub, 'first');
		assert.deepEqual(await db.query("SELECT DISTINCT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'app'"), [{ ssl: true, version: 'TLSv1.3' }]);
		await cutOff();
		await isTaken(sub, 'second');
		/* Written over, as the file is within reach and another of its name is not. */
		fs.writeFileSync(ca, fs.readFileSync(other.ca));
		await cutOff();
		await waitFor(async () => {
			await web.notify(body(item(sub, longId('refused'))));
			return web.log.some((l) => l.event === 'not-stored' && /certificate verify failed/.test(l.message));
		}, 10_000, 'it says why it does not trust the server');
		fs.writeFileSync(ca, fs.readFileSync(good.ca));
		await isTaken(sub, 'third');
		assert.ok(!web.log.some((l) => l.event === 'not-confined'));
		assert.ok(!JSON.stringify(web.log).includes(PASSWORD), 'the log does not tell the password');
	});
});

/** @type {[string, string, { query: string, host?: string, passwordFile?: string, want: RegExp | null }][]} what is asked for, and what is said; null: it works */
const cases = [
	['nothing is said', 'the certificate is checked with those of the system', { query: '', want: /certificate verify failed/ }],
	['nothing but the CA is said', 'the name is checked, too, and is right', { query: `sslrootcert=${good.ca}`, want: null }],
	['nothing but the CA is said', 'the name is checked, too, and is wrong', { query: `sslrootcert=${good.ca}`, host: 'elsewhere.example', want: /certificate for "db\.example".* does not match host name "elsewhere\.example"/ }],
	['disable', 'the server wants TLS', { query: 'sslmode=disable', want: /pg_hba\.conf.* no encryption/ }],
	['require', 'any certificate will do', { query: 'sslmode=require', host: 'elsewhere.example', want: null }],
	['require, and another CA', 'who names one has it checked', { query: `sslmode=require&sslrootcert=${other.ca}`, want: /certificate verify failed/ }],
	['verify-ca', 'the name does not matter', { query: `sslmode=verify-ca&sslrootcert=${good.ca}`, host: 'elsewhere.example', want: null }],
	['verify-ca, and another CA', 'it is not trusted', { query: `sslmode=verify-ca&sslrootcert=${other.ca}`, want: /certificate verify failed/ }],
	['verify-full', 'all is right', { query: `sslmode=verify-full&sslrootcert=${good.ca}`, want: null }],
	['verify-full, under another name', 'it is not the server that was asked for', { query: `sslmode=verify-full&sslrootcert=${good.ca}`, host: 'elsewhere.example', want: /does not match host name "elsewhere\.example"/ }],
	['verify-full, and another CA', 'it is not trusted', { query: `sslmode=verify-full&sslrootcert=${other.ca}`, want: /certificate verify failed/ }],
	['verify-full, and a CA file that is not there', 'it is named', { query: `sslmode=verify-full&sslrootcert=${dir}/none.pem`, want: /root certificate file ".*\/none\.pem" does not exist/ }],
	['verify-full, and this machine', 'the CA of the system is asked', { query: 'sslmode=verify-full', host: 'localhost', want: /certificate verify failed/ }],
	['two servers, of which one is down', 'it says what the other one has against it', { query: '', host: `db.example:${await freePort()},db.example`, want: /certificate verify failed/ }],
	['a wrong password', 'it is told', { query: 'sslmode=require', passwordFile: secretFile('wrong', 'canary-wrong\n'), want: /password authentication failed for user "app"/ }],
	['a password file that is not there', 'it is named', { query: 'sslmode=require', passwordFile: path.join(dir, 'none'), want: /DATABASE_PASSWORD_FILE.*none/ }],
	['no password', 'it is told', { query: 'sslmode=require', passwordFile: '', want: /no password supplied/ }],
];

test('what each sslmode accepts, and what is said of what it does not', async () => {
	const web = new Web({ postgres: db });
	/** @param {string} location @param {string} passwordFile @returns {Promise<{ code: number, text: string }>} */
	const ask = (location, passwordFile) => new Promise((resolve) => {
		const env = { PATH: process.env.PATH, HOME: '/nonexistent', ...passwordFile === '' ? {} : { DATABASE_PASSWORD_FILE: passwordFile } };
		execFile(web.parts.ctl, ['--config', web.configFile, '--database', location, 'mailbox', 'list'], { env },
			(e, stdout, stderr) => resolve({ code: e === null ? 0 : Number(e.code), text: stdout + stderr }));
	});
	for (const [what, then, { query, host, passwordFile = right, want }] of cases) {
		const location = host?.includes(',') ? url(query, host).replace('hostaddr=127.0.0.1', 'hostaddr=127.0.0.1,127.0.0.1') : url(query, host);
		const { code, text } = await ask(location, passwordFile);
		assert.equal(code, want === null ? 0 : 2, `${what}: ${then}: ${text}`);
		if (want !== null)
			assert.match(text, want, `${what}: ${then}`);
		assert.ok(!text.includes('canary'), text);
	}
	fs.rmSync(web.dir, { recursive: true, force: true });
});
