// @ts-check
/* Catch-up: known events are asked about in batches; only what differs costs more; it waits, goes on, and comes by itself. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { buildFolder } from '../lib/build.js';
import { ANNA, BEN, BOX, Bench, CARLA, HINT, KIND, STATE, TENANT_A, TENANT_OF, until } from './harness.js';

const START = Date.parse('2027-03-01T09:00:00Z');
const HOUR = 3600_000;
const SANITIZED = fs.readFileSync(path.join(buildFolder(), 'fcgi/outlook-addin-fcgi')).includes('__asan_init');

/**
 * Links that are in step with their events, as if sync had seen them all.
 * @param {Bench} b @param {string} user @param {number} count @param {string} [tenant]
 */
async function seed(b, user, count, tenant = TENANT_OF[user]) {
	TENANT_OF[user] = tenant;
	const list = [];
	for (let i = 0; i < count; i++) {
		const m = await b.meeting(user, { subject: `Meeting ${i}` });
		const event = b.sim.calendars.box(b.sim.directory.anyUser(user)).find(m.event.immutableId);
		const { participants } = await b.conversation(m.id);
		list.push({
			tenant, user, conversation: m.id, event: m.event.immutableId, sourceId: m.made.sourceId, changeKey: event.etag, topic: `Meeting ${i}`, start: START, end: START + HOUR / 2,
			agent: participants?.[0]?.personId ?? 'agent',
		});
	}
	/* In the order in which a catch-up walks. */
	list.sort((x, y) => Buffer.compare(Buffer.from(x.conversation), Buffer.from(y.conversation)));
	const file = path.join(b.dir, `seed-${user}.json`);
	fs.writeFileSync(file, JSON.stringify(list));
	await b.tool('follow', tenant, user, '');
	await b.tool('caught', tenant, user, String(Date.now()), String(Date.now() + 6 * HOUR));
	await b.tool('seed', file);
	return list;
}

/** @param {Bench} b @param {string} user */
function missed(b, user) {
	return b.notify(user, '', HINT.missed, KIND.catchup);
}

/** @param {Bench} b @param {number} [count] @param {number} [ms] */
function caughtUp(b, count = 1, ms = 30_000) {
	return until(`${count} catch-ups are over`, () => {
		const lines = b.lines().filter((l) => l.event === 'catch-up');
		return lines.length >= count && lines;
	}, ms);
}

/** @param {Bench} b @param {any} link @param {string} subject */
function rename(b, link, subject) {
	return b.act({ action: 'edit', mailbox: link.user, event: link.event, subject });
}

/** @param {Bench} b @param {any} link @param {string} topic @param {number} [ms] */
function topicIs(b, link, topic, ms) {
	return until(`the topic is ${topic}`, async () => (await b.conversation(link.conversation)).topic === topic, ms);
}

/** Members of batches, and single requests, for one operation. @param {Bench} b @param {string} op */
async function asked(b, op) {
	const log = await b.control('GET', `/control/log?service=graph&op=${op}&limit=20000`);
	return { members: log.filter((/** @type {any} */ l) => l.batch).length, single: log.filter((/** @type {any} */ l) => !l.batch).length };
}

/** Requests to Unblu but for tokens. @param {Bench} b */
async function unblu(b) {
	/* The log is a ring. */
	const ops = (await b.control('GET', '/control/counters')).requests.unblu ?? {};
	return Object.entries(ops).filter(([op]) => !['token', 'discovery'].includes(op)).flatMap(([, counts]) => Object.values(counts)).reduce((n, count) => n + count, 0);
}

/** @param {Bench} b @param {any} fault */
function fault(b, fault) {
	return b.control('POST', '/control/faults', { service: 'graph', ...fault });
}

/** @param {Bench} b @param {string} user */
async function counters(b, user) {
	return (await b.control('GET', '/control/counters')).mailboxes[user];
}

