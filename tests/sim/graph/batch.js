// @ts-check
/* POST /$batch (graph.md 11.1): each member is its own request; at most 4 run at once. */

import { perform, record } from '../lib/listener.js';
import { graphError } from './errors.js';
import { jsonBody } from './subscriptions.js';

const MOST = 20;
const AT_ONCE = 4;

/** @param {any} body @returns {string | null} what is wrong with the batch as a whole */
function complain(body) {
	if (body === null || !Array.isArray(body.requests))
		return 'Invalid batch payload format.';
	if (body.requests.length > MOST)
		return `Number of batch request steps exceeds the max value of ${MOST}.`;
	const ids = new Set();
	for (const r of body.requests) {
		if (typeof r?.id !== 'string' || typeof r.method !== 'string' || typeof r.url !== 'string' || r.id === '')
			return 'Invalid batch payload format.';
		if (ids.has(r.id.toLowerCase()))
			return 'Request id is either null, empty or duplicated.';
		ids.add(r.id.toLowerCase());
		if (r.body !== undefined && !Object.keys(r.headers ?? {}).some((h) => h.toLowerCase() === 'content-type'))
			return `Write request id : ${r.id} does not contain Content-Type header or body.`;
	}
	for (const r of body.requests)
		if ((r.dependsOn ?? []).some((/** @type {string} */ d) => !ids.has(String(d).toLowerCase())))
			return `Request id : ${r.id} depends on an unknown request.`;
	return null;
}

/** @param {any} sim @param {import('../lib/listener.js').Service} service @param {any} ctx */
export async function batch(sim, service, ctx) {
	const body = jsonBody(ctx);
	const problem = complain(body);
	if (problem !== null)
		return graphError(sim, ctx, 400, 'BadRequest', problem);
	const members = body.requests.map((/** @type {any} */ r) => ({ request: r, member: memberOf(sim, ctx, r) }));
	const touched = new Set(members.map((/** @type {any} */ m) => mailboxOf(sim, service, m.member)).filter((/** @type {any} */ o) => o !== undefined));
	const counters = [...touched].map((oid) => sim.journal.mailbox(oid));
	for (const c of counters)
		c.maxExchanges = Math.max(c.maxExchanges, ++c.exchanges);
	/** @type {Map<string, any>} */
	const done = new Map();
	try {
		await runAll(sim, service, members, done);
	} finally {
		for (const c of counters)
			c.exchanges--;
	}
	const list = body.requests.map((/** @type {any} */ r) => done.get(r.id));
	const responses = sim.settings.graph.batch.shuffle ? sim.rng.shuffle(list) : list;
	const throttled = responses.some((/** @type {any} */ r) => r.status === 429);
	return { status: throttled && sim.settings.graph.batch.status424 ? 424 : 200, headers: { 'Content-Type': 'application/json' }, body: { responses } };
}

/** Who a member is about: resolved once for counting, again when it runs. @param {any} sim @param {import('../lib/listener.js').Service} service @param {any} member */
function mailboxOf(sim, service, member) {
	service.resolve(member);
	return member.mailbox;
}

/** @param {any} sim @param {any} ctx @param {any} r */
function memberOf(sim, ctx, r) {
	const url = r.url.startsWith('/') ? r.url : `/${r.url}`;
	const mark = url.indexOf('?');
	/** @type {Record<string, string>} */
	const headers = { authorization: ctx.headers.authorization };
	for (const [name, value] of Object.entries(r.headers ?? {}))
		headers[name.toLowerCase()] = String(value);
	const search = mark < 0 ? '' : url.slice(mark + 1);
	return {
		service: 'graph', op: 'unknown', method: r.method.toUpperCase(), path: `/v1.0${mark < 0 ? url : url.slice(0, mark)}`, search, query: new URLSearchParams(search),
		headers, body: r.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(r.body)), requestId: sim.rng.guid(), batch: ctx.requestId, left: ctx.left,
	};
}

/** Sequential where members depend on each other, else four at a time. @param {any} sim @param {any} service @param {any[]} members @param {Map<string, any>} done */
async function runAll(sim, service, members, done) {
	if (members.some((m) => (m.request.dependsOn ?? []).length > 0)) {
		for (const m of members)
			done.set(m.request.id, await runOne(sim, service, m, done));
		return;
	}
	let next = 0;
	const worker = async () => {
		while (next < members.length) {
			const m = members[next++];
			done.set(m.request.id, await runOne(sim, service, m, done));
		}
	};
	await Promise.all(Array.from({ length: Math.min(AT_ONCE, members.length) }, worker));
}

/** @param {any} sim @param {any} service @param {any} m @param {Map<string, any>} done */
async function runOne(sim, service, { request, member }, done) {
	const failed = (request.dependsOn ?? []).some((/** @type {string} */ d) => (done.get(d)?.status ?? 500) >= 400);
	if (failed)
		return { id: request.id, status: 424, headers: { 'Content-Type': 'application/json' }, body: graphError(sim, member, 424, 'FailedDependency', 'A dependency of this request failed.').body };
	const began = performance.now();
	const at = sim.clock.now();
	const out = /^\/v1\.0\/\$batch$/i.test(member.path) ? { reply: graphError(sim, member, 400, 'BadRequest', 'A batch can not hold a batch.') } : await perform(sim, service, member);
	/* Faults of the connection make no sense inside a batch: Graph's own hop failed instead. */
	if (['reset', 'hang', 'lost', 'cut', 'truncate'].includes(out.fault?.kind))
		out.reply = graphError(sim, member, 504);
	service.decorate?.(member, out.reply);
	record(sim, service, member, out.fault === undefined ? out : { ...out, fault: { kind: `batch-${out.fault.kind}` } }, at, performance.now() - began);
	const { reply } = out;
	return { id: request.id, status: reply.status, headers: { 'Cache-Control': 'no-cache', ...reply.headers }, ...(reply.body === undefined ? {} : { body: reply.body }) };
}
