// @ts-check
/* What the stories of leases and orphans have in common. */

import assert from 'node:assert/strict';
import { ANNA, Bench, KIND, TENANT_OF, until } from './harness.js';

export const START = Date.parse('2027-03-01T09:00:00Z');

/** 720 ms, and 30 ms between two searches. */
export const GRACE_HOURS = 0.0002;
export const GRACE_MS = GRACE_HOURS * 3600_000;

/** @param {any} t @param {any} [options] */
export async function bench(t, options = {}) {
	const b = await Bench.start(t, { ...options, config: { orphanGraceHours: GRACE_HOURS, ...options.config } });
	await b.follow(ANNA);
	await until('the mailbox is subscribed', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0));
	await b.settled();
	return b;
}

/** Made by the button, but the event was never saved. @param {Bench} b @param {{ user?: string, shared?: boolean, check?: number, sourceId?: string, event?: string, keep?: boolean }} [options] */
export async function announced(b, options = {}) {
	const user = options.user ?? ANNA;
	const event = await b.act({ action: 'create', mailbox: user, subject: 'Portfolio review', start: START, end: START + 1800_000 });
	const made = await b.control('POST', '/control/button', { mailbox: user, event: event.immutableId, noProperty: true });
	if (!options.keep)
		await b.act({ action: 'purge', mailbox: user, event: event.immutableId });
	const id = made.conversation.id;
	await b.tool('announce', id, TENANT_OF[user], user, options.sourceId ?? made.sourceId, 'Portfolio review', String(START), '', options.event ?? '', String(options.check ?? 0), options.shared ? '1' : '0');
	return { id, made, event, url: made.url, announcedAt: Date.now(), user };
}

/** The clock's call, as the beat and outlook-addin-renew make it. @param {Bench} b @param {any} m */
export async function due(b, m) {
	const wait = m.announcedAt + GRACE_MS + 50 - Date.now();
	if (wait > 0)
		await new Promise((resolve) => setTimeout(resolve, wait));
	await b.notify(m.user, m.id, 0, KIND.link);
	await b.settled();
}

/** Until the lease has come to an end. @param {Bench} b @param {any} m @param {number} state */
export async function leadsTo(b, m, state) {
	for (let i = 0; i < 20 && (await b.link(m.id)).state !== state; i++)
		await due(b, m);
	assert.equal((await b.link(m.id)).state, state, JSON.stringify(await b.link(m.id)));
	return b.dump();
}

/** @param {any} d */
export const audit = (d) => d.audit.map((/** @type {any} */ a) => `${a.action} ${a.outcome}`);

/** So many searches are behind. @param {Bench} b @param {string} id @param {number} n */
export async function searched(b, id, n) {
	return until(`${n} searches`, async () => (await b.link(id)).emptySearches >= n);
}

/** @param {Bench} b @param {string} event @param {any} m @param {string} [user] */
export function carry(b, event, m, user = ANNA) {
	return b.act({ action: 'link', mailbox: user, event, conversationId: m.id, sourceId: m.made.sourceId });
}