/* Each has simulators and a program of its own, and mostly waits. */
describe('a mailbox catches up', { concurrency: 3 }, () => {
	for (const why of ['missed', 'by the clock'])
		test(`an event that nobody told of is found by its property (${why}), with one search of a round`, async (t) => {
			const b = await Bench.start(t, { start: why === 'missed' });
			const links = await seed(b, ANNA, 2);
			const m = await b.meeting(ANNA, { subject: 'Its created was lost' });
			if (why === 'missed') {
				await missed(b, ANNA);
			} else {
				await b.tool('caught', TENANT_A, ANNA, String(Date.now() - HOUR), String(Date.now() - 1000));
				await b.up();
			}
			await until('it is linked', async () => (await b.link(m.id))?.verified);
			await until('the queue has run dry', async () => (await b.dump()).work.length === 0);
			assert.equal((await b.link(m.id)).event, m.event.immutableId);
			assert.equal(b.lines().filter((l) => l.event === 'mailbox-searched').length, 1);
			assert.equal(await b.count('graph', 'listEvents'), 1);
			assert.equal((await b.dump()).links.length, links.length + 1);
		});

	test('events that have not changed cost two members of a batch each and nothing else', async (t) => {
		const b = await Bench.start(t);
		await seed(b, ANNA, 25);
		await missed(b, ANNA);
		const [line] = await caughtUp(b);
		await b.settled();
		assert.equal(line.events, 25);
		assert.equal(line.lookedAt, 0);
		assert.equal(await b.count('graph', 'batch'), 3);
		assert.deepEqual(await asked(b, 'getEvent'), { members: 25, single: 0 });
		assert.deepEqual(await asked(b, 'getEventCalendar'), { members: 25, single: 0 });
		assert.equal(await unblu(b), 0);
		const box = (await b.dump()).mailboxes[0];
		const wait = box.check - box.catchUp;
		assert.ok(wait > 5.3 * HOUR && wait <= 6 * HOUR, `the next one after ${wait}`);
	});

	test('what has changed, was deleted or called off is found, also in Deleted Items', async (t) => {
		const b = await Bench.start(t, { settings: { graph: { notify: { profile: 'none' }, deletedItems: '200' } } });
		const links = await seed(b, ANNA, 13);
		await rename(b, links[0], 'Renamed');
		await b.act({ action: 'edit', mailbox: ANNA, event: links[5].event, start: '2027-03-02T10:00:00Z', end: '2027-03-02T10:30:00Z' });
		await b.act({ action: 'delete', mailbox: ANNA, event: links[11].event });
		await b.act({ action: 'cancel', mailbox: ANNA, event: links[12].event });
		await missed(b, ANNA);
		await topicIs(b, links[0], 'Renamed');
		await until('the time is there', async () => (await b.link(links[5].conversation)).start === Date.parse('2027-03-02T10:00:00Z'));
		for (const l of [links[11], links[12]])
			await until('it is deleted', async () => (await b.link(l.conversation)).state === STATE.deleted);
		const [line] = await caughtUp(b);
		assert.equal(line.lookedAt, 4);
		assert.equal((await b.dump()).links.filter((/** @type {any} */ l) => l.state === STATE.linked).length, 11);
	});

	test('an unchanged event that lies in no calendar any more is noticed', async (t) => {
		const b = await Bench.start(t, { settings: { graph: { notify: { profile: 'none' }, deletedItems: '200' } } });
		const links = await seed(b, ANNA, 3);
		await b.act({ action: 'delete', mailbox: ANNA, event: links[1].event });
		/* As if the move into Deleted Items left the changeKey alone. */
		const event = b.sim.calendars.box(b.sim.directory.anyUser(ANNA)).find(links[1].event);
		event.etag = links[1].changeKey;
		await missed(b, ANNA);
		await until('it is deleted', async () => (await b.link(links[1].conversation)).state === STATE.deleted);
	});

	test('events that are long past are left alone', async (t) => {
		const b = await Bench.start(t);
		const links = await seed(b, ANNA, 3);
		const file = path.join(b.dir, 'past.json');
		fs.writeFileSync(file, JSON.stringify([{ ...links[0], start: Date.now() - 8 * 24 * HOUR, end: Date.now() - 7.5 * 24 * HOUR }]));
		await b.tool('seed', file);
		await missed(b, ANNA);
		const [line] = await caughtUp(b);
		assert.equal(line.events, 2);
	});

	test('a throttled member makes the round wait as it was told, and go on where it was', async (t) => {
		const b = await Bench.start(t);
		const links = await seed(b, ANNA, 45);
		await rename(b, links[44], 'The last one');
		await fault(b, { op: 'getEvent', mailbox: ANNA, kind: 'throttle', retryAfter: 2, skip: 24, count: 1 });
		await missed(b, ANNA);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.catchup && w.notBefore > Date.now()));
		await topicIs(b, links[44], 'The last one');
		await caughtUp(b);
		const { members } = await asked(b, 'getEvent');
		assert.ok(members <= 45 + 10, `${members} members`);
		assert.equal((await counters(b, ANNA)).early, 0);
	});

	test('the Retry-After of a member holds the mailbox for everybody', async (t) => {
		const b = await Bench.start(t);
		const links = await seed(b, ANNA, 5);
		await fault(b, { op: 'getEventCalendar', mailbox: ANNA, kind: 'throttle', retryAfter: 3600, count: 1, punish: false });
		await missed(b, ANNA);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.catchup && w.notBefore > Date.now() + 3500_000));
		const before = await asked(b, 'getEvent');
		await b.notify(ANNA, links[0].event);
		await until('so does an event', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.event && w.notBefore > Date.now() + 3500_000));
		assert.deepEqual(await asked(b, 'getEvent'), before);
	});

	test('what is missed while a round waits is another round', async (t) => {
		const b = await Bench.start(t);
		const links = await seed(b, ANNA, 25);
		await fault(b, { op: 'getEvent', mailbox: ANNA, kind: 'throttle', retryAfter: 2, skip: 14, count: 1 });
		await missed(b, ANNA);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.catchup && w.notBefore > Date.now()));
		/* Behind what was read already. */
		await rename(b, links[0], 'Missed again');
		await missed(b, ANNA);
		await topicIs(b, links[0], 'Missed again');
	});

	test('and so is what was missed while nobody was there', async (t) => {
		const b = await Bench.start(t);
		const links = await seed(b, ANNA, 25);
		await fault(b, { op: 'getEvent', mailbox: ANNA, kind: 'throttle', retryAfter: 12, skip: 14, count: 1 });
		await missed(b, ANNA);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.catchup && w.notBefore > Date.now()));
		await rename(b, links[0], 'Missed in our sleep');
		await b.tool('downtime', TENANT_A, '0', '600000');
		await until('it is told', () => b.lines().some((l) => l.event === 'catch-up-after-downtime'));
		await topicIs(b, links[0], 'Missed in our sleep', 40_000);
	});

	for (const [what, answer] of /** @type {[string, any][]} */ ([['500', { status: 500 }], ['503 with Retry-After', { status: 503, retryAfter: 1, punish: false }]]))
		test(`one event that is always answered ${what} is its own affair`, async (t) => {
			const b = await Bench.start(t);
			const links = await seed(b, ANNA, 25);
			const box = b.sim.calendars.box(b.sim.directory.anyUser(ANNA));
			await fault(b, { op: 'getEvent', event: box.find(links[3].event).id ?? links[3].event, kind: 'status', ...answer });
			await fault(b, { op: 'getEvent', event: links[3].event, kind: 'status', ...answer });
			await rename(b, links[24], 'Behind it');
			await missed(b, ANNA);
			await topicIs(b, links[24], 'Behind it', 30_000);
			const [line] = await caughtUp(b);
			assert.ok(line.lookedAt >= 2, 'the bad one is looked at by itself');
			/* Not before the time that it said, within the $batch as well. */
			const seen = await until('it is looked at', async () => {
				const log = (await b.control('GET', '/control/log?service=graph&op=getEvent&limit=20000')).filter((/** @type {any} */ r) => r.status === answer.status);
				return log.length >= 3 && log;
			});
			for (let i = 1; i < seen.length; i++)
				assert.ok(seen[i].at - seen[i - 1].at >= 1000 * (answer.retryAfter ?? 0), `asked ${seen[i].at - seen[i - 1].at} ms later`);
			assert.equal((await b.dump()).dead.length, 0);
		});

	test('a $batch that is refused as a whole is done without', async (t) => {
		const b = await Bench.start(t);
		const links = await seed(b, ANNA, 12);
		await fault(b, { op: 'batch', kind: 'status', status: 400, code: 'BadRequest' });
		await rename(b, links[7], 'All the same');
		await missed(b, ANNA);
		await topicIs(b, links[7], 'All the same');
		await caughtUp(b);
		assert.equal((await b.dump()).dead.length, 0);
	});

	test('a $batch that is throttled as a whole holds its tenant, for it names no mailbox', async (t) => {
		const b = await Bench.start(t);
		const links = [...await seed(b, ANNA, 3), ...await seed(b, BEN, 3)];
		await fault(b, { op: 'batch', kind: 'throttle', retryAfter: 3, count: 1 });
		for (const link of links)
			await rename(b, link, 'Later');
		await missed(b, ANNA);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.catchup && /throttled/.test(w.reason)));
		await missed(b, BEN);
		await topicIs(b, links[0], 'Later', 20_000);
		await topicIs(b, links[3], 'Later', 20_000);
		assert.equal((await b.control('GET', '/control/counters')).earlyRetries, 0);
	});

	test('a token that is refused within a batch is fetched anew', async (t) => {
		const b = await Bench.start(t);
		const links = await seed(b, ANNA, 5);
		await missed(b, ANNA);
		await caughtUp(b);
		await fault(b, { op: 'getEvent', kind: 'status', status: 401, code: 'InvalidAuthenticationToken', count: 1 });
		await rename(b, links[2], 'With a fresh one');
		await missed(b, ANNA);
		await topicIs(b, links[2], 'With a fresh one', 5000);
		const [, line] = await caughtUp(b, 2);
		assert.equal(line.lookedAt, 1);
	});

	for (const state of ['forbidden', 'noLicence', 'deleted'])
		test(`a mailbox that is ${state} is parked, nothing is deleted, and resumed it catches up`, async (t) => {
			const b = await Bench.start(t);
			const links = await seed(b, ANNA, 12);
			await b.control('PATCH', `/control/mailboxes/${ANNA}`, { state });
			await missed(b, ANNA);
			const box = await until('it is parked', async () => (await b.dump()).mailboxes.find((/** @type {any} */ x) => x.state === BOX.parked));
			assert.equal(box.check, 0, 'nothing is planned for it');
			await until('the round is given up', async () => (await b.dump()).work.every((/** @type {any} */ w) => !w.inProgress));
			const d = await b.dump();
			assert.ok(d.links.every((/** @type {any} */ l) => l.state === STATE.linked && l.gone === 0));
			assert.ok(d.work.every((/** @type {any} */ w) => w.kind !== KIND.event), 'no event is looked at');
			await b.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'ok' });
			await rename(b, links[4], 'Meanwhile');
			await b.tool('box', TENANT_A, ANNA, String(BOX.parked), '1');
			await b.tool('release', TENANT_A, ANNA);
			await b.notify(ANNA, '', 0, KIND.follow);
			await topicIs(b, links[4], 'Meanwhile');
			const after = (await b.settled()).mailboxes[0];
			assert.equal(after.state, BOX.followed);
			assert.ok(after.check > Date.now());
		});

	test('what a dry run only told is caught up with once it is over', async (t) => {
		const b = await Bench.start(t, { config: { syncServerDryRun: true } });
		const links = await seed(b, ANNA, 3);
		await rename(b, links[1], 'Told, not written');
		await b.notify(ANNA, links[1].event);
		await until('it is told', () => b.lines().some((l) => l.event === 'dry-run'));
		await b.settled();
		await b.down();
		const file = path.join(b.dir, 'addin.json');
		fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), syncServerDryRun: false }));
		await b.up();
		await missed(b, ANNA);
		await topicIs(b, links[1], 'Told, not written');
	});

	test('a mailbox that is not followed is left alone', async (t) => {
		const b = await Bench.start(t);
		await seed(b, ANNA, 3);
		await b.tool('box', TENANT_A, ANNA, String(BOX.unfollowed), '0');
		await missed(b, ANNA);
		await until('the row is gone', async () => (await b.dump()).work.length === 0);
		assert.equal(await b.count('graph', 'batch'), 0);
	});

	test('events are not kept waiting by a catch-up, and Outlook is never asked five things at once', async (t) => {
		const b = await Bench.start(t, { settings: { graph: { notify: { profile: 'none' }, latencyMs: [20, 60] } } });
		const links = await seed(b, ANNA, 120);
		await missed(b, ANNA);
		await until('it has begun', async () => await b.count('graph', 'batch') > 0);
		for (let i = 0; i < 4; i++) {
			await rename(b, links[i], `Moved on ${i}`);
			await b.notify(ANNA, links[i].event);
		}
		await topicIs(b, links[3], 'Moved on 3');
		assert.ok(!b.lines().some((l) => l.event === 'catch-up'), 'before it is over');
		const [line] = await caughtUp(b);
		assert.ok(line.events >= 116);
		const seen = await counters(b, ANNA);
		assert.ok(seen.maxConcurrent <= 4, `${seen.maxConcurrent} at once`);
		assert.ok(seen.maxExchanges <= 2, `${seen.maxExchanges} exchanges at once`);
		assert.equal(seen.throttled, 0);
	});

	test('a sync that is killed over it begins again and ends it', async (t) => {
		const b = await Bench.start(t, { settings: { graph: { notify: { profile: 'none' }, latencyMs: 20 } } });
		const links = await seed(b, ANNA, 150);
		for (const i of [0, 70, 149])
			await rename(b, links[i], `Renamed ${i}`);
		await missed(b, ANNA);
		await until('it is at it', async () => await b.count('graph', 'batch') >= 4);
		process.kill(b.pid(), 'SIGKILL');
		await caughtUp(b);
		for (const i of [0, 70, 149])
			await topicIs(b, links[i], `Renamed ${i}`);
	});
});

