// @ts-check
/*
 * Four outlook-addin-fcgi and outlook-addin-renew on one PostgreSQL; kill -9 of any of their processes, of a whole replica, of the
 * renewal, and immediate shutdown of PostgreSQL, at random moments under load. From 100 kills on two syncs are also frozen for longer than their
 * lease lasts. Every notification that was answered 202 must have its effect. No mailbox may have more than two rows in progress, nor, as the
 * simulator sees it, more than two exchanges; one of a killed process ends with it. Not more writes are repeated than were unanswered, or not
 * stored yet, when something was killed or frozen. Passes of the renewal that are left alone, meanwhile, end well and have renewed.
 *
 *     node tests/torture/replicas.js [KILLS [SEED]]
 */

import { performance } from 'node:perf_hooks';
import { serviceAccount } from '../lib/build.js';
import { body, item } from '../lib/notification.js';
import { Postgres } from '../lib/postgres.js';
import { Program } from '../lib/program.js';
import { Replica } from '../lib/replica.js';
import { directoryOf } from '../lib/simulators.js';
import { Stack } from '../lib/stack.js';
import { pause, waitFor } from '../lib/wait.js';
import { Rng } from '../sim/lib/rng.js';

const KILLS = Number(process.argv[2] ?? process.env.KILLS ?? 20);
const SEED = Number(process.argv[3] ?? process.env.SEED ?? 20261123);
/** In each of two tenants. What a killed replica had claimed keeps its mailboxes from the others until its lease is over. */
const MAILBOXES = 8;
const LINKS_PER_MAILBOX = 4;
const MINUTE = 60_000;
/** A killed replica's rows wait for the end of its lease. */
const EFFECT_MS = 120_000;
const WRITES = ['setTopic', 'setScheduledTimestamp'];
/** A sync whose lease has passed on. */
const FROZEN_MS = 33_000;
const FREEZES = KILLS < 100 ? [] : [0.2, 0.6].map((at) => Math.round(KILLS * at));
/** What may lie between the answer to a write and its being stored, when four wait for one lock. */
const STORED_MS = 250;

/** @typedef {{ from: number, to: number }} Span real ms, performance.now() */
/** @typedef {Span & { mailbox: string, key: string, left: boolean }} Exchange left: nobody waited for its answer */

const rng = new Rng(SEED);
const began = performance.now();
console.log(`replicas: ${KILLS} kills, seed ${SEED}`);
const server = new Postgres(['fsync=on', 'full_page_writes=on']);

