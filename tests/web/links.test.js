// @ts-check
/* PUT, GET and DELETE of {base}/api/links/{conversationId}. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { hasSanitizer, hasTestHooks } from '../lib/build.js';
import { FakeClock } from '../lib/faketime.js';
import { body, item, longId } from '../lib/notification.js';
import { ON_POSTGRESQL } from '../lib/postgres.js';
import { waitFor } from '../lib/wait.js';
import { CLIENT, KIND, LOGIN, OTHER_TENANT, TENANT, Web } from './harness.js';

const USER = '8a1e6c1e-0000-4000-8000-0000000000aa';
const OTHER_USER = '8a1e6c1e-0000-4000-8000-0000000000bb';
const KEYS = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const STRANGER = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

/** @param {any} part */
const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** @param {Record<string, any>} [claims] @param {Record<string, any>} [header] @param {crypto.KeyObject} [key] */
function token(claims = {}, header = {}, key = KEYS.privateKey) {
	const now = Math.floor(Date.now() / 1000);
	const tid = claims.tid ?? TENANT;
	const head = `${encode({ alg: 'RS256', typ: 'JWT', kid: 'kid-1', ...header })}.${encode({
		ver: '2.0', iss: `${LOGIN}/${tid}/v2.0`, aud: CLIENT, azp: CLIENT, tid, oid: USER, scp: 'access_as_user', iat: now - 10, nbf: now - 10, exp: now + 3600, preferred_username: 'agent@bank.example', email: 'agent@mail.example', ...claims })}`;
	return `${head}.${crypto.sign('sha256', Buffer.from(head), key).toString('base64url')}`;
}

/** @param {Web} web */
async function storeKeys(web) {
	const { n, e } = KEYS.publicKey.export({ format: 'jwk' });
	await web.query(`INSERT INTO signing_keys (id, keys_json, fetched_ms) VALUES (1, '${JSON.stringify([{ kid: 'kid-1', n, e, issuer: `${LOGIN}/{tenantid}/v2.0` }])}', ${Date.now()})`, false);
}

const BODY = { v: 1, sourceId: 'source-1', topic: 'Beratung «Müller»', start: '2030-05-06T07:08:31.5Z' };

/** @param {Web} web @param {string} method @param {string} id @param {any} body @param {string} [bearer] */
function ask(web, method, id, body, bearer = token()) {
	return web.ask(method, `/addin/api/links/${id}`, body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body), { HTTP_AUTHORIZATION: `Bearer ${bearer}` });
}

