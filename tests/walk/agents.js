// @ts-check
/* What agents do in Outlook: the add-in's button in every order and with every part lost, and all kinds of edits. */

import { occurrencesOf } from '../sim/graph/series.js';
import { topicOf } from './rule.js';

/**
 * @typedef {import('./walk.js').Walk} Walk
 * @typedef {import('./truth.js').Talk} Talk
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LETTERS = ['a', 'Z', ' ', ' ', 'ä', 'ß', '€', '日', '本', '😀', '👩‍👩‍👧', 'e\u0301', '\u0301', '🇨🇭', '"', '\\', '&', '<b>', '\u200d', 'ก', '%s', "'"];
const BLANKS = ['', ' ', '   ', '\u00a0', '\u3000 ', '\t', ' \ufeff '];
const ZONES = [null, null, 'Europe/Zurich', 'America/New_York', 'Asia/Kolkata', 'Pacific/Auckland', 'Asia/Beirut', 'Nowhere/Land'];
/* The clocks change in Europe, in Beirut (at midnight), in North America. */
const SPECIAL_DAYS = ['2027-03-28', '2027-03-14', '2027-10-31', '2027-11-07', '2028-02-29'];

/** @param {Walk} w */
function subject(w) {
	const { rng } = w;
	const kind = rng.int(0, 9);
	if (kind === 0)
		return rng.pick(BLANKS);
	if (kind <= 2) {
		const head = 'x'.repeat(rng.int(236, 250));
		return head + Array.from({ length: rng.int(1, 40) }, () => rng.pick(LETTERS)).join('');
	}
	if (kind === 3)
		return rng.pick(['A', '本', '😀', 'e\u0301']) + Array.from({ length: rng.int(0, 20) }, () => rng.pick(LETTERS)).join('');
	return `${rng.chance(0.2) ? '  ' : ''}Meeting ${rng.int(1, 9999)}${rng.chance(0.2) ? ' ' : ''}`;
}

/** Some time from yesterday to five months ahead, not always a whole minute. @param {Walk} w */
function when(w) {
	const { rng } = w;
	const base = w.now() + rng.int(-DAY / MINUTE, 150 * DAY / MINUTE) * MINUTE;
	return rng.chance(0.1) ? base + rng.int(0, 59_999) : Math.floor(base / (5 * MINUTE)) * 5 * MINUTE;
}

/** @param {Walk} w */
function day(w) {
	return w.rng.chance(0.3) ? Date.parse(w.rng.pick(SPECIAL_DAYS)) : Math.floor(when(w) / DAY) * DAY;
}

/** The value of the add-in's property. @param {Walk} w @param {Talk} talk */
function property(w, talk) {
	const entry = { v: 1, conversationId: talk.id, sourceId: talk.foreign ? `${talk.sourceId}-wrong` : talk.sourceId, createdAt: new Date(w.now()).toISOString() };
	return JSON.stringify({ ...w.rng.chance(0.2) ? { other: 'kept' } : {}, unblu: w.rng.chance(0.2) ? entry : JSON.stringify(entry) });
}

/** @param {Walk} w @param {number} start */
function recurrence(w, start) {
	const { rng } = w;
	const startDate = new Date(start).toISOString().slice(0, 10);
	const endDate = new Date(start + rng.int(0, 40) * DAY).toISOString().slice(0, 10);
	return {
		pattern: { type: rng.pick(['daily', 'daily', 'weekly', 'absoluteMonthly']), interval: rng.int(1, 2) },
		range: { startDate, recurrenceTimeZone: rng.pick(['UTC', 'Europe/Berlin', 'America/New_York']), ...rng.pick([{ type: 'noEnd' }, { type: 'numbered', numberOfOccurrences: rng.int(1, 8) }, { type: 'endDate', endDate }]) },
	};
}

/** Some time around now. @param {Walk} w */
function soon(w) {
	return Math.floor((w.now() + w.rng.int(-5 * DAY, 15 * DAY)) / (5 * MINUTE)) * 5 * MINUTE;
}

