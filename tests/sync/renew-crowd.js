// @ts-check
/* A crowd of mailboxes for outlook-addin-renew, and what is asked about it. */

import { Crowd } from '../lib/crowd.js';

export const MINUTE = 60_000;
export const DAY = 1440 * MINUTE;
const SUBSCRIPTION_URL = '/addin/webhook/events';

/**
 * @param {import('node:test').TestContext} t
 * @param {any} options as Crowd.start
 */
export async function crowd(t, options) {
	const c = await Crowd.start(options);
	t.after(() => c.close());
	return c;
}

/** @param {Crowd} c @param {string} sql */
export async function change(c, sql) {
	await c.sql(sql);
}

/** @param {Crowd} c @param {string} op */
export function asked(c, op) {
	return c.sim.journal.find({ service: 'graph', op }).length;
}

/** An unknown subscription of ours, or of somebody else's. @param {Crowd} c @param {any} user @param {any} [more] */
export function stranger(c, user, more = {}) {
	const tenant = c.sim.directory.tenants.get(user.tenant);
	const sub = c.subscribe(tenant, user, `${c.url}${SUBSCRIPTION_URL}`, c.sim.clock.now() + 3 * DAY);
	return Object.assign(sub, more);
}