test('links', async (t) => {
	await Web.play({}, async (web) => {
		await t.test('without keys nobody is judged: 503, and sync is asked for keys, once', async () => {
			for (let i = 0; i < 3; i++) {
				const answer = await ask(web, 'PUT', 'conv-1', BODY);
				assert.equal(answer.status, 503);
				assert.equal(answer.headers['retry-after'], '5');
				assert.equal(JSON.parse(answer.body).error.code, 'keys-missing');
			}
			const rows = (await web.rows()).filter((r) => r.kind === KIND.keys);
			assert.equal(rows.length, 1);
			assert.deepEqual(await web.query('SELECT generation FROM work WHERE kind = 5'), [{ generation: 1 }]);
			await waitFor(async () => {
				await ask(web, 'PUT', 'conv-1', BODY);
				return (await web.query('SELECT generation FROM work WHERE kind = 5'))[0].generation === 2;
			}, 10_000, 'who comes back as he was told has them asked for again');
			assert.equal((await ask(web, 'PUT', 'conv-1', BODY, 'not.a.token')).status, 401, 'what is no token is judged without keys');
		});
		await t.test('PUT makes the link, follows the mailbox and enqueues work', async () => {
			await storeKeys(web);
			await new Promise((resolve) => setTimeout(resolve, 1050));
			const answer = await ask(web, 'PUT', 'conv-1', { ...BODY, timeZone: 'Europe/Zurich', eventId: 'AAMk_-=', future: { x: 1 } });
			assert.equal(answer.status, 202);
			assert.equal(answer.body, '');
			const [link] = await web.query('SELECT * FROM link');
			assert.equal(link.conversation, 'conv-1');
			assert.equal(link.tenant, TENANT);
			assert.equal(link.user_id, USER);
			assert.equal(link.source_id, 'source-1');
			assert.equal(link.topic, BODY.topic);
			assert.equal(link.start_ms, Date.parse('2030-05-06T07:09:00Z'), 'rounded to the minute');
			assert.equal(link.time_zone, 'Europe/Zurich');
			assert.equal(link.shared, 0);
			const [mailbox] = await web.query('SELECT * FROM mailbox');
			assert.deepEqual([mailbox.tenant, mailbox.user_id, mailbox.upn, mailbox.email, mailbox.state], [TENANT, USER, 'agent@bank.example', 'agent@mail.example', 0]);
			const rows = (await web.rows()).filter((r) => r.kind !== KIND.keys);
			assert.deepEqual(rows.map((r) => [r.kind, r.event]), [[KIND.event, 'AAMk_-='], [KIND.follow, ''], [KIND.link, 'conv-1']]);
		});
		await t.test('it is idempotent', async () => {
			for (let i = 0; i < 3; i++)
				assert.equal((await ask(web, 'PUT', 'conv-1', BODY)).status, 202);
			assert.equal((await web.query('SELECT count(*) AS n FROM link'))[0].n, 1);
			assert.equal((await web.query('SELECT count(*) AS n FROM mailbox'))[0].n, 1);
		});
		await t.test('a claim by someone else has no effect, and is answered the same', async () => {
			const before = await web.query('SELECT * FROM link');
			for (const claims of [{ oid: OTHER_USER }, { tid: OTHER_TENANT }])
				assert.equal((await ask(web, 'PUT', 'conv-1', { ...BODY, sourceId: 'theirs' }, token(claims))).status, 202);
			assert.deepEqual(await web.query('SELECT * FROM link'), before);
			assert.equal((await web.query('SELECT count(*) AS n FROM mailbox'))[0].n, 1);
		});
		await t.test('GET tells the owner, and nobody else', async () => {
			const answer = await ask(web, 'GET', 'conv-1', null);
			assert.equal(answer.status, 200);
			assert.deepEqual(JSON.parse(answer.body), { v: 1, conversationId: 'conv-1', state: 'announced', topic: BODY.topic, start: '2030-05-06T07:09:00Z', syncedAt: null, lastError: null });
			assert.equal((await ask(web, 'GET', 'conv-1', null, token({ oid: OTHER_USER }))).status, 404);
			assert.equal((await ask(web, 'GET', 'conv-1', null, token({ tid: OTHER_TENANT }))).status, 404);
			assert.equal((await ask(web, 'GET', 'conv-2', null)).status, 404);
		});
		await t.test('PUT resumes a parked mailbox, and what waits for it', async () => {
			await web.query("UPDATE mailbox SET state = 1, reason = 'no mailbox', retry_ms = 253370764800000", false);
			await web.query('UPDATE work SET not_before_ms = 253370764800000', false);
			assert.equal((await ask(web, 'PUT', 'conv-1', BODY)).status, 202);
			assert.equal((await web.query('SELECT state FROM mailbox'))[0].state, 0);
			assert.deepEqual(await web.query(`SELECT kind FROM work WHERE not_before_ms > 0 AND kind <> ${KIND.keys}`), []);
		});
		await t.test('a shared mailbox is noted', async () => {
			assert.equal((await ask(web, 'PUT', 'conv-3', { ...BODY, mailbox: 'shared' })).status, 202);
			assert.equal((await web.query("SELECT shared FROM link WHERE conversation = 'conv-3'"))[0].shared, 1);
		});
		await t.test('a zone that nobody knows is ignored, and the link is kept', async () => {
			for (const timeZone of ['W. Europe Standard Time', 'tzone://Microsoft/Custom', '../../etc/passwd', 'a\tb', 'x'.repeat(100), 'Zürich']) {
				assert.equal((await ask(web, 'PUT', 'conv-zone', { ...BODY, timeZone })).status, 202, timeZone);
				assert.deepEqual(await web.query("SELECT time_zone FROM link WHERE conversation = 'conv-zone'"), [{ time_zone: '' }], timeZone);
			}
			await web.query("DELETE FROM link WHERE conversation = 'conv-zone'", false);
		});
		await t.test('a long topic is cut at a code point, not refused', async () => {
			assert.equal((await ask(web, 'PUT', 'conv-4', { ...BODY, topic: 'ä'.repeat(1000) })).status, 202);
			assert.match((await web.query("SELECT topic FROM link WHERE conversation = 'conv-4'"))[0].topic, /^ä{400,511}$/u);
		});
		await t.test('a body that does not describe a conversation is 400', async () => {
			for (const wrong of ['', '{', '[]', '"x"', { ...BODY, v: 2 }, { ...BODY, v: '1' }, { ...BODY, v: undefined }, { ...BODY, sourceId: undefined }, { ...BODY, sourceId: '' }, { ...BODY, sourceId: 'x'.repeat(200) },
				{ ...BODY, sourceId: 'a\nb' }, { ...BODY, sourceId: 7 }, { ...BODY, topic: undefined }, { ...BODY, topic: 5 }, { ...BODY, start: undefined }, { ...BODY, start: 'tomorrow' }, { ...BODY, start: '2030-05-06T07:08:31' },
				{ ...BODY, mailbox: 'theirs' }, { ...BODY, mailbox: 1 }, { ...BODY, timeZone: 17 }, { ...BODY, eventId: 'a/b' }, { ...BODY, eventId: 'x'.repeat(600) },
				'{"v":1,"v":1,"sourceId":"s","topic":"t","start":"2030-05-06T07:08:31Z"}']) {
				const answer = await ask(web, 'PUT', 'conv-5', wrong);
				assert.equal(answer.status, 400, JSON.stringify(wrong));
				assert.equal(JSON.parse(answer.body).error.code, 'bad-body');
			}
			assert.equal((await ask(web, 'PUT', 'conv-5', { ...BODY, padding: 'x'.repeat(17_000) })).status, 413);
			assert.deepEqual(await web.query("SELECT * FROM link WHERE conversation = 'conv-5'"), []);
		});
		await t.test('the conversation id keeps to its alphabet, other methods are refused', async () => {
			for (const id of ['', 'a/b', 'a b', '..', 'x'.repeat(600), "a'b"])
				assert.equal((await ask(web, 'PUT', id, BODY)).status, 400, id);
			assert.equal((await ask(web, 'POST', 'conv-1', BODY)).status, 405);
		});
		await t.test('only a good token is let in: 401 for a judged one', async () => {
			const now = Math.floor(Date.now() / 1000);
			/** @type {Record<string, string>} */
			const forged = {
				'no signature': token().replace(/[^.]*$/, ''),
				'another key': token({}, {}, STRANGER.privateKey),
				'alg none': `${encode({ alg: 'none', kid: 'kid-1' })}.${token().split('.')[1]}.`,
				'expired': token({ exp: now - 301 }),
				'not yet valid': token({ nbf: now + 360 }),
				'another audience': token({ aud: 'https://graph.microsoft.com' }),
				'another client': token({ azp: USER }),
				'a foreign tenant': token({ tid: '00000000-0000-4000-8000-000000000009' }),
				'issuer of another tenant': token({ iss: `${LOGIN}/${OTHER_TENANT}/v2.0` }),
				'an application': token({ idtyp: 'app', scp: undefined }),
				'no user': token({ oid: undefined }),
				'too long': token({ padding: 'x'.repeat(20_000) }),
				'empty': '',
			};
			for (const [what, bearer] of Object.entries(forged)) {
				const answer = await ask(web, 'GET', 'conv-1', null, bearer);
				assert.equal(answer.status, 401, what);
				assert.match(answer.headers['www-authenticate'], /^Bearer/);
			}
			for (const value of ['', 'Basic eDp5', 'Bearer', token()])
				assert.equal((await web.ask('GET', '/addin/api/links/conv-1', '', { HTTP_AUTHORIZATION: value })).status, 401, value.slice(0, 10));
			assert.equal((await ask(web, 'GET', 'conv-1', null, token({}, { kid: 'kid-2' }))).status, 503, 'an unknown key is not judged');
		});
		await t.test('DELETE ends it for the owner, for others it does nothing', async () => {
			for (const bearer of [token({ oid: OTHER_USER }), token({ tid: OTHER_TENANT })])
				assert.equal((await ask(web, 'DELETE', 'conv-1', null, bearer)).status, 204);
			assert.equal(JSON.parse((await ask(web, 'GET', 'conv-1', null)).body).state, 'announced');
			for (let i = 0; i < 2; i++) {
				const answer = await ask(web, 'DELETE', 'conv-1', null);
				assert.equal(answer.status, 204);
				assert.equal(answer.body, '');
			}
			assert.equal(JSON.parse((await ask(web, 'GET', 'conv-1', null)).body).state, 'deleted');
			assert.equal((await ask(web, 'DELETE', 'conv-9', null)).status, 204);
			assert.deepEqual(await web.query("SELECT action, outcome, conversation FROM audit WHERE action = 'unlink'"), [{ action: 'unlink', outcome: 'done', conversation: 'conv-1' }]);
		});
		await t.test('the longest request id that nginx lets pass is in the log', async () => {
			const id = 'a'.repeat(64);
			assert.equal((await web.ask('PUT', '/addin/api/links/conv-1', '{}', { HTTP_AUTHORIZATION: `Bearer ${token()}`, REQUEST_ID: id })).status, 400);
			await waitFor(async () => web.log.some((l) => l.event === 'link-refused' && l.requestId === id), 5000, 'its line');
		});
		await t.test('no token, topic or source stands in the log', async () => {
			const text = JSON.stringify(web.log);
			for (const part of ['Müller', 'source-1', token().split('.')[0]])
				assert.ok(!text.includes(part), part);
			assert.ok(web.log.some((l) => l.event === 'link-announced' && l.requestId === '00112233445566778899aabbccddeeff'));
		});
	});
});

