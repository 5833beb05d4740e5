// @ts-check
/* The page's pure parts, and the front door without a product behind it. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { addDays, atMinute, DAY, HOUR, initials, inStep, lanes, MINUTE, snap, spanText, talkChanges, weekStart, weekText } from './page/model.js';
import { say } from './page/say.js';
import { Front, pageFiles, Refusal } from './server.js';
import { Tail } from './tail.js';

const monday = new Date(2030, 10, 11).getTime();

/** @param {string} id @param {number} start @param {number} hours */
const slot = (id, start, hours) => ({ id, start: monday + start * HOUR, end: monday + (start + hours) * HOUR });

test('the week is the one of its Monday, and on a weekend the coming one', () => {
	assert.equal(weekStart(monday), monday);
	assert.equal(weekStart(monday + 4 * DAY + 12 * HOUR), monday);
	assert.equal(weekStart(monday + 5 * DAY + HOUR), addDays(monday, 7));
	assert.equal(weekStart(monday + 6 * DAY + HOUR), addDays(monday, 7));
	assert.equal(weekText(monday), '11 \u2013 15 November 2030');
	assert.equal(weekText(addDays(monday, -14)), '28 Oct \u2013 1 November 2030');
});

test('times snap to the quarter of an hour', () => {
	assert.equal(snap(7 * MINUTE), 0);
	assert.equal(snap(8 * MINUTE), 15 * MINUTE);
	assert.equal(snap(-8 * MINUTE), -15 * MINUTE);
	assert.equal(atMinute(monday, 90), monday + 90 * MINUTE);
});

test('events that overlap lie side by side, others take the whole day', () => {
	const places = lanes([slot('a', 9, 1), slot('b', 9.5, 1), slot('c', 10, 1), slot('d', 14, 1)]);
	assert.deepEqual(places.get('a'), { lane: 0, lanes: 2 });
	assert.deepEqual(places.get('b'), { lane: 1, lanes: 2 });
	assert.deepEqual(places.get('c'), { lane: 0, lanes: 2 });
	assert.deepEqual(places.get('d'), { lane: 0, lanes: 1 });
});

test('event and conversation are in step when trimmed topic and minute agree', () => {
	const event = { id: 'e', tenant: 't', user: 'u', subject: ' Review ', start: monday, end: monday + HOUR, conversation: 'c' };
	const talk = { id: 'c', topic: 'Review', start: monday, state: 'CREATED', agent: 'u', url: null };
	assert.ok(inStep(event, talk));
	assert.ok(!inStep(event, { ...talk, topic: 'Old' }));
	assert.ok(!inStep(event, { ...talk, start: monday + MINUTE }));
	assert.ok(!inStep(event, undefined));
});

test('changes between two lists of conversations are named', () => {
	const c = (/** @type {string} */ id, /** @type {string} */ topic, start = 0) => ({ id, topic, start, state: 'CREATED', agent: 'u', url: null });
	const change = talkChanges([c('a', 'one'), c('b', 'two'), c('x', 'gone')], [c('a', 'ONE'), c('b', 'two', 5), c('n', 'new')]);
	assert.deepEqual(Object.fromEntries(Object.entries(change).map(([k, v]) => [k, v.map((x) => x.id)])), { added: ['n'], removed: ['x'], topic: ['a'], time: ['b'] });
});

test('lengths of time and names read well', () => {
	assert.deepEqual([spanText(42_000), spanText(3 * MINUTE), spanText(50 * HOUR), spanText(-3 * MINUTE)], ['42 s', '3 min', '2.1 days', '3 min ago']);
	assert.equal(initials('Anna Keller'), 'AK');
});

test('a log line that nobody has a sentence for is still told, cut and without markup', () => {
	const said = say('web', { level: 'warning', event: 'no-such-event', message: '<b>text</b>', subscription: 'a'.repeat(40), requestId: 'r' });
	assert.equal(said?.level, 'warning');
	assert.equal(said?.text, 'no such event <b>text</b>  subscription aaaaaaaa\u2026');
});

test('a notification is told with whose it is and how it was answered', () => {
	const said = say('graph', { event: 'notification', mailbox: 'm', changes: ['updated', 'updated'], path: '/addin/webhook/events', attempts: [{ status: 503, ms: 2 }, { status: 202, ms: 3 }] }, () => 'Anna Keller');
	assert.equal(said?.text, '2 notifications of Anna Keller: updated  POST /addin/webhook/events  202  3 ms, attempt 2');
	assert.equal(say('nginx', { text: ' ' }), null);
	assert.equal(say('nginx', { event: 'request', uri: '/x' }), null, 'nginx only lights up');
	assert.equal(say('web', { event: 'answered', method: 'POST', path: '/w', bytes: 3, status: 202 })?.text, 'stored, then answered 202  POST /w  3 bytes');
});

