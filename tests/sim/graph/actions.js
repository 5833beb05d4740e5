// @ts-check
/* What people and Outlook do with events. Each action changes the calendar and causes its notifications. */

import { cecpId, describeEvent, toMs } from './calendar.js';
import { occurrenceOn } from './series.js';

const EDITABLE = ['subject', 'location', 'body', 'isAllDay', 'timeZone', 'categories', 'isDraft', 'isOrganizer', 'recurrence'];

export class Actions {
	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
	}

	/** @param {any} want */
	run(want) {
		const act = /** @type {any} */ (ACTIONS)[want.action];
		if (act === undefined)
			throw new RangeError(`unknown action ${JSON.stringify(want.action)}; one of ${Object.keys(ACTIONS).join(', ')}`);
		return act(this.sim, want);
	}
}

/** @param {any} sim @param {any} want */
function boxOf(sim, want) {
	const user = sim.directory.anyUser(want.mailbox ?? '');
	if (user === undefined)
		throw new RangeError(`no mailbox ${JSON.stringify(want.mailbox)}`);
	return sim.calendars.box(user);
}

/** @param {any} sim @param {any} want */
function eventOf(sim, want) {
	const box = boxOf(sim, want);
	const event = box.find(want.event);
	if (event === undefined)
		throw new RangeError(`no event ${JSON.stringify(want.event)} in that mailbox`);
	return event;
}

/** @param {any} event @param {any} want */
function change(event, want) {
	for (const name of EDITABLE)
		if (want[name] !== undefined)
			event[name] = want[name];
	if (want.start !== undefined) {
		const length = event.end === null ? 1800_000 : event.end - event.start;
		event.start = toMs(want.start, 'start');
		event.end = event.start + length;
	}
	if (want.end !== undefined)
		event.end = toMs(want.end, 'end');
	if (event.start !== null && event.end < event.start)
		throw new RangeError('end before start');
	if (event.type === 'seriesMaster' && ['start', 'end', 'timeZone', 'isAllDay', 'recurrence'].some((name) => want[name] !== undefined)) {
		/* "Any exceptions associated with this recurring appointment will be lost", deleted occurrences too. */
		event.exceptions = new Map();
		event.cancelled = new Set();
	}
	event.type = event.recurrence === null ? 'singleInstance' : 'seriesMaster';
}

/** What a series turned single, or a single event turned series, is saved as where that changes the ids. @param {any} sim @param {any} event */
function replaced(sim, event) {
	const twin = sim.calendars.create(event.box, {
		calendarId: event.calendarId, subject: event.subject, start: event.start, end: event.end, timeZone: event.timeZone, isAllDay: event.isAllDay, recurrence: event.recurrence,
		attendees: event.attendees, location: event.location, body: event.body, categories: event.categories,
	});
	for (const p of event.props.values())
		sim.calendars.setProperty(twin, p.id, p.value);
	sim.notifier.notify(event, 'delete');
	sim.calendars.purge(event);
	sim.notifier.notify(twin, 'create');
	return { event: describeEvent(twin) };
}

/** The copies of a meeting in the mailboxes of its attendees. @param {any} sim @param {any} event */
function copiesOf(sim, event) {
	const out = [];
	for (const a of event.attendees) {
		const user = sim.directory.anyUser(a.address);
		const box = user === undefined ? undefined : sim.calendars.boxes.get(user.oid);
		for (const e of box?.events.values() ?? [])
			if (e.iCalUId === event.iCalUId && !e.isOrganizer)
				out.push(e);
	}
	return out;
}

/** @param {any} sim @param {any} event @param {(copy: any) => void} edit @param {string} pattern */
function toCopies(sim, event, edit, pattern) {
	if (!event.isOrganizer)
		return;
	for (const copy of copiesOf(sim, event)) {
		edit(copy);
		sim.calendars.touch(copy);
		sim.notifier.notify(copy, pattern);
	}
}

/** @param {any} sim @param {any} event @param {string} pattern */
function saved(sim, event, pattern) {
	sim.calendars.touch(event);
	sim.notifier.notify(event, pattern);
	return { event: describeEvent(event) };
}