/** @param {Web} web @param {string} id */
async function show(web, id) {
	const answer = await ask(web, 'GET', id, null);
	assert.equal(answer.status, 200);
	return JSON.parse(answer.body);
}

test('what the pane is told', async (t) => {
	await Web.play({ config: { orphanGraceHours: 0.5 } }, async (web) => {
		await storeKeys(web);
		const set = (/** @type {string} */ columns) => web.query(`UPDATE link SET ${columns}`, false);
		const plain = { v: 1, conversationId: 'conv-1', state: 'announced', topic: BODY.topic, start: '2030-05-06T07:09:00Z', syncedAt: null, lastError: null };
		await t.test('PUT plans the lease, and PUT again does not put it off', async () => {
			const before = Date.now();
			for (let i = 0; i < 2; i++)
				assert.equal((await ask(web, 'PUT', 'conv-1', BODY)).status, 202);
			const [link] = await web.query('SELECT announced_ms, check_ms FROM link');
			assert.equal(link.check_ms - link.announced_ms, 1800_000);
			assert.ok(link.announced_ms >= before && link.announced_ms <= Date.now());
			assert.deepEqual(await show(web, 'conv-1'), plain);
		});
		await t.test('what is learnt stays when the announcement says something else', async () => {
			await set("state = 1, event = 'learnt', topic = 'written', start_ms = 60000, written = 1, check_ms = 0");
			assert.equal((await ask(web, 'PUT', 'conv-1', { ...BODY, topic: 'announced later', start: '2031-01-01T00:00:00Z', eventId: 'other', sourceId: 'other', mailbox: 'shared' })).status, 202);
			const [link] = await web.query('SELECT state, event, topic, start_ms, source_id, shared, check_ms FROM link');
			assert.deepEqual(link, { state: 1, event: 'learnt', topic: 'written', start_ms: 60000, source_id: 'source-1', shared: 0, check_ms: 0 });
		});
		await t.test('when it was synchronised', async () => {
			await set('synced_ms = 1900000000000, start_ms = 1900000000000');
			assert.deepEqual(await show(web, 'conv-1'), { ...plain, state: 'linked', topic: 'written', start: '2030-03-17T17:46:40Z', syncedAt: '2030-03-17T17:46:40Z' });
		});
		await t.test('why nothing is synchronised: the general reason of a state, or what is known of this link', async () => {
			/** @type {[number, string, RegExp, boolean][]} state, name, general reason, whether its own is told */
			const states = [[2, 'gone', /comes back/, false], [3, 'held', /operator/, false], [4, 'foreign', /announced/, true], [5, 'ended', /has ended/, false], [6, 'kept', /used/, true],
				[7, 'deleted', /removed/, true], [8, 'unconfirmed', /no event/, true], [9, 'ended-early', /last occurrence/, false]];
			for (const [state, name, general, own] of states) {
				await set(`state = ${state}, last_error = ''`);
				const told = await show(web, 'conv-1');
				assert.equal(told.state, name);
				assert.match(told.reason, general, name);
				assert.equal(told.lastError, null);
				await set("last_error = 'its very own reason'");
				const more = await show(web, 'conv-1');
				assert.equal(more.lastError, 'its very own reason');
				assert.equal(more.reason, own ? 'its very own reason' : told.reason, name);
			}
			await set("state = 1, last_error = 'status 503'");
			const linked = await show(web, 'conv-1');
			assert.deepEqual([linked.reason, linked.lastError], [undefined, 'status 503']);
		});
		await t.test('that the mailbox is parked, or not followed', async () => {
			await web.query("UPDATE mailbox SET state = 1, reason = 'no mailbox: status 404'", false);
			assert.deepEqual((await show(web, 'conv-1')).mailbox, { state: 'parked', reason: 'no mailbox: status 404' });
			await web.query("UPDATE mailbox SET state = 2, reason = ''", false);
			assert.deepEqual((await show(web, 'conv-1')).mailbox, { state: 'unfollowed', reason: null });
			await web.query('UPDATE mailbox SET state = 0', false);
			assert.equal((await show(web, 'conv-1')).mailbox, undefined);
		});
		await t.test('that writes are paused, for all or for the tenant, but not for another one', async () => {
			for (const [fact, told] of /** @type {[string, string | undefined][]} */ ([['pause:', 'paused'], [`pause:${TENANT}`, 'paused'], [`pause:${OTHER_TENANT}`, undefined]])) {
				await web.query(`INSERT INTO fact (name, fact, at_ms) VALUES ('${fact}', '', 1)`, false);
				assert.equal((await show(web, 'conv-1')).writes, told, fact);
				await web.query("DELETE FROM fact WHERE name LIKE 'pause:%'", false);
			}
			assert.equal((await show(web, 'conv-1')).writes, undefined);
		});
		await t.test('nothing of it to others: whoever asks for a link that is not his sees none', async () => {
			for (const claims of [{ oid: OTHER_USER }, { tid: OTHER_TENANT }]) {
				const answer = await ask(web, 'GET', 'conv-1', null, token(claims));
				assert.equal(answer.status, 404);
				assert.deepEqual(Object.keys(JSON.parse(answer.body)), ['error']);
				assert.deepEqual(answer.body.replace(/conv-\d/g, ''), (await ask(web, 'GET', 'conv-2', null, token(claims))).body, 'the same as for none');
			}
		});
		await t.test('DELETE ends the lease', async () => {
			await set("state = 0, check_ms = 1, last_error = ''");
			assert.equal((await ask(web, 'DELETE', 'conv-1', null)).status, 204);
			assert.deepEqual(await web.query('SELECT state, check_ms FROM link'), [{ state: 7, check_ms: 0 }]);
		});
		await t.test('DELETE ends a series without end, and leaves any other its end', async () => {
			const never = Date.parse('9999-01-01T00:00:00Z');
			for (const [series, ends] of [['master', true], ['single', false]]) {
				await set(`state = 1, end_ms = ${never}, series = '${series}'`);
				assert.equal((await ask(web, 'DELETE', 'conv-1', null)).status, 204);
				const [{ end_ms: end }] = await web.query('SELECT end_ms FROM link');
				assert.equal(end < never, ends, `${series}: ${end}`);
			}
		});
		await t.test('DELETE of a held deletion has sync look whether it was the last one', async () => {
			await web.query('DELETE FROM arrival', false);
			await web.query('DELETE FROM work', false);
			for (const [state, rows] of /** @type {[number, string[]][]} */ ([[1, []], [3, ['4 conv-1']]])) {
				await set(`state = ${state}`);
				assert.equal((await ask(web, 'DELETE', 'conv-1', null)).status, 204);
				assert.deepEqual((await web.rows()).map((r) => `${r.kind} ${r.event}`), rows, `state ${state}`);
			}
		});
		await t.test('a malformed id is refused before anybody is looked at', async () => {
			for (const id of ['', 'a/b', 'a b', 'x'.repeat(600)])
				assert.equal((await ask(web, 'GET', id, null)).status, 400, id);
		});
	});
	await Web.play({ config: { syncServerDryRun: true, orphanGraceHours: 0 } }, async (web) => {
		await t.test('that it is a dry run; without a grace time no lease is planned', async () => {
			await storeKeys(web);
			assert.equal((await ask(web, 'PUT', 'conv-1', BODY)).status, 202);
			assert.equal((await show(web, 'conv-1')).writes, 'dry-run');
			assert.deepEqual(await web.query('SELECT check_ms FROM link'), [{ check_ms: 0 }]);
		});
	});
});

