// @ts-check
/*
 * The random walk: agents, guests, clouds and processes do what they please, from a seed; then all is well again,
 * and the demands of end.js must hold.
 *
 *     node tests/walk/walk.js [--seed N] [--steps N] [--verbose]
 *     node tests/walk/walk.js --seeds N [--first N] [--jobs N] [--steps N]
 *     node tests/walk/walk.js --list 4,5,8 [--jobs N] [--steps N]
 *
 * Odd seeds lose notifications and subscriptions without a word and end with a catch-up; even ones do neither, so
 * that no catch-up hides what was lost here.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Rng } from '../sim/lib/rng.js';
import { Stack } from '../lib/stack.js';
import { pause, waitFor } from '../lib/wait.js';
import { AGENT_STEPS, announce } from './agents.js';
import { CLOUD_STEPS } from './clouds.js';
import { settle, demand } from './end.js';
import { GUEST_STEPS } from './guests.js';
import { PROCESS_STEPS } from './processes.js';
import { Truth } from './truth.js';

/** @typedef {import('./truth.js').Talk} Talk */

const STEPS = 400;
const DAY_HOURS = 24;

/* How much of the walk each table is. @type {[number, [number, string, (w: Walk) => any][]][]} */
const TABLES = /** @type {[number, [number, string, (w: Walk) => any][]][]} */ ([[0.62, AGENT_STEPS], [0.06, GUEST_STEPS], [0.12, CLOUD_STEPS], [0.2, PROCESS_STEPS]]);

export class Walk {
	/** @param {Stack} stack @param {number} seed @param {boolean} verbose */
	constructor(stack, seed, verbose) {
		this.stack = stack;
		this.seed = seed;
		this.verbose = verbose;
		this.silent = seed % 2 === 1;
		/** Deletions of a mailbox that are allowed within an hour. */
		this.brake = brakeOf(seed);
		this.rng = new Rng(seed);
		this.step = 0;
		this.renewing = 0;
		/** @type {{ at: number, run: () => any }[]} */
		this.waiting = [];
		/** @type {Set<Promise<any>>} */
		this.running = new Set();
		/** @type {string[]} */
		this.diary = [];
		/** @type {Record<string, number>} */
		this.counts = {};
		this.truth = new Truth(stack.sims, { maxChars: 250, fallback: CONFIG.fallbackTopic, defaultZone: CONFIG.defaultTimeZone, graceMs: CONFIG.deletionGraceSeconds * 1000, orphanMs: CONFIG.orphanGraceHours * 3600_000 });
	}

	now() {
		return this.stack.now();
	}

	/** @param {string} text */
	say(text) {
		const line = `${String(this.step).padStart(5)} ${(performance.now() / 1000).toFixed(1)} ${new Date(this.now()).toISOString()} ${text}`;
		this.diary.push(line);
		if (this.verbose)
			console.log(line);
	}

	/** Runs after so many steps. @param {number} steps @param {() => any} run */
	later(steps, run) {
		this.waiting.push({ at: this.step + steps, run });
	}

	/** Goes on beside the walk. @param {Promise<any>} work */
	background(work) {
		const guarded = work.catch((e) => this.truth.fail(undefined, `a step failed: ${e.stack}`)).finally(() => this.running.delete(guarded));
		this.running.add(guarded);
	}

	/** @param {'web' | 'sync'} role */
	died(role) {
		if (role === 'sync')
			this.truth.deaths.push(performance.now());
	}

	/** An action on a calendar, and what is true behind it. @param {any} want @param {string} what */
	act(want, what) {
		const { sim } = this.stack.sims;
		const box = sim.calendars.box(sim.directory.users.get(want.mailbox));
		const before = want.event === undefined ? undefined : box.find(want.event);
		const answer = sim.actions.run(want);
		for (const event of new Set([before, box.find(answer.event.immutableId)]))
			if (event !== undefined)
				this.truth.changed(event, what);
		return answer;
	}

	/** @param {import('../lib/simulators.js').Mailbox} owner @param {Talk['about']} about */
	book(owner, about) {
		const { sim } = this.stack.sims;
		const person = sim.people.byOid.get(owner.oid);
		const sourceId = `outlook-addin:walk-${this.seed}-${this.truth.talks.size + 1}`;
		const c = sim.conversations.create({ identity: { kind: 'user', role: person.role, person, label: person.username }, requestId: 'walk' }, {
			$_type: 'ConversationCreationData', initialEngagementType: 'SCHEDULED_CONVERSATION', topic: about.topic, scheduledTimestamp: about.start, sourceId,
			participants: [{ $_type: 'ConversationCreationParticipantData', personId: person.id, participationType: 'ASSIGNED_AGENT' }],
		});
		return this.truth.book({ id: c.id, sourceId }, owner, about);
	}

