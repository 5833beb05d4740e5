// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, BEN, simulator, unbluOf } from './testkit.js';

const UPN = 'anna@alpinebank.example';
const START = Date.parse('2026-12-01T09:00:00Z');

/** @param {any} t @param {any} [options] */
async function setUp(t, options) {
	const sim = await simulator(t, options);
	const admin = await unbluOf(sim);
	const agent = await unbluOf(sim, UPN);
	const person = (await agent.ask('GET', 'authenticator/getCurrentPerson')).json;
	/** @param {any} [change] */
	const body = (change = {}) => ({
		$_type: 'ConversationCreationData', initialEngagementType: 'SCHEDULED_CONVERSATION', topic: 'Review', scheduledTimestamp: START, sourceId: 'outlook-addin:1', locale: 'de-CH',
		participants: [{ $_type: 'ConversationCreationParticipantData', personId: person.id, participationType: 'ASSIGNED_AGENT' }], ...change,
	});
	/** @param {any} [change] */
	const create = (change) => agent.ask('POST', 'conversations/create?expand=metadata', body(change));
	return { sim, admin, agent, person, body, create };
}

/** @param {any} reply @param {number} status @param {RegExp} [words] */
function assertError(reply, status, words = /./) {
	assert.equal(reply.status, status, reply.text);
	const { json } = reply;
	assert.equal(json.$_type, 'Error');
	assert.equal(json.statusCode, status);
	assert.match(json.errorMessage, words);
}

