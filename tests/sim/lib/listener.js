// @ts-check
/*
 * One HTTP listener per service: reads the body, finds the operation, applies faults, runs it,
 * validates both sides, answers and writes the journal.
 */

import http from 'node:http';
import { retryAfterText } from './faults.js';

const BODY_LIMIT = 8 * 1024 * 1024;

/**
 * @typedef {{ status: number, headers?: Record<string, string>, body?: any }} Reply body: object (JSON), string or Buffer
 * @typedef {{ op: string, spec?: string | null, run: (ctx: Exchange) => Reply | Promise<Reply> }} Route
 * @typedef {object} Exchange
 * @property {string} service @property {string} op
 * @property {string} method @property {string} path raw, still percent-encoded
 * @property {URLSearchParams} query @property {string} search
 * @property {http.IncomingHttpHeaders} headers @property {Buffer} body
 * @property {string} [tenant] @property {string} [mailbox] @property {string} [conversation] @property {string} [event] @property {string} [subscription]
 * @property {string} requestId
 * @property {any} [auth] @property {any} [box] @property {any} [json] @property {string} [code]
 * @property {string} [batch] id of the batch that carries this request
 * @property {() => boolean} left the client has closed its end: it waits for no answer
 */

/**
 * What a service gives.
 * @typedef {object} Service
 * @property {string} name
 * @property {(ctx: Exchange) => Route} resolve finds the operation; never fails
 * @property {(ctx: Exchange, status: number, code?: string, message?: string) => Reply} error an error in the service's own form
 * @property {(ctx: Exchange, reply: Reply) => void} [decorate] headers for every answer
 * @property {(ctx: Exchange) => Reply | null} [enter] counts the request in, may refuse it
 * @property {(ctx: Exchange) => void} [leave]
 * @property {() => number | [number, number]} latency real ms
 */

/** @param {number} ms */
export function sleep(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Starts listening; resolves to the server once the port is known.
 * @param {any} sim @param {Service} service @param {number} port @returns {Promise<http.Server>}
 */
export function listen(sim, service, port) {
	const server = http.createServer((req, res) => {
		serve(sim, service, req, res).catch((e) => {
			sim.fail(e);
			if (!res.headersSent)
				res.writeHead(500, { 'Content-Type': 'text/plain' });
			res.end(`simulator error: ${e?.stack ?? e}\n`);
		});
	});
	server.keepAliveTimeout = 120_000;
	server.headersTimeout = 125_000;
	server.requestTimeout = 0;
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, '127.0.0.1', 1024, () => resolve(server));
	});
}

/** @param {http.IncomingMessage} req @returns {Promise<Buffer | null>} null: too large */
function readBody(req) {
	return new Promise((resolve, reject) => {
		/** @type {Buffer[]} */
		const parts = [];
		let size = 0;
		req.on('data', (part) => {
			size += part.length;
			if (size <= BODY_LIMIT)
				parts.push(part);
		});
		req.on('end', () => resolve(size > BODY_LIMIT ? null : parts.length === 1 ? parts[0] : Buffer.concat(parts)));
		req.on('error', reject);
	});
}

const NO_BODY = Buffer.alloc(0);

/** @param {any} sim @param {Service} service @param {http.IncomingMessage} req @param {http.ServerResponse} res */
async function serve(sim, service, req, res) {
	const began = performance.now();
	const at = sim.clock.now();
	const hasBody = req.headers['transfer-encoding'] !== undefined || (req.headers['content-length'] ?? '0') !== '0';
	let body;
	try {
		body = hasBody ? await readBody(req) : NO_BODY;
	} catch {
		return;
	}
	const url = req.url ?? '/';
	const mark = url.indexOf('?');
	/** @type {Exchange} */
	const ctx = {
		service: service.name, op: 'unknown', method: req.method ?? 'GET',
		path: mark < 0 ? url : url.slice(0, mark), search: mark < 0 ? '' : url.slice(mark + 1),
		query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
		headers: req.headers, body: body ?? NO_BODY, requestId: sim.rng.guid(), left: () => req.socket.readableEnded || req.socket.destroyed,
	};
	const out = body === null ? { reply: service.error(ctx, 413) } : await perform(sim, service, ctx);
	service.decorate?.(ctx, out.reply);
	const ms = performance.now() - began;
	/* The entry stands before the client can see the answer: a test may look at once. */
	record(sim, service, ctx, out, at, ms);
	send(sim, req, res, out);
}

/**
 * Runs one request through faults, limits and validation. Batch members come here too.
 * @param {any} sim @param {Service} service @param {Exchange} ctx
 * @returns {Promise<{ reply: Reply, fault?: any, early?: boolean }>}
 */
