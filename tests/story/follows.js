// @ts-check
/* What stories of misbehaving clouds wait for. */

import { waitFor } from '../lib/wait.js';

/** @typedef {import('../lib/stack.js').Stack} Stack */

/** The conversation gets this topic in the end. @param {Stack} stack @param {{ conv: any }} link @param {string} topic @param {number} [ms] */
export function follows(stack, link, topic, ms = 20_000) {
	return waitFor(() => stack.sims.conversation(link.conv.id).topic === topic, ms, `the conversation is called ${topic}`);
}
