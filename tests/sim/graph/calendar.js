// @ts-check
/* The calendars' contents: events with both ids, folders, properties; indexed, never scanned for one event. */

import { createHash } from 'node:crypto';
import { textOf } from '../lib/rng.js';
import { newImmutableId, newRestId, twinOf } from './ids.js';

/**
 * folder: calendar, deleted (Deleted Items) or gone.
 * @typedef {object} Event
 * @property {string} immutableId @property {string} restId @property {Mailbox} box @property {string} calendarId
 * @property {'calendar' | 'deleted' | 'gone'} folder
 * @property {string} subject @property {number | null} start @property {number | null} end @property {string} timeZone
 * @property {boolean} isAllDay @property {boolean} isCancelled @property {boolean} isDraft @property {boolean} isOrganizer
 * @property {'singleInstance' | 'seriesMaster'} type @property {any} recurrence
 * @property {Map<string, any>} exceptions original start (ISO date) -> changed members
 * @property {Set<string>} cancelled original start dates that were deleted
 * @property {string} iCalUId @property {string} etag @property {number} created @property {number} modified
 * @property {Map<string, { id: string, value: string }>} props
 * @property {any[]} attendees @property {any} organizer @property {string} location @property {string} body @property {string[]} categories
 * @property {number} version
 */

export class Mailbox {
	/** @param {any} user */
	constructor(user) {
		this.user = user;
		/** @type {Map<string, { id: string, name: string, isDefault: boolean }>} */
		this.calendars = new Map();
		/** @type {Map<string, Event>} every event not gone, by immutable id */
		this.events = new Map();
		/** @type {Map<string, Event>} */
		this.byRest = new Map();
		/** @type {Map<string, { master: Event, date: string }>} ids of occurrences that were handed out */
		this.occurrences = new Map();
		/** @type {Map<string, Set<Event>>} named property -> events that carry it */
		this.byProperty = new Map();
		this.defaultCalendar = this.addCalendar('Calendar', true).id;
	}

	/** @param {string} name @param {boolean} [isDefault] */
	addCalendar(name, isDefault = false) {
		const id = `AAMkAGI2TG93AAA${textOf(`${this.user.oid}/${name}/${this.calendars.size}`, 60)}AAA=`;
		const calendar = { id, name, isDefault };
		this.calendars.set(id, calendar);
		return calendar;
	}

	/** Either form of id. @param {string} id */
	find(id) {
		return this.events.get(id) ?? this.byRest.get(id);
	}
}

/** The key under which a named property is compared: the GUID in any case, the name exactly. @param {string} id */
export function propertyKey(id) {
	const m = /^(\w+) (\{[0-9a-fA-F-]{36}\}) (Name|Id) (.+)$/i.exec(id);
	return m === null ? id : `${m[1].toLowerCase()} ${m[2].toLowerCase()} ${m[3].toLowerCase()} ${m[4]}`;
}

export const PUBLIC_STRINGS = '{00020329-0000-0000-C000-000000000046}';

/** @param {string} addinId */
export function cecpId(addinId) {
	return `String ${PUBLIC_STRINGS} Name cecp-${addinId}`;
}