describe('catch-up comes by itself', { concurrency: 3 }, () => {
	test('a subscription that is silent without a word is healed within catchUpHours', async (t) => {
		const b = await Bench.start(t, { config: { catchUpHours: 0.002 } });
		const links = await seed(b, ANNA, 3);
		await b.follow(ANNA);
		await until('it is followed', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0));
		await caughtUp(b);
		await rename(b, links[2], 'Nobody told');
		await topicIs(b, links[2], 'Nobody told', 30_000);
	});

	test('a subscription that was just made brings the first catch-up and a plan for the next', async (t) => {
		const b = await Bench.start(t);
		await b.follow(ANNA);
		await caughtUp(b);
		const box = (await b.settled()).mailboxes[0];
		assert.ok(box.catchUp > 0 && box.check > Date.now() + 5 * HOUR && box.check <= Date.now() + 6 * HOUR);
	});

	test('mailboxes that were enrolled together do not stay together', async (t) => {
		const b = await Bench.start(t, { start: false });
		/* Graph does not know them: their searches are to wait, not to park them. */
		await b.control('POST', '/control/faults', { service: 'graph', op: 'listEvents', kind: 'status', status: 503 });
		await b.tool('downtime', TENANT_A, '40', String(HOUR));
		await b.up();
		const boxes = await until('all are caught up', async () => {
			const d = await b.dump();
			return d.mailboxes.every((/** @type {any} */ m) => m.catchUp > 0) && d.mailboxes;
		});
		const checks = boxes.map((/** @type {any} */ m) => m.check);
		assert.ok(Math.max(...checks) - Math.min(...checks) > 60_000, 'spread over more than a minute');
		assert.ok(checks.every((/** @type {number} */ c) => c > Date.now() + 5.3 * HOUR && c <= Date.now() + 6 * HOUR));
	});

	test('a plan that lies too far ahead, or none at all, is made anew and nothing is asked for it', async (t) => {
		const b = await Bench.start(t, { start: false });
		await seed(b, ANNA, 2);
		await seed(b, BEN, 2);
		/* As behind a clock that was set back, and behind a lost plan. */
		await b.tool('caught', TENANT_A, ANNA, String(Date.now() + 48 * HOUR), String(Date.now() + 54 * HOUR));
		await b.tool('caught', TENANT_A, BEN, String(Date.now()), '0');
		await b.up();
		await until('both have a plan', async () => (await b.dump()).mailboxes.every((/** @type {any} */ m) => m.check > Date.now() + 5 * HOUR && m.check <= Date.now() + 6 * HOUR));
		assert.equal(await b.count('graph', 'batch'), 0);
	});

	test('a heartbeat that is late, whatever the reason, brings all catch-ups forward', async (t) => {
		const b = await Bench.start(t);
		const links = await seed(b, ANNA, 2);
		const others = await seed(b, CARLA, 2);
		await rename(b, links[0], 'While it slept');
		await rename(b, others[1], 'While it slept too');
		/* The last beat was ten minutes ago: the host slept, or the clock was set. */
		await b.tool('downtime', TENANT_A, '0', '600000');
		await topicIs(b, links[0], 'While it slept');
		await topicIs(b, others[1], 'While it slept too');
		await until('it is told', () => b.lines().some((l) => l.event === 'catch-up-after-downtime' && l.mailboxes === 2));
	});

	test('a heartbeat of the future changes nothing', async (t) => {
		const b = await Bench.start(t, { start: false });
		await seed(b, ANNA, 2);
		await b.tool('downtime', TENANT_A, '0', String(-48 * HOUR));
		await b.up();
		await until('the heart beats', async () => Math.abs((await b.dump()).beat - Date.now()) < 60_000);
		assert.equal(await b.count('graph', 'batch'), 0);
	});

	test('hundreds of mailboxes that have missed something come a few at a time, and events of others pass', async (t) => {
		const b = await Bench.start(t, { settings: { graph: { notify: { profile: 'none' }, latencyMs: 300 } } });
		const [other] = await seed(b, CARLA, 1);
		const users = [];
		for (let i = 0; i < 60; i++) {
			const box = await b.control('POST', '/control/mailboxes', { tenant: TENANT_A, upn: `many${i}@contoso.example` });
			users.push(box.oid ?? box.id);
		}
		for (const user of users)
			await seed(b, user, 1, TENANT_A);
		await b.tool('missed', TENANT_A, ...users);
		await b.wake();
		let most = 0;
		await until('they are at it, and others have to wait', async () => (await b.dump()).work.some((/** @type {any} */ w) => /^other mailboxes/.test(w.reason)));
		await rename(b, other, 'Passes');
		await b.notify(CARLA, other.event);
		const begun = Date.now();
		await topicIs(b, other, 'Passes');
		assert.ok(Date.now() - begun < 5000, `took ${Date.now() - begun} ms`);
		await until('all are over', async () => {
			const flying = [...b.sim.journal.mailboxes.values()].reduce((n, m) => n + (m.exchanges > 0 ? 1 : 0), 0);
			most = Math.max(most, flying);
			return b.lines().filter((l) => l.event === 'catch-up').length >= 60;
		}, 60_000);
		assert.ok(most > 1 && most <= 16 + 1, `${most} mailboxes of one tenant at once`);
	});
});