/* ---- the button ---- */

/** One try; what can have been taken in spite of another answer is "maybe". @param {Walk} w @param {Talk} talk */
export async function announce(w, talk) {
	const { topic, start, zone, shared } = talk.about;
	const body = {
		v: 1, sourceId: talk.foreign ? `${talk.sourceId}-wrong` : talk.sourceId, topic, start: new Date(start).toISOString(), mailbox: shared ? 'shared' : 'own',
		...zone === null ? {} : { timeZone: zone },
	};
	w.truth.announced(talk, 'maybe');
	const again = w.rng.chance(0.8) ? w.rng.int(1, 20) : 0;
	const answer = await w.put(talk.owner, talk.id, body);
	w.truth.tell(talk, `PUT -> ${answer.status}`);
	if (answer.status === 202)
		w.truth.announced(talk, 'yes');
	else if (again > 0)
		w.later(again, () => announce(w, talk));
}

/** @param {Walk} w @param {Talk} talk */
function writeProperty(w, talk) {
	w.act({ action: 'writeProperty', mailbox: talk.owner.oid, event: talk.home.event, value: property(w, talk) }, 'property');
}

/** The event is saved, with or without the property. @param {Walk} w @param {Talk} talk @param {boolean} withProperty */
function saveEvent(w, talk, withProperty) {
	const { rng } = w;
	const same = rng.chance(0.5);
	const series = rng.chance(0.15);
	const allDay = !series && rng.chance(0.15);
	const draft = !series && rng.chance(0.1);
	const start = series ? soon(w) : allDay ? day(w) : same ? talk.about.start : when(w);
	const colleague = rng.pick(w.stack.mailboxes.filter((m) => m.tenant === talk.owner.tenant && m !== talk.owner));
	const saved = w.act({
		action: 'create', mailbox: talk.owner.oid, subject: same ? talk.about.topic : subject(w), isAllDay: allDay, isDraft: draft,
		...draft && rng.chance(0.5) ? {} : { start, end: start + (allDay ? DAY : HOUR) }, ...series ? { recurrence: recurrence(w, start) } : {},
		attendees: rng.chance(0.3) ? [colleague.upn, 'guest@elsewhere.example'] : [],
		properties: withProperty ? { [w.stack.sims.propertyId]: property(w, talk) } : {},
	}, 'saved');
	talk.home = { event: saved.event.immutableId };
}

/** @param {Walk} w */
async function pressButton(w) {
	const { rng } = w;
	const owner = rng.pick(w.stack.mailboxes);
	const about = { topic: topicOf(subject(w), w.truth.rules), start: Math.round(when(w) / MINUTE) * MINUTE, zone: rng.pick(ZONES), shared: rng.chance(0.08) };
	const talk = w.book(owner, about);
	talk.foreign = rng.chance(0.04);
	w.truth.tell(talk, `booked by ${owner.upn} for "${about.topic.slice(0, 40)}" ${new Date(about.start).toISOString()}${about.shared ? ' shared' : ''}${talk.foreign ? ' FOREIGN' : ''}`);
	const propertyLate = rng.chance(0.3);
	/** @type {(() => any)[]} */
	let parts = [
		() => {
			saveEvent(w, talk, !propertyLate);
			if (propertyLate && !rng.chance(0.1))
				w.later(rng.int(1, 15), () => writeProperty(w, talk));
		},
		() => announce(w, talk),
	];
	if (rng.chance(0.12))
		parts.splice(rng.int(0, 1), 1);
	parts = rng.shuffle(parts);
	for (const part of parts)
		if (rng.chance(0.6))
			await part();
		else
			w.later(rng.int(1, 12), part);
}

/** The same again, as a pane does that is not sure. @param {Walk} w */
async function announceAgain(w) {
	const talk = w.anyTalk();
	if (talk !== null && talk.put !== 'no')
		await announce(w, talk);
}

