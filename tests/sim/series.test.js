// @ts-check
/* Series: occurrences in windows, exceptions, daylight saving, single and back. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, graphOf, simulator, subscriptionBody, webhook } from './testkit.js';

const IMMUTABLE = { Prefer: 'IdType="ImmutableId"' };

/** @param {any} t @param {any} [settings] */
async function setUp(t, settings = {}) {
	const sim = await simulator(t, { settings: { graph: { notify: { profile: 'none' }, ...settings } } });
	const graph = await graphOf(sim);
	const get = (/** @type {string} */ path, /** @type {any} */ headers) => graph.ask('GET', `/users/${ANNA}${path}`, undefined, headers);
	const act = async (/** @type {any} */ action) => sim.control('POST', '/control/actions', { mailbox: ANNA, ...action });
	/** Short starts of the occurrences in a window. @param {string} id @param {string} from @param {string} to @param {string} [more] */
	const starts = async (id, from, to, more = '&$top=100') => {
		const { json, status } = await get(`/events/${id}/instances?startDateTime=${from}T00:00:00Z&endDateTime=${to}T00:00:00Z&$select=start,end,isCancelled,type${more}`, IMMUTABLE);
		assert.equal(status, 200, JSON.stringify(json));
		return json.value.map((/** @type {any} */ o) => o.start.dateTime.slice(0, 16));
	};
	const series = async (/** @type {any} */ pattern, /** @type {any} */ more = {}) => (await act({
		action: 'create', subject: 's', start: '2027-03-02T09:00:00Z', end: '2027-03-02T09:30:00Z', recurrence: { pattern: { interval: 1, ...pattern }, range: { type: 'noEnd', startDate: '2027-03-02', ...more.range } }, ...more.event,
	})).event;
	return { sim, graph, get, act, starts, series };
}

