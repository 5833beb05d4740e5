// @ts-check
/*
 * Restarts in good order under load: SIGTERM, and started again. Every notification that was answered 202 must have
 * its effect, no answer may be cut, and the end takes less than two seconds.
 *
 *     node tests/torture/restart.js [RESTARTS [SEED [PART...]]]
 *
 * host        web and sync; nginx goes on and answers 503 meanwhile
 * socket      as host, but systemd keeps the socket: not one request may be refused or fail
 * container   nginx and the renewal under the same supervisor: meanwhile nobody listens
 * replicas    two such containers on one PostgreSQL behind conf/nginx-site.conf, one restarted after the other: not
 *             one request may be refused or fail
 */

import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { startFront } from '../lib/front.js';
import { freePort } from '../lib/http.js';
import { Postgres } from '../lib/postgres.js';
import { Replica } from '../lib/replica.js';
import { holdSocket, restartHeld } from '../lib/socket.js';
import { Stack } from '../lib/stack.js';
import { pause, waitFor } from '../lib/wait.js';
import { Rng } from '../sim/lib/rng.js';
import { Ledger, nextWrite } from './ledger.js';

const RESTARTS = Number(process.argv[2] ?? process.env.KILLS ?? 100);
const SEED = Number(process.argv[3] ?? process.env.SEED ?? 20261123);
const PARTS = process.argv.slice(4);
const LINKS_PER_MAILBOX = 8;
const END_MS = 2000;
/** How long an effect may take, with restarts in between. */
const EFFECT_MS = 120_000;
const EVENTS = '/addin/webhook/events';
const OPTIONS = {
	logSize: 500_000, settings: { validate: 'sample', graph: { latencyMs: [1, 20] }, unblu: { latencyMs: [1, 25] } },
	config: { notificationDebounceMs: 20, logLevel: 'info' },
};

/** @typedef {import('../lib/http.js').Answer} Answer */

const rng = new Rng(SEED);

/** What was answered, by status; 0 is none. */
class Answers {
	/** @type {Record<string, number>} */
	counts = {};
	cut = 0;

	/** @param {number[]} allowed statuses */
	constructor(allowed) {
		this.allowed = allowed;
	}

	/** @param {string} what @param {Answer} answer @param {number} good the status that is wanted */
	take(what, answer, good) {
		this.counts[answer.status] = (this.counts[answer.status] ?? 0) + 1;
		if (answer.cut)
			throw new Error(`${what}: an answer was cut: ${answer.text}`);
		if (answer.status !== good && !this.allowed.includes(answer.status))
			throw new Error(`${what} was answered ${answer.status}: ${answer.text}`);
		if (answer.status === 503 && answer.json.error.code === undefined)
			throw new Error(`${what}: a 503 without a reason`);
		return answer.status === good;
	}
}

/**
 * Load of every kind while restart() is called again and again.
 * @param {string} name @param {Stack} stack @param {number[]} allowed what else may be answered meanwhile @param {(i: number) => Promise<number>} restart gives the milliseconds that the end took
 */
async function torture(name, stack, allowed, restart) {
	const { sims, http } = stack;
	const began = performance.now();
	const followed = await Promise.all(stack.mailboxes.map((m) => stack.followMany(m, LINKS_PER_MAILBOX)));
	const ledger = new Ledger(sims, followed.flatMap((f) => f.links));
	const answers = new Answers(allowed);
	sims.silence(true);
	http.remember = false;
	let running = true;

	/* Half of them on connections that are kept, the others on one of their own, as Graph sends. */
	const how = () => ({ headers: { 'Content-Type': 'application/json' }, ...rng.chance(0.5) ? { agent: /** @type {const} */ (false) } : {} });
	ledger.start(async (text) => answers.take('a notification', await http.request('POST', EVENTS, { ...how(), body: text }), 202), () => rng.int(5, 60), () => rng.chance(0.3), EFFECT_MS);
	/** @param {() => Promise<void>} ask */
	const lane = async (ask) => {
		while (running) {
			await ask();
			await pause(rng.int(5, 40));
		}
	};
	const others = Promise.all([
		lane(async () => {
			const answer = await http.request('GET', '/addin/index.html', how());
			if (answers.take('a page', answer, 200) && !answer.text.includes('</html>'))
				throw new Error('half of a page');
		}),
		lane(async () => {
			const answer = await http.request('POST', `${EVENTS}?validationToken=hello`, { ...how(), body: '' });
			if (answers.take('a handshake', answer, 200) && answer.text !== 'hello')
				throw new Error(`a handshake was answered ${answer.text}`);
		}),
	]);
	const failed = new Promise((_, reject) => others.catch(reject));

	let slowest = 0;
	await Promise.race([ledger.failure(), failed, (async () => {
		for (let i = 0; i < RESTARTS; i++) {
			await pause(rng.int(20, 400));
			const ms = await restart(i);
			slowest = Math.max(slowest, ms);
			if (ms >= END_MS)
				throw new Error(`SIGTERM took ${Math.round(ms)} ms`);
		}
	})()]);
	await waitFor(async () => (await http.get('/addin/ready')).status === 200, 10_000, 'ready after the last restart');
	running = false;
	await Promise.all([ledger.stop(), others]);
	await ledger.settle(60_000);
	await stack.idle(30_000);
	if (await stack.deadLetters() !== 0)
		throw new Error('there are dead letters');
	console.log(`restart: ${name}: ${RESTARTS} restarts, answers ${JSON.stringify(answers.counts)}, ${ledger.alone} of them judged alone, 0 lost, 0 cut, ${ledger.repeated} repeated writes; `
		+ `the end took ${Math.round(slowest)} ms at most; ${Math.round((performance.now() - began) / 1000)} s`);
}

