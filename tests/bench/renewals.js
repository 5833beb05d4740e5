// @ts-check
/*
 * Passes of outlook-addin-renew over thousands of subscriptions, against goals.
 *
 *     node tests/bench/renewals.js [COUNT] [--report]
 *
 * All are due, each batch is answered after 80 ms; a third of the members is throttled; nothing is due. The simulators
 * share the machine. Exit 1 when a goal is missed; with --report only when something was not renewed, Retry-After
 * was undercut or more than 16 batches were in flight.
 */

import { Crowd } from '../lib/crowd.js';

const args = process.argv.slice(2);
const REPORT = args.includes('--report');
const [COUNT = 10_000] = args.filter((a) => /^\d+$/.test(a)).map(Number);
const ANSWER_MS = 80;
const GOAL = { renewSeconds: 15, batches: 16, residentMiB: 16, idleMs: 20 };

/** @type {string[]} */
const missed = [];
/** @type {string[]} */
const broken = [];

/** @param {string} what @param {string} value @param {boolean} met @param {string[]} [list] */
function say(what, value, met, list = missed) {
	console.log(`${what.padEnd(58)} ${value.padStart(12)}  ${met ? 'met' : 'MISSED'}`);
	if (!met)
		list.push(what);
}

/** @param {number} tenants @param {(crowd: Crowd) => void} [before] */
async function pass(tenants, before) {
	const crowd = await Crowd.start({ count: COUNT, tenants });
	try {
		crowd.watch();
		crowd.slowBatches(ANSWER_MS);
		before?.(crowd);
		const run = await crowd.renew();
		return { ...run, most: crowd.flight.most, early: crowd.sim.journal.early, idle: await idle(crowd) };
	} finally {
		await crowd.close();
	}
}

/** The middle one of several passes with nothing due. @param {Crowd} crowd */
async function idle(crowd) {
	const times = [];
	for (let i = 0; i < 9; i++) {
		const run = await crowd.renew();
		if (run.code !== 0 || run.summary.due !== 0)
			broken.push('something is due after the pass');
		times.push(run.summary.ms);
	}
	return times.sort((a, b) => a - b)[4];
}

/** A third of them is throttled once. @param {Crowd} crowd */
function throttle(crowd) {
	crowd.users.forEach((user, i) => {
		if (i % 3 === 0)
			crowd.sim.faults.add({ service: 'graph', op: 'renewSubscription', mailbox: user.oid, kind: 'throttle', retryAfter: 5, count: 1 });
	});
}

/** @param {string} name @param {Awaited<ReturnType<typeof pass>>} run */
function judge(name, run) {
	say(`${name}: all renewed`, `${run.summary?.renewed ?? 0}`, run.code === 0 && run.summary.renewed === COUNT, broken);
	say(`${name}: batches in flight, at most`, `${run.most}`, run.most <= GOAL.batches, broken);
	say(`${name}: Retry-After undercut`, `${run.early}`, run.early === 0, broken);
	say(`${name}: resident, at most`, `${(run.peakKiB / 1024).toFixed(1)} MiB`, run.peakKiB / 1024 < GOAL.residentMiB);
}

const one = await pass(1);
judge('one tenant', one);
say('one tenant: seconds', (one.ms / 1000).toFixed(1), one.ms / 1000 < GOAL.renewSeconds);
say('nothing due: ms', `${one.idle}`, one.idle < GOAL.idleMs);
const forty = await pass(40);
judge('forty tenants', forty);
say('forty tenants: seconds', (forty.ms / 1000).toFixed(1), forty.ms / 1000 < GOAL.renewSeconds);
judge('a third throttled for 5 s', await pass(1, throttle));
console.log(`${COUNT} subscriptions, ${ANSWER_MS} ms for each batch: ${missed.length + broken.length === 0 ? 'all goals met' : `missed: ${[...broken, ...missed].join('; ')}`}`);
process.exit(broken.length > 0 || missed.length > 0 && !REPORT ? 1 : 0);
