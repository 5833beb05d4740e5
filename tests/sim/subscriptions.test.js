// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, BEN, CARLA, CLIENT, TENANT_A, TENANT_B, graphOf, simulator, subscriptionBody, webhook } from './testkit.js';

const IMMUTABLE = { Prefer: 'IdType="ImmutableId"' };
const MINUTE = 60_000;

/** @param {any} t @param {any} [options] @param {any} [behave] */
async function setUp(t, options, behave) {
	const sim = await simulator(t, options);
	const hook = await webhook(t, behave);
	return { sim, hook, graph: await graphOf(sim) };
}

test('creating asks both URLs first, inside the request, and answers the whole object', async (t) => {
	const { sim, hook, graph } = await setUp(t);
	const body = subscriptionBody(sim, hook, ANNA);
	const reply = await graph.ask('POST', '/subscriptions', body, IMMUTABLE);
	assert.equal(reply.status, 201);
	assert.equal(reply.headers['preference-applied'], 'IdType="ImmutableId"');
	assert.equal(hook.handshakes.length, 2);
	assert.deepEqual(hook.handshakes.map((/** @type {any} */ h) => h.url.split('?')[0]), ['/events', '/lifecycle']);
	assert.match(hook.handshakes[0].token, /^Validation: Testing client application reachability for subscription Request-Id: [0-9a-f-]{36}$/);
	const { json } = reply;
	assert.equal(json['@odata.context'], `${sim.urls.graph}/v1.0/$metadata#subscriptions/$entity`);
	for (const name of ['changeType', 'notificationUrl', 'lifecycleNotificationUrl', 'resource', 'clientState', 'latestSupportedTlsVersion'])
		assert.equal(json[name], body[name]);
	assert.equal(json.applicationId, CLIENT);
	assert.ok(Math.abs(Date.parse(json.expirationDateTime) - Date.parse(body.expirationDateTime)) < 1000);
	for (const name of ['notificationQueryOptions', 'includeResourceData', 'encryptionCertificate', 'encryptionCertificateId', 'notificationUrlAppId'])
		assert.equal(json[name], null);
});

test('one URL for both kinds is asked twice; the query string is kept', async (t) => {
	const { sim, hook, graph } = await setUp(t);
	const url = `${hook.url}/events?tenant=a`;
	assert.equal((await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA, { notificationUrl: url, lifecycleNotificationUrl: url }))).status, 201);
	assert.equal(hook.handshakes.length, 2);
	assert.ok(hook.handshakes.every((/** @type {any} */ h) => h.url.startsWith('/events?tenant=a&validationToken=')));
});

test('the token is sent with + and %20, upper and lower case hex', async (t) => {
	const { sim, hook, graph } = await setUp(t);
	for (const [blank, hex, pattern] of [['+', 'lower', /Validation%3a\+Testing/], ['%20', 'upper', /Validation%3A%20Testing/]]) {
		await sim.control('POST', '/control/settings', { graph: { handshake: { blank, hex } } });
		hook.handshakes.length = 0;
		const made = await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA));
		assert.equal(made.status, 201);
		assert.match(hook.handshakes[0].url, /** @type {RegExp} */ (pattern));
		await graph.ask('DELETE', `/subscriptions/${made.json.id}`);
	}
});

test('an endpoint that answers wrongly makes the create fail with ValidationError', async (t) => {
	/** @type {any[]} status, headers, how the body differs from the token, expected words */
	const cases = [
		[403, { 'Content-Type': 'text/plain' }, '', /HTTP status code is 'Forbidden'/], [202, { 'Content-Type': 'text/plain' }, '', /must respond with 200 OK/],
		[200, { 'Content-Type': 'text/html' }, '', /must respond with 200 OK/], [200, { 'Content-Type': 'text/plain' }, '\n', /must respond with 200 OK/], [500, {}, '', /InternalServerError/],
	];
	for (const [status, headers, more, words] of cases) {
		const { sim, hook, graph } = await setUp(t, {}, (/** @type {any} */ req, /** @type {any} */ res) => {
			const token = decodeURIComponent(/validationToken=([^&]*)/.exec(req.url)?.[1].replace(/\+/g, ' ') ?? '');
			res.writeHead(status, headers).end(token + more);
			return true;
		});
		const reply = await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA));
		assert.equal(reply.status, 400);
		assert.equal(reply.json.error.code, 'ValidationError');
		assert.match(reply.json.error.message, words);
		assert.equal((await sim.control('GET', '/control/counters')).handshakes.unanswered, 1);
		assert.equal(sim.subscriptions.byId.size, 0);
	}
});