/** A flood of links, and a notification behind it, that gather while the store is locked. In the order of their answers. @param {Web} web @param {any} sub */
async function flood(web, sub) {
	const bearer = token();
	/** @type {{ what: string, status: number }[]} */
	const answers = [];
	/** @param {string} what @param {Promise<import('./harness.js').Answer>} answer */
	const note = async (what, answer) => answers.push({ what, status: (await answer).status });
	const holder = spawn('flock', [`${web.storeFile}.lock`, 'sh', '-c', 'echo held; read x'], { stdio: ['pipe', 'pipe', 'ignore'] });
	const asked = [];
	try {
		await new Promise((resolve) => holder.stdout.once('data', resolve));
		asked.push(note('first', web.notify(body(item(sub, longId('first'))))));
		for (let i = 0; i < 60; i++)
			asked.push(note('link', ask(web, 'PUT', `flood-${i}`, BODY, bearer)));
		asked.push(note('last', web.notify(body(item(sub, longId('last'))))));
		assert.equal((await web.ask('GET', '/live')).status, 200);
	} finally {
		holder.stdin.end();
	}
	await Promise.all(asked);
	return answers;
}

test('a flood of links does not keep notifications waiting', { skip: ON_POSTGRESQL && 'its store has no lock that can be held' }, async () => {
	await Web.play({}, async (web) => {
		await storeKeys(web);
		const sub = await web.follow();
		let answers = await flood(web, sub);
		/* On a busy machine they gather for more than the second after which who waits is refused. */
		for (let i = 0; i < 20 && answers.some((a) => a.status === 503); i++)
			answers = await flood(web, sub);
		assert.ok(answers.every((a) => a.status === 202), JSON.stringify(answers));
		const before = answers.slice(0, answers.findIndex((a) => a.what === 'last')).filter((a) => a.what === 'link').length;
		assert.ok(before <= 40, `${before} links of 60 were served first`);
	});
});

test('a key that Entra has withdrawn is refused within a minute', { skip: (!hasTestHooks() || hasSanitizer()) && 'needs --enable-test-hooks and no sanitizer' }, async () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'outlook-addin-clock-'));
	fs.chmodSync(folder, 0o755);
	const clock = new FakeClock(folder);
	const { FAKETIME_DONT_FAKE_MONOTONIC: _, ...env } = clock.env;
	try {
		await Web.play({ env }, async (web) => {
			await storeKeys(web);
			assert.equal((await ask(web, 'GET', 'conv-1', null)).status, 404);
			await web.query("UPDATE signing_keys SET keys_json = '[]'", false);
			assert.equal((await ask(web, 'GET', 'conv-1', null)).status, 404, 'nothing is read for each request');
			clock.set(60_000);
			assert.equal((await ask(web, 'GET', 'conv-1', null)).status, 503, 'it is not known any more');
		});
	} finally {
		clock.close();
		fs.rmSync(folder, { recursive: true, force: true });
	}
});
