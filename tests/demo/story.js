// @ts-check
/* The story that the demo plays: every printed line shows a value that was read back. */

import http from 'node:http';
import { waitFor } from '../lib/wait.js';
import { MEETINGS } from './cast.js';
import { HOUR, MINUTE, dayText, timeText } from './page/model.js';
import { pageFiles } from './server.js';

const FOLLOW_MS = 15_000;

/** @param {string} id */
const brief = (id) => `${id.slice(0, 5)}\u2026`;
/** @param {number} ms */
const when = (ms) => `${dayText(ms)} ${timeText(ms)}`;

/** @typedef {{ box: any, event: any, conversation: string, sourceId: string }} Meeting */

export class Story {
	/** @param {import('./demo.js').Demo} demo @param {import('./teller.js').Teller} teller */
	constructor(demo, teller) {
		this.demo = demo;
		this.teller = teller;
		this.stack = demo.running;
		this.world = demo.shown;
		this.sim = this.world.sim;
	}

	async play() {
		const { teller } = this;
		await teller.chapter('The product stands', () => this.standing());
		await teller.chapter('An agent of the first tenant plans a meeting', () => this.planning());
		await teller.chapter('Two tenants at once', () => this.tenants());
		await teller.chapter('kill -9 of web while changes come in', () => this.crash('web'));
		await teller.chapter('kill -9 of sync in the middle of its work', () => this.crash('sync'));
		await teller.chapter(this.stack.clock === null ? 'Graph forgets the subscriptions' : 'A subscription runs out', () => this.renewal());
		await teller.chapter('The event is deleted', () => this.deletion());
		await teller.chapter('What is left', () => this.accounts());
	}

	/** What Unblu has now. @param {string} id */
	unblu(id) {
		return this.world.conversations().find((c) => c.id === id);
	}

	/** What the calendar has now. @param {Meeting} m */
	outlook(m) {
		return this.world.event(m.box.tenant, m.box.oid, m.event.id);
	}

	/** @param {Meeting} m @param {any} what */
	edit(m, what) {
		return this.world.change(m.box.tenant, m.box.oid, m.event.id, what);
	}

	/** An event with its conversation, as quick as it goes. @param {{ who: number, subject: string, day: number, hour: number, minutes: number }} plan @returns {Promise<Meeting>} */
	async meeting(plan) {
		const box = this.stack.mailboxes[plan.who];
		const start = this.demo.at(plan.day, plan.hour);
		const event = await this.world.add(box.tenant, box.oid, { subject: plan.subject, start, end: start + plan.minutes * MINUTE });
		const made = await this.world.link(box.tenant, box.oid, event.id);
		return { box, event, conversation: made.conversation, sourceId: made.sourceId };
	}

	/** The server has found the event of the conversation. @param {Meeting} m */
	async linked(m) {
		return this.stack.linkState(m.box, { id: m.conversation, sourceId: m.sourceId }, (l) => l.state === 'linked', `${m.event.subject}: the server knows the event`);
	}

	/** @param {Meeting} m @param {string} topic */
	topicIs(m, topic) {
		return this.talkHas(m, (talk) => talk.topic === topic, `"${topic}"`, (talk) => `"${talk?.topic}"`);
	}

	/**
	 * Waits until Unblu has it; a failure tells what it has instead.
	 * @param {Meeting} m @param {(talk: any) => boolean} want @param {string} what @param {(talk: any) => string} instead
	 */
	async talkHas(m, want, what, instead) {
		const talk = () => this.unblu(m.conversation);
		try {
			return await waitFor(() => talk() !== undefined && want(talk()) ? /** @type {any} */ (talk()) : null, FOLLOW_MS, `Unblu has ${what}`);
		} catch (e) {
			throw new Error(`${/** @type {Error} */ (e).message}; it has ${instead(talk())}`);
		}
	}

	async standing() {
		const { teller, stack } = this;
		await teller.step('outlook-addinctl check', async () => {
			const run = await stack.ctl('check');
			if (run.code !== 0)
				throw new Error(`exit status ${run.code}: ${run.stdout}${run.stderr}`);
			return `exit status ${run.code}`;
		});
		await teller.step('GET /ready through nginx', async () => {
			const answer = await waitFor(async () => {
				const a = await stack.http.get('/ready');
				return a.status === 200 && a.json.degraded.length === 0 ? a : null;
			}, FOLLOW_MS, '/ready is 200 and nothing is degraded');
			return `${answer.status} ${answer.text.trim()}`;
		});
		await teller.step('processes', async () => `supervisor ${stack.fcgi?.pid}, web ${await stack.pid('web')}, sync ${await stack.pid('sync')}, nginx ${stack.nginx?.pid}`);
		await teller.step('handshake of Graph', async () => {
			const answer = await stack.http.request('POST', '/addin/webhook/events?validationToken=Validation%3A+opaque%2B%251');
			if (answer.status !== 200 || answer.text !== 'Validation: opaque+%1')
				throw new Error(`answered ${answer.status} ${JSON.stringify(answer.text)}`);
			return `${answer.status} ${answer.headers['content-type']} ${JSON.stringify(answer.text)}`;
		});
		await teller.step('the page and its back end', () => this.page());
	}

