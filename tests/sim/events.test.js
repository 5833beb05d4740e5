// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, BEN, CARLA, graphOf, simulator } from './testkit.js';

const IMMUTABLE = { Prefer: 'IdType="ImmutableId"' };
const PROPERTY = 'String {00020329-0000-0000-C000-000000000046} Name cecp-my-addin';

/** @param {any} t @param {any} [options] */
async function setUp(t, options) {
	const sim = await simulator(t, options);
	const graph = await graphOf(sim);
	/** @param {any} want */
	const act = async (want) => (await sim.control('POST', '/control/actions', { mailbox: ANNA, ...want })).event;
	/** @param {string} path @param {any} [headers] */
	const get = (path, headers) => graph.ask('GET', `/users/${ANNA}${path}`, undefined, headers);
	return { sim, graph, act, get };
}

/** @param {string} id */
function expand(id) {
	return `$expand=${encodeURIComponent(`singleValueExtendedProperties($filter=id eq '${id}')`)}`;
}

test('an event is read by either id and answers with the kind of id that was asked for', async (t) => {
	const { act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'One' });
	assert.notEqual(made.restId, made.immutableId);
	for (const id of [made.restId, made.immutableId]) {
		const rest = await get(`/events/${id}`);
		assert.equal(rest.json.id, made.restId);
		assert.equal(rest.headers['preference-applied'], undefined);
		const immutable = await get(`/events/${id}`, IMMUTABLE);
		assert.equal(immutable.json.id, made.immutableId);
		assert.equal(immutable.headers['preference-applied'], 'IdType="ImmutableId"');
	}
	const encoded = await get(`/events/${encodeURIComponent(made.restId)}`);
	assert.equal(encoded.status, 200);
});

test('ids that differ only in - and _, or only in case, are different events', async (t) => {
	const { act, get } = await setUp(t);
	const one = await act({ action: 'create', subject: 'one' });
	for (const twin of ['dash', 'case']) {
		const two = await act({ action: 'create', subject: twin, twinOf: one.immutableId, twin });
		for (const kind of ['immutableId', 'restId']) {
			assert.notEqual(two[kind], one[kind]);
			if (twin === 'dash')
				assert.equal(two[kind].replace(/-/g, '_'), one[kind].replace(/-/g, '_'));
			else
				assert.equal(two[kind].toLowerCase(), one[kind].toLowerCase());
			assert.equal((await get(`/events/${two[kind]}`)).json.subject, twin);
			assert.equal((await get(`/events/${one[kind]}`)).json.subject, 'one');
		}
	}
});

