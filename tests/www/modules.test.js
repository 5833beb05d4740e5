// @ts-check
/* The pure modules: property, configuration, topic, log; and sign-in over parts that stand in. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { linkBase } from '../../www/js/app.js';
import { configCheck } from '../../www/js/load.js';
import { AddinError, createLog } from '../../www/js/errors.js';
import { logShow, logText, redact } from '../../www/js/log-report.js';
import { retryAfterMs } from '../../www/js/retry.js';
import { pendingRead } from '../../www/js/flow-event-more.js';
import { fingerprint, propertyAnnounced, propertyRead, propertyWrite, topicOf } from '../../www/js/formats.js';
import { claimsOf, createSession } from '../../www/js/session.js';
import { signInByDialog } from '../../www/js/session-dialog.js';
import { signinFault } from '../../www/js/session-fault.js';
import { memory } from './bench.js';
import { PAYLOADS } from './payloads.js';

const LINK = /** @type {import('../../www/js/formats.js').Link} */ ({ v: 1, conversationId: 'AcviDb210C5BoFd6e_79oan', sourceId: 'outlook-addin:6f7c0f6e-4a53-4f0a-9a2b-0a4f0d1f9f11', createdAt: '2031-01-01T00:00:00.000Z' });

test('the property is read as text, text in text, or object; members that we do not know stay', () => {
	const more = { ...LINK, url: 'https://x.example/a', future: { a: 1 } };
	for (const form of [more, JSON.stringify(more), JSON.stringify(JSON.stringify(more))])
		assert.deepEqual(propertyRead(form), more);
	assert.deepEqual(JSON.parse(propertyWrite(more)), more);
	assert.deepEqual(propertyAnnounced(propertyAnnounced(LINK, false), true), LINK);
	assert.equal(JSON.parse(propertyWrite(propertyAnnounced(LINK, false))).announced, false);
});

test('the property stays under 1 KB, and what the server reads goes first', () => {
	for (const link of [{ ...LINK, url: `https://x.example/${'a'.repeat(2000)}` }, { ...LINK, url: 'https://x.example/', future: 'x'.repeat(3000) }]) {
		const text = propertyWrite(/** @type {any} */ (link));
		assert.ok(text.length <= 1000);
		assert.deepEqual([propertyRead(text)?.conversationId, propertyRead(text)?.sourceId], [LINK.conversationId, LINK.sourceId]);
	}
});

test('what is remembered of a public link is where such links begin, nothing that opens one', () => {
	for (const [url, base] of [
		['https://meet.example.com/unblu/desk?conversation=AcviDb210C5BoFd6e_79oan', 'https://meet.example.com/unblu/desk?'], ['https://h.example/desk#/c/AcviDb210C5BoFd6e_79oan', 'https://h.example/desk#'],
		['https://h.example/visitor/AcviDb210C5BoFd6e_79oan?x=1', 'https://h.example/visitor/'], ['https://h.example/v/AcviDb210C5BoFd6e_79oan/join', 'https://h.example/v/'],
		['https://h.example/v/AcviDb210C5BoFd6e_79oan', 'https://h.example/v/'], ['https://unblu-server-prod01/desk/7?x', 'https://unblu-server-prod01/desk/7?'],
	])
		assert.equal(linkBase(url), base);
});

