// @ts-check
/* Dumps of what the simulators hold. */

import { describeCalendars, describeEvent } from '../graph/calendar.js';
import { describeDelivery } from '../graph/deliver.js';
import { describeSubscription } from '../graph/subscriptions.js';

/** @param {any} sim @param {string | undefined} mailbox object id or UPN @param {boolean} [all] deleted items too */
export function eventsOf(sim, mailbox, all = true) {
	const boxes = mailbox === undefined ? [...sim.calendars.boxes.values()] : [boxOf(sim, mailbox)];
	return boxes.flatMap((box) => [...box.events.values()]).filter((e) => all || e.folder === 'calendar').map(describeEvent);
}

/** @param {any} sim @param {string} mailbox */
export function boxOf(sim, mailbox) {
	const user = sim.directory.anyUser(mailbox);
	if (user === undefined)
		throw new RangeError(`no mailbox ${JSON.stringify(mailbox)}`);
	return sim.calendars.box(user);
}

/** @param {any} sim */
export function mailboxes(sim) {
	return [...sim.directory.users.values()].map((/** @type {any} */ u) => ({
		oid: u.oid, upn: u.upn, name: u.name, tenant: u.tenant, state: u.state, events: sim.calendars.boxes.get(u.oid)?.events.size ?? 0,
		calendars: describeCalendars(sim.calendars.box(u)), counters: sim.journal.mailbox(u.oid), personId: sim.people.byOid.get(u.oid)?.id ?? null,
	}));
}

/** @param {any} sim @param {boolean} gone */
export function subscriptions(sim, gone) {
	return [...[...sim.subscriptions.byId.values()].map(describeSubscription), ...(gone ? sim.subscriptions.gone.values() : [])];
}

/** @param {any} sim @param {boolean} [deleted] */
export function conversations(sim, deleted = true) {
	return [...sim.conversations.byId.values(), ...(deleted ? sim.conversations.deleted.values() : [])].map((c) => sim.conversations.describe(c));
}

/** @param {any} sim @param {string} id */
export function conversation(sim, id) {
	const c = sim.conversations.byId.get(id) ?? sim.conversations.deleted.get(id);
	if (c === undefined)
		throw new RangeError(`no conversation ${JSON.stringify(id)}`);
	return { ...sim.conversations.describe(c), ledger: sim.conversations.ledger.get(c.id) ?? [], messageList: c.messages.map((/** @type {any} */ m) => ({ at: m.at, by: m.by.displayName, text: m.text, human: m.human })) };
}

/** @param {any} sim @param {number} limit */
export function deliveries(sim, limit) {
	return sim.delivery.ring.list().slice(-limit).map((/** @type {any} */ d) => ({ ...describeDelivery(d), items: d.items }));
}

/** Counts that are exact however long the run. @param {any} sim */
export function counters(sim) {
	return {
		...sim.journal.counters(), notifications: sim.notifier.made, lifecycle: sim.lifecycle.sent, subscriptions: { live: sim.subscriptions.byId.size, ...sim.subscriptions.counts },
		conversations: { live: sim.conversations.byId.size, deleted: sim.conversations.deleted.size, writes: sim.conversations.counts },
		tokens: { entra: sim.tokens.issued, gateway: sim.gateway.issued }, pendingDeliveries: sim.delivery.pending.size, idle: sim.delivery.idle,
		violations: sim.checks.violations.total, simulatorErrors: sim.errors.length,
	};
}

/** Everything a page needs to begin. @param {any} sim */
export function summary(sim) {
	return {
		urls: sim.urls, clock: sim.clock.describe(), seed: sim.seed, tenants: sim.directory.describe(), mailboxes: mailboxes(sim), events: eventsOf(sim, undefined),
		subscriptions: subscriptions(sim, false), conversations: conversations(sim), counters: counters(sim),
	};
}