/** Somebody else says that it is his. @param {Walk} w */
async function claimByOther(w) {
	const talk = w.anyTalk();
	if (talk === null || talk.put !== 'yes')
		return;
	const thief = w.rng.pick(w.stack.mailboxes.filter((m) => m !== talk.owner));
	const answer = await w.put(thief, talk.id, { v: 1, sourceId: talk.sourceId, topic: 'Mine', start: new Date(w.now()).toISOString(), mailbox: 'own' });
	w.truth.tell(talk, `claimed by ${thief.upn} -> ${answer.status}`);
}

/** The agent takes it back himself. @param {Walk} w */
async function removeByAgent(w) {
	const talk = w.anyTalk();
	if (talk === null || w.conversation(talk) === null || talk.put !== 'yes' || talk.foreign)
		return;
	w.stack.sims.sim.conversations.delete({ identity: { role: 'SUPER_ADMIN', person: null, label: talk.owner.upn } }, w.conversation(talk));
	w.truth.tell(talk, 'removed by the agent');
	await w.request('DELETE', talk.owner, talk.id);
}

/* ---- edits ---- */

/** An event of a conversation, in the calendar. @param {Walk} w @param {(event: any) => boolean} [fits] */
function pick(w, fits = (e) => e.folder === 'calendar') {
	const all = [...w.truth.talks.values()].flatMap((t) => [...t.events.keys()]).filter((e) => e.folder !== 'gone' && e.isOrganizer && fits(e));
	return all.length === 0 ? null : w.rng.pick(all);
}

/** Without notifications from there only catch-up could tell. @param {Walk} w */
function editable(w) {
	return (/** @type {any} */ e) => e.folder === 'calendar' && (w.silent || e.calendarId === e.box.defaultCalendar);
}

/** @param {(w: Walk, event: any) => any} change what of the action, or null @param {(event: any) => boolean} [fits] */
function edit(change, fits) {
	return (/** @type {Walk} */ w) => {
		const event = pick(w, fits ?? editable(w));
		if (event === null)
			return;
		const want = change(w, event);
		if (want !== null)
			w.act({ mailbox: event.box.user.oid, event: event.immutableId, ...want }, want.action);
	};
}

/** @param {any} e */
const timed = (e) => e.start !== null;
/** @param {any} e */
const single = (e) => timed(e) && e.type === 'singleInstance';
/** One of the next occurrences. @param {Walk} w @param {any} e */
function occurrence(w, e) {
	const all = e.type === 'seriesMaster' ? occurrencesOf(e, w.now() - DAY, w.now() + 100 * DAY).slice(0, 6) : [];
	return all.length === 0 ? null : w.rng.pick(all);
}
/** @param {(w: Walk, occ: any) => any} change */
function editOccurrence(change) {
	return edit((w, e) => {
		const occ = occurrence(w, e);
		return occ === null ? null : { date: occ.date, ...change(w, occ) };
	}, (e) => e.type === 'seriesMaster' && e.folder === 'calendar' && e.calendarId === e.box.defaultCalendar);
}