test('what is no sound property is none', () => {
	for (const odd of [undefined, null, '', 'x', '{', '[]', '1', 'null', '{}', { ...LINK, v: 2 }, { ...LINK, v: '1' }, { ...LINK, conversationId: 'a/b' }, { ...LINK, conversationId: ['abc'] }, { ...LINK, conversationId: 'x'.repeat(200) }, { ...LINK, sourceId: '' }, { ...LINK, sourceId: 'a b' }, { ...LINK, sourceId: 7 }, ...PAYLOADS, ...PAYLOADS.filter((p) => p !== '__proto__').map((p) => ({ ...LINK, conversationId: p }))])
		assert.equal(propertyRead(odd), null, JSON.stringify(odd)?.slice(0, 80));
	assert.equal('url' in /** @type {any} */ (propertyRead({ ...LINK, url: 5, item: {}, mailbox: 'own', announced: true })), false);
	assert.equal(pendingRead(JSON.stringify({ v: 1, sourceId: LINK.sourceId }))?.sourceId, LINK.sourceId);
	for (const odd of [undefined, '{}', { v: 1, sourceId: 'theirs:1' }, { v: 1, sourceId: 'outlook-addin:\n' }])
		assert.equal(pendingRead(odd), null);
	assert.notEqual(fingerprint('AAMk-1'), fingerprint('AAMk-2'));
	assert.match(fingerprint(''), /^[0-9a-f]{16}$/);
});

const CONFIG = { v: 1, clientId: '5f2a6d1e-7c34-4b0e-9a51-3c8f0d2b7e11', authority: 'https://login.microsoftonline.com/common', unbluApiUrl: 'https://gw.example/app/rest/v4/', apiScopes: ['x/.default'] };

test('config.json is taken with what it must have, and a wrong key is named', () => {
	const good = configCheck({ ...CONFIG, tenantIds: ['ABC'], invitationTexts: { de: 'D', fr: 'F' }, future: 1 });
	assert.deepEqual([good.unbluApiUrl, good.tenantIds, good.topicMaxChars, good.syncServerEnabled, good.invitationTexts], ['https://gw.example/app/rest/v4', ['abc'], 250, false, { de: 'D', fr: 'F' }]);
	assert.equal(configCheck({ ...CONFIG, unbluApiUrl: 'http://127.0.0.1:8080/x' }).unbluApiUrl, 'http://127.0.0.1:8080/x');
	for (const [key, value] of [['clientId', undefined], ['clientId', 'x'], ['authority', 'common'], ['authority', undefined], ['unbluApiUrl', 'http://gw.example/'], ['unbluApiUrl', 'javascript:alert(1)'], ['apiScopes', []], ['apiScopes', 'x'], ['tenantIds', 'x'], ['syncServerEnabled', 'yes'], ['topicMaxChars', 0], ['topicMaxChars', '250'], ['invitationTexts', []], ['invitationTexts', { de: 5 }], ['allowInsecureLinks', 1]])
		assert.throws(() => configCheck({ ...CONFIG, [/** @type {string} */ (key)]: value }), (/** @type {any} */ e) => e.code === 'config-wrong' && e.details.params.key === key, String(key));
	for (const odd of [null, [], 'x', 1])
		assert.throws(() => configCheck(odd), { code: 'config-wrong' });
});

test('topics: one line, trimmed, cut at a code point, the fallback for what nobody sees', () => {
	for (const [subject, want] of [['  a  b ', 'a  b'], ['a\r\n\tb', 'a b'], ['\u0000', 'F'], ['\u200b\ufeff', 'F'], ['\u2028x\u2029', 'x'], ['\u00ada', '\u00ada'], ['0123456789', '01234'], ['0123 56', '0123'], ['\ud83d\ude00'.repeat(9), '\ud83d\ude00'.repeat(5)], ['\ud800', '\ufffd'], ['\u0301', '\u0301']])
		assert.equal(topicOf(subject, 'F', 5), want, JSON.stringify(subject));
	assert.ok(new TextEncoder().encode(topicOf('\u20ac'.repeat(1000), 'F', 1000)).length <= 1023);
	for (const p of PAYLOADS)
		assert.ok(topicOf(p, 'F', 250) !== '');
});

