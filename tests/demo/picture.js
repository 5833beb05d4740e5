// @ts-check
/* The simulators' present state as the page shows it. Reads only. */

import { occurrencesOf } from '../sim/graph/series.js';

const DAY = 86400_000;
/** How far around now the occurrences of a series are drawn. */
const BACK = 28 * DAY;
const AHEAD = 84 * DAY;
/** Stands between the id of a series and the day of its occurrence. */
export const OF = '~';

/** @param {any} sim */
export function events(sim) {
	const out = [];
	for (const box of sim.calendars.boxes.values())
		for (const e of box.events.values())
			if (e.folder === 'calendar' && e.start !== null)
				out.push(...drawn(sim, box, e));
	return out;
}

/** One event, or the occurrences of a series. @param {any} sim @param {any} box @param {any} e */
function drawn(sim, box, e) {
	const whole = { id: e.immutableId, tenant: box.user.tenant, user: box.user.oid, subject: e.subject, start: e.start, end: e.end, conversation: linked(e), topic: e.subject, series: /** @type {string | null} */ (null), meets: /** @type {number | null} */ (null) };
	if (e.type !== 'seriesMaster')
		return [whole];
	const now = sim.clock.now();
	const all = occurrencesOf(e, now - BACK, now + AHEAD);
	/* The conversation has the time of the next meeting. */
	const meets = all.find((o) => !o.isCancelled && o.end > now)?.start ?? e.start;
	return all.map((o) => ({ ...whole, id: e.immutableId + OF + o.date, subject: o.subject ?? e.subject, start: o.start, end: o.end, series: e.immutableId, meets }));
}

/** @param {any} sim */
export function conversations(sim) {
	return [...sim.conversations.byId.values()].map((c) => ({
		id: c.id, topic: c.topic, start: c.scheduledTimestamp, state: c.state, url: sim.conversations.describe(c).publicLink,
		agent: c.participants.find((/** @type {any} */ p) => p.type === 'ASSIGNED_AGENT')?.person.oid ?? '',
	}));
}

/** Those that live. @param {any} sim */
export function subscriptions(sim) {
	return [...sim.subscriptions.byId.values()].map((s) => ({ tenant: s.tenant, user: s.oid, id: s.id, expires: s.expiresAt, life: s.expiresAt - s.authorizedAt }));
}

/** Those that ran out, of mailboxes that have no other. @param {any} sim */
function lapsed(sim) {
	const live = new Set(subscriptions(sim).map((s) => s.user));
	return [...sim.subscriptions.gone.values()].filter((s) => s.gone === 'expired' && !live.has(s.oid)).map((s) => ({ tenant: s.tenant, user: s.oid, id: s.id, expires: Date.parse(s.expirationDateTime), life: 0 }));
}

/** @param {any} sim */
function tenants(sim) {
	return [...sim.directory.tenants.values()].map((t) => ({ id: t.id, name: t.name, mailboxes: [...t.users.values()].map((u) => ({ tenant: t.id, user: u.oid, name: u.name, upn: u.upn })) }));
}

/** Everything but the status of the programs. @param {any} sim @param {number | null} dead letters */
export function draw(sim, dead) {
	const writes = sim.conversations.counts;
	return {
		now: sim.clock.now(), shifted: Math.round(sim.clock.offsetMs), tenants: tenants(sim), events: events(sim), conversations: conversations(sim),
		subscriptions: [...subscriptions(sim), ...lapsed(sim)],
		counts: { answered: sim.journal.deliveries.delivered, topics: writes.setTopic, times: writes.setScheduledTimestamp, deletions: writes.delete, dead },
	};
}

/** The conversation that the event's property names. @param {any} e */
function linked(e) {
	for (const { id, value } of e.props.values())
		if (/ cecp-/.test(id))
			try {
				const { unblu } = JSON.parse(value);
				return (typeof unblu === 'string' ? JSON.parse(unblu) : unblu).conversationId ?? null;
			} catch {
				return null;
			}
	return null;
}