	async page() {
		const { port } = this.demo.front;
		let bytes = 0;
		for (const name of ['', ...pageFiles()])
			bytes += (await read(port, `/demo/${name}`)).length;
		const state = JSON.parse(await read(port, '/demo/api/state'));
		const live = await read(port, '/demo/api/stream', /event: state/);
		return `${pageFiles().length} files, ${Math.round(bytes / 1024)} KiB; ${state.events.length} events in ${state.tenants.length} tenants; stream ${JSON.stringify(live.slice(0, 12))}`;
	}

	async planning() {
		const { teller, stack, world } = this;
		const box = stack.mailboxes[0];
		const start = this.demo.at(1, 10);
		/** @type {any} */
		let event = null;
		await teller.step('event made', async () => {
			event = await world.add(box.tenant, box.oid, { subject: 'Portfolio review', start, end: start + HOUR });
			const seen = world.event(box.tenant, box.oid, event.id);
			return `"${seen.subject}" -> read back from Outlook: ${when(seen.start)}, no conversation`;
		});
		/** @type {Meeting | null} */
		let m = null;
		await teller.step('button pressed', async () => {
			const made = await world.link(box.tenant, box.oid, event.id);
			m = { box, event, conversation: made.conversation, sourceId: made.sourceId };
			const talk = this.unblu(made.conversation);
			return `conversation ${brief(made.conversation)} -> read back from Unblu: "${talk?.topic}" ${when(talk?.start ?? 0)} ${talk?.state}; PUT api/links ${made.status}`;
		});
		const meeting = /** @type {Meeting} */ (/** @type {unknown} */ (m));
		this.main = meeting;
		await teller.step('mailbox followed', async () => {
			const sub = await waitFor(() => world.subscriptions().find((s) => s.user === box.oid), FOLLOW_MS, 'a subscription at Graph');
			return `subscription ${brief(sub.id)} at Graph, ${Math.round((sub.expires - stack.now()) / MINUTE)} min to live`;
		});
		await teller.step('event found', async () => `GET api/links -> state "${(await this.linked(meeting)).state}"`);
		await teller.step('renamed', async () => {
			await this.edit(meeting, { subject: 'Portfolio review (new room)' });
			return `topic "${this.outlook(meeting).subject}" -> read back from Unblu: "${(await this.topicIs(meeting, 'Portfolio review (new room)')).topic}"`;
		});
		await teller.step('moved', async () => {
			const to = this.demo.at(2, 11.5);
			await this.edit(meeting, { start: to, end: to + HOUR });
			const talk = await this.talkHas(meeting, (t) => t.start === to, when(to), (t) => when(t?.start ?? 0));
			return `time ${when(this.outlook(meeting).start)} -> read back from Unblu: ${when(talk.start)}`;
		});
	}

	async tenants() {
		const { teller, stack, world } = this;
		/** @type {Meeting[]} */
		this.crowd = [];
		await teller.step(`${MEETINGS.length} more meetings`, async () => {
			for (const plan of MEETINGS)
				this.crowd.push(await this.meeting(plan));
			for (const m of this.crowd)
				await this.linked(m);
			return `${world.conversations().length} conversations in Unblu, all linked; subscriptions at Graph: ${world.subscriptions().length}, in ${new Set(world.subscriptions().map((s) => s.tenant)).size} tenants`;
		});
		const [ours, theirs] = [this.crowd[0], this.crowd[5]];
		await teller.step('renamed in both', async () => {
			await Promise.all([this.edit(ours, { subject: 'Mortgage renewal, ten years' }), this.edit(theirs, { subject: 'Claim 4711: water damage, visit' })]);
			const [a, b] = await Promise.all([this.topicIs(ours, 'Mortgage renewal, ten years'), this.topicIs(theirs, 'Claim 4711: water damage, visit')]);
			return `read back from Unblu: "${a.topic}" and "${b.topic}"`;
		});
		await teller.step('tenants are islands', async () => {
			const foreign = await stack.http.get(`/addin/api/links/${theirs.conversation}`, stack.authorization(ours.box));
			if (foreign.status !== 404)
				throw new Error(`the other tenant's link was answered ${foreign.status}`);
			return `GET api/links of the other tenant's conversation -> ${foreign.status} ${JSON.parse(foreign.text).error.code}`;
		});
	}