test('$select gives these members, id and etag; an unknown one is refused', async (t) => {
	const { act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'Beratung Müller', start: '2026-12-01T09:00:00Z', end: '2026-12-01T09:30:00Z' });
	const names = 'id,subject,start,end,isAllDay,isCancelled,isDraft,isOrganizer,type,seriesMasterId,iCalUId,changeKey,lastModifiedDateTime';
	const { json } = await get(`/events/${made.immutableId}?$select=${names}`, { Prefer: 'IdType="ImmutableId", outlook.timezone="UTC"' });
	assert.deepEqual(Object.keys(json).sort(), ['@odata.context', '@odata.etag', ...names.split(',')].sort());
	assert.deepEqual(json.start, { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' });
	assert.deepEqual(json.end, { dateTime: '2026-12-01T09:30:00.0000000', timeZone: 'UTC' });
	assert.equal(json.type, 'singleInstance');
	assert.equal(json['@odata.etag'], `W/"${json.changeKey}"`);
	assert.match(json.lastModifiedDateTime, /\.\d{7}Z$/);
	assert.equal(json.uid, undefined, 'v1.0 has no uid');
	assert.equal((await get(`/events/${made.immutableId}?$select=uid`)).json.error.code, 'RequestBroker--ParseUri');
});

test('the custom property comes by $expand; without it the member is missing altogether', async (t) => {
	const { sim, act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'x' });
	assert.equal('singleValueExtendedProperties' in (await get(`/events/${made.restId}?${expand(PROPERTY)}`)).json, false);
	await act({ action: 'writeProperty', event: made.restId, property: PROPERTY, value: '{"unblu":"{}"}' });
	const { json } = await get(`/events/${made.restId}?${expand(PROPERTY.replace('C000', 'c000'))}`);
	assert.equal(json.singleValueExtendedProperties.length, 1);
	assert.equal(json.singleValueExtendedProperties[0].id, 'String {00020329-0000-0000-c000-000000000046} Name cecp-my-addin');
	assert.equal(json.singleValueExtendedProperties[0].value, '{"unblu":"{}"}');
	assert.ok(json['singleValueExtendedProperties@odata.context']);
	assert.equal('singleValueExtendedProperties' in (await get(`/events/${made.restId}?${expand(PROPERTY.replace('my-addin', 'My-Addin'))}`)).json, false, 'the name is compared exactly');
	assert.equal('singleValueExtendedProperties' in (await get(`/events/${made.restId}`)).json, false);
	assert.equal((await get(`/events/${made.restId}?$expand=attachments`)).status, 400);
	await act({ action: 'writeProperty', event: made.restId, property: PROPERTY, value: null });
	assert.equal('singleValueExtendedProperties' in (await get(`/events/${made.restId}?${expand(PROPERTY)}`)).json, false);
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('every save changes the change key', async (t) => {
	const { act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'x' });
	const keys = new Set();
	for (const action of ['touch', 'edit', 'respond']) {
		keys.add((await get(`/events/${made.restId}`)).json.changeKey);
		await act({ action, event: made.restId, subject: 'y' });
	}
	assert.equal(keys.size, 3);
});

test('times follow the preferred zone; an unknown zone is refused; all-day stays at midnight', async (t) => {
	const { act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'x', start: '2026-07-01T22:30:00Z', timeZone: 'W. Europe Standard Time' });
	const at = async (/** @type {string} */ zone) => (await get(`/events/${made.restId}`, { Prefer: `outlook.timezone="${zone}"` })).json.start;
	assert.deepEqual(await at('W. Europe Standard Time'), { dateTime: '2026-07-02T00:30:00.0000000', timeZone: 'W. Europe Standard Time' });
	assert.deepEqual(await at('America/New_York'), { dateTime: '2026-07-01T18:30:00.0000000', timeZone: 'America/New_York' });
	assert.equal((await get(`/events/${made.restId}`, { Prefer: 'outlook.timezone="Nowhere"' })).status, 400);
	const day = await act({ action: 'create', subject: 'day', isAllDay: true, start: '2026-07-01T00:00:00Z' });
	const seen = (await get(`/events/${day.restId}`, { Prefer: 'outlook.timezone="America/New_York"' })).json;
	assert.equal(seen.start.dateTime, '2026-07-01T00:00:00.0000000');
	assert.equal(seen.end.dateTime, '2026-07-02T00:00:00.0000000');
});

test('only a gone event is ErrorItemNotFound; a broken id is malformed; a foreign mailbox knows nothing', async (t) => {
	const { act, get, graph } = await setUp(t);
	const made = await act({ action: 'create', subject: 'x' });
	const gone = await get('/events/AAMkAGI2TG93AAAnowhere_-AAA=');
	assert.deepEqual([gone.status, gone.json.error.code, gone.json.error.message], [404, 'ErrorItemNotFound', 'The specified object was not found in the store.']);
	assert.match(gone.json.error.innerError.date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
	assert.deepEqual((await get('/events/abc%2F%2B')).json.error.code, 'ErrorInvalidIdMalformed');
	assert.equal((await graph.ask('GET', `/users/${BEN}/events/${made.immutableId}`)).json.error.code, 'ErrorItemNotFound');
	assert.equal((await graph.ask('GET', `/users/${CARLA}/events/${made.immutableId}`)).json.error.code, 'ErrorInvalidUser');
	assert.equal((await graph.ask('GET', `/users/anna@alpinebank.example/events/${made.immutableId}`)).status, 200);
	assert.equal((await graph.ask('GET', '/me/events')).status, 400);
});

test('a mailbox that is not served says so, never that an event is gone', async (t) => {
	const { sim, act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'x' });
	const expected = /** @type {const} */ ([['forbidden', 403, 'ErrorAccessDenied', /Access is denied/], ['policy', 403, 'ErrorAccessDenied', /Access to OData is disabled/], ['noLicence', 404, 'MailboxNotEnabledForRESTAPI', /soft-deleted/], ['deleted', 404, 'ErrorInvalidUser', /is invalid/]]);
	for (const [state, status, code, words] of expected) {
		await sim.control('PATCH', `/control/mailboxes/${ANNA}`, { state });
		const { json, status: got } = await get(`/events/${made.restId}`);
		assert.deepEqual([got, json.error.code], [status, code]);
		assert.match(json.error.message, words);
	}
	await sim.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'flapping' });
	const codes = [];
	for (let i = 0; i < 4; i++)
		codes.push((await get(`/events/${made.restId}`)).json.error.code);
	assert.deepEqual(codes, ['ResourceNotFound', 'MailboxNotEnabledForRESTAPI', 'ResourceNotFound', 'MailboxNotEnabledForRESTAPI']);
	await sim.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'ok' });
	assert.equal((await get(`/events/${made.restId}`)).status, 200);
	await assert.rejects(sim.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'odd' }));
});

