// @ts-check
/* The control routes, one line each; README.md explains them. RangeError means 400. */

import { ACTION_NAMES } from '../graph/actions.js';
import { askToValidate } from '../graph/handshake.js';
import { HOSTILE_KINDS, sendHostile } from '../graph/hostile.js';
import { LIFECYCLE_EVENTS } from '../graph/lifecycle.js';
import { MAILBOX_STATES } from '../lib/directory.js';
import { FAULT_KINDS } from '../lib/faults.js';
import { mergeSettings } from '../lib/settings.js';
import { pressButton } from './button.js';
import { conversationAction } from './people.js';
import * as state from './state.js';
import { waitFor } from './wait.js';

/** @typedef {{ body: any, query: URLSearchParams, args: string[] }} Call */

/** @param {Call} c @param {string} name @param {number} usual */
function limit(c, name, usual) {
	const text = c.query.get(name);
	if (text === null)
		return usual;
	if (!/^\d+$/.test(text))
		throw new RangeError(`${name}: not a number`);
	return Number(text);
}

/** @param {Call} c @param {string[]} names */
function pick(c, names) {
	return Object.fromEntries(names.map((n) => [n, c.query.get(n) ?? undefined]).filter(([, v]) => v !== undefined));
}

/** @param {any} sim @param {string} key */
function tenantOf(sim, key) {
	const tenant = sim.directory.tenant(key);
	if (tenant === undefined)
		throw new RangeError(`no tenant ${JSON.stringify(key)}`);
	return tenant;
}

/** @param {any} sim @param {string} key */
function userOf(sim, key) {
	const user = sim.directory.anyUser(key);
	if (user === undefined)
		throw new RangeError(`no mailbox ${JSON.stringify(key)}`);
	return user;
}

/** @param {any} sim @param {string} id */
function subscriptionOf(sim, id) {
	const sub = sim.subscriptions.byId.get(id);
	if (sub === undefined)
		throw new RangeError(`no subscription ${JSON.stringify(id)}`);
	return sub;
}