test('a silent endpoint times out; the create is held that long', async (t) => {
	const { sim, hook, graph } = await setUp(t, { settings: { graph: { handshake: { timeoutMs: 150 } } } }, () => true);
	const began = Date.now();
	const reply = await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA));
	assert.ok(Date.now() - began >= 140);
	assert.equal(reply.json.error.message, 'Subscription validation request timed out.');
});

test('the handshake comes before the permission check', async (t) => {
	const { sim, hook, graph } = await setUp(t);
	for (const [state, status, reason] of [['forbidden', 403, /Status Code: Forbidden; Reason: Forbidden/], ['noLicence', 404, /REST API is not yet supported for this mailbox/], ['deleted', 404, /The requested user '.+' is invalid/]]) {
		await sim.control('PATCH', `/control/mailboxes/${ANNA}`, { state });
		hook.handshakes.length = 0;
		const reply = await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA));
		assert.equal(hook.handshakes.length, 2);
		assert.equal(reply.status, status);
		assert.equal(reply.json.error.code, 'ExtensionError');
		assert.match(reply.json.error.message, /** @type {RegExp} */ (reason));
	}
	const foreign = await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, CARLA));
	assert.equal(foreign.status, 404, 'a user of another tenant is not visible');
});

test('without the calendar permission creating is forbidden', async (t) => {
	const { sim, hook } = await setUp(t);
	await sim.control('PATCH', `/control/tenants/${TENANT_A}`, { roles: [] });
	const graph = await graphOf(sim);
	assert.equal((await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA))).status, 403);
	assert.equal((await graph.ask('GET', `/users/${ANNA}/events`)).json.error.code, 'ErrorAccessDenied');
});

test('the same application, change types and resource: 409 that names the other, unless switched off', async (t) => {
	const { sim, hook, graph } = await setUp(t);
	const first = await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA));
	const second = await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA, { resource: `/Users/${ANNA}/Events`, changeType: 'deleted,created,updated' }));
	assert.equal(second.status, 409);
	assert.equal(second.json.error.message, `Subscription Id ${first.json.id} already exists for the requested combination`);
	assert.equal((await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA, { changeType: 'created' }))).status, 201);
	assert.equal((await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, BEN))).status, 201);
	await sim.control('POST', '/control/settings', { graph: { conflictRule: false } });
	assert.equal((await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA))).status, 201);
});

test('the expiry: floor of 45 minutes, maximum of 10,080, odd texts refused', async (t) => {
	const { sim, hook, graph } = await setUp(t);
	const at = (/** @type {number} */ minutes) => new Date(sim.clock.now() + minutes * MINUTE).toISOString();
	const create = (/** @type {any} */ expirationDateTime) => graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA, { expirationDateTime }));
	const short = await create(at(5));
	assert.equal(short.status, 201);
	const granted = (Date.parse(short.json.expirationDateTime) - sim.clock.now()) / MINUTE;
	assert.ok(granted > 44 && granted < 46, String(granted));
	await graph.ask('DELETE', `/subscriptions/${short.json.id}`);
	const far = await create(at(10_100));
	assert.equal(far.status, 400);
	assert.equal(far.json.error.message, 'Subscription expiration can only be 10080 minutes in the future.');
	for (const bad of ['2026-11-30T07:30:00', 'tomorrow', 5, at(-5)])
		assert.equal((await create(bad)).json.error.code, 'InvalidRequest');
	await sim.control('POST', '/control/settings', { graph: { expiry: { beyondMax: 'clamp' } } });
	const clamped = await create(at(20_000));
	assert.ok(Math.abs(Date.parse(clamped.json.expirationDateTime) - sim.clock.now() - 10_080 * MINUTE) < 5000);
	await graph.ask('DELETE', `/subscriptions/${clamped.json.id}`);
	const offset = new Date(sim.clock.now() + 8 * 3600_000).toISOString().replace('Z', '0000+05:30');
	const zoned = await create(offset);
	assert.equal(Date.parse(zoned.json.expirationDateTime), Date.parse(offset.replace('0000+', '+')));
});