test('the log keeps the last 200 entries and shows no token, no address', () => {
	const lines = /** @type {string[]} */ ([]);
	const log = createLog({ now: () => 0, requestId: 'r' });
	const jwt = `eyJhbGciOiJub25lIn0.${'x'.repeat(40)}.${'y'.repeat(40)}`;
	log.add('before', {});
	logShow(log, (l) => lines.push(l));
	for (let i = 0; i < 300; i++)
		log.add('x', { token: jwt, url: `https://h/#code=${'c'.repeat(50)}&state=1`, header: `Bearer ${jwt}`, body: '{"access_token":"abcdef","x":1}', who: 'anna@bank.example', n: i, none: undefined });
	const kept = logText(log).split('\n');
	assert.equal(kept.length, 200);
	assert.equal(lines.length, 301, 'and what was before');
	assert.equal(/eyJ|xxxx|cccc|abcdef|anna/.test(kept.join() + lines.join()), false);
	assert.deepEqual([JSON.parse(kept[199]).n, JSON.parse(kept[199]).at, 'none' in JSON.parse(kept[199])], [299, '1970-01-01T00:00:00.000Z', false]);
	assert.ok(redact('z '.repeat(5000)).length < 600);
});

test('Retry-After is seconds or a date', () => {
	assert.deepEqual([retryAfterMs('5', 0), retryAfterMs('0.5', 0), retryAfterMs('Thu, 01 Jan 1970 00:00:09 GMT', 1000), retryAfterMs(null, 0), retryAfterMs('soon', 0), retryAfterMs('-3', 0), retryAfterMs('', 0)], [5000, 500, 8000, undefined, undefined, 0, undefined]);
});

test('claims are read from a JWT and from nothing else', () => {
	const jwt = `x.${Buffer.from(JSON.stringify({ tid: 'T', name: 'J\u00fcrg' })).toString('base64url')}.y`;
	assert.deepEqual(claimsOf(jwt), { tid: 'T', name: 'J\u00fcrg' });
	for (const odd of ['', 'opaque', 'a.b', 'a.!.c'])
		assert.equal(claimsOf(odd), null);
});

test('what Entra says becomes the words that help', () => {
	for (const [e, code] of /** @type {[any, string][]} */ ([
		[{ errorCode: 'user_cancelled' }, 'signin-cancelled'], [{ code: 'access_denied', message: 'AADSTS65004: User declined' }, 'signin-cancelled'], [{ errorCode: 'invalid_grant', errorMessage: 'AADSTS65001: no consent', correlationId: 'c' }, 'signin-consent'],
		[{ errorCode: 'consent_required' }, 'signin-consent'], [{ errorMessage: 'AADSTS90094: admin' }, 'signin-consent'], [{ errorCode: 'interaction_required', errorMessage: 'AADSTS53003: blocked' }, 'signin-conditional'], [{ errorMessage: 'AADSTS50011: reply' }, 'signin-registration'],
		[{ errorCode: 'network_error' }, 'signin-network'], [{ errorCode: 'x' }, 'signin-failed'], [{}, 'signin-failed'], [null, 'signin-failed'], ['text', 'signin-failed'],
	]))
		assert.equal(signinFault(e).code, code, JSON.stringify(e));
	assert.match(String(signinFault({ errorMessage: 'AADSTS53003: x', correlationId: 'c-1' }).details.reference), /^AADSTS53003 c-1$/);
});

/** A session over stand-ins. @param {any} [given] */
function session(given = {}) {
	const storage = given.storage ?? memory();
	const calls = /** @type {string[]} */ ([]);
	const token = (/** @type {string} */ name, life = 3600_000) => ({ accessToken: name, expiresAt: 1_000_000 + life, tenantId: 't1', username: 'u' });
	const s = createSession({
		config: /** @type {any} */ ({ clientId: given.clientId ?? 'c', tenantIds: given.tenantIds ?? [], apiScopes: ['s'] }), nestedIsPossible: () => given.nested !== undefined,
		nested: async () => {
			calls.push('create');
			return { silent: async (/** @type {boolean} */ force) => {
				calls.push(force ? 'silent-forced' : 'silent');
				return given.nested.silent ? given.nested.silent() : token('nested');
			}, popup: async (/** @type {boolean} */ select) => {
				calls.push(select ? 'popup-select' : 'popup');
				return given.nested.popup ? given.nested.popup() : token('popup');
			} };
		},
		signal: new AbortController().signal, authUrl: 'https://a.example/addin/auth.html', hint: given.hint ?? 'u@x', storage, now: () => 1_000_000, uuid: () => 'nonce', sleep: (ms) => new Promise((r) => setTimeout(r, given.sleep ?? ms)), log: createLog({ now: () => 0, requestId: 'r' }),
		person: (signIn) => {
			calls.push('person');
			return signIn();
		},
	});
	return { s, calls, storage };
}