const rename = edit((w) => ({ action: 'edit', subject: subject(w) }));
const move = edit((w, e) => timed(e) && !e.isAllDay ? { action: 'edit', start: when(w) } : null);
const renameAndMove = edit((w, e) => timed(e) && !e.isAllDay ? { action: 'edit', subject: subject(w), start: when(w) } : null);
const nudge = edit((w, e) => timed(e) && !e.isAllDay ? { action: 'edit', start: Math.floor(e.start / MINUTE) * MINUTE + w.rng.int(0, 29_999) } : null);
const zone = edit(() => ({ action: 'edit', timeZone: 'W. Europe Standard Time' }));
/** @param {number} start */
const back = (start) => ({ action: 'edit', isAllDay: false, start, end: start + HOUR });
const allDay = edit((w, e) => {
	if (!single(e))
		return null;
	if (e.isAllDay)
		return back(when(w));
	const start = day(w);
	return { action: 'edit', isAllDay: true, start, end: start + DAY };
});
const touch = edit(() => ({ action: 'touch' }));
const bodyOnly = edit((w) => ({ action: 'edit', body: `<p>Agenda ${w.rng.int(1, 999)}</p>`, location: 'Room 4' }));
const respond = edit((w) => ({ action: 'respond', response: w.rng.pick(['accepted', 'declined']) }));
const draft = edit((w, e) => {
	const start = when(w);
	return { action: 'edit', isDraft: !e.isDraft, subject: subject(w), ...timed(e) ? {} : { start, end: start + HOUR, isAllDay: false } };
});
/* A copy that was never seen can be found in the default calendar only. */
const moveOut = edit((w, e) => {
	const alone = [...w.truth.talks.values()].every((t) => !t.events.has(e) || t.events.size === 1);
	return e.calendarId === e.box.defaultCalendar && alone ? { action: 'moveCalendar', calendar: 'Team' } : null;
});
const moveBack = edit((_, e) => e.calendarId === e.box.defaultCalendar ? null : { action: 'moveCalendar', calendar: e.box.defaultCalendar }, (e) => e.folder === 'calendar');
const remove = edit(() => ({ action: 'delete' }));
const restore = edit(() => ({ action: 'restore' }), (e) => e.folder === 'deleted');
const purge = edit(() => ({ action: 'purge' }), (e) => e.folder === 'deleted');
const cancel = edit((_, e) => e.isCancelled ? null : { action: 'cancel' });
const copy = edit((w, e) => {
	const start = w.rng.chance(0.5) ? e.start : when(w);
	return single(e) && !e.isAllDay ? { action: 'copy', start, end: start + HOUR } : null;
});

const occurrenceMoved = editOccurrence((w, occ) => {
	const start = w.rng.chance(0.7) ? occ.start + w.rng.int(-30, 30) * HOUR : soon(w);
	return { action: 'editOccurrence', start, end: start + HOUR };
});
const occurrenceRenamed = editOccurrence((w) => ({ action: 'editOccurrence', subject: subject(w) }));
const occurrenceCancelled = editOccurrence(() => ({ action: 'editOccurrence', isCancelled: true }));
const occurrenceDeleted = editOccurrence(() => ({ action: 'deleteOccurrence' }));
const turnedSingle = edit((_, e) => e.type === 'seriesMaster' ? { action: 'edit', recurrence: null } : null);
const turnedSeries = edit((w, e) => single(e) && !e.isAllDay ? { action: 'edit', recurrence: recurrence(w, e.start) } : null);

/** Cut and paste: a copy appears, the old one goes, in either order. @param {Walk} w */
function cutAndPaste(w) {
	const event = pick(w, (e) => editable(w)(e) && single(e) && !e.isAllDay);
	if (event === null)
		return;
	const about = { mailbox: event.box.user.oid, event: event.immutableId };
	w.act({ ...about, action: 'copy' }, 'copy');
	w.act({ ...about, action: 'delete' }, 'delete');
}

/** [how often, name, what] @type {[number, string, (w: Walk) => any][]} */
export const AGENT_STEPS = [
	[7, 'press', pressButton], [3, 'announce again', announceAgain], [1, 'claim', claimByOther], [1, 'remove', removeByAgent],
	[14, 'rename', rename], [12, 'move', move], [6, 'rename and move', renameAndMove], [3, 'nudge', nudge], [2, 'zone', zone], [4, 'all day', allDay],
	[4, 'touch', touch], [3, 'body', bodyOnly], [3, 'respond', respond], [3, 'draft', draft], [2, 'move out', moveOut], [3, 'move back', moveBack],
	[5, 'delete', remove], [3, 'restore', restore], [1, 'purge', purge], [1, 'cancel', cancel], [2, 'copy', copy], [1, 'cut and paste', cutAndPaste],
	[3, 'occurrence moved', occurrenceMoved], [1, 'occurrence renamed', occurrenceRenamed], [1, 'occurrence cancelled', occurrenceCancelled], [2, 'occurrence deleted', occurrenceDeleted],
	[1, 'turned single', turnedSingle], [1, 'turned series', turnedSeries],
];