test('a window holds what overlaps it; an exception counts where it was moved to', async (t) => {
	const { sim, act, starts, series } = await setUp(t);
	const e = await series({ type: 'weekly' });
	assert.deepEqual(await starts(e.immutableId, '2027-03-09', '2027-03-10'), ['2027-03-09T09:00']);
	assert.deepEqual(await starts(e.immutableId, '2027-03-10', '2027-03-16'), []);
	await act({ action: 'editOccurrence', event: e.immutableId, date: '2027-03-09', start: '2027-03-12T23:30:00Z', end: '2027-03-13T00:30:00Z' });
	assert.deepEqual(await starts(e.immutableId, '2027-03-09', '2027-03-10'), [], 'moved out of the window');
	assert.deepEqual(await starts(e.immutableId, '2027-03-12', '2027-03-13'), ['2027-03-12T23:30'], 'moved into it');
	assert.deepEqual(await starts(e.immutableId, '2027-03-13', '2027-03-14'), ['2027-03-12T23:30'], 'still in progress at its begin');
	await act({ action: 'editOccurrence', event: e.immutableId, date: '2027-12-28', start: '2027-03-05T10:00:00Z' });
	assert.deepEqual(await starts(e.immutableId, '2027-03-03', '2027-03-08'), ['2027-03-05T10:00'], 'from far away');
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('an occurrence of long ago is no reason not to find those of today', async (t) => {
	const { act, starts } = await setUp(t);
	const { event } = await act({ action: 'create', start: '2015-01-01T09:00:00Z', recurrence: { pattern: { type: 'daily', interval: 1 }, range: { type: 'noEnd', startDate: '2015-01-01' } } });
	assert.deepEqual(await starts(event.immutableId, '2027-03-01', '2027-03-03'), ['2027-03-01T09:00', '2027-03-02T09:00']);
});

test('a window of more than 1,825 days is refused, for instances and views', async (t) => {
	const { get, series } = await setUp(t);
	const e = await series({ type: 'weekly' });
	for (const what of [`/events/${e.immutableId}/instances`, '/calendarView']) {
		const good = await get(`${what}?startDateTime=2027-01-01T00:00:00Z&endDateTime=2031-12-31T00:00:00Z&$select=id`);
		assert.equal(good.status, 200);
		const { status, json } = await get(`${what}?startDateTime=2027-01-01T00:00:00Z&endDateTime=2032-01-01T00:00:00Z&$select=id`);
		assert.deepEqual([status, json.error.code], [400, 'ErrorInvalidRequest']);
		assert.match(json.error.message, /1825/);
	}
	assert.equal((await get(`/events/${e.immutableId}/instances`)).json.error.code, 'ErrorInvalidParameter');
});

test('pages of instances, shuffled if asked for, hold each occurrence once', async (t) => {
	const { graph, get, starts, series } = await setUp(t, { instanceOrder: 'shuffled' });
	const e = await series({ type: 'daily' });
	const path = `/events/${e.immutableId}/instances?startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-04-11T00:00:00Z&$select=start`;
	const all = [];
	for (let page = (await get(`${path}&$top=15`)).json; ; page = (await graph.ask('GET', page['@odata.nextLink'])).json) {
		assert.ok(page.value.length <= 15);
		all.push(...page.value.map((/** @type {any} */ o) => o.start.dateTime));
		if (page['@odata.nextLink'] === undefined)
			break;
	}
	assert.equal(new Set(all).size, 40);
	assert.equal(all.length, 40);
	assert.notDeepEqual(all, [...all].sort());
	assert.equal((await get(path)).json.value.length, 10, 'ten a page unless asked otherwise');
	assert.equal((await starts(e.immutableId, '2027-03-01', '2027-03-04')).length, 2);
});

test('occurrences keep their local time over a change of the clock, in the zone of the series', async (t) => {
	const { starts, series } = await setUp(t);
	const zurich = await series({ type: 'weekly' }, { event: { timeZone: 'Europe/Zurich' } });
	assert.deepEqual(await starts(zurich.immutableId, '2027-03-20', '2027-04-08'), ['2027-03-23T09:00', '2027-03-30T08:00', '2027-04-06T08:00'], 'summer time from 28 March');
	const york = await series({ type: 'weekly' }, { range: { recurrenceTimeZone: 'Eastern Standard Time' }, event: { timeZone: 'Europe/Zurich' } });
	assert.deepEqual(await starts(york.immutableId, '2027-03-08', '2027-03-24'), ['2027-03-09T09:00', '2027-03-16T08:00', '2027-03-23T08:00'], 'summer time from 14 March');
	const night = await series({ type: 'daily' }, { event: { timeZone: 'Europe/Zurich', start: '2027-03-02T22:00:00Z', end: '2027-03-03T04:00:00Z' } });
	assert.deepEqual(await starts(night.immutableId, '2027-03-28', '2027-03-29'), ['2027-03-27T22:00', '2027-03-28T21:00'], 'the night itself');
});

test('all-day occurrences are days, whatever the zone', async (t) => {
	const { get, starts, series } = await setUp(t);
	const e = await series({ type: 'weekly' }, { event: { isAllDay: true, timeZone: 'Europe/Zurich', start: '2027-03-22T00:00:00Z', end: '2027-03-23T00:00:00Z' } });
	assert.deepEqual(await starts(e.immutableId, '2027-03-20', '2027-04-08'), ['2027-03-22T00:00', '2027-03-29T00:00', '2027-04-05T00:00']);
	const { json } = await get(`/events/${e.immutableId}/instances?startDateTime=2027-03-28T00:00:00Z&endDateTime=2027-04-01T00:00:00Z&$select=start,end,isAllDay`);
	assert.deepEqual(json.value.map((/** @type {any} */ o) => [o.isAllDay, o.end.dateTime.slice(0, 16)]), [[true, '2027-03-30T00:00']]);
});

test('every pattern of Graph falls on its days', async (t) => {
	const { starts, series, act } = await setUp(t);
	const expected = /** @type {[any, string[]][]} */ ([
		[{ type: 'daily', interval: 100 }, ['2027-03-02', '2027-06-10', '2027-09-18', '2027-12-27']],
		[{ type: 'weekly', interval: 2, daysOfWeek: ['tuesday', 'sunday'], firstDayOfWeek: 'monday' }, ['2027-03-02', '2027-03-07', '2027-03-16', '2027-03-21']],
		[{ type: 'absoluteMonthly', dayOfMonth: 31 }, ['2027-03-31', '2027-04-30', '2027-05-31', '2027-06-30']],
		[{ type: 'relativeMonthly', daysOfWeek: ['tuesday'], index: 'second' }, ['2027-03-09', '2027-04-13', '2027-05-11', '2027-06-08']],
		[{ type: 'relativeMonthly', daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'], index: 'last' }, ['2027-03-31', '2027-04-30', '2027-05-31', '2027-06-30']],
		[{ type: 'absoluteYearly', month: 2, dayOfMonth: 29 }, ['2028-02-29', '2029-02-28', '2030-02-28', '2031-02-28']],
		[{ type: 'relativeYearly', month: 11, daysOfWeek: ['friday'], index: 'fourth' }, ['2027-11-26', '2028-11-24', '2029-11-23', '2030-11-22']],
	]);
	for (const [pattern, days] of expected) {
		const e = await series(pattern);
		assert.deepEqual((await starts(e.immutableId, '2027-03-01', '2031-12-31')).slice(0, 4).map((/** @type {string} */ s) => s.slice(0, 10)), days, pattern.type);
	}
	const odd = await series({ type: 'lunar' });
	await assert.rejects(act({ action: 'editOccurrence', event: odd.immutableId, date: '2027-03-02' }));
});

test('numbered and dated series end; deleted occurrences count, and are told', async (t) => {
	const { get, act, starts, series } = await setUp(t);
	const three = await series({ type: 'daily' }, { range: { type: 'numbered', numberOfOccurrences: 3 } });
	await act({ action: 'deleteOccurrence', event: three.immutableId, date: '2027-03-03' });
	assert.deepEqual(await starts(three.immutableId, '2027-03-01', '2027-04-01'), ['2027-03-02T09:00', '2027-03-04T09:00']);
	assert.deepEqual((await get(`/events/${three.immutableId}?$select=cancelledOccurrences`, IMMUTABLE)).json.cancelledOccurrences, [`OID.${three.immutableId}.2027-03-03`]);
	const until = await series({ type: 'daily' }, { range: { type: 'endDate', endDate: '2027-03-04' } });
	assert.equal((await starts(until.immutableId, '2027-03-01', '2027-04-01')).length, 3);
});

test('an exception has its own id, subject, flags, and no property unless it kept it', async (t) => {
	const { get, act, series } = await setUp(t);
	const e = await series({ type: 'daily' });
	const property = 'String {00020329-0000-0000-C000-000000000046} Name cecp-x';
	await act({ action: 'writeProperty', event: e.immutableId, property, value: '{}' });
	const expand = `$expand=${encodeURIComponent(`singleValueExtendedProperties($filter=id eq '${property}')`)}`;
	const changed = await act({ action: 'editOccurrence', event: e.immutableId, date: '2027-03-03', subject: 'other', isCancelled: true });
	const seen = (await get(`/events/${changed.occurrence.immutableId}?${expand}`, IMMUTABLE)).json;
	assert.deepEqual([seen.id, seen.type, seen.seriesMasterId, seen.subject, seen.isCancelled, seen.singleValueExtendedProperties], [changed.occurrence.immutableId, 'exception', e.immutableId, 'other', true, undefined]);
	await act({ action: 'editOccurrence', event: e.immutableId, date: '2027-03-03', keepsProperty: true, isAllDay: true, start: '2027-03-03T00:00:00Z', end: '2027-03-04T00:00:00Z' });
	const kept = (await get(`/events/${changed.occurrence.immutableId}?${expand}`, IMMUTABLE)).json;
	assert.deepEqual([kept.isAllDay, kept.singleValueExtendedProperties.length], [true, 1]);
	await assert.rejects(act({ action: 'editOccurrence', event: e.immutableId, date: '2027-03-01', subject: 'x' }), /no occurrence/);
	await act({ action: 'delete', event: e.immutableId });
	assert.equal((await get(`/events/${changed.occurrence.immutableId}`, IMMUTABLE)).json.error.code, 'ErrorItemNotFound');
	assert.equal((await get(`/events/${e.immutableId}/instances?startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-03-09T00:00:00Z`, IMMUTABLE)).json.error.code, 'ErrorItemNotFound');
});

test('a new time or pattern of a series resets its exceptions; a new subject does not', async (t) => {
	const { act, starts, series } = await setUp(t);
	const e = await series({ type: 'daily' });
	await act({ action: 'editOccurrence', event: e.immutableId, date: '2027-03-03', start: '2027-03-03T15:00:00Z' });
	await act({ action: 'deleteOccurrence', event: e.immutableId, date: '2027-03-04' });
	await act({ action: 'edit', event: e.immutableId, subject: 'renamed' });
	assert.deepEqual(await starts(e.immutableId, '2027-03-03', '2027-03-06'), ['2027-03-03T15:00', '2027-03-05T09:00']);
	await act({ action: 'edit', event: e.immutableId, start: '2027-03-02T10:00:00Z' });
	assert.deepEqual(await starts(e.immutableId, '2027-03-03', '2027-03-06'), ['2027-03-03T10:00', '2027-03-04T10:00', '2027-03-05T10:00']);
});

test('a series turned single and back keeps its id, or gets another one with the same property', async (t) => {
	const { sim, get, act, series } = await setUp(t);
	const property = 'String {00020329-0000-0000-C000-000000000046} Name cecp-x';
	const e = await series({ type: 'daily' });
	await act({ action: 'writeProperty', event: e.immutableId, property, value: '{"a":1}' });
	const single = (await act({ action: 'edit', event: e.immutableId, recurrence: null })).event;
	assert.deepEqual([single.immutableId, single.type], [e.immutableId, 'singleInstance']);
	assert.equal((await get(`/events/${e.immutableId}/instances?startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-03-09T00:00:00Z`, IMMUTABLE)).json.error.code, 'ErrorInvalidRequest');
	await sim.control('POST', '/control/settings', { graph: { seriesId: 'new' } });
	const back = (await act({ action: 'edit', event: e.immutableId, recurrence: e.recurrence, subject: 'again' })).event;
	assert.notEqual(back.immutableId, e.immutableId);
	assert.deepEqual([back.type, back.subject, Object.values(back.properties)], ['seriesMaster', 'again', ['{"a":1}']]);
	assert.equal((await get(`/events/${e.immutableId}`, IMMUTABLE)).json.error.code, 'ErrorItemNotFound');
});

test('an exception is told of by the series, and now and then by its own id; a deleted occurrence by the series only', async (t) => {
	const sim = await simulator(t, { seed: 3, settings: { graph: { notify: { delayMs: 0, gapMs: 0, gatherMs: 0, missingId: 0 } } } });
	const hook = await webhook(t);
	const graph = await graphOf(sim);
	assert.equal((await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA), IMMUTABLE)).status, 201);
	const act = (/** @type {any} */ action) => sim.control('POST', '/control/actions', { mailbox: ANNA, ...action });
	const { event } = await act({ action: 'create', start: '2027-03-02T09:00:00Z', recurrence: { pattern: { type: 'daily', interval: 1 }, range: { type: 'noEnd' } } });
	const told = async (/** @type {any} */ action) => {
		hook.items.length = 0;
		const { occurrence } = await act({ event: event.immutableId, ...action });
		assert.equal((await sim.control('GET', '/control/idle?timeoutMs=5000')).idle, true);
		const ids = new Set(hook.items.map((/** @type {any} */ i) => i.resourceData.id));
		assert.ok(ids.delete(event.immutableId), 'the series');
		return { ids: [...ids], occurrence };
	};
	let own = 0;
	for (let i = 0; i < 20; i++) {
		const { ids, occurrence } = await told({ action: 'editOccurrence', date: '2027-03-03', subject: `n${i}` });
		own += ids.length;
		assert.deepEqual(ids, ids.length === 0 ? [] : [occurrence.immutableId]);
	}
	assert.ok(own > 0 && own < 20, String(own));
	for (let i = 10; i < 20; i++)
		assert.deepEqual((await told({ action: 'deleteOccurrence', date: `2027-03-${i}` })).ids, []);
});