test('sign-in: nested, one at a time, interactive only when asked', async () => {
	const { s, calls, storage } = session({ nested: {} });
	const [a, b] = await Promise.all([s.token(), s.token({ interactive: true })]);
	assert.deepEqual([a.accessToken, b.accessToken, storage.get('unblu.way')], ['nested', 'nested', null]);
	await s.token();
	assert.deepEqual(calls, ['create', 'silent'], 'a fresh token is kept');
	await s.token({ force: true });
	assert.deepEqual(calls, ['create', 'silent', 'silent-forced']);
	const need = session({ nested: { silent: () => Promise.reject(Object.assign(new Error('x'), { name: 'InteractionRequiredAuthError' })) } });
	await assert.rejects(need.s.token(), { code: 'signin-needed' });
	assert.equal((await need.s.token({ interactive: true })).accessToken, 'popup');
	assert.deepEqual(need.calls, ['create', 'silent', 'silent', 'person', 'popup'], 'who waits is told that a person is asked');
});

test('sign-in: a bridge that refuses is given up for the dialog, and remembered; a person who cancels is not asked again', async () => {
	const broken = session({ nested: { silent: () => Promise.reject(new Error('origin is not valid')) } });
	await assert.rejects(broken.s.token(), { code: 'signin-needed' });
	assert.equal(broken.storage.get('unblu.way'), 'dialog');
	const silent = session({ nested: { silent: () => new Promise(() => {}) }, sleep: 10 });
	await assert.rejects(silent.s.token(), { code: 'signin-needed' });
	for (const [e, code] of /** @type {[any, string][]} */ ([[{ errorCode: 'user_cancelled' }, 'signin-cancelled'], [{ errorMessage: 'AADSTS65001' }, 'signin-consent'], [{ errorMessage: 'AADSTS53003' }, 'signin-conditional']])) {
		const x = session({ nested: { silent: () => Promise.reject(Object.assign(new Error('x'), { name: 'InteractionRequiredAuthError' })), popup: () => Promise.reject(e) } });
		await assert.rejects(x.s.token({ interactive: true }), { code });
		assert.equal(x.storage.get('unblu.way'), null);
	}
});

test('sign-in: a foreign tenant is refused, by the token itself if it can be read', async () => {
	await assert.rejects(session({ nested: {}, tenantIds: ['t2'] }).s.token(), { code: 'tenant' });
	await session({ nested: {}, tenantIds: ['t1'] }).s.token();
	const jwt = `x.${Buffer.from(JSON.stringify({ tid: 'T2' })).toString('base64url')}.y`;
	await session({ nested: { silent: async () => ({ accessToken: jwt, expiresAt: 1e12, tenantId: 't1', username: 'u' }) }, tenantIds: ['t2'] }).s.token();
});

test('a token that a dialog gave is for its mailbox and its app alone, and so is a sign-out', async () => {
	const storage = memory();
	storage.set('unblu.token', JSON.stringify({ accessToken: 'anna', expiresAt: 1e12, tenantId: 't1', clientId: 'c', hint: 'u@x' }));
	assert.equal((await session({ storage }).s.token()).accessToken, 'anna');
	for (const other of [{ hint: 'other@x' }, { hint: '' }, { clientId: 'd' }])
		await assert.rejects(session({ storage, ...other }).s.token(), { code: 'signin-needed' }, JSON.stringify(other));
	await session({ storage }).s.signOut();
	assert.deepEqual([session({ storage }).s.isSignedOut(), session({ storage, hint: 'other@x' }).s.isSignedOut()], [true, false]);
});

