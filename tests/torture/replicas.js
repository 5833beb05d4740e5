// @ts-check
/*
 * Four outlook-addin-fcgi and outlook-addin-renew on one PostgreSQL; kill -9 of any of their processes, of a whole replica, of the
 * renewal, and immediate shutdown of PostgreSQL, at random moments under load. Every notification that was answered 202 must have its effect, no
 * mailbox may have more than two rows in progress, and repeated writes are bounded by the kills.
 *
 *     node tests/torture/replicas.js [KILLS [SEED]]
 */

import { performance } from 'node:perf_hooks';
import { serviceAccount } from '../lib/build.js';
import { Postgres } from '../lib/postgres.js';
import { Program } from '../lib/program.js';
import { Replica } from '../lib/replica.js';
import { Stack } from '../lib/stack.js';
import { pause, waitFor } from '../lib/wait.js';
import { Rng } from '../sim/lib/rng.js';
import { Ledger } from './ledger.js';

const KILLS = Number(process.argv[2] ?? process.env.KILLS ?? 20);
const SEED = Number(process.argv[3] ?? process.env.SEED ?? 20261123);
const LINKS_PER_MAILBOX = 8;
/** A killed replica's rows wait for the end of its lease. */
const EFFECT_MS = 120_000;

const rng = new Rng(SEED);
const began = performance.now();
console.log(`replicas: ${KILLS} kills, seed ${SEED}`);
const server = new Postgres(['fsync=on', 'full_page_writes=on']);

await Stack.play('torture-replicas', {
	postgres: server.database(), logSize: 500_000, settings: { validate: 'sample', graph: { latencyMs: [1, 20] }, unblu: { latencyMs: [1, 25] } },
	config: { notificationDebounceMs: 20, logLevel: 'info' },
}, async (stack) => {
	const replicas = [1, 2, 3].map((n) => new Replica(stack, n));
	try {
		await Promise.all(replicas.map((r) => r.ready()));
		await torture(stack, replicas);
		for (const r of replicas)
			await r.program.stop();
	} finally {
		for (const r of replicas)
			await r.program.destroy();
	}
}).catch((e) => {
	console.error(`replicas: FAILED (seed ${SEED}): ${e.stack}`);
	process.exitCode = 1;
}).finally(() => server.stop());

/** @param {Stack} stack @param {Replica[]} replicas */
async function torture(stack, replicas) {
	const { sims } = stack;
	const followed = await Promise.all(stack.mailboxes.map((m) => stack.followMany(m, LINKS_PER_MAILBOX)));
	const ledger = new Ledger(sims, followed.flatMap((f) => f.links));
	sims.silence(true);
	stack.expectErrors = true;
	stack.http.remember = false;
	/** @type {Record<string, number>} */
	const answers = {};
	let running = true;
	let most = 0;

	/** @param {string} text */
	const send = async (text) => {
		const at = rng.int(0, replicas.length);
		const status = at === replicas.length ? (await stack.http.post('/addin/webhook/events', text)).status
			: (await replicas[at].ask('POST', '/addin/webhook/events', text).catch(() => ({ status: 0 }))).status;
		answers[status] = (answers[status] ?? 0) + 1;
		if (![0, 202, 502, 503, 504].includes(status))
			throw new Error(`a notification was answered ${status}`);
		return status === 202;
	};
	ledger.start(send, () => rng.int(20, 200));
	const watch = (async () => {
		while (running) {
			const rows = await stack.query('SELECT coalesce(max(n), 0) AS n FROM (SELECT count(*) AS n FROM work WHERE claimed = 1 GROUP BY lane) AS lanes').catch(() => []);
			most = Math.max(most, ...rows.map((r) => r.n));
			await pause(20);
		}
	})();
	const kills = { web: 0, sync: 0, replica: 0, postgresql: 0, renew: 0 };
	for (let i = 0; i < KILLS; i++) {
		await pause(rng.int(50, 1200));
		const victim = rng.pick(replicas);
		const kind = rng.pick(/** @type {const} */ (['web', 'sync', 'sync', 'replica', 'postgresql', 'renew']));
		kills[kind]++;
		if (kind === 'web' || kind === 'sync') {
			process.kill(rng.chance(0.25) ? await stack.pid(kind) : await victim.pid(kind), 'SIGKILL');
		} else if (kind === 'replica') {
			await victim.program.destroy();
			victim.launch();
		} else if (kind === 'postgresql') {
			server.crash();
			await pause(rng.int(0, 500));
			server.again();
		} else {
			const pass = new Program(`renew-${i}`, [stack.parts.renew, '--config', stack.configFile, '--force'], { dir: stack.logDir, cwd: stack.dir, env: stack.env(), account: serviceAccount() });
			await pause(rng.int(20, 400));
			pass.kill('SIGKILL');
			await pass.ended;
		}
	}
	await waitFor(async () => (await stack.http.get('/ready')).status === 200, 10_000, 'ready after the last kill');
	await pause(500);
	running = false;
	await Promise.all([ledger.stop(), watch]);

	await ledger.settle(EFFECT_MS);
	await stack.idle(60_000);
	const { repeated } = ledger;
	/* What a killed sync, or one without its database, had under way: at most two rows of each mailbox, two writes each. */
	const bound = (kills.sync + kills.replica + kills.postgresql * 4) * stack.mailboxes.length * 4;
	if (repeated > bound)
		throw new Error(`${repeated} repeated writes, the kills explain ${bound}`);
	if (most > 2)
		throw new Error(`${most} rows of one mailbox were in progress at once`);
	if (await stack.deadLetters() !== 0)
		throw new Error('there are dead letters');
	console.log(`replicas: kills ${JSON.stringify(kills)}, answers ${JSON.stringify(answers)}, 0 lost, ${repeated} repeated writes, at most ${most} rows of a mailbox at once; ${Math.round((performance.now() - began) / 1000)} s`);
}
