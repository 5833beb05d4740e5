// @ts-check
/* What happens inside Unblu: visitors, bots, colleagues, messages, starts and ends, and changes by hand. */

import { conversationAction } from '../sim/control/people.js';
import { topicOf } from './rule.js';

/**
 * @typedef {import('./walk.js').Walk} Walk
 * @typedef {import('./truth.js').Talk} Talk
 */

/** @param {(w: Walk, talk: Talk) => void} step for a conversation that is there */
function on(step) {
	return (/** @type {Walk} */ w) => {
		const talk = w.anyTalk();
		if (talk === null || w.conversation(talk) === null)
			return;
		try {
			step(w, talk);
		} catch (e) {
			if (!(e instanceof RangeError))
				throw e;
		}
	};
}

/** @param {Walk} w @param {Talk} talk @param {string} action @param {any} [want] */
function control(w, talk, action, want = {}) {
	conversationAction(w.stack.sims.sim, talk.id, action, want);
	w.truth.tell(talk, `in Unblu: ${action} ${JSON.stringify(want)}`);
}

/** The last who came, never the agent. @param {Walk} w @param {Talk} talk */
function leave(w, talk) {
	const c = w.conversation(talk);
	if (c !== null && w.stack.sims.sim.conversations.present(c).length > 1)
		control(w, talk, 'leave');
}

/** @param {any} who */
function join(who) {
	return on((w, talk) => {
		/* The agent himself would be no other. */
		if (who.agent === talk.owner.upn)
			return;
		talk.touchedAt = Math.min(talk.touchedAt, performance.now());
		control(w, talk, 'join', who);
		if (w.rng.chance(0.6))
			w.later(w.rng.int(1, 10), () => leave(w, talk));
	});
}

const message = on((w, talk) => {
	talk.touchedAt = Math.min(talk.touchedAt, performance.now());
	control(w, talk, 'message', {});
});

const start = on((w, talk) => {
	talk.startedAt = Math.min(talk.startedAt, performance.now());
	control(w, talk, 'start');
});

const end = on((w, talk) => {
	if (w.conversation(talk).state === 'ENDED')
		return;
	talk.startedAt = Math.min(talk.startedAt, performance.now());
	control(w, talk, 'end', { reason: 'CANCELED' });
});

const rename = on((w, talk) => {
	const topic = topicOf(`By hand ${w.rng.int(1, 999)}`, w.truth.rules);
	talk.byHand.push({ at: performance.now(), topic });
	control(w, talk, 'edit', { topic });
});

const move = on((w, talk) => {
	const scheduledTimestamp = Math.floor(w.now() / 60_000 + w.rng.int(1, 9999)) * 60_000;
	talk.byHand.push({ at: performance.now(), start: scheduledTimestamp });
	control(w, talk, 'edit', { scheduledTimestamp });
});

const remove = on((w, talk) => control(w, talk, 'delete'));

/** @type {[number, string, (w: Walk) => any][]} */
export const GUEST_STEPS = [
	[3, 'visitor joins', join({ name: 'Visitor' })], [1, 'colleague joins', join({ agent: 'david@lakeinsurance.example' })], [1, 'contact joins', join({ external: true })], [1, 'bot joins', join({ bot: true })],
	[1, 'message', message], [1, 'start', start], [1, 'end', end], [1, 'topic by hand', rename], [1, 'time by hand', move], [1, 'deleted by hand', remove],
];
