// @ts-check
/* What happens to the machine: processes killed and restarted, the store's lock held, cron, time passing. */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { waitFor } from '../lib/wait.js';

/** @typedef {import('./walk.js').Walk} Walk */

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** @param {'web' | 'sync'} role */
function kill(role) {
	return async (/** @type {Walk} */ w) => {
		const [pid] = w.stack.pids(role);
		if (pid === undefined)
			return;
		w.say(`kill -9 ${role}`);
		w.died(role);
		try {
			process.kill(pid, 'SIGKILL');
		} catch {
			/* It has just died of another step. */
		}
	};
}

/** @param {Walk} w */
async function killSupervisor(w) {
	w.say('kill -9 of the supervisor');
	const children = [...w.stack.pids('web'), ...w.stack.pids('sync')];
	w.died('sync');
	w.stack.fcgi?.kill('SIGKILL');
	await w.stack.fcgi?.ended;
	/* As systemd, which starts nothing while somebody of before is left. */
	await waitFor(() => children.every((pid) => !fs.existsSync(`/proc/${pid}`)), 3000, 'its children are gone');
	w.died('sync');
	await w.stack.startFcgi();
}

/** @param {Walk} w */
async function restart(w) {
	w.say('SIGTERM and start');
	w.died('sync');
	const exit = await w.stack.fcgi?.stop();
	/* One that has only just begun may not have come to its handlers. */
	if (exit?.code !== 0 && exit?.signal !== 'SIGTERM')
		w.truth.fail(undefined, `outlook-addin-fcgi answered SIGTERM with ${JSON.stringify(exit)}`);
	w.died('sync');
	await w.stack.startFcgi();
}

/** Some other process sits on the store. @param {Walk} w */
async function holdLock(w) {
	const seconds = w.rng.int(2, 14) / 10;
	w.say(`the store's lock is held for ${seconds} s`);
	const holder = spawn('flock', ['-x', '-w', '3', w.stack.lockFile, 'sleep', String(seconds)], { stdio: 'ignore' });
	w.background(new Promise((resolve) => holder.once('exit', resolve)));
}

/** cron, which does not wait for the walk. @param {Walk} w @param {...string} args */
export async function renew(w, ...args) {
	const run = await w.stack.renew(...args);
	w.say(`renew ${args.join(' ')} -> ${run.code}`);
	if (run.code > 1)
		w.truth.fail(undefined, `outlook-addin-renew ${args.join(' ')} ended with ${run.code}: ${run.stderr.slice(-500)}`);
	return run.code;
}

/** @param {Walk} w */
function cron(w) {
	if (w.renewing < 2) {
		w.renewing++;
		w.background(renew(w, ...w.rng.chance(0.3) ? ['--force'] : []).finally(() => w.renewing--));
	}
}

/** @param {[number, number]} range */
function pass(range) {
	return async (/** @type {Walk} */ w) => {
		const ms = w.rng.int(...range);
		/* What is told to nobody for hours is given up by Graph, and so is the word about it. */
		if (ms >= 60 * MINUTE)
			await w.stack.sims.sim.delivery.whenIdle(5000);
		w.say(`${Math.round(ms / 1000)} s pass`);
		await w.stack.advance(ms);
	};
}

/** Lets the product catch its breath, so that a later change counts by itself. @param {Walk} w */
async function breathe(w) {
	await waitFor(() => w.stack.sims.sim.delivery.idle, 300, 'Graph has told all').catch(() => {});
	await w.stack.idle(700).catch(() => {});
}

/** @type {[number, string, (w: Walk) => any][]} */
export const PROCESS_STEPS = [
	[2, 'kill web', kill('web')], [3, 'kill sync', kill('sync')], [0.4, 'kill supervisor', killSupervisor], [0.6, 'restart', restart], [1, 'hold lock', holdLock],
	[3, 'cron', cron], [8, 'seconds', pass([SECOND, 30 * SECOND])], [3, 'minutes', pass([MINUTE, 20 * MINUTE])], [0.7, 'hours', pass([60 * MINUTE, 400 * MINUTE])], [0.15, 'days', pass([1440 * MINUTE, 4 * 1440 * MINUTE])],
	[4, 'breathe', breathe],
];