export class Calendars {
	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
		/** @type {Map<string, Mailbox>} by object id */
		this.boxes = new Map();
	}

	/** @param {any} user @returns {Mailbox} */
	box(user) {
		let box = this.boxes.get(user.oid);
		if (box === undefined) {
			box = new Mailbox(user);
			this.boxes.set(user.oid, box);
		}
		return box;
	}

	/** @param {Mailbox} box @param {any} data @returns {Event} */
	create(box, data) {
		const { rng, clock } = this.sim;
		const now = clock.now();
		const twin = data.twinOf === undefined ? undefined : box.find(data.twinOf);
		/** @type {Event} */
		const event = {
			immutableId: twin ? twinOf(twin.immutableId, data.twin ?? 'dash') : newImmutableId(rng),
			restId: twin ? twinOf(twin.restId, data.twin ?? 'dash') : newRestId(rng),
			box, calendarId: data.calendarId ?? box.defaultCalendar, folder: 'calendar',
			subject: data.subject ?? '', start: null, end: null, timeZone: data.timeZone ?? 'UTC',
			isAllDay: data.isAllDay ?? false, isCancelled: false, isDraft: data.isDraft ?? false, isOrganizer: data.isOrganizer ?? true,
			type: data.recurrence ? 'seriesMaster' : 'singleInstance', recurrence: data.recurrence ?? null, exceptions: new Map(), cancelled: new Set(),
			iCalUId: data.iCalUId ?? `040000008200E00074C5B7101A82E008${createHash('sha1').update(rng.bytes(16)).digest('hex').toUpperCase()}`,
			etag: '', created: now, modified: now, props: new Map(),
			attendees: data.attendees ?? [], organizer: data.organizer ?? { name: box.user.name, address: box.user.mail },
			location: data.location ?? '', body: data.body ?? '', categories: data.categories ?? [], version: 0,
		};
		const start = data.start === undefined ? now + 86400_000 : toMs(data.start, 'start');
		if (start !== null && !event.isDraft || data.start !== undefined) {
			event.start = start;
			event.end = data.end === undefined ? start + (event.isAllDay ? 86400_000 : 1800_000) : toMs(data.end, 'end');
		}
		if (twin && (box.find(event.immutableId) || box.find(event.restId)))
			throw new RangeError('that twin exists');
		box.events.set(event.immutableId, event);
		box.byRest.set(event.restId, event);
		this.touch(event);
		return event;
	}

	/** A save: new change key, new time of modification. @param {Event} event */
	touch(event) {
		event.version++;
		event.modified = this.sim.clock.now();
		event.etag = `DwAAABYAAAAnfZ8e${textOf(`${event.immutableId}/${event.version}`, 24)}`;
		this.sim.journal.emit('event', describeEvent(event));
	}

	/** @param {Event} event @param {string} id @param {string | null} value null removes */
	setProperty(event, id, value) {
		const key = propertyKey(id);
		const { byProperty } = event.box;
		if (value === null) {
			event.props.delete(key);
			byProperty.get(key)?.delete(event);
			return;
		}
		/* The server gives the property set back in lower case. */
		event.props.set(key, { id: id.replace(/\{[0-9a-f-]{36}\}/i, (g) => g.toLowerCase()), value });
		let set = byProperty.get(key);
		if (set === undefined) {
			set = new Set();
			byProperty.set(key, set);
		}
		set.add(event);
	}

	/** Regular ids change with the folder; immutable ones do not. @param {Event} event */
	renewRestId(event) {
		event.box.byRest.delete(event.restId);
		event.restId = newRestId(this.sim.rng);
		event.box.byRest.set(event.restId, event);
	}

	/** @param {Event} event */
	purge(event) {
		event.folder = 'gone';
		event.box.events.delete(event.immutableId);
		event.box.byRest.delete(event.restId);
		for (const key of event.props.keys())
			event.box.byProperty.get(key)?.delete(event);
		this.sim.journal.emit('event', describeEvent(event));
	}
}

/** @param {any} value Unix ms or ISO 8601 @param {string} name */
export function toMs(value, name) {
	const ms = typeof value === 'number' ? value : Date.parse(value);
	if (!Number.isFinite(ms))
		throw new RangeError(`${name}: ${JSON.stringify(value)} is not a time`);
	return ms;
}

/** For the control interface. @param {Event} event */
export function describeEvent(event) {
	return {
		tenant: event.box.user.tenant, mailbox: event.box.user.oid, upn: event.box.user.upn,
		immutableId: event.immutableId, restId: event.restId, calendar: event.box.calendars.get(event.calendarId)?.name, folder: event.folder,
		subject: event.subject, start: event.start === null ? null : new Date(event.start).toISOString(), end: event.end === null ? null : new Date(event.end).toISOString(),
		timeZone: event.timeZone, isAllDay: event.isAllDay, isCancelled: event.isCancelled, isDraft: event.isDraft, isOrganizer: event.isOrganizer,
		type: event.type, recurrence: event.recurrence, cancelled: [...event.cancelled], exceptions: Object.fromEntries(event.exceptions),
		location: event.location, body: event.body, attendees: event.attendees, version: event.version, modified: new Date(event.modified).toISOString(),
		properties: Object.fromEntries([...event.props.values()].map((p) => [p.id, p.value])),
	};
}

/** @param {Mailbox} box */
export function describeCalendars(box) {
	return [...box.calendars.values()].map((c) => ({ ...c }));
}