test('what the host signed in stays with the host; a token that ends within a minute is renewed', async () => {
	const { s, storage } = session({ nested: {} });
	await s.token();
	assert.deepEqual([...storage.map.keys()], []);
	for (const [left, asked] of [[30_000, 2], [90_000, 1]]) {
		const end = session({ nested: { silent: () => ({ accessToken: 'a', expiresAt: 1_000_000 + left, tenantId: 't1', username: 'u' }) } });
		await end.s.token();
		await end.s.token();
		assert.equal(end.calls.filter((c) => c === 'silent').length, asked, `${left} ms`);
	}
});

/** Opens Office's dialog for a sign-in. @param {any} t */
function dialog(t) {
	/** @type {Record<string, (arg: any) => void>} */
	const handlers = {};
	const opened = /** @type {string[]} */ ([]);
	let closed = 0;
	const ui = { displayDialogAsync: (/** @type {string} */ url, /** @type {any} */ _, /** @type {any} */ done) => {
		opened.push(url);
		done({ status: 'succeeded', value: { close: () => closed++, addEventHandler: (/** @type {string} */ type, /** @type {any} */ handler) => { handlers[type] = handler; } } });
	} };
	/** @type {any} */ (globalThis).Office = { context: { ui } };
	t.after(() => delete (/** @type {any} */ (globalThis).Office));
	const control = new AbortController();
	const token = signInByDialog({ authUrl: 'https://a.example/addin/auth.html', nonce: 'mine', select: false, hint: '', signal: control.signal });
	token.catch(() => undefined);
	return { token, control, opened, closed: () => closed, say: (/** @type {any} */ m) => handlers.dialogMessageReceived({ message: typeof m === 'string' ? m : JSON.stringify(m) }), event: (/** @type {number} */ error) => handlers.dialogEventReceived({ error }) };
}

test('the dialog is heard only when it answers its own question', async (t) => {
	const d = dialog(t);
	const answer = { v: 1, nonce: 'mine', accessToken: 'good', expiresOn: 1, account: {} };
	for (const other of [{ ...answer, nonce: 'theirs', accessToken: 'foreign' }, { ...answer, nonce: undefined, accessToken: 'foreign' }, { ...answer, v: 2, accessToken: 'foreign' }, 'x', 'null'])
		d.say(other);
	assert.equal(d.closed(), 0);
	d.say(answer);
	assert.equal((await d.token).accessToken, 'good');
	assert.equal(d.closed(), 1);
	assert.match(d.opened[0], /[?&]nonce=mine/);
});

test('a dialog that could not load its page is closed, so that the next one may open', async (t) => {
	for (const error of [12002, 12003]) {
		const d = dialog(t);
		d.event(error);
		await assert.rejects(d.token, { code: 'dialog-failed' });
		assert.equal(d.closed(), 1, String(error));
	}
	const d = dialog(t);
	d.event(12006);
	await assert.rejects(d.token, { code: 'signin-cancelled' });
	assert.equal(d.closed(), 0, 'the person has closed it');
});

test('sign-out forgets, silence does not sign in again, and who does is asked which account', async () => {
	const { s, storage, calls } = session({ nested: {} });
	await s.token();
	await s.signOut();
	assert.deepEqual([s.isSignedOut(), storage.get('unblu.token')], [true, null]);
	await assert.rejects(s.token(), { code: 'signin-needed' });
	calls.length = 0;
	await s.token({ interactive: true });
	assert.deepEqual(calls, ['create', 'person', 'popup-select'], 'nor does the host by itself');
	assert.equal(s.isSignedOut(), false);
	assert.ok(new AddinError('x') instanceof Error);
});
