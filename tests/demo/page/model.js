// @ts-check
/* What the page knows, and the arithmetic of a week. Pure: no DOM, no network. */

/**
 * @typedef {{ tenant: string, user: string, name: string, upn: string }} Mailbox
 * @typedef {{ id: string, name: string, mailboxes: Mailbox[] }} Tenant
 * @typedef {{ id: string, tenant: string, user: string, subject: string, start: number, end: number, conversation: string | null, topic?: string, series?: string | null, meets?: number | null }} CalendarEvent series: id of the one it is an occurrence of, meets: when that meets next
 * @typedef {{ id: string, topic: string, start: number, state: string, agent: string, url: string | null }} Conversation
 * @typedef {{ tenant: string, user: string, id: string, expires: number, life: number }} Subscription
 * @typedef {{ ready: number, health: string, degraded: string[], queue: number | null, web: number | null, sync: number | null, renewLast: string | null, renewNext: number | null, busy: string | null }} Status
 * @typedef {{ answered: number, topics: number, times: number, deletions: number, dead: number | null }} Counts
 * @typedef {{ owner: string, delegate: string, permissions: number }} Share
 * @typedef {{ now: number, shifted: number, base: string, shares: Share[], tenants: Tenant[], events: CalendarEvent[], conversations: Conversation[], subscriptions: Subscription[], status: Status, counts: Counts }} State
 */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const SNAP = 15 * MINUTE;

/** Local midnight of the day of ms. @param {number} ms */
export function dayStart(ms) {
	const d = new Date(ms);
	return new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
}

/** Local midnight n days later; a day with a clock change is not 24 h long. @param {number} ms @param {number} n */
export function addDays(ms, n) {
	const d = new Date(ms);
	return new Date(d.getFullYear(), d.getMonth(), d.getDate() + n).getTime();
}

/** Monday of the working week to show: on a weekend the coming one. @param {number} ms */
export function weekStart(ms) {
	const weekday = (new Date(ms).getDay() + 6) % 7;
	return addDays(dayStart(ms), weekday > 4 ? 7 - weekday : -weekday);
}

/** @param {number} ms */
export function snap(ms) {
	return Math.round(ms / SNAP) * SNAP;
}

/** Minutes since local midnight, by the wall clock. @param {number} ms */
export function minuteOfDay(ms) {
	const d = new Date(ms);
	return d.getHours() * 60 + d.getMinutes();
}

/** The instant of a wall-clock minute of a day. @param {number} day @param {number} minute */
export function atMinute(day, minute) {
	const d = new Date(day);
	return new Date(d.getFullYear(), d.getMonth(), d.getDate(), 0, minute).getTime();
}

/**
 * Side by side places for events of one day that overlap.
 * @param {{ id: string, start: number, end: number }[]} events
 * @returns {Map<string, { lane: number, lanes: number }>}
 */
export function lanes(events) {
	const sorted = [...events].sort((a, b) => a.start - b.start || b.end - a.end || (a.id < b.id ? -1 : 1));
	/** @type {Map<string, { lane: number, lanes: number }>} */
	const out = new Map();
	/** @type {typeof sorted} */
	let group = [];
	/** @type {number[]} */
	let ends = [];
	const close = () => {
		for (const e of group)
			/** @type {{ lane: number, lanes: number }} */ (out.get(e.id)).lanes = ends.length;
		group = [];
		ends = [];
	};
	for (const e of sorted) {
		if (group.length > 0 && ends.every((end) => end <= e.start))
			close();
		let lane = ends.findIndex((end) => end <= e.start);
		if (lane < 0)
			lane = ends.length;
		ends[lane] = e.end;
		group.push(e);
		out.set(e.id, { lane, lanes: 1 });
	}
	close();
	return out;
}

/** Whether the conversation says what the event says. @param {CalendarEvent} event @param {Conversation | undefined} talk */
export function inStep(event, talk) {
	return talk !== undefined && talk.topic === (event.series ? event.topic ?? '' : event.subject).trim() && Math.round(talk.start / MINUTE) === Math.round((event.meets ?? event.start) / MINUTE);
}

/**
 * What changed between two lists of conversations.
 * @param {Conversation[]} before @param {Conversation[]} after
 */
export function talkChanges(before, after) {
	const old = new Map(before.map((c) => [c.id, c]));
	const now = new Map(after.map((c) => [c.id, c]));
	return {
		added: after.filter((c) => !old.has(c.id)),
		removed: before.filter((c) => !now.has(c.id)),
		topic: after.filter((c) => old.has(c.id) && old.get(c.id)?.topic !== c.topic),
		time: after.filter((c) => old.has(c.id) && old.get(c.id)?.start !== c.start),
	};
}

/** @param {State} state @param {string | null} id */
export function conversationOf(state, id) {
	return id === null ? undefined : state.conversations.find((c) => c.id === id);
}

/** @param {State} state @param {string} user */
export function mailboxOf(state, user) {
	for (const tenant of state.tenants)
		for (const box of tenant.mailboxes)
			if (box.user === user)
				return box;
	return undefined;
}

/** @param {string} name */
export function initials(name) {
	return name.split(/\s+/).map((w) => w.slice(0, 1)).join('').slice(0, 2).toUpperCase();
}

/** @param {number} ms */
export function timeText(ms) {
	return new Date(ms).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** "2030-11-11", for a field. @param {number} ms */
export function dateText(ms) {
	const d = new Date(ms);
	return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
}

/** @param {number} ms */
export function dayText(ms) {
	return new Date(ms).toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
}

/** @param {number} ms */
export function stampText(ms) {
	const d = new Date(ms);
	return `${d.toLocaleTimeString('en-GB')}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

/** "11 - 15 November 2030". @param {number} monday */
export function weekText(monday) {
	const a = new Date(monday);
	const b = new Date(addDays(monday, 4));
	const month = b.toLocaleDateString('en-GB', { month: 'long', year: 'numeric' });
	return a.getMonth() === b.getMonth() ? `${a.getDate()} \u2013 ${b.getDate()} ${month}` : `${a.getDate()} ${a.toLocaleDateString('en-GB', { month: 'short' })} \u2013 ${b.getDate()} ${month}`;
}

/** A length of time in words. @param {number} ms */
export function spanText(ms) {
	if (ms < 0)
		return `${spanText(-ms)} ago`;
	if (ms < 100 * 1000)
		return `${Math.round(ms / 1000)} s`;
	if (ms < 100 * MINUTE)
		return `${Math.round(ms / MINUTE)} min`;
	return ms < 48 * HOUR ? `${(ms / HOUR).toFixed(1)} h` : `${(ms / DAY).toFixed(1)} days`;
}
