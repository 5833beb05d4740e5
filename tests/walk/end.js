// @ts-check
/* The end of a walk: faults are lifted, everything gets its chance, and then the demands must hold. */

import { waitFor } from '../lib/wait.js';
import { renew } from './processes.js';

/**
 * @typedef {import('./walk.js').Walk} Walk
 * @typedef {import('./truth.js').Talk} Talk
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/* Brakes from here on are none. */
const HOURLY = 1000;
const STATES = ['announced', 'linked', 'gone', 'held', 'foreign', 'ended', 'kept', 'deleted', 'unconfirmed', 'ended-early'];
const OVER = ['foreign', 'ended', 'kept', 'deleted', 'ended-early'];

/** Nothing is due any more and nothing is under way. @param {Walk} w */
async function quiet(w) {
	await w.stack.sims.delivered();
	await waitFor(async () => {
		const now = w.now();
		/* What is due by the clock alone becomes work at sync's next beat. */
		const [row] = await w.stack.query(`SELECT (SELECT count(*) FROM arrival WHERE due_ms <= ${now}) + (SELECT count(*) FROM work WHERE claimed = 1 OR run_ms <= ${now})
			+ (SELECT count(*) FROM mailbox WHERE state = 0 AND check_ms > 0 AND check_ms <= ${now})
			+ (SELECT count(*) FROM link JOIN mailbox USING (tenant, user_id) WHERE mailbox.state = 0 AND link.check_ms > 0 AND link.check_ms <= ${now}) AS n`);
		return row.n === 0 && w.stack.sims.sim.delivery.idle;
	}, 60_000, 'everything that is due is done');
}

/** @param {Walk} w @param {number} ms */
async function pass(w, ms) {
	await w.stack.advance(ms);
	await renew(w);
	await w.stack.wake();
	await quiet(w);
}

/** @param {Walk} w */
export async function settle(w) {
	const { sims } = w.stack;
	w.say('all is well again');
	sims.clearFaults();
	sims.sim.settings.graph.notify.lost = 0;
	sims.sim.settings.graph.delivery.lost = 0;
	for (const box of w.stack.mailboxes) {
		sims.mailboxState(box, 'ok');
		sims.expireSecret(box.tenant, false);
	}
	/* A circuit that has opened and a credential that was refused are tried again in real time only. */
	if (w.seed % 4 !== 0 || w.counts['secret expired'] > 0)
		await w.stack.kill('sync');
	w.died('sync');
	await waitFor(async () => (await w.stack.http.get('/ready')).status === 200, 20_000, 'ready');
	/* Back-off and grace, then parked mailboxes. */
	for (const minutes of [1, 16, 16, 61, 61, 24 * 60 + 5, 61, 16])
		await pass(w, minutes * MINUTE);
	await empty(w);
	if (w.silent) {
		/* Catch-up, and a renewal that finds its subscription gone. */
		for (const hours of [6.2, 0.3, 50, 50, 0.3, 6.2, 0.3])
			await pass(w, hours * HOUR);
		await empty(w);
	}
}

/* Each dead copy that inherits has a grace time of its own, and what the last catch-up has found is due a moment later. */
/** @param {Walk} w */
async function empty(w) {
	for (let i = 0; i < 40 && (await w.stack.queuedEvents()).size > 0; i++)
		await pass(w, MINUTE);
}

/** @param {Walk} w @returns {Promise<string[]>} what is not as it must be */
export async function demand(w) {
	const rows = await w.stack.query('SELECT conversation, tenant, user_id, event, state, topic, start_ms, time_zone, writing FROM link');
	const links = new Map(rows.map((r) => [r.conversation, { ...r, state: STATES[r.state] }]));
	/** @type {string[]} */
	const wrong = [];
	for (const talk of w.truth.talks.values())
		for (const text of [...judge(w, talk, links.get(talk.id) ?? null), ...count(w, talk)])
			wrong.push(`conversation ${talk.number} (${talk.id}): ${text}`);
	for (const id of links.keys())
		if (!w.truth.talks.has(id))
			wrong.push(`a link for ${id}, of which nobody has told`);
	return [...wrong, ...await store(w), ...brake(w), ...politeness(w), ...await subscriptions(w)];
}

/* ---- each conversation ---- */

