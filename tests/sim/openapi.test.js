// @ts-check
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { specsFolder } from './lib/checks.js';
import { Document } from './openapi.js';
import { ANNA, graphOf, simulator, subscriptionBody, unbluOf, webhook } from './testkit.js';

/* Where the folder is, a document that is missing is a failure. */
const SKIP = fs.existsSync(specsFolder()) ? false : `no specifications in ${specsFolder()}`;

/** @param {any} schemas @param {any} [paths] @param {any} [options] */
function document(schemas, paths = {}, options = {}) {
	return new Document({ paths, components: { schemas } }, options);
}

test('types, formats, enums, ranges, patterns and lengths', () => {
	const doc = document({});
	const judge = (/** @type {any} */ schema, /** @type {any} */ value) => doc.judge(schema, value, true).length;
	assert.equal(judge({ type: 'string' }, 'x'), 0);
	assert.equal(judge({ type: 'string' }, 5), 1);
	assert.equal(judge({ type: 'string' }, null), 1);
	assert.equal(judge({ type: 'string', nullable: true }, null), 0);
	assert.equal(judge({ type: 'integer', format: 'int32' }, 2 ** 31), 1);
	assert.equal(judge({ type: 'integer', format: 'int64' }, 2 ** 40), 0);
	assert.equal(judge({ type: 'integer' }, 1.5), 1);
	assert.equal(judge({ type: 'string', enum: ['a'] }, 'b'), 1);
	assert.equal(judge({ type: 'string', pattern: '^x' }, 'y'), 1);
	assert.equal(judge({ type: 'integer', minimum: 2, maximum: 3 }, 4), 1);
	assert.equal(judge({ type: 'array', maxItems: 1, items: { type: 'string' } }, ['a', 5]), 2);
	for (const good of ['2026-11-30T07:30:00Z', '2026-11-30T07:30:00.1234567Z', '2026-11-30T07:30:00+05:30'])
		assert.equal(judge({ type: 'string', format: 'date-time' }, good), 0, good);
	for (const bad of ['2026-11-30T07:30:00', '2026-13-30T07:30:00Z', 'x'])
		assert.equal(judge({ type: 'string', format: 'date-time' }, bad), 1, bad);
	assert.equal(judge({ type: 'string', format: 'uuid' }, '84bd8158-0000-4000-8000-00000000000'), 1);
	assert.equal(judge({ type: 'string', format: 'uri' }, '/relative'), 1);
});

test('required and unknown properties, through allOf and references', () => {
	const doc = document({
		base: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
		more: { allOf: [{ $ref: '#/components/schemas/base' }, { type: 'object', properties: { n: { type: 'integer' }, child: { $ref: '#/components/schemas/more' } } }] },
		open: { type: 'object', properties: {}, additionalProperties: { type: 'string' } },
	});
	const ref = { $ref: '#/components/schemas/more' };
	assert.deepEqual(doc.judge(ref, { id: 'x', n: 1, child: { id: 'y' } }, true), []);
	assert.deepEqual(doc.judge(ref, { n: 'x', Id: 'y' }, true), ['/id: is required', '/n: must be integer, is string', '/Id: unknown property']);
	assert.deepEqual(doc.judge(ref, { id: 'x', child: { id: 'y', z: 1 } }, true), ['/child/z: unknown property']);
	assert.deepEqual(doc.judge(ref, { id: 'x', z: 1 }, false), [], 'answers may hold more');
	assert.deepEqual(doc.judge(ref, { id: 'x', '@odata.type': 'y' }, true), []);
	assert.deepEqual(doc.judge({ $ref: '#/components/schemas/open' }, { a: 'x', b: 5 }, true), ['/b: must be string, is number']);
	assert.throws(() => doc.judge({ $ref: '#/components/schemas/none' }, {}, true), /unresolved/);
});

test('oneOf with a discriminator, and without', () => {
	const doc = document({ a: { type: 'object', properties: { kind: { type: 'string' }, x: { type: 'integer' } } }, b: { type: 'object', properties: { kind: { type: 'string' } } } });
	const tagged = { oneOf: [{ $ref: '#/components/schemas/a' }, { $ref: '#/components/schemas/b' }], discriminator: { propertyName: 'kind', mapping: { A: '#/components/schemas/a', B: '#/components/schemas/b' } } };
	assert.deepEqual(doc.judge(tagged, { kind: 'A', x: 1 }, true), []);
	assert.deepEqual(doc.judge(tagged, { kind: 'B', x: 1 }, true), ['/x: unknown property']);
	assert.match(doc.judge(tagged, { x: 1 }, true)[0], /selects no schema/);
	const either = { oneOf: [{ type: 'string' }, { type: 'integer' }] };
	assert.deepEqual(doc.judge(either, 5, true), []);
	assert.equal(doc.judge(either, [], true).length, 1);
});