export async function perform(sim, service, ctx) {
	const route = service.resolve(ctx);
	ctx.op = route.op;
	const refused = service.enter?.(ctx) ?? null;
	try {
		if (refused !== null)
			return { reply: refused };
		const hit = sim.faults.match(ctx);
		const latency = sim.rng.range(service.latency());
		const wait = latency + (hit?.fault.delayMs ?? 0);
		if (wait > 0)
			await sleep(wait);
		if (hit !== null) {
			const early = beforeEffect(sim, service, ctx, hit);
			if (early !== null)
				return { reply: early, fault: hit.fault, early: hit.early };
		}
		const complaint = sim.checks.request(route.spec, ctx);
		const reply = complaint !== null ? service.error(ctx, 500, 'simulatorViolation', complaint) : await route.run(ctx);
		if (hit?.fault.delayAfterMs !== undefined)
			await sleep(hit.fault.delayAfterMs);
		const bad = sim.checks.response(route.spec, ctx, reply);
		return { reply: bad !== null ? service.error(ctx, 500, 'simulatorViolation', bad) : reply, fault: hit?.fault };
	} finally {
		service.leave?.(ctx);
	}
}

/**
 * The answer of a fault that replaces the effect; null when the effect shall happen.
 * @param {any} sim @param {Service} service @param {Exchange} ctx @param {{ fault: any, wait: number | null }} hit @returns {Reply | null}
 */
function beforeEffect(sim, service, ctx, { fault, wait }) {
	const status = fault.status ?? (fault.kind === 'throttle' ? 429 : 503);
	switch (fault.kind) {
	case 'throttle':
	case 'status': {
		const reply = service.error(ctx, status, fault.code, fault.message);
		if (wait !== null)
			reply.headers = { ...reply.headers, 'Retry-After': retryAfterText(wait, fault, sim.clock.now()) };
		return reply;
	}
	case 'html':
		return { status: fault.status ?? 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: '<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Service unavailable</h1></body></html>\n' };
	case 'empty':
		return { status: fault.status ?? 200, headers: {} };
	case 'redirect':
		return { status: fault.status ?? 302, headers: { Location: '/login?return=' + encodeURIComponent(ctx.path) } };
	case 'garbage':
		return { status: fault.status ?? 200, headers: { 'Content-Type': 'application/json' }, body: '\u0000{"value": [truncated' };
	case 'oversize':
		return { status: fault.status ?? 200, headers: { 'Content-Type': 'application/json' }, body: `{"padding":"${'x'.repeat(fault.bytes ?? 32 * 1024 * 1024)}"}` };
	case 'reset':
	case 'hang':
		return { status: 0 };
	default:
		return null;
	}
}

/** @param {any} sim @param {Service} service @param {Exchange} ctx @param {any} out @param {number} at @param {number} ms */
export function record(sim, service, ctx, out, at, ms) {
	const kind = out.fault?.kind;
	const status = ['reset', 'hang'].includes(kind) ? 0 : out.reply.status;
	/** @type {any} */
	const entry = {
		seq: 0, at, time: new Date(at).toISOString(), service: service.name, op: ctx.op, method: ctx.method,
		path: ctx.search === '' ? ctx.path : `${ctx.path}?${ctx.search}`, status, ms: Math.round(ms * 10) / 10, requestId: ctx.requestId,
	};
	for (const name of /** @type {const} */ (['tenant', 'mailbox', 'conversation', 'event', 'subscription', 'batch', 'code']))
		if (ctx[name] !== undefined)
			entry[name] = ctx[name];
	if (ctx.headers['client-request-id'] !== undefined)
		entry.clientRequestId = ctx.headers['client-request-id'];
	if (ctx.headers.traceparent !== undefined)
		entry.traceparent = ctx.headers.traceparent;
	if (kind !== undefined)
		entry.fault = kind;
	if (out.early)
		entry.early = true;
	if (ctx.left())
		entry.left = true;
	if (out.reply.headers?.['Retry-After'] !== undefined)
		entry.retryAfter = out.reply.headers['Retry-After'];
	sim.journal.request(entry);
}

/** @param {Reply} reply @returns {Buffer} */
function encode(reply) {
	const { body } = reply;
	if (body === undefined || body === null)
		return NO_BODY;
	if (Buffer.isBuffer(body))
		return body;
	return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'utf8');
}

/** @param {any} sim @param {http.IncomingMessage} req @param {http.ServerResponse} res @param {{ reply: Reply, fault?: any }} out */
function send(sim, req, res, { reply, fault }) {
	const kind = fault?.kind;
	if (kind === 'hang')
		return;
	if (kind === 'reset') {
		req.socket.resetAndDestroy();
		return;
	}
	if (kind === 'lost') {
		req.socket.destroy();
		return;
	}
	let data = encode(reply);
	if (kind === 'truncate')
		data = data.subarray(0, Math.floor(data.length / 2));
	const headers = { ...reply.headers };
	if (typeof reply.body === 'object' && reply.body !== null && !Buffer.isBuffer(reply.body))
		headers['Content-Type'] ??= 'application/json';
	headers.Date = new Date(sim.clock.now()).toUTCString();
	if (reply.status !== 204 && reply.status !== 304)
		headers['Content-Length'] = String(data.length);
	res.sendDate = false;
	res.writeHead(reply.status, headers);
	if (kind === 'cut') {
		res.write(data.subarray(0, Math.floor(data.length / 2)), () => req.socket.destroy());
		return;
	}
	res.end(req.method === 'HEAD' ? undefined : data);
}