test('a broken payload is refused before anything is asked', async (t) => {
	const { sim, hook, graph } = await setUp(t, { settings: { validate: 'off' } });
	for (const change of [{ changeType: 'moved' }, { resource: 'me/events' }, { resource: 5 }, { notificationUrl: 'ftp://x' }, { clientState: 'x'.repeat(129) }])
		assert.equal((await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA, change))).status, 400);
	assert.equal((await graph.ask('POST', '/subscriptions', '{"x"', { 'Content-Type': 'application/json' })).status, 400);
	assert.equal(hook.handshakes.length, 0);
});

test('get, renew, reauthorize, delete; clientState is shown once only', async (t) => {
	const { sim, hook, graph } = await setUp(t);
	const { id } = (await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA))).json;
	assert.equal((await graph.ask('GET', `/subscriptions/${id}`)).json.clientState, null);
	await sim.control('POST', '/control/clock', { advanceMs: 3 * 86400_000 });
	const again = await graphOf(sim);
	const until = new Date(sim.clock.now() + 10_000 * MINUTE).toISOString();
	const renewed = await again.ask('PATCH', `/subscriptions/${id}`, { expirationDateTime: until });
	assert.equal(renewed.status, 200);
	assert.equal(Date.parse(renewed.json.expirationDateTime), Date.parse(until));
	assert.equal(renewed.json.clientState, null);
	assert.equal(hook.handshakes.length, 2, 'a renewal asks nothing by default');
	assert.equal((await again.ask('POST', `/subscriptions/${id}/reauthorize`)).status, 204);
	assert.equal((await again.ask('GET', `/subscriptions/${id}`)).json.expirationDateTime, renewed.json.expirationDateTime);
	assert.equal((await again.ask('PATCH', `/subscriptions/${id}`, { lifecycleNotificationUrl: `${hook.url}/other` })).status, 400);
	assert.equal((await again.ask('DELETE', `/subscriptions/${id}`)).status, 204);
	for (const [method, path] of [['GET', ''], ['DELETE', ''], ['POST', '/reauthorize']]) {
		const gone = await again.ask(method, `/subscriptions/${id}${path}`);
		assert.equal(gone.status, 404);
		assert.deepEqual([gone.json.error.code, gone.json.error.message], ['ResourceNotFound', 'The object was not found.']);
	}
	assert.equal((await again.ask('PATCH', `/subscriptions/${id}`, { expirationDateTime: until })).status, 404);
});

test('switched on, a renewal asks the endpoint too', async (t) => {
	const { sim, hook, graph } = await setUp(t, { settings: { graph: { handshake: { onRenew: true } } } });
	const { id } = (await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA))).json;
	await graph.ask('PATCH', `/subscriptions/${id}`, { expirationDateTime: new Date(sim.clock.now() + 100 * MINUTE).toISOString() });
	assert.equal(hook.handshakes.length, 3);
});

test('it expires by the virtual clock and then is 404', async (t) => {
	const { sim, hook, graph } = await setUp(t, { settings: { entra: { expiresIn: 90_000_000 } } });
	const { id } = (await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA))).json;
	await sim.control('POST', '/control/clock', { advanceMs: 10_064 * MINUTE });
	assert.equal((await graph.ask('GET', `/subscriptions/${id}`)).status, 200);
	await sim.control('POST', '/control/clock', { advanceMs: 2 * MINUTE });
	assert.equal((await graph.ask('GET', `/subscriptions/${id}`)).status, 404);
	assert.equal((await sim.control('GET', '/control/counters')).subscriptions.expired, 1);
	assert.equal((await sim.control('GET', '/control/subscriptions?gone=1'))[0].gone, 'expired');
});