/** Resident memory in KiB. @param {number} pid */
function resident(pid) {
	return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

describe('bounded', () => {
	for (const [what, boxes, each] of /** @type {[string, number, number][]} */ ([['1,000 links of one mailbox', 1, 1000], ['10,000 links of 100 mailboxes of one tenant', 100, 100]]))
		test(`${what}: as many requests as there must be, little memory, the changed ones in step`, async (t) => {
			const b = await Bench.start(t, { start: false, settings: { validate: 'sample', graph: { notify: { profile: 'none' } } }, config: { logLevel: 'info' } });
			b.env = { ...b.env, ASAN_OPTIONS: 'detect_leaks=1:quarantine_size_mb=1' };
			const links = [];
			for (let i = 0; i < boxes; i++) {
				const box = await b.control('POST', '/control/mailboxes', { tenant: TENANT_A, upn: `box${i}@contoso.example` });
				links.push(...await seed(b, box.oid ?? box.id, each, TENANT_A));
			}
			const users = [...new Set(links.map((l) => l.user))];
			await b.up();
			/* What it takes for the first one is taken. */
			await missed(b, users[0]);
			await caughtUp(b, 1, 60_000);
			const before = resident(b.pid());
			const asked1 = await b.count('graph', 'batch');
			const changed = links.filter((_, i) => i % 97 === 0);
			for (const l of changed)
				await rename(b, l, 'Changed in silence');
			let peak = before;
			const watch = setInterval(() => {
				peak = Math.max(peak, resident(b.pid()));
			}, 50);
			await b.tool('missed', TENANT_A, ...users);
			await b.wake();
			await caughtUp(b, 1 + boxes, 120_000);
			clearInterval(watch);
			for (const l of changed)
				await topicIs(b, l, 'Changed in silence', 60_000);
			const lines = b.lines().filter((l) => l.event === 'catch-up').slice(1);
			assert.equal(lines.reduce((n, l) => n + l.lookedAt, 0), changed.length);
			assert.equal(lines.reduce((n, l) => n + l.events, 0), links.length);
			assert.equal((await b.control('GET', '/control/counters')).requests.graph.batch[200] - asked1, boxes * Math.ceil(each / 10));
			for (const user of users) {
				const seen = await counters(b, user);
				assert.ok(seen.maxExchanges <= 2 && seen.maxConcurrent <= 4 && seen.throttled === 0, JSON.stringify(seen));
			}
			/* A changed topic is one call; what has not changed is none. */
			await until('each has been told', async () => await unblu(b) >= changed.length);
			assert.equal(await unblu(b), changed.length);
			const limit = SANITIZED ? 48 * 1024 : 6 * 1024;
			assert.ok(peak - before < limit, `from ${before} KiB to ${peak} KiB`);
			t.diagnostic(`resident ${before} to ${peak} KiB`);
		});

	test('a mailbox with more links than Outlook takes requests for gets a rest in between', async (t) => {
		const b = await Bench.start(t, { start: false, settings: { validate: 'sample', graph: { notify: { profile: 'none' } } }, config: { logLevel: 'info' } });
		const links = await seed(b, ANNA, 2015);
		await rename(b, links[2014], 'Behind the rest');
		await b.up();
		await missed(b, ANNA);
		const row = await until('it rests', async () => (await b.dump()).work.find((/** @type {any} */ w) => w.kind === KIND.catchup && w.notBefore > Date.now()), 60_000);
		assert.ok(row.notBefore > Date.now() + 240_000 && row.notBefore < Date.now() + 301_000);
		assert.equal(await b.count('graph', 'batch'), 200);
		await b.tool('release', TENANT_A, ANNA);
		await b.wake();
		await topicIs(b, links[2014], 'Behind the rest');
		assert.equal(await b.count('graph', 'batch'), 202);
	});
});