test('a mailbox with amnesia says of everything that it is gone, of its calendar too', async (t) => {
	const { sim, act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'x' });
	await sim.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'amnesia' });
	for (const path of [`/events/${made.restId}`, `/events/${made.immutableId}/calendar`, '/events', '/calendar', '/calendars']) {
		const { json, status } = await get(path);
		assert.deepEqual([path, status, json.error.code], [path, 404, 'ErrorItemNotFound']);
	}
	await sim.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'ok' });
	assert.equal((await get('/calendar')).status, 200);
});

test('after a deletion the regular id is gone; the immutable one depends on the switch', async (t) => {
	const { sim, act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'x', start: '2026-12-01T09:00:00Z' });
	await act({ action: 'delete', event: made.immutableId });
	assert.equal((await get(`/events/${made.restId}`)).status, 404);
	assert.equal((await get(`/events/${made.immutableId}`, IMMUTABLE)).status, 404);
	await sim.control('POST', '/control/settings', { graph: { deletedItems: '200' } });
	assert.equal((await get(`/events/${made.restId}`)).status, 404);
	assert.equal((await get(`/events/${made.immutableId}`, IMMUTABLE)).json.id, made.immutableId);
	assert.equal((await get(`/events/${made.immutableId}/calendar`, IMMUTABLE)).json.error.code, 'ErrorItemNotFound');
	const view = await get('/calendarView?startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-02T00:00:00Z');
	assert.deepEqual(view.json.value, []);
	const back = await act({ action: 'restore', event: made.immutableId });
	assert.equal(back.immutableId, made.immutableId);
	assert.notEqual(back.restId, made.restId);
	assert.equal((await get(`/events/${made.immutableId}/calendar`)).json.isDefaultCalendar, true);
	await act({ action: 'delete', event: made.immutableId });
	await act({ action: 'purge', event: made.immutableId });
	assert.equal((await get(`/events/${made.immutableId}`, IMMUTABLE)).status, 404);
});