test('creating: state CREATED, links with the public one, times rounded, nulls and empty lists', async (t) => {
	const { sim, create, person } = await setUp(t);
	const { status, json } = await create({ scheduledTimestamp: START + 30_000, metadata: { 'outlookAddin.schema': '1' } });
	assert.equal(status, 200);
	assert.match(json.id, /^[A-Za-z0-9_-]{22}$/);
	assert.equal(json.state, 'CREATED');
	assert.equal(json.scheduledTimestamp, START + 60_000, 'half a minute rounds up');
	assert.deepEqual(json.links.map((/** @type {any} */ l) => l.type), ['OPEN_IN_AGENT_DESK', 'OPEN_IN_AGENT_SINGLE_VIEW', 'OPEN_PUBLIC_LINK']);
	assert.deepEqual(json.participants, [{ $_type: 'ParticipantData', state: 'ACTIVE', personId: person.id, hidden: false, conversationStarred: false, participationType: 'ASSIGNED_AGENT' }]);
	assert.deepEqual([json.externalParticipants, json.botParticipants, json.endReason, json.configuration], [[], [], null, null]);
	assert.equal(json.metadata['outlookAddin.schema'], '1');
	assert.match(json.metadata.$_version, /^[0-9a-f]{32}$/);
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('what create refuses', async (t) => {
	const { sim, admin, agent, create, body, person } = await setUp(t);
	const visitor = sim.people.addVisitor('Guest');
	const ben = sim.people.findAgent(BEN);
	const part = (/** @type {any} */ p, type = 'ASSIGNED_AGENT') => ({ $_type: 'ConversationCreationParticipantData', personId: p.id, participationType: type });
	assertError(await create({ topic: undefined }), 400, /topic is mandatory/);
	assertError(await create({ topic: '  ' }), 400);
	assertError(await create({ topic: 'x'.repeat(251) }), 400, /250/);
	assert.equal((await create({ topic: '😀'.repeat(250), sourceId: 'emoji' })).status, 200, 'code points count');
	assertError(await create({ participants: [] }), 400);
	assertError(await create({ participants: undefined }), 400);
	assertError(await create({ participants: [{ personId: 'nobody', participationType: 'ASSIGNED_AGENT' }] }), 400);
	assertError(await create({ participants: [part(visitor)] }), 400, /Assignee must be an agent/);
	assertError(await create({ participants: [part(sim.people.bot)] }), 400, /Assignee must be an agent/);
	assertError(await create({ initialEngagementType: 'WHITEBOARD_INVITE' }), 400, /scheduledTimestamp/);
	assertError(await create({ participants: [part(ben)] }), 403);
	assertError(await create({ participants: [part(person), part(ben, 'SECONDARY_AGENT')] }), 403);
	assertError(await create({ initialEngagementType: 'CHAT_REQUEST', scheduledTimestamp: undefined, sourceId: undefined }), 403);
	assert.equal((await admin.ask('POST', 'conversations/create', body({ participants: [part(ben)], sourceId: 'by-admin' }))).status, 200);
	assertError(await agent.ask('POST', 'conversations/create', '[1]', { 'Content-Type': 'application/json' }), 400, /not a JSON object/);
});

test('a sourceId is unique among those not ended: 400, or 409 when switched', async (t) => {
	const { sim, agent, create } = await setUp(t);
	const first = (await create()).json;
	assertError(await create(), 400, /already exists/);
	await sim.control('POST', '/control/settings', { unblu: { duplicateSourceStatus: 409 } });
	assertError(await create(), 409);
	assert.equal((await agent.ask('GET', 'conversations/getBySourceIdAndChannelId?sourceId=outlook-addin%3A1')).json.id, first.id);
	await agent.ask('POST', `conversations/${first.id}/end`, { reason: 'CANCELED' });
	assertError(await agent.ask('GET', 'conversations/getBySourceIdAndChannelId?sourceId=outlook-addin%3A1'), 404);
	assert.equal((await create()).status, 200);
});

test('the public link can be off; a newer server adds unknown fields, links and values', async (t) => {
	const { sim, create } = await setUp(t);
	await sim.control('POST', '/control/settings', { unblu: { publicLink: false } });
	assert.ok((await create()).json.links.every((/** @type {any} */ l) => l.type !== 'OPEN_PUBLIC_LINK'));
	await sim.control('POST', '/control/settings', { unblu: { publicLink: true, futureFields: true } });
	const { json } = await create({ sourceId: 'b' });
	assert.equal(json.links[0].type, 'OPEN_AS_GHOST_IN_AGENT_DESK');
	assert.ok(json.someFutureField);
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('setTopic and setScheduledTimestamp', async (t) => {
	const { sim, admin, create } = await setUp(t);
	const { id } = (await create()).json;
	assert.equal((await admin.ask('POST', `conversations/${id}/setTopic`, { topic: 'New' })).json.topic, 'New');
	assertError(await admin.ask('POST', `conversations/${id}/setTopic`, { topic: null }), 400);
	assertError(await admin.ask('POST', `conversations/${id}/setTopic`, { topic: ' ' }), 400);
	assert.equal((await admin.ask('POST', `conversations/${id}/setScheduledTimestamp`, { scheduledTimestamp: START + 29_999 })).json.scheduledTimestamp, START);
	assert.equal((await admin.ask('POST', `conversations/${id}/setScheduledTimestamp`, { scheduledTimestamp: START - 30_000 })).json.scheduledTimestamp, START);
	assertError(await admin.ask('POST', `conversations/${id}/setScheduledTimestamp`, {}), 400);
	assertError(await admin.ask('POST', 'conversations/unknown/setTopic', { topic: 'x' }), 404);
	await sim.control('POST', `/control/conversations/${id}/edit`, { initialEngagementType: 'CHAT_INVITE' });
	assertError(await admin.ask('POST', `conversations/${id}/setScheduledTimestamp`, { scheduledTimestamp: START }), 400);
});

test('the matrix of who may change: participants, or listed participation types, or an administrator', async (t) => {
	const { sim, agent, admin, create } = await setUp(t);
	const ben = await unbluOf(sim, 'ben@alpinebank.example');
	const { id } = (await create()).json;
	const tryBoth = async (/** @type {any} */ who) => [(await who.ask('POST', `conversations/${id}/setTopic`, { topic: 'x' })).status, (await who.ask('POST', `conversations/${id}/setScheduledTimestamp`, { scheduledTimestamp: START })).status];
	assert.deepEqual(await tryBoth(agent), [200, 200]);
	assert.deepEqual(await tryBoth(ben), [403, 403]);
	await sim.control('POST', `/control/conversations/${id}/join`, { agent: BEN });
	assert.deepEqual(await tryBoth(ben), [200, 200], 'a participant, property true');
	await sim.control('POST', '/control/settings', { unblu: { allowNonAdminTopic: false, allowNonAdminTime: false } });
	assert.deepEqual(await tryBoth(agent), [200, 200], 'the assigned agent is listed');
	const refused = await ben.ask('POST', `conversations/${id}/setTopic`, { topic: 'x' });
	assertError(refused, 403, /allowNonAdminUsersChangeConversationTopicViaWebApi/);
	assert.deepEqual(await tryBoth(ben), [403, 403]);
	await sim.control('POST', '/control/settings', { unblu: { topicParticipations: [], timeParticipations: ['SECONDARY_AGENT'] } });
	assert.deepEqual(await tryBoth(agent), [403, 403]);
	assert.deepEqual(await tryBoth(ben), [403, 200]);
	assert.deepEqual(await tryBoth(admin), [200, 200]);
});

test('reading and history: participants and administrators only', async (t) => {
	const { sim, agent, admin, create, person } = await setUp(t);
	const ben = await unbluOf(sim, 'ben@alpinebank.example');
	const { id } = (await create()).json;
	for (const path of [`conversations/${id}/read`, `conversationhistory/${id}/read`]) {
		assert.equal((await agent.ask('GET', path)).status, 200);
		assert.equal((await admin.ask('GET', path)).status, 200);
		assertError(await ben.ask('GET', path), 403);
		assertError(await admin.ask('GET', path.replace(id, 'nowhere')), 404);
	}
	await sim.control('POST', `/control/conversations/${id}/join`, { name: 'Guest' });
	await sim.control('POST', `/control/conversations/${id}/join`, { bot: true });
	await sim.control('POST', `/control/conversations/${id}/join`, { name: 'Messenger', external: true });
	await sim.control('POST', `/control/conversations/${id}/message`, { text: 'Hi' });
	const during = (await admin.ask('GET', `conversations/${id}/read`)).json;
	assert.deepEqual([during.participants.length, during.externalParticipants.length, during.botParticipants.length], [2, 1, 1]);
	await sim.control('POST', `/control/conversations/${id}/leave`);
	await sim.control('POST', `/control/conversations/${id}/leave`);
	const after = (await admin.ask('GET', `conversations/${id}/read`)).json;
	assert.deepEqual([after.participants.length, after.externalParticipants.length], [1, 0]);
	const history = (await admin.ask('GET', `conversationhistory/${id}/read`)).json;
	assert.deepEqual([history.participants.length, history.externalParticipants.length, history.botParticipants.length], [2, 1, 1]);
	assert.equal(history.participants[0].person.id, person.id);
	assert.equal(history.participants[1].person.personType, 'VISITOR');
	assert.ok(history.participants[1].leftTimestamp > 0);
	assert.ok(history.lastMessageTimestamp > 0);
	await sim.control('POST', '/control/settings', { unblu: { history: 'ended-only', leftParticipants: 'ended' } });
	assertError(await admin.ask('GET', `conversationhistory/${id}/read`), 404);
	assert.deepEqual((await admin.ask('GET', `conversations/${id}/read`)).json.participants.map((/** @type {any} */ p) => p.state), ['ACTIVE', 'ENDED']);
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('deleting: an agent only what nobody touched, an administrator anything', async (t) => {
	const { sim, agent, admin, create } = await setUp(t);
	const one = (await create({ sourceId: 'd1' })).json.id;
	assert.equal((await agent.ask('DELETE', `conversations/${one}/delete`)).status, 204);
	assertError(await agent.ask('DELETE', `conversations/${one}/delete`), 404);
	assertError(await agent.ask('GET', `conversations/${one}/read`), 404);
	const two = (await create({ sourceId: 'd2' })).json.id;
	await sim.control('POST', `/control/conversations/${two}/join`, {});
	assertError(await agent.ask('DELETE', `conversations/${two}/delete`), 403, /other participants/);
	await sim.control('POST', `/control/conversations/${two}/leave`);
	assertError(await agent.ask('DELETE', `conversations/${two}/delete`), 403, /had other participants/);
	assert.equal((await admin.ask('DELETE', `conversations/${two}/delete`)).status, 204);
	const three = (await create({ sourceId: 'd3' })).json.id;
	await sim.control('POST', `/control/conversations/${three}/message`, { bot: true });
	await sim.control('POST', `/control/conversations/${three}/message`, {});
	assertError(await agent.ask('DELETE', `conversations/${three}/delete`), 403, /messages/);
	const four = (await create({ sourceId: 'd4' })).json.id;
	await sim.control('POST', `/control/conversations/${four}/message`, { bot: true });
	assert.equal((await agent.ask('DELETE', `conversations/${four}/delete`)).status, 204, 'messages of bots do not count');
	const seen = await sim.control('GET', `/control/conversations/${two}`);
	assert.deepEqual([seen.deleted, seen.ledger.map((/** @type {any} */ w) => w.op)], [true, ['create', 'delete']]);
});

test('starting and ending', async (t) => {
	const { sim, agent, admin, create } = await setUp(t);
	const { id } = (await create()).json;
	await sim.control('POST', `/control/conversations/${id}/start`);
	assert.equal((await admin.ask('GET', `conversations/${id}/read`)).json.state, 'ACTIVE');
	const ended = (await agent.ask('POST', `conversations/${id}/end`, { reason: 'CANCELED', comment: 'c' })).json;
	assert.deepEqual([ended.state, ended.endReason], ['ENDED', 'CANCELED']);
	assert.ok(ended.endTimestamp > 0);
	assertError(await agent.ask('POST', `conversations/${id}/end`, { reason: 'CANCELED' }), 400);
	assertError(await admin.ask('POST', `conversations/${id}/setTopic`, { topic: 'late' }), 400);
	const history = (await admin.ask('GET', `conversationhistory/${id}/read`)).json;
	assert.deepEqual(history.stateChanges.map((/** @type {any} */ s) => s.state), ['CREATED', 'ONBOARDING', 'ACTIVE', 'OFFBOARDING', 'ENDED']);
	assert.equal(history.endComment, 'c');
});

test('metadata: administrators, with the version that was read', async (t) => {
	const { sim, agent, admin, create } = await setUp(t);
	const { id, metadata } = (await create()).json;
	assert.equal(metadata.$_version, 'd41d8cd98f00b204e9800998ecf8427e', 'the empty map');
	assertError(await agent.ask('POST', `conversations/${id}/updateMetadata`, metadata), 403);
	assertError(await admin.ask('POST', `conversations/${id}/updateMetadata`, { a: '1' }), 400, /missing '\$_version' key/);
	const changed = await admin.ask('POST', `conversations/${id}/updateMetadata?expand=metadata`, { ...metadata, a: '1' });
	assert.equal(changed.json.metadata.a, '1');
	assertError(await admin.ask('POST', `conversations/${id}/updateMetadata`, { ...metadata, a: '2' }), 409);
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('search: filters are ANDed, agents see their own, pages tell what follows', async (t) => {
	const { sim, agent, admin, create } = await setUp(t);
	for (let i = 0; i < 5; i++)
		await create({ sourceId: `outlook-addin:${i}`, scheduledTimestamp: START + i * 3600_000, topic: `T${i}` });
	await create({ sourceId: 'other:1' });
	const query = (/** @type {any[]} */ searchFilters, more = {}) => ({ $_type: 'ConversationQuery', searchFilters, ...more });
	const bySource = (/** @type {string} */ value) => ({ $_type: 'SourceIdConversationSearchFilter', field: 'SOURCE_ID', operator: { $_type: 'StartsWithIdOperator', type: 'STARTS_WITH', value } });
	const byState = { $_type: 'StateConversationSearchFilter', field: 'STATE', operator: { $_type: 'EqualsConversationStateOperator', type: 'EQUALS', value: 'CREATED' } };
	const page = (await agent.ask('POST', 'conversations/search', query([bySource('outlook-addin:'), byState], { offset: 0, limit: 2, orderBy: [{ $_type: 'ConversationOrderBy', field: 'SCHEDULED_TIMESTAMP', order: 'DESCENDING' }] }))).json;
	assert.deepEqual([page.items.map((/** @type {any} */ c) => c.topic), page.hasMoreItems, page.nextOffset], [['T4', 'T3'], true, 2]);
	const range = { $_type: 'ScheduledTimestampConversationSearchFilter', field: 'SCHEDULED_TIMESTAMP', operator: { $_type: 'InRangeTimestampOperator', type: 'IN_RANGE', minimum: START, maximum: START + 3600_000 } };
	assert.equal((await admin.ask('POST', 'conversations/search', query([range]))).json.items.length, 3);
	const exact = { $_type: 'SourceIdConversationSearchFilter', field: 'SOURCE_ID', operator: { $_type: 'EqualsIdOperator', type: 'EQUALS', value: 'other:1' } };
	assert.equal((await agent.ask('POST', 'conversations/search', query([exact]))).json.items.length, 1);
	const ben = await unbluOf(sim, 'ben@alpinebank.example');
	assert.equal((await ben.ask('POST', 'conversations/search', query([]))).json.items.length, 0);
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('people: by user name, by source, by search', async (t) => {
	const { sim, admin, person } = await setUp(t);
	const user = (await admin.ask('GET', `users/getByUsername?username=${UPN}`)).json;
	assert.equal(user.username, UPN);
	assert.equal((await admin.ask('GET', `persons/getBySource?personSource=USER_DB&sourceId=${user.id}`)).json.id, person.id);
	assert.deepEqual([person.personType, person.authorizationRole, person.email], ['AGENT', 'REGISTERED_USER', UPN]);
	assertError(await admin.ask('GET', 'users/getByUsername?username=nobody'), 404);
	const found = (await admin.ask('POST', 'persons/searchAgents', { $_type: 'PersonTypedQuery', searchFilters: [{ $_type: 'EmailPersonTypedSearchFilter', field: 'EMAIL', operator: { $_type: 'EqualsStringOperator', type: 'EQUALS', value: UPN } }] })).json;
	assert.deepEqual(found.items.map((/** @type {any} */ p) => p.id), [person.id]);
	assert.equal((await admin.ask('GET', 'conversationtemplates/getDefaultTemplateByEngagementType?initialEngagementType=SCHEDULED_CONVERSATION')).json.initialEngagementType, 'SCHEDULED_CONVERSATION');
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('global: ping for everybody, 503 when not ready; productVersion for users', async (t) => {
	const { sim, admin } = await setUp(t);
	const { call } = await import('./testkit.js');
	assert.equal((await call('GET', `${sim.urls.rest}/global/ping`)).json.$_type, 'GlobalPingResponse');
	await sim.control('POST', '/control/settings', { unblu: { ready: false } });
	assert.equal((await call('GET', `${sim.urls.rest}/global/ping`)).status, 503);
	assert.equal((await admin.ask('GET', 'global/productVersion')).json.$_type, 'ProductVersion');
	assertError(await call('GET', `${sim.urls.rest}/global/productVersion`), 401);
});

test('the button in one call, and without the property', async (t) => {
	const { sim } = await setUp(t);
	const { event } = await sim.control('POST', '/control/actions', { action: 'create', mailbox: ANNA, subject: '' });
	const pressed = await sim.control('POST', '/control/button', { mailbox: UPN, event: event.restId });
	assert.equal(pressed.conversation.topic, 'Meeting');
	assert.ok(pressed.event.body.includes(pressed.url));
	const { event: second } = await sim.control('POST', '/control/actions', { action: 'create', mailbox: ANNA, subject: 's' });
	assert.equal((await sim.control('POST', '/control/button', { mailbox: ANNA, event: second.restId, noProperty: true })).event, undefined);
	await assert.rejects(sim.control('POST', '/control/button', { mailbox: ANNA, event: 'x' }));
});