	/** null once deleted. @param {Talk} talk */
	conversation(talk) {
		return this.stack.sims.conversation(talk.id);
	}

	/** @returns {Talk | null} */
	anyTalk() {
		const all = [...this.truth.talks.values()];
		return all.length === 0 ? null : this.rng.pick(all);
	}

	/** @param {string} method @param {import('../lib/simulators.js').Mailbox} mailbox @param {string} id @param {any} [body] */
	request(method, mailbox, id, body) {
		return this.stack.http.request(method, `/addin/api/links/${id}`, {
			headers: { ...this.stack.authorization(mailbox), 'Content-Type': 'application/json' }, timeoutMs: 5000, ...body === undefined ? {} : { body: JSON.stringify(body) },
		});
	}

	/** @param {import('../lib/simulators.js').Mailbox} mailbox @param {string} id @param {any} body */
	put(mailbox, id, body) {
		return this.request('PUT', mailbox, id, body);
	}

	/** Chance anew for each step, so that what the product does to one leaves the others as they are. @param {number} part */
	shuffle(part) {
		this.rng = new Rng(Math.imul(this.seed, 0x9e3779b1) ^ Math.imul(this.step, 0x85ebca6b) ^ part);
	}

	async due() {
		const due = this.waiting.filter((l) => l.at <= this.step);
		this.waiting = this.waiting.filter((l) => l.at > this.step);
		for (const [i, { run }] of due.entries()) {
			this.shuffle(i + 1);
			await run();
		}
	}

	/** @returns {[string, (w: Walk) => any]} */
	draw() {
		let part = this.rng.next();
		const table = (TABLES.find(([share]) => (part -= share) < 0) ?? TABLES[0])[1];
		let weight = this.rng.next() * table.reduce((sum, [w]) => sum + w, 0);
		const found = table.find(([w]) => (weight -= w) < 0) ?? table[0];
		return [found[1], found[2]];
	}

	/** Every mailbox is followed before the walk begins. */
	async begin() {
		for (const owner of this.stack.mailboxes) {
			const talk = this.book(owner, { topic: 'First', start: Math.ceil(this.now() / 60_000) * 60_000, zone: null, shared: false });
			await waitFor(async () => {
				await announce(this, talk);
				return talk.put === 'yes';
			}, 10_000, 'the first PUT is answered 202');
			await waitFor(() => this.stack.sims.subscriptionsOf(owner).length === 1, 10_000, 'a subscription');
		}
	}

	/** @param {number} steps */
	async go(steps) {
		await this.begin();
		for (this.step = 1; this.step <= steps && this.truth.wrong.length === 0; this.step++) {
			this.shuffle(0);
			const [name, run] = this.draw();
			this.counts[name] = (this.counts[name] ?? 0) + 1;
			await run(this);
			await this.due();
			this.shuffle(-1);
			if (this.rng.chance(0.4))
				await pause(this.rng.int(0, 25));
			if (this.stack.fcgi?.exit)
				throw new Error(`outlook-addin-fcgi ended by itself: ${JSON.stringify(this.stack.fcgi.exit)}`);
		}
		/* Everything that was begun is finished. */
		while (this.waiting.length > 0) {
			this.step++;
			await this.due();
		}
		await Promise.all(this.running);
	}
}

const CONFIG = {
	notificationDebounceMs: 30, deletionGraceSeconds: 20, fallbackTopic: 'Beratung', defaultTimeZone: 'Europe/Berlin', orphanGraceHours: DAY_HOURS, unbluTimeoutMs: 800,
	maxDeletionsPerTenant: 10_000, catchUpPastDays: 60, linkRetentionDays: 900, logLevel: 'debug',
};

/** @param {number} seed */
function brakeOf(seed) {
	return seed % 5 === 0 ? 1 : 10_000;
}