/** To Deleted Items; the regular id changes, the immutable one stays. @param {any} sim @param {any} event */
function remove(sim, event) {
	if (event.folder !== 'calendar')
		throw new RangeError('the event is not in a calendar');
	sim.notifier.notify(event, 'delete');
	event.folder = 'deleted';
	sim.calendars.touch(event);
	sim.calendars.renewRestId(event);
}

/** @type {Record<string, (sim: any, want: any) => any>} */
const ACTIONS = {
	create(sim, want) {
		const box = boxOf(sim, want);
		const calendarId = want.calendar === undefined ? undefined : calendarOf(box, want.calendar);
		const attendees = (want.attendees ?? []).map((/** @type {any} */ a) => (typeof a === 'string' ? { name: a, address: a } : a));
		const event = sim.calendars.create(box, { ...want, calendarId, attendees });
		for (const [id, value] of Object.entries(want.properties ?? {}))
			sim.calendars.setProperty(event, id, value);
		sim.notifier.notify(event, 'create');
		if (event.isOrganizer && !event.isDraft)
			for (const a of attendees)
				invite(sim, event, a);
		return { event: describeEvent(event) };
	},

	/** Subject, time, location: whatever is given. */
	edit(sim, want) {
		const event = eventOf(sim, want);
		const { type } = event;
		change(event, want);
		if (event.type !== type && sim.settings.graph.seriesId === 'new')
			return replaced(sim, event);
		toCopies(sim, event, (copy) => change(copy, want), 'edit');
		return saved(sim, event, want.isDraft === true ? 'draft' : 'edit');
	},

	/** A save without a difference that matters to us. */
	touch(sim, want) {
		const event = eventOf(sim, want);
		event.categories = [`Category ${event.version}`];
		return saved(sim, event, 'touch');
	},

	respond(sim, want) {
		const event = eventOf(sim, want);
		for (const a of event.attendees)
			if (want.attendee === undefined || a.address === want.attendee)
				a.response = want.response ?? 'accepted';
		return saved(sim, event, 'respond');
	},

	delete(sim, want) {
		const event = eventOf(sim, want);
		remove(sim, event);
		return { event: describeEvent(event) };
	},

	/** From Deleted Items, for good. */
	purge(sim, want) {
		const event = eventOf(sim, want);
		if (event.folder === 'calendar' || sim.settings.graph.notify.profile === 'real' && sim.rng.chance(0.5))
			sim.notifier.notify(event, 'purge');
		sim.calendars.purge(event);
		return { event: describeEvent(event) };
	},

	restore(sim, want) {
		const event = eventOf(sim, want);
		if (event.folder !== 'deleted')
			throw new RangeError('the event is not in Deleted Items');
		event.folder = 'calendar';
		sim.calendars.renewRestId(event);
		return saved(sim, event, 'restore');
	},

	/** The organizer cancels: gone from his calendar, cancelled in the attendees'. */
	cancel(sim, want) {
		const event = eventOf(sim, want);
		toCopies(sim, event, (copy) => {
			copy.isCancelled = true;
			copy.subject = `Canceled: ${copy.subject}`;
		}, 'cancelCopy');
		event.isCancelled = true;
		remove(sim, event);
		return { event: describeEvent(event) };
	},

	/** To another calendar of the mailbox (made when it does not exist). */
	moveCalendar(sim, want) {
		const event = eventOf(sim, want);
		const from = event.calendarId;
		const to = calendarOf(event.box, want.calendar);
		if (from === to)
			throw new RangeError('it is in that calendar');
		sim.notifier.notify(event, 'leave', from);
		event.calendarId = to;
		sim.calendars.renewRestId(event);
		sim.calendars.touch(event);
		sim.notifier.notify(event, 'arrive', to);
		return { event: describeEvent(event) };
	},

	/** date: original local start date of the occurrence. */
	editOccurrence(sim, want) {
		const event = master(sim, want);
		const old = event.exceptions.get(want.date) ?? {};
		const next = { ...old };
		if (want.start !== undefined)
			next.start = toMs(want.start, 'start');
		if (want.end !== undefined)
			next.end = toMs(want.end, 'end');
		for (const name of ['subject', 'isAllDay', 'isCancelled', 'keepsProperty'])
			if (want[name] !== undefined)
				next[name] = want[name];
		event.exceptions.set(want.date, next);
		const occ = occurrenceOn(event, want.date);
		if (occ === null)
			throw new RangeError('no occurrence on that date');
		sim.notifier.notifyException(event, occ);
		return { ...saved(sim, event, 'occurrence'), occurrence: { immutableId: occ.immutableId, restId: occ.restId } };
	},

	deleteOccurrence(sim, want) {
		const event = master(sim, want);
		event.cancelled.add(want.date);
		event.exceptions.delete(want.date);
		return saved(sim, event, 'occurrence');
	},

	/** The add-in (or anything) writes a named property; value null removes it. */
	writeProperty(sim, want) {
		const event = eventOf(sim, want);
		sim.calendars.setProperty(event, want.property ?? cecpId(want.addinId ?? sim.directory.clientId), want.value === undefined ? null : want.value);
		return saved(sim, event, 'property');
	},

	/** The add-in's button as far as the item goes: property, and the link in the body. */
	link(sim, want) {
		const event = eventOf(sim, want);
		const entry = { v: 1, conversationId: want.conversationId, sourceId: want.sourceId, createdAt: new Date(sim.clock.now()).toISOString() };
		const inner = want.asObject ? entry : JSON.stringify(entry);
		sim.calendars.setProperty(event, cecpId(want.addinId ?? sim.directory.clientId), JSON.stringify({ ...want.others, unblu: inner }));
		if (want.url !== undefined) {
			event.body += `<p><a href="${want.url}">${want.url}</a></p>`;
			event.location = event.location === '' ? want.url : event.location;
		}
		return saved(sim, event, 'property');
	},

	/** A copy with the same property, as Outlook makes one. */
	copy(sim, want) {
		const event = eventOf(sim, want);
		const twin = sim.calendars.create(event.box, { subject: want.subject ?? event.subject, start: want.start ?? event.start, end: want.end ?? event.end, body: event.body, location: event.location });
		for (const p of event.props.values())
			sim.calendars.setProperty(twin, p.id, p.value);
		sim.notifier.notify(twin, 'create');
		return { event: describeEvent(twin) };
	},

	/** count edits of random events of the mailbox, without waiting. */
	storm(sim, want) {
		const box = boxOf(sim, want);
		const all = [...box.events.values()].filter((e) => e.folder === 'calendar');
		if (all.length === 0)
			throw new RangeError('no events to edit');
		for (let i = 0; i < (want.count ?? 100); i++) {
			const event = sim.rng.pick(all);
			event.subject = `${want.prefix ?? 'Storm'} ${i}`;
			sim.calendars.touch(event);
			sim.notifier.notify(event, 'edit');
		}
		return { edits: want.count ?? 100 };
	},
};

