// @ts-check
/* Outlook's side of the event form: what it opens, what it saves, and the host's nested sign-in. */

import { cecpId, propertyKey } from '../sim/graph/calendar.js';
import { OF } from './picture.js';
import { Refusal } from './server.js';

const LONGEST_SUBJECT = 255;
const LONGEST_BODY = 20_000;
const LONGEST_PROPERTIES = 2500;
const LIFE_S = 3600;
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** Who may do what in whose calendar, beside the own one: the bits of Office.MailboxEnums.DelegatePermissions. */
const SHARES = [
	{ of: 1, to: 0, permissions: 1 + 2 + 4 + 8 + 16 + 32 },
	{ of: 0, to: 1, permissions: 1 },
];

export class Outlook {
	/** @param {import('./world.js').World} world */
	constructor(world) {
		this.world = world;
		this.sim = world.sim;
	}

	/** The calendars that a person sees besides the own one. */
	shares() {
		const boxes = this.world.stack.mailboxes;
		return SHARES.map((s) => ({ owner: boxes[s.of].oid, delegate: boxes[s.to].oid, permissions: s.permissions }));
	}

	/** @param {string} user @param {string} id */
	found(user, id) {
		const event = this.sim.calendars.boxes.get(user)?.find(id);
		if (event === undefined || event.folder !== 'calendar')
			throw new Refusal(404, 'no such event');
		return event;
	}

	/** What the form opens. @param {string} user @param {string} id of an event, a series or an occurrence */
	open(user, id) {
		const [event, date] = id.split(OF);
		const e = this.found(user, event);
		const shown = date === undefined ? e : this.world.event(e.box.user.tenant, user, id);
		return {
			id, subject: shown.subject, start: shown.start, end: shown.end, body: e.body, location: e.location, properties: this.properties(e),
			itemId: e.restId.replaceAll('-', '/').replaceAll('_', '+'), seriesId: date === undefined ? null : e.restId, weekly: e.type === 'seriesMaster', attendees: e.attendees.map((/** @type {any} */ a) => a.address),
		};
	}

	/** The add-in's own, as loadCustomPropertiesAsync gives them. @param {any} e */
	properties(e) {
		try {
			return JSON.parse(e.props.get(propertyKey(this.propertyId()))?.value ?? '{}');
		} catch {
			return {};
		}
	}

	propertyId() {
		return cecpId(this.sim.directory.clientId);
	}

	/** A new event, or the changes of one. @param {string} user @param {string | null} id @param {any} form */
	save(user, id, form) {
		const what = checkedForm(form);
		const box = this.world.stack.mailboxes.find((m) => m.oid === user);
		if (box === undefined)
			throw new Refusal(404, 'no such mailbox');
		const value = Object.keys(what.properties).length === 0 ? null : JSON.stringify(what.properties);
		const { properties, weekly, ...plain } = what;
		if (id === null) {
			const made = this.world.run({ action: 'create', mailbox: user, ...plain, recurrence: weekly ? everyWeek(what.start) : undefined, properties: value === null ? {} : { [this.propertyId()]: value } });
			return { id: made.immutableId };
		}
		const [event, date] = id.split(OF);
		const before = this.found(user, event);
		if (date !== undefined) {
			this.world.run({ action: 'editOccurrence', mailbox: user, event, date, subject: plain.subject, start: plain.start, end: plain.end, keepsProperty: true });
			return { id };
		}
		this.sim.calendars.setProperty(before, this.propertyId(), value);
		this.world.run({ action: 'edit', mailbox: user, event, ...moved(before, plain), ...(weekly === (before.type === 'seriesMaster') ? {} : { recurrence: weekly ? everyWeek(what.start) : null }) });
		return { id: event };
	}

	/** A copy with everything, as Outlook's Duplicate makes one. @param {string} user @param {string} id */
	copy(user, id) {
		const e = this.found(user, id.split(OF)[0]);
		const made = this.world.run({ action: 'copy', mailbox: user, event: e.immutableId, subject: e.subject, start: e.start + 86400_000, end: e.end + 86400_000 });
		return { id: made.immutableId };
	}

	/** What the host answers MSAL's nested request for this person. @param {string} user */
	token(user) {
		const box = this.world.stack.mailboxes.find((m) => m.oid === user);
		const person = this.sim.directory.users.get(user);
		if (box === undefined)
			throw new Refusal(404, 'no such mailbox');
		const token = this.world.stack.sims.bearer(box);
		this.world.stack.secrets.push(token.split('.')[2]);
		return { token, expiresIn: LIFE_S, tenant: box.tenant, oid: box.oid, upn: box.upn, name: person.name, issuer: `${this.sim.urls.entra}/${box.tenant}/v2.0`, clientId: this.sim.directory.clientId };
	}
}

/** Only what differs: a series whose time is given again would lose its exceptions. @param {any} before @param {any} plain */
function moved(before, plain) {
	const { start, end, ...rest } = plain;
	return before.start === start && before.end === end ? rest : plain;
}

/** @param {number} start */
function everyWeek(start) {
	const first = new Date(start);
	return { pattern: { type: 'weekly', interval: 1, daysOfWeek: [DAYS[first.getUTCDay()]], firstDayOfWeek: 'monday' }, range: { type: 'numbered', numberOfOccurrences: 8, startDate: first.toISOString().slice(0, 10), recurrenceTimeZone: 'UTC' } };
}

/** @param {any} form */
function checkedForm(form) {
	const { subject, start, end, body, location, properties = {}, weekly = false } = form;
	if (![subject, body, location].every((t) => typeof t === 'string') || subject.length > LONGEST_SUBJECT || body.length > LONGEST_BODY || location.length > LONGEST_SUBJECT)
		throw new Refusal(400, 'subject, body and location: text, and not too long');
	if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || Math.abs(start) > 8e15 || Math.abs(end) > 8e15 || end <= start)
		throw new Refusal(400, 'the end is not after the start');
	if (typeof properties !== 'object' || properties === null || JSON.stringify(properties).length > LONGEST_PROPERTIES)
		throw new Refusal(400, 'properties: at most 2,500 characters');
	return { subject, start, end, body, location, properties, weekly: weekly === true };
}