test('lists: default calendar, filter by property, order, pages by next link', async (t) => {
	const { sim, act, get } = await setUp(t);
	for (let i = 0; i < 25; i++)
		await act({ action: 'create', subject: `e${i}`, start: Date.parse('2026-12-01T09:00:00Z') + i * 3600_000, properties: i % 5 === 0 ? { [PROPERTY]: `{"n":${i}}` } : {} });
	await act({ action: 'create', subject: 'elsewhere', calendar: 'Private', properties: { [PROPERTY]: '{}' } });
	const first = await get('/events');
	assert.equal(first.json.value.length, 10);
	const seen = [...first.json.value];
	let next = first.json['@odata.nextLink'];
	while (next !== undefined) {
		const page = await (await graphOf(sim)).ask('GET', next);
		seen.push(...page.json.value);
		next = page.json['@odata.nextLink'];
	}
	assert.equal(seen.length, 25);
	const filter = (/** @type {string} */ rest) => encodeURIComponent(`singleValueExtendedProperties/Any(ep: ep/id eq '${PROPERTY}' and ${rest})`);
	const found = await get(`/events?$filter=${filter('ep/value ne null')}&${expand(PROPERTY)}&$select=id,subject&$top=50`);
	assert.deepEqual(found.json.value.map((/** @type {any} */ e) => e.subject), ['e0', 'e5', 'e10', 'e15', 'e20']);
	assert.ok(found.json.value.every((/** @type {any} */ e) => e.singleValueExtendedProperties.length === 1));
	assert.equal((await get(`/events?$filter=${filter("contains(ep/value,'N\":15')")}`)).json.value.length, 1);
	assert.equal((await get(`/events?$filter=${filter("startswith(ep/value,'{\"n\":1')")}`)).json.value.length, 2);
	assert.equal((await get(`/events?$filter=${encodeURIComponent("start/dateTime ge '2026-12-02T08:00:00' and isAllDay eq false")}&$orderby=${encodeURIComponent('start/dateTime desc')}&$top=3`)).json.value[0].subject, 'e24');
	assert.equal((await get('/events?$filter=nonsense')).json.error.code, 'RequestBroker--ParseUri');
	assert.equal((await get('/events', { Prefer: 'odata.maxpagesize=20' })).json.value.length, 20);
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('calendars: list, the default one, the one of an event, their events and views', async (t) => {
	const { act, get } = await setUp(t);
	const a = await act({ action: 'create', subject: 'a', start: '2026-12-01T09:00:00Z' });
	const b = await act({ action: 'create', subject: 'b', start: '2026-12-01T10:00:00Z', calendar: 'Private' });
	const { value } = (await get('/calendars')).json;
	assert.deepEqual(value.map((/** @type {any} */ c) => [c.name, c.isDefaultCalendar]), [['Calendar', true], ['Private', false]]);
	assert.equal((await get('/calendar')).json.id, value[0].id);
	assert.equal((await get(`/events/${a.restId}/calendar`)).json.id, value[0].id);
	assert.equal((await get(`/events/${b.restId}/calendar`)).json.name, 'Private');
	assert.deepEqual((await get(`/calendars/${value[1].id}/events`)).json.value.map((/** @type {any} */ e) => e.subject), ['b']);
	const day = 'startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-02T00:00:00Z';
	assert.deepEqual((await get(`/calendars/${value[1].id}/calendarView?${day}`)).json.value.map((/** @type {any} */ e) => e.subject), ['b']);
	assert.deepEqual((await get(`/calendarView?${day}`)).json.value.map((/** @type {any} */ e) => e.subject), ['a']);
	assert.equal((await get('/calendarView')).json.error.code, 'ErrorInvalidParameter');
	assert.equal((await get('/calendars/AAMkNoSuchCalendarAAAAAAAAA/events')).status, 404);
});

test('calendars come with the members that were asked for, a page at a time', async (t) => {
	const { sim, get } = await setUp(t, { settings: { graph: { eventPageMax: 2 } } });
	for (const name of ['One', 'Two', 'Three', 'Four'])
		await sim.control('PATCH', `/control/mailboxes/${ANNA}`, { calendar: name });
	const seen = [];
	let url = '/calendars?$select=id&$top=50';
	for (let pages = 1; ; pages++) {
		const { json } = await get(url);
		assert.ok(json.value.every((/** @type {any} */ c) => Object.keys(c).join() === 'id'));
		seen.push(...json.value);
		if (json['@odata.nextLink'] === undefined) {
			assert.equal(pages, 3);
			break;
		}
		url = json['@odata.nextLink'].replace(/.*\/users\/[^/]*/, '');
	}
	assert.equal(new Set(seen.map((c) => c.id)).size, 5);
	assert.equal((await get('/calendars?$select=subject')).json.error.code, 'RequestBroker--ParseUri');
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('the events of one calendar by property, and their texts in a window, as text when that is preferred', async (t) => {
	const { sim, act, get } = await setUp(t);
	const other = await act({ action: 'create', subject: 'other', start: '2026-12-01T09:00:00Z', calendar: 'Private', properties: { [PROPERTY]: '{"unblu":"conv-2"}' } });
	const body = '<div>Dear <b>guest</b>&nbsp;&amp; friends,<br>please <a class="x" href="https://unblu.example/v?a=1&amp;b=2">join</a></div>';
	const made = await act({ action: 'create', subject: 'mine', start: '2026-12-01T10:00:00Z', calendar: 'Private', body, location: 'Room 1', properties: { [PROPERTY]: '{"unblu":"conv-1"}' } });
	const { value } = (await get('/calendars')).json;
	const filter = encodeURIComponent(`singleValueExtendedProperties/Any(ep: ep/id eq '${PROPERTY}' and contains(ep/value,'conv-1'))`);
	const found = async (/** @type {string} */ id) => (await get(`/calendars/${id}/events?$select=id&$top=50&$filter=${filter}`, IMMUTABLE)).json.value.map((/** @type {any} */ e) => e.id);
	assert.deepEqual(await found(value[1].id), [made.immutableId]);
	assert.deepEqual(await found(value[0].id), [], 'it is in the other calendar only');
	const view = `/calendars/${value[1].id}/calendarView?startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-02T00:00:00Z&$select=id,location,body&$top=10`;
	const html = (await get(view)).json.value;
	assert.deepEqual(html.map((/** @type {any} */ e) => e.body), [{ contentType: 'html', content: '' }, { contentType: 'html', content: body }]);
	const answer = await get(view, { Prefer: 'IdType="ImmutableId", outlook.body-content-type="text"' });
	assert.match(answer.headers['preference-applied'], /outlook.body-content-type="text"/);
	assert.deepEqual(answer.json.value.map((/** @type {any} */ e) => e.id), [other.immutableId, made.immutableId]);
	assert.deepEqual(answer.json.value[1].body, { contentType: 'text', content: 'Dear guest\u00a0& friends,\r\nplease join<https://unblu.example/v?a=1&b=2>\r\n' });
	assert.equal(answer.json.value[1].location.displayName, 'Room 1');
	assert.ok(answer.json.value.every((/** @type {any} */ e) => e.subject === undefined));
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('moving to another calendar changes the regular id only', async (t) => {
	const { act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'x' });
	const moved = await act({ action: 'moveCalendar', event: made.immutableId, calendar: 'Team' });
	assert.equal(moved.immutableId, made.immutableId);
	assert.notEqual(moved.restId, made.restId);
	assert.equal((await get(`/events/${made.restId}`)).status, 404);
	assert.equal((await get(`/events/${made.immutableId}`)).status, 200);
	assert.equal((await get('/events')).json.value.length, 0, 'the list is the default calendar');
});

test('a series: master, instances in local time, a changed and a deleted occurrence', async (t) => {
	const { sim, act, get } = await setUp(t);
	const made = await act({
		action: 'create', subject: 'weekly', start: '2026-10-20T08:00:00Z', end: '2026-10-20T08:30:00Z', timeZone: 'Europe/Zurich', properties: { [PROPERTY]: '{}' },
		recurrence: { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['tuesday'] }, range: { type: 'numbered', startDate: '2026-10-20', numberOfOccurrences: 4, recurrenceTimeZone: 'Europe/Zurich' } },
	});
	const span = 'startDateTime=2026-10-01T00:00:00Z&endDateTime=2026-12-31T00:00:00Z';
	const list = async () => (await get(`/events/${made.restId}/instances?${span}&$select=subject,start,type,seriesMasterId&${expand(PROPERTY)}`)).json.value;
	const before = await list();
	assert.deepEqual(before.map((/** @type {any} */ o) => o.start.dateTime.slice(0, 16)), ['2026-10-20T08:00', '2026-10-27T09:00', '2026-11-03T09:00', '2026-11-10T09:00'], 'the clock went back on 25 October');
	assert.ok(before.every((/** @type {any} */ o) => o.type === 'occurrence' && o.seriesMasterId === made.restId && o.singleValueExtendedProperties.length === 1));
	await act({ action: 'deleteOccurrence', event: made.restId, date: '2026-10-20' });
	await act({ action: 'editOccurrence', event: made.restId, date: '2026-11-03', start: '2026-11-04T12:00:00Z', subject: 'moved' });
	const after = await list();
	assert.deepEqual(after.map((/** @type {any} */ o) => [o.start.dateTime.slice(0, 16), o.type, o.subject]), [['2026-10-27T09:00', 'occurrence', 'weekly'], ['2026-11-04T12:00', 'exception', 'moved'], ['2026-11-10T09:00', 'occurrence', 'weekly']]);
	assert.equal(after[1].singleValueExtendedProperties, undefined, 'a modified occurrence loses the property');
	assert.equal(after[0].id, before[1].id, 'ids of occurrences are stable');
	assert.equal((await get(`/events/${after[1].id}`)).json.subject, 'moved');
	assert.equal((await get(`/events/${before[0].id}`)).status, 404);
	const master = (await get(`/events/${made.restId}?$select=type,start,recurrence,cancelledOccurrences`)).json;
	assert.equal(master.type, 'seriesMaster');
	assert.equal(master.start.dateTime, '2026-10-20T08:00:00.0000000', 'the master keeps the first start');
	assert.deepEqual(master.cancelledOccurrences, [`OID.${made.restId}.2026-10-20`]);
	assert.equal((await get(`/calendarView?${span}`)).json.value.length, 3);
	assert.equal((await get(`/events?$select=id`)).json.value.length, 1, 'the list has the master only');
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('daily, monthly and ended ranges', async (t) => {
	const { act, get } = await setUp(t);
	const count = async (/** @type {any} */ recurrence) => {
		const e = await act({ action: 'create', subject: 's', start: '2026-01-31T10:00:00Z', recurrence });
		return (await get(`/events/${e.restId}/instances?startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-12-31T00:00:00Z&$select=start`, { Prefer: 'odata.maxpagesize=100' })).json.value;
	};
	assert.equal((await count({ pattern: { type: 'daily', interval: 2 }, range: { type: 'endDate', startDate: '2026-01-31', endDate: '2026-02-09' } })).length, 5);
	assert.equal((await count({ pattern: { type: 'absoluteMonthly', interval: 1, dayOfMonth: 31 }, range: { type: 'numbered', numberOfOccurrences: 3 } })).length, 3);
});

test('attendees get copies without the property; a cancellation marks them', async (t) => {
	const { sim, act } = await setUp(t);
	const made = await act({ action: 'create', subject: 'Meeting', attendees: ['ben@alpinebank.example', 'guest@elsewhere.example'], properties: { [PROPERTY]: '{}' } });
	const [copy] = await sim.control('GET', `/control/events?mailbox=${BEN}`);
	assert.equal(copy.isOrganizer, false);
	assert.deepEqual(copy.properties, {});
	await act({ action: 'edit', event: made.restId, subject: 'Renamed' });
	assert.equal((await sim.control('GET', `/control/events?mailbox=${BEN}`))[0].subject, 'Renamed');
	await act({ action: 'cancel', event: made.immutableId });
	const [cancelled] = await sim.control('GET', `/control/events?mailbox=${BEN}`);
	assert.deepEqual([cancelled.isCancelled, cancelled.subject, cancelled.folder], [true, 'Canceled: Renamed', 'calendar']);
	assert.equal((await sim.control('GET', `/control/events?mailbox=${ANNA}`))[0].folder, 'deleted');
});

test('drafts without a time have none', async (t) => {
	const { act, get } = await setUp(t);
	const made = await act({ action: 'create', subject: 'draft', isDraft: true });
	const { json } = await get(`/events/${made.restId}`);
	assert.equal(json.isDraft, true);
	assert.equal(json.start, null);
});

test('ids are translated, unknown ones reported one by one', async (t) => {
	const { act, graph } = await setUp(t);
	const made = await act({ action: 'create', subject: 'x' });
	const { json } = await graph.ask('POST', `/users/${ANNA}/translateExchangeIds`, { inputIds: [made.restId, 'AAMkNo'], sourceIdType: 'restId', targetIdType: 'restImmutableEntryId' });
	assert.equal(json.value[0].targetId, made.immutableId);
	assert.equal(json.value[1].errorDetails.code, 'ErrorItemNotFound');
});

test('delta: a round in pages, changes, removals with noise, 410 after the token has aged', async (t) => {
	const { sim, act, graph } = await setUp(t, { settings: { graph: { eventPageSize: 2, deltaTokenLifeMs: 1000 }, entra: { expiresIn: 90_000 } } });
	/** @type {any[]} */
	const inside = [];
	for (let i = 0; i < 5; i++)
		inside.push(await act({ action: 'create', subject: `d${i}`, start: Date.parse('2026-12-01T09:00:00Z') + i * 3600_000 }));
	const outside = await act({ action: 'create', subject: 'far', start: '2027-12-01T09:00:00Z' });
	const round = async (/** @type {string} */ url) => {
		const items = [];
		for (;;) {
			const { json, status } = await graph.ask('GET', url, undefined, IMMUTABLE);
			assert.equal(status, 200);
			items.push(...json.value);
			if (json['@odata.deltaLink'])
				return { items, link: json['@odata.deltaLink'] };
			url = json['@odata.nextLink'];
		}
	};
	const first = await round(`/users/${ANNA}/calendarView/delta?startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z`);
	assert.equal(first.items.length, 5);
	await act({ action: 'edit', event: inside[0].immutableId, subject: 'changed' });
	await act({ action: 'delete', event: inside[1].immutableId });
	await act({ action: 'touch', event: outside.immutableId });
	const second = await round(first.link);
	assert.equal(second.items.find((i) => i.id === inside[0].immutableId).subject, 'changed');
	assert.deepEqual(second.items.filter((i) => i['@removed']).map((i) => i.id).sort(), [inside[1].immutableId, outside.immutableId].sort());
	assert.equal((await round(second.link)).items.length, 0);
	await sim.control('POST', '/control/clock', { advanceMs: 2000 });
	const late = await graph.ask('GET', second.link);
	assert.deepEqual([late.status, late.json.error.code], [410, 'SyncStateNotFound']);
	assert.ok(late.headers.location);
	assert.equal((await graph.ask('GET', `/users/${ANNA}/calendarView/delta?$select=id`)).status, 400);
});