await Stack.play('torture-replicas', {
	postgres: server.database(), directory: directoryOf(MAILBOXES), logSize: 500_000, settings: { validate: 'sample', graph: { latencyMs: [1, 20] }, unblu: { latencyMs: [1, 25] } },
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

/**
 * The most exchanges at once for a mailbox; a batch is one.
 * @param {Exchange[]} exchanges
 */
function mostAtOnce(exchanges) {
	let most = 0;
	for (const mailbox of new Set(exchanges.map((x) => x.mailbox))) {
		/** @type {Map<string, Span>} */
		const merged = new Map();
		for (const { key, from, to } of exchanges.filter((x) => x.mailbox === mailbox)) {
			const known = merged.get(key) ?? { from, to };
			merged.set(key, { from: Math.min(from, known.from), to: Math.max(to, known.to) });
		}
		/** @type {Span[]} */
		let open = [];
		for (const x of [...merged.values()].sort((a, b) => a.from - b.from)) {
			open = open.filter((o) => o.to > x.from + 1);
			open.push(x);
			most = Math.max(most, open.length);
		}
	}
	return most;
}

/** Whoever is killed waits for no answer: then the exchange is over. Whoever leaves without that is counted to its end. @param {Exchange} x @param {Span[]} kills @returns {Exchange} */
function endedByKill(x, kills) {
	const kill = x.left ? kills.find((k) => k.to >= x.from && k.from <= x.to) : undefined;
	return kill === undefined ? x : { ...x, to: Math.min(x.to, kill.to) };
}

/** Has it its effect? @param {Stack} stack @param {any} track */
function settled(stack, { link, owed }) {
	const conv = stack.sims.conversation(link.conv.id);
	return owed === 0 || Number(conv?.topic.slice(1)) >= owed && (conv.scheduledTimestamp - link.start) / MINUTE >= owed;
}

/** @param {Stack} stack @param {Replica[]} replicas */
async function torture(stack, replicas) {
	const { sims } = stack;
	const tracks = [];
	for (const mailbox of stack.mailboxes)
		tracks.push(...(await stack.followMany(mailbox, LINKS_PER_MAILBOX)).links.map((link) => ({ link, version: 0, owed: 0 })));
	sims.silence(true);
	stack.expectErrors = true;
	stack.http.remember = false;
	/** @type {Record<string, number>} */
	const answers = {};
	let running = true;
	let most = 0;
	/** @type {Span[]} of sync, alone or with its replica */
	const deaths = [];
	/** @type {Span[]} of PostgreSQL */
	const crashes = [];
	/** @type {Span[]} of the renewal */
	const passes = [];
	/** Of each mailbox, when Graph has last granted it. @type {Map<string, number>} */
	const prolonged = new Map();
	/** @type {Exchange[]} */
	const exchanges = [];
	/** @type {Span[]} */
	const written = [];
	sims.sim.journal.listeners.add((/** @type {string} */ type, /** @type {any} */ data) => {
		if (type !== 'request')
			return;
		const to = performance.now();
		/* The renewal's are about a subscription, and Outlook does not count them. */
		if (data.service === 'graph' && data.mailbox !== undefined && !/Subscription$/.test(data.op))
			exchanges.push({ mailbox: data.mailbox, key: data.batch ?? data.requestId, from: to - data.ms, to, left: data.left === true });
		else if (data.service === 'unblu' && WRITES.includes(data.op))
			written.push({ from: to - data.ms, to });
		else if (data.op === 'renewSubscription' && data.status === 200)
			prolonged.set(data.mailbox, to);
	});
	/** @param {Span[]} list @param {() => Promise<void>} kill */
	const noted = async (list, kill) => {
		const span = { from: performance.now(), to: Infinity };
		list.push(span);
		await kill();
		span.to = performance.now();
	};

	/** @param {string} text */
	const send = async (text) => {
		const at = rng.int(0, replicas.length);
		const status = at === replicas.length ? (await stack.http.post('/addin/webhook/events', text)).status
			: (await replicas[at].ask('POST', '/addin/webhook/events', text).catch(() => ({ status: 0 }))).status;
		answers[status] = (answers[status] ?? 0) + 1;
		return status;
	};
	const lanes = tracks.map(async (t) => {
		while (running) {
			t.version++;
			sims.editEvent(t.link.mailbox, t.link.event, { subject: `#${t.version}`, start: t.link.start + t.version * MINUTE });
			const status = await send(body(item(t.link.sub, t.link.event.id)));
			if (![0, 202, 502, 503, 504].includes(status))
				throw new Error(`a notification was answered ${status}`);
			if (status === 202)
				t.owed = t.version;
			await pause(rng.int(20, 200));
		}
	});
	const watch = (async () => {
		while (running) {
			const rows = await stack.query('SELECT coalesce(max(n), 0) AS n FROM (SELECT count(*) AS n FROM work WHERE claimed = 1 GROUP BY lane) AS lanes').catch(() => []);
			most = Math.max(most, ...rows.map((r) => r.n));
			await pause(20);
		}
	})();
	/** @param {string} name */
	const startPass = (name) => new Program(name, [stack.parts.renew, '--config', stack.configFile, '--force'], { dir: stack.logDir, cwd: stack.dir, env: stack.env(), account: serviceAccount() });
	const renewed = { passes: 0, renewed: 0, locked: 0 };
	/** One that is left alone: how it ended, null when PostgreSQL went down meanwhile. @param {string} name */
	const wholePass = async (name) => {
		const from = performance.now();
		const pass = startPass(name);
		const { code } = await pass.wait(60_000);
		if (crashes.some((c) => c.to >= from))
			return null;
		const end = pass.log.find((l) => /^renew-(done|already-running)$/.test(l.event));
		if (code !== 0 || end === undefined)
			throw new Error(`a pass of the renewal ended with ${code}: ${pass.stderr}`);
		if (end.event === 'renew-already-running') {
			renewed.locked++;
			return end;
		}
		const granted = [...prolonged.values()].filter((at) => at >= from).length;
		if (granted < end.renewed || end.renewed + end.left !== stack.mailboxes.length)
			throw new Error(`Graph has prolonged ${granted} subscriptions: ${JSON.stringify(end)}`);
		renewed.passes++;
		renewed.renewed += end.renewed;
		return end;
	};
	/* Undisturbed but for the load. */
	if ((await wholePass('renew-first'))?.renewed !== stack.mailboxes.length)
		throw new Error('the first pass has not renewed all');
	const keeper = (async () => {
		for (let n = 0; running; n++) {
			await wholePass(`renew-whole-${n}`);
			await pause(rng.int(1000, 3000));
		}
	})();
	/** @type {Promise<void>[]} */
	const thawed = [];
	/** @param {number} pid */
	const freeze = async (pid) => {
		const from = performance.now();
		deaths.push({ from, to: from });
		process.kill(pid, 'SIGSTOP');
		await pause(FROZEN_MS);
		try {
			process.kill(pid, 'SIGCONT');
		} catch {
			/* Killed meanwhile. */
		}
	};
	const kills = { web: 0, sync: 0, replica: 0, postgresql: 0, renew: 0 };
	for (let i = 0; i < KILLS; i++) {
		await pause(rng.int(50, 1200));
		if (FREEZES.includes(i))
			thawed.push(freeze(await rng.pick(replicas).pid('sync')));
		const victim = rng.pick(replicas);
		const kind = rng.pick(/** @type {const} */ (['web', 'sync', 'sync', 'replica', 'postgresql', 'renew']));
		kills[kind]++;
		if (kind === 'web' || kind === 'sync') {
			const pid = rng.chance(0.25) ? await stack.pid(kind) : await victim.pid(kind);
			await noted(kind === 'sync' ? deaths : [], async () => {
				process.kill(pid, 'SIGKILL');
			});
		} else if (kind === 'replica') {
			await noted(deaths, () => victim.program.destroy());
			victim.launch();
		} else if (kind === 'postgresql') {
			await noted(crashes, () => server.bounce(rng.int(0, 500)));
		} else {
			const pass = startPass(`renew-${i}`);
			await pause(rng.int(20, 400));
			await noted(passes, async () => {
				pass.kill('SIGKILL');
				await pass.ended;
			});
		}
	}
	await waitFor(async () => (await stack.http.get('/ready')).status === 200, 10_000, 'ready after the last kill');
	await Promise.all([pause(500), ...thawed]);
	running = false;
	await Promise.all([...lanes, watch, keeper]);

	await waitFor(() => tracks.every((t) => settled(stack, t)), EFFECT_MS, 'everything that was answered 202 has its effect').catch((e) => {
		throw new Error(`${e.message}: ${tracks.filter((t) => !settled(stack, t)).slice(0, 5).map((t) => JSON.stringify({ owed: t.owed, topic: sims.conversation(t.link.conv.id)?.topic })).join('\n')}`);
	});
	await stack.idle(60_000);
	const repeated = tracks.flatMap((t) => sims.ledger(t.link.conv.id)).filter((w) => WRITES.includes(w.op) && !w.changed).length;
	const hit = written.filter((w) => [...deaths, ...crashes].some((d) => w.from <= d.to + 5 && d.from <= w.to + STORED_MS)).length;
	if (repeated > hit)
		throw new Error(`${repeated} repeated writes, the kills explain ${hit}`);
	const exchanged = mostAtOnce(exchanges.map((x) => endedByKill(x, [...deaths, ...passes])));
	if (exchanged > 2)
		throw new Error(`${exchanged} exchanges for one mailbox were under way at once`);
	if (most > 2)
		throw new Error(`${most} rows of one mailbox were in progress at once`);
	if (await stack.deadLetters() !== 0)
		throw new Error('there are dead letters');
	console.log(`replicas: kills ${JSON.stringify(kills)}, ${thawed.length} syncs frozen, ${renewed.passes} whole passes have renewed ${renewed.renewed} (${renewed.locked} found another), answers ${JSON.stringify(answers)}, ${written.length} writes, 0 lost, ${repeated} repeated (${hit} were unanswered or not stored at a kill), at most ${most} rows and ${exchanged} exchanges of a mailbox at once; ${Math.round((performance.now() - began) / 1000)} s`);
}
