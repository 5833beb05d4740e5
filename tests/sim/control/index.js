// @ts-check
/* The control interface: JSON over HTTP on its own port, and the live stream. README.md lists the routes. */

import http from 'node:http';
import { ROUTES } from './routes.js';
import { openStream } from './stream.js';

const BODY_LIMIT = 4 * 1024 * 1024;
const CORS = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS', 'Access-Control-Allow-Headers': 'content-type, cache-control, last-event-id', 'Access-Control-Max-Age': '600' };

/** @param {any} sim */
export function controlService(sim) {
	/** @type {Set<() => void>} */
	const streams = new Set();

	/** @param {string} method @param {string} target path and query @param {any} body @returns {Promise<{ status: number, body: any }>} */
	async function call(method, target, body) {
		const mark = target.indexOf('?');
		const path = mark < 0 ? target : target.slice(0, mark);
		const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
		for (const [verb, re, run] of ROUTES) {
			const m = re.exec(path);
			if (m === null || verb !== method)
				continue;
			try {
				const result = await run(sim, { body: body ?? {}, query, args: m.slice(1).map(decodeURIComponent) });
				return { status: 200, body: result ?? { ok: true } };
			} catch (e) {
				if (e instanceof RangeError)
					return { status: 400, body: { error: e.message } };
				sim.fail(e);
				return { status: 500, body: { error: /** @type {Error} */ (e).stack } };
			}
		}
		return { status: 404, body: { error: `no route ${method} ${path}` } };
	}

	/** @param {http.IncomingMessage} req @param {http.ServerResponse} res */
	async function serve(req, res) {
		const method = req.method ?? 'GET';
		if (method === 'OPTIONS') {
			res.writeHead(204, CORS).end();
			return;
		}
		if (method === 'GET' && (req.url ?? '').split('?')[0] === '/control/stream') {
			const close = openStream(sim, req, res, CORS);
			streams.add(close);
			res.on('close', () => streams.delete(close));
			return;
		}
		const { status, body } = await answer(req, method);
		const data = Buffer.from(`${JSON.stringify(body)}\n`, 'utf8');
		res.writeHead(status, { ...CORS, 'Content-Type': 'application/json', 'Content-Length': data.length, 'Cache-Control': 'no-store' }).end(data);
	}

	/** @param {http.IncomingMessage} req @param {string} method */
	async function answer(req, method) {
		const text = await readText(req);
		if (text === null)
			return { status: 413, body: { error: 'body too large' } };
		let parsed;
		try {
			parsed = text === '' ? {} : JSON.parse(text);
		} catch (e) {
			return { status: 400, body: { error: `body: ${/** @type {Error} */ (e).message}` } };
		}
		return call(method, req.url ?? '/', parsed);
	}

	return {
		call,
		/** @param {number} port @returns {Promise<http.Server>} */
		listen: (port) => new Promise((resolve, reject) => {
			const server = http.createServer((req, res) => {
				serve(req, res).catch((e) => {
					sim.fail(e);
					res.destroy();
				});
			});
			server.keepAliveTimeout = 120_000;
			server.once('error', reject);
			server.listen(port, '127.0.0.1', () => resolve(server));
		}),
		close: () => {
			for (const close of streams)
				close();
		},
	};
}

/** @param {http.IncomingMessage} req @returns {Promise<string | null>} */
async function readText(req) {
	const parts = [];
	let size = 0;
	for await (const part of req) {
		size += part.length;
		if (size > BODY_LIMIT)
			return null;
		parts.push(part);
	}
	return Buffer.concat(parts).toString('utf8');
}
