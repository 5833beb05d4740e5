// @ts-check
/* One whole story over HTTP: what the demo will do with the real programs in between. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, call, graphOf, simulator, subscriptionBody, unbluOf, webhook } from './testkit.js';

const IMMUTABLE = { Prefer: 'IdType="ImmutableId", outlook.timezone="UTC"' };

test('an event is made, linked, renamed, moved and deleted, and everything can be seen on the way', async (t) => {
	const sim = await simulator(t);
	const hook = await webhook(t);
	const graph = await graphOf(sim);
	const made = await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA), IMMUTABLE);
	assert.equal(made.status, 201);
	assert.equal(hook.handshakes.length, 2);

	const { event } = (await call('POST', `${sim.urls.control}/control/actions`, { body: { action: 'create', mailbox: ANNA, subject: 'Beratung Müller', start: '2026-12-01T09:00:00Z' } })).json;
	const pressed = await sim.control('POST', '/control/button', { mailbox: ANNA, event: event.immutableId });
	await sim.control('GET', '/control/idle');
	assert.ok(hook.items.length >= 2);
	assert.ok(hook.items.every((/** @type {any} */ i) => i.subscriptionId === made.json.id));

	const expand = `singleValueExtendedProperties($filter=id eq 'String {00020329-0000-0000-C000-000000000046} Name cecp-${sim.directory.clientId}')`;
	const read = await graph.ask('GET', `/users/${ANNA}/events/${event.immutableId}?$select=id,subject,start,end&$expand=${encodeURIComponent(expand)}`, undefined, IMMUTABLE);
	assert.equal(read.status, 200);
	assert.equal(read.json.subject, 'Beratung Müller');
	assert.deepEqual(read.json.start, { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' });
	const unblu = JSON.parse(JSON.parse(read.json.singleValueExtendedProperties[0].value).unblu);
	assert.equal(unblu.conversationId, pressed.conversation.id);
	assert.equal(unblu.sourceId, pressed.sourceId);

	const agent = await unbluOf(sim);
	const found = await agent.ask('GET', `conversations/${unblu.conversationId}/read`);
	assert.equal(found.json.topic, 'Beratung Müller');
	assert.equal(found.json.scheduledTimestamp, Date.parse('2026-12-01T09:00:00Z'));
	assert.equal((await agent.ask('POST', `conversations/${unblu.conversationId}/setTopic`, { topic: 'Neuer Titel' })).status, 200);
	assert.equal((await agent.ask('POST', `conversations/${unblu.conversationId}/setScheduledTimestamp`, { scheduledTimestamp: Date.parse('2026-12-02T09:00:29Z') })).json.scheduledTimestamp, Date.parse('2026-12-02T09:00:00Z'));
	assert.equal((await agent.ask('GET', `conversationhistory/${unblu.conversationId}/read`)).json.participants.length, 1);

	await sim.control('POST', '/control/actions', { action: 'delete', mailbox: ANNA, event: event.immutableId });
	await sim.control('GET', '/control/idle');
	assert.ok(hook.items.some((/** @type {any} */ i) => i.changeType === 'deleted'));
	assert.equal((await graph.ask('GET', `/users/${ANNA}/events/${event.immutableId}`, undefined, IMMUTABLE)).json.error.code, 'ErrorItemNotFound');
	assert.equal((await agent.ask('DELETE', `conversations/${unblu.conversationId}/delete`)).status, 204);
	assert.equal((await agent.ask('GET', `conversations/${unblu.conversationId}/read`)).status, 404);

	const seen = await sim.control('GET', `/control/conversations/${unblu.conversationId}`);
	assert.deepEqual(seen.ledger.map((/** @type {any} */ w) => w.op), ['create', 'setTopic', 'setScheduledTimestamp', 'delete']);
	const report = await sim.control('GET', '/control/violations');
	assert.deepEqual(report.violations, []);
	assert.deepEqual(sim.errors, []);
});
