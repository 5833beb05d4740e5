// @ts-check
/* How Entra, Graph and Unblu fail: each for a bounded number of answers, or for some steps. */

import { HOSTILE_KINDS } from '../sim/graph/hostile.js';

/** @typedef {import('./walk.js').Walk} Walk */

const READS = ['getEvent', 'listEvents', 'getEventCalendar', 'getCalendar'];
const SUBSCRIPTIONS = ['createSubscription', 'renewSubscription', 'listSubscriptions', 'deleteSubscription', 'batch'];
const WRITES = ['setTopic', 'setScheduledTimestamp', 'delete'];
const LOOKS = ['read', 'history'];
/* Refusals, and 404 to boot, would be believed. */
const ERRORS = [500, 502, 503, 504];

/** All forms of Retry-After. @param {Walk} w */
function retryAfter(w) {
	const { rng } = w;
	return rng.pick([
		{ retryAfter: rng.int(1, 20) }, { retryAfter: rng.int(500, 4000) / 1000 }, { retryAfter: null }, { retryAfter: rng.int(2, 15), retryAfterStyle: 'date' }, { retryAfter: 0 }, { retryAfter: rng.int(60, 900) },
	]);
}

/** @param {Walk} w */
function throttled(w) {
	const { rng } = w;
	const graph = rng.chance(0.6);
	const op = graph ? rng.pick([READS, SUBSCRIPTIONS, [...READS, ...SUBSCRIPTIONS]]) : rng.pick([WRITES, LOOKS]);
	return { service: graph ? 'graph' : 'unblu', op, kind: 'throttle', ...retryAfter(w), ...graph ? {} : { scope: 'service' }, count: rng.int(1, 3) };
}

/** @param {Walk} w */
function broken(w) {
	const { rng } = w;
	const graph = rng.chance(0.5);
	const op = graph ? rng.pick([READS, SUBSCRIPTIONS]) : rng.pick([WRITES, LOOKS]);
	const kind = rng.pick(['status', 'reset', 'html', 'garbage', 'empty', 'redirect', 'oversize']);
	/* A deletion that is answered 200 without having happened would be believed. */
	const status = kind === 'status' || kind === 'empty' && !graph || kind === 'html' && rng.chance(0.5) ? rng.pick(ERRORS) : undefined;
	return { service: graph ? 'graph' : 'unblu', op, kind, ...status === undefined ? {} : { status }, ...kind === 'status' ? retryAfter(w) : {}, ...kind === 'oversize' ? { bytes: 20 << 20 } : {}, count: rng.int(1, rng.chance(0.1) ? 7 : 3) };
}

/** The effect happens, its answer does not arrive whole. @param {Walk} w */
function answerLost(w) {
	const { rng } = w;
	const graph = rng.chance(0.3);
	const kind = rng.pick(['lost', 'lost', 'truncate', 'cut', 'slow']);
	const about = { service: graph ? 'graph' : 'unblu', op: graph ? [...READS, ...SUBSCRIPTIONS] : [...WRITES, ...LOOKS], count: rng.int(1, 3) };
	/* Longer than unbluTimeoutMs of the walk. */
	return kind === 'slow' ? { ...about, kind: 'delay', delayAfterMs: graph ? 300 : 1300 } : { ...about, kind };
}

/** @param {Walk} w */
function tokens(w) {
	const { rng } = w;
	const about = { service: rng.pick(['entra', 'unblu']), op: 'token', count: rng.int(1, 3) };
	return rng.pick([{ ...about, kind: 'status', status: 503 }, { ...about, kind: 'garbage' }, { ...about, kind: 'html' }, { ...about, kind: 'reset' }, { ...about, kind: 'lost' }, { ...about, kind: 'throttle', retryAfter: 3 }, { ...about, kind: 'delay', delayMs: 200 }]);
}

/** @param {(w: Walk) => any} make */
function fault(make) {
	return (/** @type {Walk} */ w) => {
		const rule = make(w);
		w.say(`fault ${JSON.stringify(rule)}`);
		const id = w.stack.sims.fault(rule);
		w.later(w.rng.int(5, 40), () => w.stack.sims.unfault(id));
	};
}