/** The supervisor finds the renewal as it finds nginx. @param {Stack} stack */
function putOnPath(stack) {
	stack.options.env = { PATH: `${path.dirname(stack.parts.renew)}:${process.env.PATH}:/usr/sbin` };
}

/** SIGTERM until it has ended well. @param {import('../lib/program.js').Program} program @returns {Promise<number>} milliseconds */
async function end(program) {
	const began = performance.now();
	program.kill('SIGTERM');
	const exit = await program.wait(10_000);
	if (exit.code !== 0)
		throw new Error(`${program.name} answered SIGTERM with ${JSON.stringify(exit)}`);
	return performance.now() - began;
}

/**
 * One outlook-addin-fcgi.
 * @param {string} name
 * @param {(stack: Stack, ready: () => Promise<any>) => Promise<{ allowed: number[], restart: () => Promise<number> }>} start
 */
async function play(name, start) {
	await Stack.play(`torture-restart-${name}`, { ...OPTIONS, start: false }, async (stack) => {
		putOnPath(stack);
		const ready = () => waitFor(async () => (await stack.http.get('/ready')).status === 200, 15_000, 'ready');
		const { allowed, restart } = await start(stack, ready);
		await torture(name, stack, allowed, async () => {
			const ms = await restart();
			/* Some are ended while they start, others not before they have done something. */
			if (rng.chance(0.8))
				await ready();
			if (rng.chance(0.5))
				await Promise.race([nextWrite(stack.sims.sim), pause(5000)]);
			return ms;
		});
	});
}

/** Ended, and started again. @param {Stack} stack @param {{ args?: string[] }} [how] */
async function again(stack, how) {
	const ms = await end(/** @type {import('../lib/program.js').Program} */ (stack.fcgi));
	await stack.startFcgi(how);
	return ms;
}

async function replicas() {
	const server = new Postgres();
	try {
		await Stack.play('torture-restart-replicas', { ...OPTIONS, start: false, postgres: server.database() }, async (stack) => {
			putOnPath(stack);
			const ports = [await freePort(), await freePort()];
			const front = startFront(stack.dir, { port: stack.port, servers: ports });
			/** @type {Replica[]} */
			const all = [];
			try {
				for (const [i, port] of ports.entries())
					all.push(await Replica.withNginx(stack, i + 1, port));
				await Promise.all(all.map((r) => r.serves()));
				await torture('replicas', stack, [], async (i) => {
					const replica = all[i % all.length];
					const ms = await end(replica.program);
					replica.launch();
					await replica.serves();
					return ms;
				});
				for (const r of all)
					await r.program.stop();
				await front.stop();
			} finally {
				for (const r of all) {
					r.http?.close();
					await r.program.destroy();
				}
				await front.destroy();
			}
		});
	} finally {
		server.stop();
	}
}

const parts = /** @type {Record<string, () => Promise<void>>} */ ({
	host: () => play('host', async (stack) => {
		await stack.up();
		return { allowed: [503], restart: () => again(stack) };
	}),
	socket: () => play('socket', async (stack, ready) => {
		const holder = await stack.startFcgi({ wrap: holdSocket(stack.socket) });
		await stack.startNginx();
		await ready();
		return { allowed: [], restart: () => restartHeld(holder) };
	}),
	container: () => play('container', async (stack, ready) => {
		const how = { args: ['--nginx', stack.siteDir, '--renew'] };
		await stack.startFcgi(how);
		await ready();
		return { allowed: [0, 503], restart: () => again(stack, how) };
	}),
	replicas,
});

console.log(`restart: ${RESTARTS} restarts, seed ${SEED}`);
for (const name of PARTS.length > 0 ? PARTS : Object.keys(parts))
	await parts[name]().catch((e) => {
		console.error(`restart: ${name} FAILED (seed ${SEED}): ${e.stack}`);
		process.exitCode = 1;
	});