const outlook = /** @type {any} */ ({ token: () => ({}), open: () => ({ subject: 'opened' }), save: () => ({}), copy: () => ({}) });
const world = { outlook, state: () => ({ now: 1 }), add: async () => ({ id: 'new' }), change: async () => ({}), remove: async () => { throw new Refusal(404, 'no such event'); }, link: async () => ({}), act: async (/** @type {string} */ name) => ({ name }) };

/** @param {number} port @param {string} target @param {http.RequestOptions & { body?: string }} [options] @returns {Promise<{ status: number, headers: any, text: string }>} */
function ask(port, target, options = {}) {
	return new Promise((resolve, reject) => {
		const req = http.request({ host: '127.0.0.1', port, path: target, agent: false, ...options }, (res) => {
			let text = '';
			res.setEncoding('utf8').on('data', (d) => { text += d; }).on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
		});
		req.on('error', reject);
		req.end(options.body);
	});
}

test('the front door serves the page, its back end, and passes on everything else', async () => {
	const behind = http.createServer((req, res) => res.end(`behind ${req.method} ${req.url}`));
	await new Promise((resolve) => behind.listen(0, '127.0.0.1', () => resolve(null)));
	const front = new Front(world, /** @type {any} */ (behind.address()).port);
	const port = await front.listen(0);
	try {
		for (const name of pageFiles()) {
			const got = await ask(port, `/demo/${name}`);
			assert.equal(got.status, 200, name);
			assert.match(String(got.headers['content-security-policy']), /default-src 'none'/);
			assert.doesNotMatch(got.text, /https?:\/\/(?!www\.w3\.org\/|127\.0\.0\.1)/, `${name} names no other server`);
		}
		assert.equal((await ask(port, '/')).headers.location, '/demo/');
		assert.equal((await ask(port, '/demo/../server.js')).status, 404);
		assert.equal((await ask(port, '/demo/%2e%2e/server.js')).status, 404);
		assert.equal((await ask(port, '/addin/x?y=1')).text, 'behind GET /addin/x?y=1');
		assert.deepEqual(JSON.parse((await ask(port, '/demo/api/state')).text), { now: 1 });
		assert.deepEqual(JSON.parse((await ask(port, '/demo/api/actions/kill-web', { method: 'POST' })).text), { name: 'kill-web' });
		assert.deepEqual(JSON.parse((await ask(port, '/demo/api/form/u/e')).text), { subject: 'opened' });
		assert.equal((await ask(port, '/demo/api/form/u')).status, 405);
		assert.match((await ask(port, '/demo/office.js')).text, /scope\.Office = Office/);
		assert.equal((await ask(port, '/demo/api/events/t/u', { method: 'POST', body: '[1]' })).status, 400);
		assert.equal((await ask(port, '/demo/api/events/t/u', { method: 'POST', body: `{"a":"${'x'.repeat(70_000)}"}` })).status, 413);
		const gone = await ask(port, '/demo/api/events/t/u/e', { method: 'DELETE' });
		assert.deepEqual([gone.status, JSON.parse(gone.text)], [404, { error: 'no such event' }]);
		assert.equal((await ask(port, '/demo/api/state', { headers: { Host: 'evil.example' } })).status, 403, 'a rebound name');
		assert.equal((await ask(port, '/demo/api/actions/kill-web', { method: 'POST', headers: { Origin: 'http://evil.example' } })).status, 403, 'another site');
	} finally {
		await front.stop();
		behind.close();
	}
});

test('no module of the page puts data into markup', () => {
	const folder = new URL('./page/', import.meta.url);
	for (const name of pageFiles().filter((f) => f.endsWith('.js')))
		assert.doesNotMatch(fs.readFileSync(new URL(name, folder), 'utf8'), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/, name);
});

test('a growing file is followed line by line, also when it is cut inside a character', () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tail-'));
	const file = path.join(dir, 'a.err');
	/** @type {string[]} */
	const seen = [];
	const tail = new Tail((name, line) => seen.push(`${name}: ${line}`));
	try {
		tail.follow('a', file);
		tail.look();
		const bytes = Buffer.from('one\ntw\u00f6\nthree');
		fs.writeFileSync(file, bytes.subarray(0, 7));
		tail.look();
		fs.appendFileSync(file, bytes.subarray(7));
		tail.look();
		assert.deepEqual(seen, ['a: one', 'a: tw\u00f6']);
	} finally {
		tail.stop();
		fs.rmSync(dir, { recursive: true });
	}
});