	/** @param {'web' | 'sync'} role */
	async crash(role) {
		const { teller, sim, world } = this;
		const crowd = this.crowd ?? [];
		if (crowd.length === 0)
			throw new Error('there is no meeting to change');
		const before = { ...sim.journal.deliveries };
		const names = crowd.map((m) => `${this.outlook(m).subject.replace(/ \[.*\]$/, '')} [${role === 'web' ? 'A' : 'B'}]`);
		await teller.step(`${crowd.length} renamed, kill -9`, async () => {
			const changed = () => crowd.filter((m, i) => this.unblu(m.conversation)?.topic === names[i]).length;
			/* Unblu takes its time, so that there is a middle to hit. */
			const latency = sim.settings.unblu.latencyMs;
			sim.settings.unblu.latencyMs = [60, 120];
			try {
				for (let i = 0; i < crowd.length; i++)
					await this.edit(crowd[i], { subject: names[i] });
				if (role === 'web')
					await waitFor(() => sim.journal.deliveries.attempts > before.attempts, FOLLOW_MS, 'the first notification is answered');
				else
					await waitFor(() => changed() > 0, FOLLOW_MS, 'the first topic is written');
				const at = changed();
				const { before: old, now } = await world.kill(role);
				return `${role} was process ${old}, is process ${now}; at that moment Unblu had ${at} of ${crowd.length}`;
			} finally {
				sim.settings.unblu.latencyMs = latency;
			}
		});
		await teller.step('nothing is lost', async () => {
			for (let i = 0; i < crowd.length; i++)
				await this.topicIs(crowd[i], names[i]);
			const same = crowd.filter((m, i) => this.unblu(m.conversation)?.topic === names[i]).length;
			return `read back from Unblu: ${same} of ${crowd.length} topics are the new ones, the last "${this.unblu(crowd[crowd.length - 1].conversation)?.topic}"`;
		});
		await teller.step('notifications', async () => {
			await waitFor(() => sim.delivery.idle, 30_000, 'Graph has nothing left to deliver');
			const now = sim.journal.deliveries;
			return `${now.items - before.items} items in ${now.posts - before.posts} posts, answered 202: ${now.delivered - before.delivered}, had to be sent again: ${now.failedAttempts - before.failedAttempts}, dropped: ${now.dropped - before.dropped}`;
		});
	}

	/** Meetings whose conversation does not say what the event says. */
	behind() {
		return this.world.events().filter((e) => e.conversation !== null && (this.unblu(e.conversation)?.topic !== e.subject || this.unblu(e.conversation)?.start !== e.start));
	}

	/** They end: time passes, or, where nobody can move the programs' clock, Graph forgets them. */
	async lapse() {
		const { sims } = this.stack;
		if (this.stack.clock === null) {
			for (const box of this.stack.mailboxes)
				sims.subscriptionsOf(box).forEach((s) => sims.dropSubscription(s.id));
			return 'without a word';
		}
		const { ms } = await this.world.expire();
		return `${Math.round(ms / MINUTE)} min ahead`;
	}

	async renewal() {
		const { teller, sim, world } = this;
		const m = /** @type {Meeting} */ (this.main);
		await waitFor(() => sim.delivery.idle && this.behind().length === 0, FOLLOW_MS, 'everything is in step');
		await teller.step(this.stack.clock === null ? 'they are gone' : 'the clock moves', async () => {
			const how = await this.lapse();
			const left = world.subscriptions().length;
			if (left !== 0)
				throw new Error(`${left} subscriptions are still alive`);
			await this.demo.quiet();
			return `${how} -> subscriptions at Graph: ${left}`;
		});
		await teller.step('renamed in silence', async () => {
			await this.edit(m, { subject: 'Portfolio review, renamed in silence' });
			return `Outlook: "${this.outlook(m).subject}", Unblu still: "${this.unblu(m.conversation)?.topic}"`;
		});
		await teller.step('outlook-addin-renew', async () => {
			const run = await world.renew();
			if (run.code !== 0)
				throw new Error(`exit status ${run.code}: ${JSON.stringify(run.log)}`);
			const subs = world.subscriptions();
			if (subs.length !== this.stack.mailboxes.length)
				throw new Error(`${subs.length} subscriptions for ${this.stack.mailboxes.length} mailboxes`);
			return `exit status ${run.code} -> subscriptions at Graph: ${subs.length}, the nearest runs out in ${Math.round((Math.min(...subs.map((s) => s.expires)) - this.stack.now()) / MINUTE)} min`;
		});
		await teller.step('caught up', async () => `read back from Unblu: "${(await this.topicIs(m, 'Portfolio review, renamed in silence')).topic}"`);
		await teller.step('notifications flow', async () => {
			await this.edit(m, { subject: 'Portfolio review' });
			return `renamed again -> read back from Unblu: "${(await this.topicIs(m, 'Portfolio review')).topic}"`;
		});
		/* Without a clock to move all is due at any time. */
		if (this.stack.clock !== null)
			await this.secondRun();
	}