/** @param {Walk} w */
function mailboxUnwell(w) {
	const box = w.rng.pick(w.stack.mailboxes);
	const state = w.rng.pick(['amnesia', 'amnesia', 'flapping', 'noLicence', 'forbidden', 'policy', 'deleted']);
	w.say(`mailbox ${box.upn} ${state}`);
	w.stack.sims.mailboxState(box, state);
	w.later(w.rng.int(2, 12), () => {
		w.say(`mailbox ${box.upn} ok`);
		w.stack.sims.mailboxState(box, 'ok');
	});
}

/** @param {Walk} w */
function secretExpired(w) {
	const { tenant } = w.rng.pick(w.stack.mailboxes);
	w.say(`secret of ${tenant} expired`);
	w.stack.sims.expireSecret(tenant, true);
	w.stack.sims.revokeTokens(tenant);
	w.later(w.rng.int(2, 12), () => w.stack.sims.expireSecret(tenant, false));
}

/** @param {Walk} w */
function tokensRevoked(w) {
	if (w.rng.chance(0.5))
		w.stack.sims.revokeGatewayTokens();
	else
		w.stack.sims.revokeTokens(w.rng.pick(w.stack.mailboxes).tenant);
}

/** @param {Walk} w */
function anySubscription(w) {
	const all = [...w.stack.sims.sim.subscriptions.byId.values()];
	return all.length === 0 ? null : w.rng.pick(all);
}

/** @param {Walk} w */
function lifecycle(w) {
	const sub = anySubscription(w);
	if (sub === null)
		return;
	const event = w.rng.pick(['reauthorizationRequired', 'subscriptionRemoved', 'missed']);
	w.say(`lifecycle ${event} of ${sub.oid}`);
	w.stack.sims.sim.lifecycle.send(sub, event);
}

/** Gone, or silent, without a word: only where a catch-up follows. @param {Walk} w */
function silence(w) {
	const sub = anySubscription(w);
	const { notify } = w.stack.sims.sim.settings.graph;
	if (!w.silent)
		return;
	if (sub !== null && w.rng.chance(0.4)) {
		w.say(`subscription of ${sub.oid} dropped without a word`);
		w.stack.sims.dropSubscription(sub.id);
		return;
	}
	w.say('notifications are lost without a word');
	notify.lost = w.rng.pick([0.3, 1]);
	w.later(w.rng.int(3, 15), () => {
		notify.lost = 0;
	});
}

/** Posts are lost, which `missed` tells. @param {Walk} w */
function missed(w) {
	const { delivery } = w.stack.sims.sim.settings.graph;
	w.say('posts are lost, missed is told');
	delivery.lost = w.rng.pick([0.3, 1]);
	w.later(w.rng.int(3, 15), () => {
		delivery.lost = 0;
	});
}

/** Forged for a real event, or nonsense. @param {Walk} w */
function hostile(w) {
	const sub = anySubscription(w);
	const talk = w.anyTalk();
	if (sub === null)
		return;
	const kind = w.rng.pick(HOSTILE_KINDS);
	w.background(w.stack.sims.sim.control('POST', '/control/hostile', { kind, subscription: sub.id, event: talk?.home?.event, count: 300, bytes: 2 << 20, depth: 200, timeoutMs: 3000 }));
}

/** @type {[number, string, (w: Walk) => any][]} */
export const CLOUD_STEPS = [
	[4, 'throttled', fault(throttled)], [4, 'broken', fault(broken)], [4, 'answer lost', fault(answerLost)], [2, 'tokens', fault(tokens)],
	[2, 'mailbox unwell', mailboxUnwell], [1, 'secret expired', secretExpired], [1, 'tokens revoked', tokensRevoked],
	[2, 'lifecycle', lifecycle], [2, 'silence', silence], [1, 'missed', missed], [2, 'hostile', hostile],
];
