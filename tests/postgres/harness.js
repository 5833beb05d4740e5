// @ts-check
/* Several outlook-addin-fcgi of one installation, and what is done to their calendars. */

import assert from 'node:assert/strict';
import { body, item } from '../lib/notification.js';
import { Replica } from '../lib/replica.js';
import { Stack } from '../lib/stack.js';

const MINUTE = 60_000;

/** What every story needs. @param {string} name @param {any} options as Stack's; own: keys of each further replica @param {number} replicas @param {(stack: Stack, others: Replica[]) => Promise<void>} story */
export async function play(name, { own = [], ...options }, replicas, story) {
	await Stack.play(name, {
		settings: { graph: { latencyMs: [1, 20] }, unblu: { latencyMs: [1, 25] } },
		...options,
		config: { notificationDebounceMs: 50, deletionGraceSeconds: 1, logLevel: 'info', ...options.config },
	}, async (stack) => {
		const others = Array.from({ length: replicas }, (_, i) => new Replica(stack, i + 1, { config: own[i] }));
		try {
			await Promise.all(others.map((r) => r.ready()));
			await story(stack, others);
			for (const r of others.filter((o) => o.program.running))
				assert.equal((await r.program.stop()).code, 0);
		} finally {
			for (const r of others)
				await r.program.destroy();
		}
	});
}

/** Edits it, tells one of the webs. @param {Stack} stack @param {any} link @param {number} version @param {(text: string) => Promise<number>} send */
export async function edit(stack, link, version, send) {
	stack.sims.editEvent(link.mailbox, link.event, { subject: `#${version}`, start: link.start + version * MINUTE });
	assert.equal(await send(body(item(link.sub, link.event.id))), 202);
}

/** @param {Stack} stack @param {any} link @param {number} version */
export function shows(stack, link, version) {
	const conv = stack.sims.conversation(link.conv.id);
	return conv !== null && conv.topic === `#${version}` && conv.scheduledTimestamp === link.start + version * MINUTE;
}

/** @param {Replica} r */
export const through = (r) => async (/** @type {string} */ text) => (await r.ask('POST', '/addin/webhook/events', text)).status;
/** @param {Stack} stack */
export const throughNginx = (stack) => async (/** @type {string} */ text) => (await stack.http.post('/addin/webhook/events', text)).status;