/** @param {Walk} w @param {Talk} talk @param {any} link @returns {string[]} */
function judge(w, talk, link) {
	const c = w.conversation(talk);
	const living = w.truth.living(talk);
	if (link === null)
		return talk.put === 'yes' ? ['its PUT was answered 202, yet the store does not know it'] : c !== null && knowable(w, talk, living) ? ['the event with its property was never seen'] : [];
	if (link.user_id !== talk.owner.oid)
		return [`its link belongs to ${link.user_id}`];
	if (link.writing !== '' && link.state === 'linked')
		return [`a write (${link.writing}) was left open`];
	if (c === null)
		return talk.end === 'product' && link.state !== 'deleted' ? [`deleted, but its link is ${link.state}`] : [];
	if (c.state !== 'CREATED')
		return ['deleted'].includes(link.state) && talk.end === '' ? ['its link is deleted, the conversation is not'] : [];
	if (talk.foreign)
		return link.state === 'kept' ? ['not ours, yet it was judged'] : [];
	return living.length > 0 ? follows(w, talk, link, c, living) : forgotten(w, talk, link);
}

/** An event that the product must have seen: timed, in the calendar of which Graph tells. @param {Walk} w @param {Talk} talk @param {any[]} living */
function knowable(w, talk, living) {
	return !w.silent && !talk.foreign && living.some((e) => e.start !== null && e.calendarId === e.box.defaultCalendar);
}

/** Its event lives: both are equal. @param {Walk} w @param {Talk} talk @param {any} link @param {any} c @param {any[]} living @returns {string[]} */
function follows(w, talk, link, c, living) {
	const timed = living.filter((e) => e.start !== null);
	if (timed.length === 0)
		return [];
	/* Restored after the guard had refused: it stays left alone. */
	if (link.state === 'kept' && talk.vanishings > 0 && talk.touchedAt !== Infinity)
		return [];
	if (link.state !== 'linked')
		return ['announced', 'unconfirmed', 'gone'].includes(link.state) && !timed.some((e) => e.calendarId === e.box.defaultCalendar) ? [] : [`its event lives, but its link is ${link.state}`];
	const event = living.find((e) => e.immutableId === link.event);
	if (event === undefined)
		return ['it is linked with an event that is gone, although another one lives'];
	const wanted = w.truth.wanted(talk, event);
	if (wanted === null)
		return [];
	const out = [];
	if (talk.put === 'yes' && talk.about.zone !== null && link.time_zone !== talk.about.zone)
		out.push(`announced for ${talk.about.zone}, stored ${link.time_zone}`);
	if (c.topic !== wanted.topic && !changedByHand(talk, 'setTopic', c.topic, (h) => h.topic))
		out.push(`topic ${JSON.stringify(c.topic)}, event ${JSON.stringify(wanted.topic)}, stored ${JSON.stringify(link.topic)}`);
	if (wanted.times.length > 0 && !wanted.times.includes(c.scheduledTimestamp) && !changedByHand(talk, 'setScheduledTimestamp', c.scheduledTimestamp, (h) => h.start))
		out.push(`time ${new Date(c.scheduledTimestamp).toISOString()}, event ${wanted.times.map((t) => new Date(t).toISOString())}, stored ${new Date(link.start_ms).toISOString()}`);
	return out;
}

/** Changed inside Unblu behind our last write: that stays until the event changes. @param {Talk} talk @param {string} op @param {any} now @param {(h: any) => any} value */
function changedByHand(talk, op, now, value) {
	const last = Math.max(0, ...talk.writes.filter((x) => x.op === op).map((x) => x.at));
	return talk.byHand.some((h) => value(h) === now && h.at > last);
}

/** No event lives. @param {Walk} w @param {Talk} talk @param {any} link @returns {string[]} */
function forgotten(w, talk, link) {
	if (['linked', 'gone'].includes(link.state))
		return [`its event is gone, but it is still there (${link.state})`];
	if (link.state === 'held')
		return w.brake < HOURLY ? [] : ['its deletion is held, although the brake is off'];
	if (link.state === 'kept' && talk.touchedAt === Infinity && talk.startedAt === Infinity)
		return ['kept although nobody ever took part'];
	return OVER.includes(link.state) && link.state !== 'kept' ? [`its link is ${link.state}`] : [];
}