test('an operation: query, content type, body, status and answer', () => {
	const doc = document({}, {
		'/x/{id}': {
			parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
			post: {
				parameters: [{ name: '$top', in: 'query', schema: { type: 'integer' } }, { name: 'need', in: 'query', required: true, schema: { type: 'string' } }, { name: 'list', in: 'query', schema: { type: 'array', items: { type: 'string', enum: ['a', 'b'] } } }],
				requestBody: { required: true, content: { 'application/json': { schema: { type: 'object', properties: { a: { type: 'string' } } } }, 'application/x-www-form-urlencoded': { schema: { type: 'object', required: ['g'], properties: { g: { type: 'string' } } } } } },
				responses: { 200: { content: { 'application/json': { schema: { type: 'object', required: ['v'], properties: { v: { type: 'integer' } } } } } }, 204: {}, default: { content: { 'application/json': { schema: { type: 'object', required: ['error'], properties: {} } } } } },
			},
		},
	});
	const op = /** @type {any} */ (doc.operations.get('POST /x/{id}'));
	const request = (/** @type {string} */ query, /** @type {string} */ type, /** @type {string} */ body) => op.judgeRequest(new URLSearchParams(query), type, Buffer.from(body));
	assert.deepEqual(request('need=1&$top=5&list=a,b', 'application/json; charset=utf-8', '{"a":"x"}'), []);
	assert.deepEqual(request('need=1', 'application/x-www-form-urlencoded', 'g=1'), []);
	assert.match(request('need=1', 'text/plain', 'x')[0], /Content-Type/);
	assert.match(request('need=1', 'application/json', '{')[0], /not JSON/);
	assert.match(request('need=1', 'application/json', '')[0], /is required/);
	assert.deepEqual(request('$top=x&odd=1&list=a,c', 'application/json', '{"b":1}').length, 5);
	assert.deepEqual(op.judgeResponse(200, 'application/json', { v: 1, more: 2 }), []);
	assert.equal(op.judgeResponse(200, 'application/json', {}).length, 1);
	assert.equal(op.judgeResponse(200, 'text/html', '').length, 1);
	assert.deepEqual(op.judgeResponse(204, undefined, undefined), []);
	assert.equal(op.judgeResponse(204, undefined, 'x').length, 1);
	assert.equal(op.judgeResponse(500, 'application/json', {}).length, 1);
});

test('the documents are found and hold every operation that the simulators name', { skip: SKIP }, async (t) => {
	const sim = await simulator(t);
	assert.match(sim.checks.message, /^validation against \d+ operations$/);
	const named = new Set();
	for (const file of ['graph/index.js', 'entra/index.js', 'unblu/index.js']) {
		const text = fs.readFileSync(new URL(file, import.meta.url), 'utf8');
		for (const m of text.matchAll(/spec: '((?:GET|POST|PATCH|DELETE) [^']+)'/g))
			named.add(`${file.split('/')[0]} ${m[1]}`);
		for (const m of text.matchAll(/'(GET|POST|DELETE)', (?:'\w+', )?(?:\/\^.*\$\/i?, )?(?:'\w+', )?'(\/[^']+)'/g))
			named.add(`${file.split('/')[0]} ${m[1]} ${m[2]}`);
	}
	assert.ok(named.size > 15);
	for (const name of named) {
		const [service, ...key] = name.split(' ');
		assert.ok(sim.checks.documents[service].operations.has(key.join(' ')), name);
	}
});

test('a request that breaks the specification is collected, with what and where', { skip: SKIP }, async (t) => {
	const sim = await simulator(t);
	const hook = await webhook(t);
	const graph = await graphOf(sim);
	await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA, { changetype: 'x' }));
	await graph.ask('GET', `/users/${ANNA}/events/AAMkAGI2TG93AAAxxxxxxx?$frobnicate=1`);
	const { violations, total } = await sim.control('GET', '/control/violations');
	assert.equal(total, 2);
	assert.deepEqual([violations[0].op, violations[0].where, violations[0].complaints], ['createSubscription', 'request', ['/changetype: unknown property']]);
	assert.deepEqual(violations[1].complaints, ['?$frobnicate: unknown query parameter']);
	assert.equal((await sim.control('GET', '/control/counters')).violations, 2);
});

test('strict: a violating request is answered 500', { skip: SKIP }, async (t) => {
	const sim = await simulator(t, { settings: { strict: true } });
	const unblu = await unbluOf(sim);
	const reply = await unblu.ask('POST', 'conversations/search', { $_type: 'ConversationQuery', searchFilter: [] });
	assert.equal(reply.status, 500);
	assert.match(reply.json.errorMessage, /searchFilter: unknown property/);
	assert.equal((await unblu.ask('POST', 'conversations/search', { $_type: 'ConversationQuery', searchFilters: [] })).status, 200);
});

test('sample judges one in fifty, off none', { skip: SKIP }, async (t) => {
	const sim = await simulator(t, { settings: { validate: 'sample' } });
	const unblu = await unbluOf(sim);
	for (let i = 0; i < 120; i++)
		await unblu.ask('GET', 'global/productVersion');
	const { judged } = await sim.control('GET', '/control/violations');
	assert.ok(judged.requests + judged.responses >= 3 && judged.requests + judged.responses <= 6);
	await sim.control('POST', '/control/settings', { validate: 'off' });
	await unblu.ask('GET', 'global/productVersion?x=1');
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('without the specifications it says so and goes on', async (t) => {
	const before = process.env.OUTLOOK_ADDIN_SPECS;
	process.env.OUTLOOK_ADDIN_SPECS = '/nonexistent';
	t.after(() => {
		if (before === undefined)
			delete process.env.OUTLOOK_ADDIN_SPECS;
		else
			process.env.OUTLOOK_ADDIN_SPECS = before;
	});
	const sim = await simulator(t);
	const unblu = await unbluOf(sim);
	assert.equal((await unblu.ask('GET', 'global/productVersion')).status, 200);
	const report = await sim.control('GET', '/control/violations');
	assert.equal(report.active, false);
	assert.match(report.specifications, /^validation skipped: .+ not found in \/nonexistent/);
});