	async secondRun() {
		const { teller, sim, world } = this;
		await teller.step('a second run', async () => {
			const before = sim.journal.requests.total;
			const run = await world.renew();
			if (run.code !== 0)
				throw new Error(`exit status ${run.code}: ${JSON.stringify(run.log)}`);
			const asked = sim.journal.find({ after: before - 1 }).filter((/** @type {any} */ r) => /subscription/i.test(r.op)).length;
			if (asked !== 0)
				throw new Error(`it asked for subscriptions ${asked} times`);
			return `exit status ${run.code}, nothing due, requests about subscriptions: ${asked}`;
		});
	}

	async deletion() {
		const { teller, world } = this;
		const m = (this.crowd ?? []).find((c) => c.event.subject === 'First investment talk') ?? /** @type {Meeting} */ (this.main);
		await teller.step('event deleted', async () => {
			const { subject } = this.outlook(m);
			await world.remove(m.box.tenant, m.box.oid, m.event.id);
			await waitFor(() => this.unblu(m.conversation) === undefined, 30_000, 'the conversation is deleted after the grace time');
			const answer = await world.readConversation(m.box, m.conversation);
			return `"${subject}", after the grace time -> GET conversations/${brief(m.conversation)}/read: ${answer.status}`;
		});
		await teller.step('the others stay', async () => `conversations in Unblu: ${world.conversations().length}, among them "${this.unblu(/** @type {Meeting} */ (this.main).conversation)?.topic}"`);
		for (const c of this.crowd ?? [])
			if (c !== m)
				await this.edit(c, { subject: c.event.subject });
		await teller.step('names put back', async () => {
			const rest = (this.crowd ?? []).filter((c) => c !== m);
			for (const c of rest)
				await this.topicIs(c, c.event.subject);
			return `read back from Unblu: ${rest.filter((c) => this.unblu(c.conversation)?.topic === c.event.subject).length} of ${rest.length}`;
		});
	}

	async accounts() {
		const { teller, sim, world } = this;
		await teller.step('every meeting in step', async () => {
			await waitFor(() => this.behind().length === 0, FOLLOW_MS, 'topic and time agree everywhere');
			const events = world.events().filter((e) => e.conversation !== null);
			return `${events.length - this.behind().length} of ${events.length} topics and times agree; conversations without an event: ${world.conversations().length - events.length}`;
		});
		await teller.step('the store', async () => {
			const dead = await world.metric('outlook_addin_dead_letters');
			if (dead !== 0)
				throw new Error(`dead letters: ${dead}`);
			return `dead letters ${dead}, rows in the queue ${await world.queue()}`;
		});
		await teller.step('the exchanges', async () => {
			const c = sim.journal.counters();
			const writes = sim.conversations.counts;
			if (sim.checks.violations.total > 0)
				throw new Error(`${sim.checks.violations.total} violate the API documents, the first: ${JSON.stringify(sim.checks.violations.list()[0])}`);
			const { active, judged } = sim.checks.report();
			const judgement = active ? `${judged.requests + judged.responses + judged.notifications} judged by the API documents, none against them` : 'API documents not at hand';
			return `${c.requestsTotal} requests, ${judgement}; Unblu: ${writes.setTopic} topics, ${writes.setScheduledTimestamp} times, ${writes.delete} deletions, without effect: ${writes.unchanged}`;
		});
	}
}

/** A body over the front door; with until: as soon as that is in it. @param {number} port @param {string} target @param {RegExp} [until] @returns {Promise<string>} */
function read(port, target, until) {
	return new Promise((resolve, reject) => {
		const req = http.get({ host: '127.0.0.1', port, path: target, agent: false, timeout: 5000 }, (res) => {
			let text = '';
			if (res.statusCode !== 200)
				reject(new Error(`${target}: ${res.statusCode}`));
			res.setEncoding('utf8').on('data', (part) => {
				text += part;
				if (until?.test(text)) {
					resolve(text);
					req.destroy();
				}
			});
			res.on('end', () => resolve(text));
			res.on('error', reject);
		});
		req.on('timeout', () => req.destroy(new Error(`${target}: no answer`)));
		req.on('error', reject);
	});
}