/** @param {any} sim @param {any} want */
function master(sim, want) {
	const event = eventOf(sim, want);
	if (event.type !== 'seriesMaster')
		throw new RangeError('not a series');
	if (!/^\d{4}-\d{2}-\d{2}$/.test(want.date ?? ''))
		throw new RangeError('date: YYYY-MM-DD of the occurrence is required');
	return event;
}

/** @param {any} box @param {string} nameOrId */
function calendarOf(box, nameOrId) {
	if (typeof nameOrId !== 'string' || nameOrId === '')
		throw new RangeError('calendar: name or id is required');
	if (box.calendars.has(nameOrId))
		return nameOrId;
	for (const c of box.calendars.values())
		if (c.name === nameOrId)
			return c.id;
	return box.addCalendar(nameOrId).id;
}

/** The attendee's own copy: same iCalUId, other ids, no property. @param {any} sim @param {any} event @param {any} attendee */
function invite(sim, event, attendee) {
	const user = sim.directory.anyUser(attendee.address);
	if (user === undefined || user.oid === event.box.user.oid)
		return;
	const copy = sim.calendars.create(sim.calendars.box(user), {
		subject: event.subject, start: event.start, end: event.end, isAllDay: event.isAllDay, isOrganizer: false, iCalUId: event.iCalUId,
		organizer: event.organizer, attendees: event.attendees.map((/** @type {any} */ a) => ({ ...a })), location: event.location, body: event.body, recurrence: event.recurrence, timeZone: event.timeZone,
	});
	sim.notifier.notify(copy, 'create');
}

export const ACTION_NAMES = Object.keys(ACTIONS);