test('the list: own tenant only, pages with a next link, clientState null, no query options', async (t) => {
	const { sim, hook, graph } = await setUp(t, { settings: { graph: { subscriptionPageSize: 2 } } });
	for (const changeType of ['created', 'updated', 'deleted', 'created,updated', 'created,deleted'])
		assert.equal((await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA, { changeType }))).status, 201);
	const other = await graphOf(sim, TENANT_B);
	await other.ask('POST', '/subscriptions', subscriptionBody(sim, hook, CARLA));
	const seen = [];
	let url = '/subscriptions';
	let pages = 0;
	while (url !== undefined) {
		const page = (await graph.ask('GET', url)).json;
		seen.push(...page.value);
		url = page['@odata.nextLink'];
		pages++;
	}
	assert.equal(pages, 3);
	assert.equal(new Set(seen.map((s) => s.id)).size, 5);
	assert.ok(seen.every((s) => s.clientState === null));
	assert.equal((await other.ask('GET', '/subscriptions')).json.value.length, 1);
	assert.equal((await other.ask('GET', `/subscriptions/${seen[0].id}`)).status, 404);
	await sim.control('POST', '/control/settings', { graph: { subscriptionList: 'empty' } });
	assert.deepEqual((await graph.ask('GET', '/subscriptions')).json.value, []);
	await sim.control('POST', '/control/settings', { graph: { subscriptionList: 'stale', subscriptionPageSize: 100 } });
	await graph.ask('DELETE', `/subscriptions/${seen[0].id}`);
	assert.equal((await graph.ask('GET', '/subscriptions')).json.value.length, 5);
	assert.equal((await graph.ask('GET', '/subscriptions?$top=1')).status, 400);
});

test('the owner of the mailbox is deleted: neither readable nor deletable, but listed', async (t) => {
	const { sim, hook, graph } = await setUp(t);
	const { id } = (await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA))).json;
	await sim.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'deleted' });
	assert.equal((await graph.ask('GET', `/subscriptions/${id}`)).json.error.message, 'There was an error processing a storage extension.');
	const reply = await graph.ask('DELETE', `/subscriptions/${id}`);
	assert.equal(reply.status, 404);
	assert.match(reply.json.error.message, /^Operation: Delete; Exception: \[Status Code: NotFound; Reason: The requested user '.+@.+' is invalid\.\]$/);
	assert.equal((await graph.ask('GET', '/subscriptions')).json.value.length, 1);
});

test('no token, a foreign one, a revoked one: 401', async (t) => {
	const { sim, graph } = await setUp(t);
	const { call } = await import('./testkit.js');
	const none = await call('GET', `${sim.urls.graph}/v1.0/subscriptions`);
	assert.equal(none.status, 401);
	assert.equal(none.json.error.message, 'Access token is empty.');
	assert.match(none.headers['www-authenticate'] ?? '', /^Bearer realm=""/);
	const bad = await call('GET', `${sim.urls.graph}/v1.0/subscriptions`, { headers: { Authorization: 'Bearer x.y.z' } });
	assert.match(bad.json.error.message, /^CompactToken parsing failed/);
	await sim.control('POST', '/control/tokens/revoke', { tenant: TENANT_A });
	assert.equal((await graph.ask('GET', '/subscriptions')).status, 401);
});

test('every answer carries request-id, the echoed client-request-id and a virtual Date', async (t) => {
	const { sim, graph } = await setUp(t);
	await sim.control('POST', '/control/clock', { offsetMs: 1000 * 3600 });
	const reply = await graph.ask('GET', `/users/${ANNA}/events/AAMkAAAAAAAAAAAAAAAAAAAAAAAA`, undefined, { 'client-request-id': 'abc' });
	assert.equal(reply.headers['client-request-id'], 'abc');
	assert.match(String(reply.headers['request-id']), /^[0-9a-f-]{36}$/);
	assert.ok(reply.headers['x-ms-ags-diagnostic']);
	assert.ok(Math.abs(Date.parse(reply.headers.date ?? '') - Date.now() - 3600_000) < 3000);
	assert.equal(reply.json.error.innerError['client-request-id'], 'abc');
	assert.equal(reply.json.error.innerError['request-id'], reply.headers['request-id']);
});