/** @type {[string, RegExp, (sim: any, c: Call) => any][]} */
export const ROUTES = [
	['GET', /^\/control\/?$/, (sim) => ({ urls: sim.urls, routes: ROUTES.map(([m, re]) => `${m} ${re.source.replace(/\\\//g, '/').replace(/^\^|\/?\??\$$/g, '')}`), actions: ACTION_NAMES, faults: FAULT_KINDS, hostile: HOSTILE_KINDS })],
	['GET', /^\/control\/health$/, (sim) => ({ ok: sim.errors.length === 0, errors: sim.errors, validation: sim.checks.message })],
	['POST', /^\/control\/reset$/, (sim, c) => sim.reset(c.body)],

	['GET', /^\/control\/clock$/, (sim) => sim.clock.describe()],
	['POST', /^\/control\/clock$/, (sim, c) => {
		sim.clock.set(c.body);
		sim.journal.emit('clock', sim.clock.describe());
		return sim.clock.describe();
	}],
	['GET', /^\/control\/settings$/, (sim) => sim.settings],
	['POST', /^\/control\/settings$/, (sim, c) => mergeSettings(sim.settings, c.body)],

	['GET', /^\/control\/state$/, (sim) => state.summary(sim)],
	['GET', /^\/control\/counters$/, (sim) => state.counters(sim)],
	['GET', /^\/control\/mailboxes$/, (sim) => state.mailboxes(sim)],
	['GET', /^\/control\/events$/, (sim, c) => state.eventsOf(sim, c.query.get('mailbox') ?? undefined, c.query.get('deleted') !== '0')],
	['GET', /^\/control\/subscriptions$/, (sim, c) => state.subscriptions(sim, c.query.get('gone') === '1')],
	['GET', /^\/control\/conversations$/, (sim, c) => state.conversations(sim, c.query.get('deleted') !== '0')],
	['GET', /^\/control\/conversations\/([^/]+)$/, (sim, c) => state.conversation(sim, c.args[0])],
	['GET', /^\/control\/ledger$/, (sim) => Object.fromEntries(sim.conversations.ledger)],
	['GET', /^\/control\/deliveries$/, (sim, c) => state.deliveries(sim, limit(c, 'limit', 1000))],
	['GET', /^\/control\/handshakes$/, (sim) => sim.handshakes.list()],
	['GET', /^\/control\/log$/, (sim, c) => sim.journal.find({ ...pick(c, ['service', 'op', 'mailbox', 'tenant', 'conversation', 'subscription', 'status']), after: c.query.has('after') ? limit(c, 'after', 0) : undefined, limit: limit(c, 'limit', 1000) })],
	['GET', /^\/control\/violations$/, (sim) => sim.checks.report()],
	['GET', /^\/control\/idle$/, async (sim, c) => ({ idle: await sim.delivery.whenIdle(limit(c, 'timeoutMs', 10_000)) })],
	['POST', /^\/control\/wait$/, (sim, c) => waitFor(sim, c.body)],

	['GET', /^\/control\/tenants$/, (sim) => sim.directory.describe()],
	['POST', /^\/control\/tenants$/, (sim, c) => {
		const tenant = sim.directory.addTenant(c.body);
		for (const user of tenant.users.values())
			sim.people.addAgent(user);
		return sim.directory.describe().find((/** @type {any} */ t) => t.id === tenant.id);
	}],
	['PATCH', /^\/control\/tenants\/([^/]+)$/, (sim, c) => changeTenant(sim, tenantOf(sim, c.args[0]), c.body)],
	['POST', /^\/control\/mailboxes$/, (sim, c) => {
		const user = sim.directory.addUser(tenantOf(sim, c.body.tenant ?? ''), c.body);
		sim.people.addAgent(user);
		return user;
	}],
	['PATCH', /^\/control\/mailboxes\/([^/]+)$/, (sim, c) => changeMailbox(sim, userOf(sim, c.args[0]), c.body)],

	['POST', /^\/control\/actions$/, (sim, c) => sim.actions.run(c.body)],
	['POST', /^\/control\/button$/, (sim, c) => pressButton(sim, c.body)],
	['POST', /^\/control\/lifecycle$/, (sim, c) => lifecycle(sim, c.body)],
	['POST', /^\/control\/handshake$/, async (sim, c) => ({ problem: await askToValidate(sim, c.body.url, {}, c.body.token) })],
	['POST', /^\/control\/hostile$/, (sim, c) => sendHostile(sim, c.body)],
	['DELETE', /^\/control\/subscriptions\/([^/]+)$/, (sim, c) => sim.subscriptions.remove(subscriptionOf(sim, c.args[0]), 'removed')],

	['GET', /^\/control\/faults$/, (sim) => ({ rules: sim.faults.rules, waits: [...sim.faults.waits.entries()] })],
	['POST', /^\/control\/faults$/, (sim, c) => sim.faults.add(c.body)],
	['DELETE', /^\/control\/faults$/, (sim) => sim.faults.clear()],
	['DELETE', /^\/control\/faults\/([^/]+)$/, (sim, c) => ({ removed: sim.faults.remove(c.args[0]) })],

	['GET', /^\/control\/keys$/, (sim) => sim.keys.describe()],
	['POST', /^\/control\/keys\/rotate$/, (sim, c) => sim.keys.rotate(c.body)],
	['POST', /^\/control\/keys\/([^/]+)$/, (sim, c) => sim.keys.publish(c.args[0], c.body.published !== false)],
	['POST', /^\/control\/mint$/, (sim, c) => sim.keys.mint(c.body)],
	['POST', /^\/control\/tokens\/revoke$/, (sim, c) => {
		if (c.body.service !== 'gateway')
			sim.tokens.revoke(c.body.tenant);
		if (c.body.service !== 'entra')
			sim.gateway.revoke();
	}],
	['GET', /^\/control\/assertions$/, (sim) => sim.tokens.assertions],
	['GET', /^\/control\/gateway$/, (sim) => ({ ...sim.gateway.client, issued: sim.gateway.issued, acted: sim.gateway.acted })],
	['PATCH', /^\/control\/gateway$/, (sim, c) => Object.assign(sim.gateway.client, c.body)],
	['PATCH', /^\/control\/persons\/([^/]+)$/, (sim, c) => {
		const person = sim.people.findAgent(c.args[0]);
		if (person === undefined)
			throw new RangeError(`no agent ${JSON.stringify(c.args[0])}`);
		return sim.people.personData(Object.assign(person, c.body));
	}],
	['POST', /^\/control\/conversations\/([^/]+)\/(\w+)$/, (sim, c) => conversationAction(sim, c.args[0], c.args[1], c.body)],
];

/** @param {any} sim @param {any} tenant @param {any} change */
function changeTenant(sim, tenant, change) {
	const { consented, secrets, certificates, federated, roles, throttled, clientId } = change;
	for (const [name, value] of Object.entries({ consented, secrets, certificates, federated, roles, clientId }))
		if (value !== undefined)
			tenant.app[name] = value;
	if (throttled !== undefined)
		tenant.throttled = throttled;
	if (roles !== undefined)
		sim.tokens.revoke(tenant.id);
	return sim.directory.describe().find((/** @type {any} */ t) => t.id === tenant.id);
}

/** @param {any} sim @param {any} user @param {any} change */
function changeMailbox(sim, user, change) {
	if (change.state !== undefined) {
		if (!MAILBOX_STATES.includes(change.state))
			throw new RangeError(`state: one of ${MAILBOX_STATES.join(', ')}`);
		user.state = change.state;
	}
	if (change.calendar !== undefined)
		state.boxOf(sim, user.oid).addCalendar(change.calendar);
	sim.journal.emit('mailbox', { oid: user.oid, upn: user.upn, state: user.state });
	return state.mailboxes(sim).find((m) => m.oid === user.oid);
}

/** @param {any} sim @param {any} want subscription, or mailbox for all of it */
function lifecycle(sim, want) {
	if (!LIFECYCLE_EVENTS.includes(want.event))
		throw new RangeError(`event: one of ${LIFECYCLE_EVENTS.join(', ')}`);
	const subs = want.subscription !== undefined ? [subscriptionOf(sim, want.subscription)] : [...sim.subscriptions.byMailbox.get(userOf(sim, want.mailbox ?? '').oid) ?? []];
	return { deliveries: subs.map((sub) => sim.lifecycle.send(sub, want.event)?.id ?? null) };
}