/** Writes: no more than states. @param {Walk} w @param {Talk} talk @returns {string[]} */
function count(w, talk) {
	const out = [];
	const heirs = talk.events.size > 1 ? talk.vanishings : 0;
	for (const [op, states] of /** @type {[string, number][]} */ ([['setTopic', talk.topicStates], ['setScheduledTimestamp', talk.timeStates + w.truth.movedOn(talk)]])) {
		const writes = talk.writes.filter((x) => x.op === op);
		const changes = writes.filter((x) => x.changed).length;
		const allowed = states + heirs + talk.byHand.length;
		if (changes > allowed)
			out.push(`${changes} x ${op} for ${allowed} states`);
		writes.forEach((x, i) => {
			if (!x.changed && !explained(w, talk, op, i === 0 ? 0 : writes[i - 1].at, x.at))
				out.push(`${op} ${JSON.stringify(x.value)} was written without need`);
		});
	}
	return out;
}

/** sync died or an answer was lost since the write before, or somebody had a hand in it. @param {Walk} w @param {Talk} talk @param {string} op @param {number} from @param {number} to */
function explained(w, talk, op, from, to) {
	return w.truth.deaths.some((t) => t >= from - 5 && t <= to + 5) || talk.byHand.length > 0 ||
		talk.calls.some((c) => c.op === op && c.fault !== undefined && c.at >= from - 2000 && c.at <= to);
}

/* ---- the whole ---- */

/** No mailbox loses more within an hour than the brake allows; what was not stored at a death is not known. @param {Walk} w */
function brake(w) {
	const out = [];
	for (const box of w.stack.mailboxes) {
		const times = w.truth.deletions.filter((d) => d.mailbox === box.oid).map((d) => d.at);
		const most = Math.max(0, ...times.map((t) => times.filter((o) => o > t - HOUR && o <= t).length));
		if (most > w.brake + w.truth.deaths.length)
			out.push(`${most} deletions within an hour for ${box.upn}`);
	}
	return out;
}

/** "conversation N (id): " of an event, if it has one. @param {Walk} w @param {string} id */
function whose(w, id) {
	const talk = [...w.truth.talks.values()].find((t) => [...t.events.keys()].some((e) => e.immutableId === id));
	return talk === undefined ? '' : `conversation ${talk.number} (${talk.id}): `;
}

/** @param {Walk} w */
async function store(w) {
	const out = [];
	for (const d of await w.stack.query('SELECT tenant, user_id, kind, event, reason FROM dead'))
		out.push(`${whose(w, d.event)}dead letter: ${JSON.stringify(d)}`);
	for (const r of await w.stack.query('SELECT kind, event, claimed, attempts, run_ms, reason FROM work WHERE kind = 0'))
		out.push(`${whose(w, r.event)}left in the queue: ${JSON.stringify(r)}`);
	for (const b of await w.stack.query("SELECT user_id, state, reason FROM mailbox WHERE state <> 0"))
		out.push(`not followed: ${JSON.stringify(b)}`);
	if (await w.stack.integrity() !== 'ok')
		out.push('the store is damaged');
	return out;
}

/** @param {Walk} w */
function politeness(w) {
	const out = [];
	if (w.truth.early.length > 0)
		out.push(`${w.truth.early.length} requests came before Retry-After had passed: ${JSON.stringify(w.truth.early.slice(0, 3))}; ends of sync: ${w.truth.deaths.map(Math.round)}`);
	for (const box of w.stack.mailboxes) {
		const most = w.truth.mostAtOnce(box);
		if (most.length > 2)
			out.push(`${most.length} requests at once for ${box.upn}: ${JSON.stringify(most)}; ends of sync: ${w.truth.deaths.map(Math.round)}`);
	}
	return out;
}

/** @param {Walk} w */
async function subscriptions(w) {
	const out = [];
	const stored = await w.stack.query('SELECT id, user_id FROM subscription WHERE granted_ms > 0');
	for (const box of w.stack.mailboxes) {
		const subs = w.stack.sims.subscriptionsOf(box);
		const ours = stored.filter((s) => s.user_id === box.oid);
		if (subs.length !== 1 || ours.length !== 1 || ours[0].id !== subs[0].id)
			out.push(`${box.upn}: subscriptions ${JSON.stringify(subs.map((s) => s.id))} at Graph, ${JSON.stringify(ours.map((s) => s.id))} in the store`);
	}
	return out;
}