/** @param {number} seed @param {number} steps @param {boolean} verbose */
async function walk(seed, steps, verbose) {
	const began = performance.now();
	await WalkStack.play(`walk-${seed}`, {
		seed, clock: true, logSize: 100_000, config: { ...CONFIG, maxDeletionsPerMailbox: brakeOf(seed), catchUpHours: seed % 2 === 1 ? 6 : 8000 },
		settings: { validate: 'sample', graph: { latencyMs: [0, 12], deletedItems: seed % 4 < 2 ? '404' : '200', seriesId: seed % 3 === 0 ? 'new' : 'kept', delivery: { firstTimeoutMs: 3000 } }, unblu: { latencyMs: [0, 15], duplicateSourceStatus: seed % 3 === 0 ? 409 : 400 } },
	}, async (stack) => {
		stack.expectErrors = true;
		stack.http.remember = false;
		stack.sims.sim.faults.graceMs = 500;
		const w = new Walk(stack, seed, verbose);
		await w.go(steps);
		await settle(w);
		const wrong = [...w.truth.wrong, ...await demand(w)];
		if (wrong.length > 0)
			throw new Error(report(w, wrong));
		const talks = [...w.truth.talks.values()];
		const writes = talks.reduce((n, t) => n + t.writes.length, 0);
		const deleted = talks.filter((t) => t.end === 'product').length;
		console.log(`walk: seed ${seed}: ${steps} steps, ${talks.length} conversations, ${writes} writes, ${deleted} deleted, ${w.truth.deaths.length} ends of sync: well (${Math.round((performance.now() - began) / 1000)} s)`);
	});
}

/** Tells nothing of its own: report() does. */
class WalkStack extends Stack {
	async abandon() {
		if (this.over)
			return;
		await this.fcgi?.destroy();
		await this.nginx?.destroy();
		console.error(`walk: folder kept: ${this.dir}`);
		await this.close();
	}
}

/** @param {Walk} w @param {string[]} wrong */
function report(w, wrong) {
	const named = new Set(wrong.map((t) => /^conversation (\d+) /.exec(t)?.[1]).filter((n) => n !== undefined));
	const stories = [...w.truth.talks.values()].filter((t) => named.has(String(t.number))).slice(0, 4).map((t) => {
		const lines = w.stack.log.filter((l) => JSON.stringify(l).includes(t.id)).slice(-12).map((l) => JSON.stringify(l));
		return `--- conversation ${t.number} ${t.id} of ${t.owner.upn}\n${t.story.slice(-40).join('\n')}\n--- log\n${lines.join('\n')}`;
	});
	return `seed ${w.seed}: ${wrong.length} wrong:\n${wrong.slice(0, 20).join('\n')}\n${stories.join('\n')}\n--- last steps\n${w.diary.slice(-30).join('\n')}`;
}

/** Each seed in a process of its own. @param {number[]} seeds @param {number} jobs @param {number} steps */
async function many(seeds, jobs, steps) {
	const waiting = [...seeds];
	let failed = 0;
	const worker = async () => {
		for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
			const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--seed', String(seed), '--steps', String(steps)], { stdio: ['ignore', 'inherit', 'inherit'] });
			const code = await new Promise((resolve) => child.once('exit', resolve));
			if (code !== 0) {
				failed++;
				console.log(`walk: seed ${seed}: FAILED (again: node tests/walk/walk.js --seed ${seed} --steps ${steps})`);
			}
		}
	};
	await Promise.all(Array.from({ length: jobs }, worker));
	console.log(`walk: ${seeds.length - failed} of ${seeds.length} seeds (${seeds.length > 10 ? `${seeds[0]} to ${seeds[seeds.length - 1]}` : seeds}) well, ${failed} failed`);
	process.exitCode = failed === 0 ? 0 : 1;
}

/** @param {string} name @param {number} usual */
function option(name, usual) {
	const at = process.argv.indexOf(`--${name}`);
	if (at < 0)
		return usual;
	const value = Number(process.argv[at + 1]);
	if (!Number.isInteger(value) || value < 1) {
		console.error(`walk: --${name} needs a number`);
		process.exit(2);
	}
	return value;
}

const steps = option('steps', STEPS);
const list = process.argv.indexOf('--list');
if (list >= 0)
	await many(process.argv[list + 1].split(',').map(Number), option('jobs', 1), steps);
else if (process.argv.includes('--seeds'))
	await many(Array.from({ length: option('seeds', 1) }, (_, i) => option('first', 1) + i), option('jobs', 1), steps);
else
	await walk(option('seed', 1), steps, process.argv.includes('--verbose')).catch((e) => {
		console.error(`walk: FAILED: ${e.stack}`);
		process.exitCode = 1;
	});
