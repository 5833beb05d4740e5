// @ts-check
/* docs/runbook.md: a section for each alert, whose first command shows the cause in that very state. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { SOURCE_ROOT, buildFolder } from '../lib/build.js';
import { freePort } from '../lib/http.js';
import { ALICE, story, TENANT, World } from './world.js';

const RULES = path.join(SOURCE_ROOT, 'conf/prometheus/outlook-addin.rules.yml');
const RUNBOOK = path.join(SOURCE_ROOT, 'docs/runbook.md');
const UPGRADE = path.join(SOURCE_ROOT, 'docs/upgrade.md');
const PROGRAMS = ['ctl', 'cronjob'].map((folder) => path.join(buildFolder(), folder));

/** @returns {Map<string, { command: string, runbook: string }>} */
function alerts() {
	const out = new Map();
	for (const block of fs.readFileSync(RULES, 'utf8').split(/^ {6}- alert: /m).slice(1)) {
		const value = (/** @type {string} */ key) => (block.match(new RegExp(`^ *${key}: '?(.*?)'?$`, 'm')) ?? ['', ''])[1];
		out.set(block.split('\n')[0], { command: value('command'), runbook: value('runbook') });
	}
	return out;
}

/** The first command of each section. @returns {Map<string, string>} */
function sections() {
	const out = new Map();
	for (const part of fs.readFileSync(RUNBOOK, 'utf8').split(/^## /m).slice(1))
		out.set(part.split('\n')[0], (part.match(/^ {4}(.*)$/m) ?? ['', ''])[1]);
	return out;
}

/** The commands at the head of a guide, which prepare the shell for all others. @param {string} guide */
const head = (guide) => [...fs.readFileSync(guide, 'utf8').split(/^## /m)[0].matchAll(/^ {4}(.*)$/gm)].map((m) => m[1]).join('\n');

/**
 * As somebody who follows the guide types it, in a shell that knows nothing: the world's folder is /etc/outlook-addin.
 * @param {World} w @param {string} guide @param {string} command @returns {Promise<{ code: unknown, text: string }>}
 */
function typed(w, guide, command) {
	for (const name of ['CLIENT_SECRET', 'SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET'])
		fs.writeFileSync(path.join(w.dir, name), 'not-a-secret\n', { mode: 0o600 });
	const script = `${head(guide)}\n${command}`.replaceAll('/etc/outlook-addin', w.dir);
	const env = { PATH: [...PROGRAMS, process.env.PATH].join(':'), OUTLOOK_ADDIN_CONFIG: w.config, ASAN_OPTIONS: process.env.ASAN_OPTIONS };
	return new Promise((resolve) => {
		execFile('sh', ['-c', script], { env, cwd: '/', timeout: 60_000 }, (e, stdout, stderr) => resolve({ code: e === null ? 0 : e.code, text: `${stdout}${stderr}` }));
	});
}

/** What the runbook says for that alert, run on the world: its output. @param {World} w @param {string} alert */
const runbook = async (w, alert) => (await typed(w, RUNBOOK, sections().get(`OutlookAddin${alert}`) ?? '')).text;

/** @param {World} w @param {Record<string, string>} facts @param {number} [at] */
async function setFacts(w, facts, at = Date.now()) {
	for (const [name, text] of Object.entries(facts))
		await w.sql(`INSERT OR REPLACE INTO fact VALUES ('${name}', '${text}', ${at});`);
}

test('each alert has its section and each section its alert, with the same first command', () => {
	const [rules, book] = [alerts(), sections()];
	assert.ok(rules.size >= 20);
	assert.deepEqual([...book.keys()], [...rules.keys()]);
	for (const [name, { command, runbook: where }] of rules) {
		assert.equal(book.get(name), command, name);
		assert.equal(where, `docs/runbook.md#${name.toLowerCase()}`);
		/* The image has no other tool. */
		assert.match(command, /^(outlook-addinctl [a-z]+( [a-z_]+)?|outlook-addin-renew -v)$/, name);
	}
});

test('each reason of being degraded stands in the table of reasons, and has an alert', () => {
	const source = fs.readFileSync(path.join(SOURCE_ROOT, 'lib/sync/degraded.c'), 'utf8');
	const reasons = [...source.matchAll(/\[DEGRADED_[A-Z_]+\] = "([a-z-]+)"/g)].map((m) => m[1]).concat('store', 'sync', 'queue-age').sort();
	assert.ok(reasons.length >= 10);
	const table = [...fs.readFileSync(RUNBOOK, 'utf8').matchAll(/^\| `([a-z-]+)` \|.*\[(OutlookAddin[A-Za-z]+)\]/gm)];
	assert.deepEqual(table.map((m) => m[1]).sort(), reasons);
	for (const [, reason, alert] of table)
		assert.ok(alerts().has(alert), reason);
	const rest = fs.readFileSync(RULES, 'utf8').match(/reason!~"([^"]*)"/);
	assert.deepEqual(rest?.[1].split('|').sort(), reasons, 'what the last rule leaves out');
});

test('what the guides link to is there', () => {
	const docs = path.join(SOURCE_ROOT, 'docs');
	const guides = [path.join(SOURCE_ROOT, 'README.md'), ...fs.readdirSync(docs).filter((f) => f.endsWith('.md')).map((f) => path.join(docs, f))];
	for (const guide of guides) {
		const text = fs.readFileSync(guide, 'utf8');
		for (const [, file, anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)) {
			const where = file === '' ? guide : path.resolve(path.dirname(guide), file);
			assert.ok(fs.existsSync(where), `${path.basename(guide)}: ${file}`);
			const anchors = anchor === '' ? [] : [...fs.readFileSync(where, 'utf8').matchAll(/^#+ (.*)$/gm)].map((m) => m[1].toLowerCase().replace(/[^a-z0-9 -]/g, '').replaceAll(' ', '-'));
			assert.ok(anchor === '' || anchors.includes(anchor), `${path.basename(guide)}: ${file}#${anchor}`);
		}
	}
});

story('each command of the two guides has what it needs, once their head was typed', async (w) => {
	const login = http.createServer((_, reply) => reply.writeHead(400, { 'Content-Type': 'application/json' })
		.end('{"error":"invalid_client","error_description":"AADSTS7000222: the secret has expired","error_codes":[7000222]}'));
	await new Promise((resolve) => login.listen(0, '127.0.0.1', () => resolve(null)));
	login.unref();
	const nobody = `http://127.0.0.1:${await freePort()}`;
	const { port } = /** @type {import('node:net').AddressInfo} */ (login.address());
	w.write({ loginUrl: `http://127.0.0.1:${port}`, graphUrl: nobody, unbluOAuthBackendUrl: nobody, deploymentUrl: nobody });
	await w.seed(0);
	await w.sql('UPDATE mailbox SET renew_ms = 1');
	assert.match(await runbook(w, 'RenewalFails'), new RegExp(`^failed +${TENANT}/${ALICE} .*AADSTS7000222`, 'm'));
	const first = [...sections().values()].filter((command) => !command.startsWith('curl'));
	const others = ['outlook-addinctl check --for sync', 'outlook-addinctl check && outlook-addinctl status', 'outlook-addin-renew --force'];
	for (const guide of [RUNBOOK, UPGRADE]) {
		for (const command of new Set([...first, ...others])) {
			const { code, text } = await typed(w, guide, command);
			assert.ok(code === 0 || code === 1, `${command}: ${code}, ${text}`);
			assert.doesNotMatch(text, /is not set/, command);
		}
	}
	login.close();
});

story('nobody is there: health says which socket', async (w) => {
	assert.match(await runbook(w, 'Down'), /not alive: .*fcgi\.sock/);
});

story('a store that is no store', async (w) => {
	fs.writeFileSync(path.join(w.dir, 'state.db'), 'no database at all, and long enough to be read as a header of one'.repeat(100));
	for (const alert of ['Store', 'NotStored'])
		assert.match(await runbook(w, alert), /FAILED +store .*not a database/);
});

story('sync and the queue: since when, and what waits', async (w) => {
	await w.seed(3600, 'waiting');
	const text = await runbook(w, 'SyncDead');
	assert.match(text, /^sync +silent, last seen 20/m);
	assert.match(text, /^ +sync: sync has not shown itself/m);
	for (const alert of ['QueueAge', 'SlowSync'])
		assert.match(await runbook(w, alert), /^queue +[1-9].*oldest 3\d\d\d s$/m);
});

story('what waits for an operator is listed', async (w) => {
	await w.seed(0, 'held');
	assert.match(await runbook(w, 'DeadLetters'), /^1 .*Unblu answered 400$/m);
	assert.match(await runbook(w, 'DeletionsHeld'), /^conv-4 +gone since/m);
	assert.match(await runbook(w, 'MailboxesParked'), /parked .*licence$/m);
});

story('subscriptions and their renewal', async (w) => {
	await w.seed(7200);
	assert.match(await runbook(w, 'SubscriptionsExpired'), /^subscriptions +0 active, 0 pending, 1 expired/m);
	assert.match(await runbook(w, 'RenewalStale'), /^renewal +last run -, last success -$/m);
	const at = Date.parse('2026-11-20T10:00:00Z');
	await setFacts(w, { 'renew-last-success': '' }, at);
	await setFacts(w, { 'renew-last-run': '{"due":3,"failed":2,"ms":12}' }, at + 3600_000);
	assert.match(await runbook(w, 'RenewalStale'), /^renewal +last run 2026-11-20T11:00:00Z, last success 2026-11-20T10:00:00Z/m);
	assert.match(await runbook(w, 'RenewalStale'), /^renewal .*failures: 2$/m);
});

story('a subscription that has an hour left', async (w) => {
	await w.seed(0);
	assert.match(await runbook(w, 'SubscriptionExpiry'), /^subscriptions +1 active, .*nearest expiry 20/m);
});

story('credentials: which tenant, which code, until when', async (w) => {
	await w.seed(0);
	await setFacts(w, {
		'degraded:credentials': 'AADSTS7000222: the secret has expired', [`credential:${TENANT}`]: 'AADSTS7000222: the secret has expired',
		'degraded:unblu-auth': 'gateway token: invalid_client', 'credential:gateway': 'gateway token: invalid_client',
		'credential-expiry': `${Date.parse('2033-05-18T00:00:00Z')}`,
	});
	assert.match(await runbook(w, 'Credentials'), new RegExp(`${TENANT}.*AADSTS7000222`));
	assert.match(await runbook(w, 'UnbluAuth'), /gateway.*invalid_client/);
	for (const alert of ['CredentialExpiry', 'CredentialExpiryNear'])
		assert.match(await runbook(w, alert), /^sign-in .*2033-05-18/m);
});

story('a reason that these rules do not know', async (w) => {
	await w.seed(0);
	await setFacts(w, { 'degraded:news': 'something new' });
	assert.match(await runbook(w, 'Degraded'), /^ +news: something new \(since 20/m);
});

story('paused writes: since when, for whom, why', async (w) => {
	await w.seed(0);
	assert.equal((await w.ctl('writes', 'pause', '--reason', 'first day')).code, 0);
	assert.match(await runbook(w, 'WritesPaused'), /^writes +PAUSED for all tenants since 20.*: first day$/m);
});

test('peers that do not answer are named, with what to do', async () => {
	const w = new World();
	const nobody = async () => `http://127.0.0.1:${await freePort()}`;
	const [graph, login, unblu, own] = [await nobody(), await nobody(), await nobody(), await nobody()];
	w.write({ graphUrl: graph, loginUrl: login, unbluOAuthBackendUrl: unblu, deploymentUrl: own, syncServerAuthGatewayClientId: 'gateway', providerName: undefined });
	await w.seed(0);
	const text = await runbook(w, 'Graph');
	for (const [check, url] of [['graph', graph], ['entra', login], ['unblu', unblu], ['webhook', own]])
		assert.match(text, new RegExp(`^FAILED +${check} +${url}.*no connection`, 'm'));
	for (const alert of ['Unblu', 'Webhook', 'Keys', 'Silent'])
		assert.equal(sections().get(`OutlookAddin${alert}`), sections().get('OutlookAddinGraph'));
	w.end();
});
