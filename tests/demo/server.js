// @ts-check
/*
 * The front door of the demo: /demo/ is the page, /demo/api/ its back end, and everything else goes to the
 * product's own nginx, untouched.
 */

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stubText } from '../www/stub.js';

const PAGE = path.join(path.dirname(fileURLToPath(import.meta.url)), 'page');
const TYPES = /** @type {Record<string, string>} */ ({ '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml' });
const BODY_LIMIT = 64 * 1024;
const KEEP_LINES = 200;
const SAFE = {
	'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-store',
};

/** An answer other than 200 that the caller has deserved. */
export class Refusal extends Error {
	/** @param {number} status @param {string} message */
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

/**
 * @typedef {object} World what the back end shows and does
 * @property {() => any} state
 * @property {(tenant: string, user: string, what: any) => Promise<any>} add
 * @property {(tenant: string, user: string, id: string, what: any) => Promise<any>} change
 * @property {(tenant: string, user: string, id: string) => Promise<any>} remove
 * @property {(tenant: string, user: string, id: string) => Promise<any>} link
 * @property {(name: string) => Promise<any>} act
 * @property {import('./outlook.js').Outlook} outlook
 */

/** The names of the page's files. */
export function pageFiles() {
	return fs.readdirSync(PAGE).filter((f) => path.extname(f) in TYPES);
}

export class Front {
	/** @param {World} world @param {number} behind the port of nginx */
	constructor(world, behind) {
		this.world = world;
		this.behind = behind;
		this.port = 0;
		/** @type {Set<http.ServerResponse>} */
		this.listeners = new Set();
		/** @type {string[]} */
		this.lines = [];
		this.server = http.createServer((req, res) => {
			this.serve(req, res).catch((e) => {
				if (!(e instanceof Refusal))
					process.stderr.write(`demo: ${e?.stack ?? e}\n`);
				this.json(res, e instanceof Refusal ? e.status : 500, { error: e?.message ?? String(e) });
			});
		});
	}

	/** Resolves to the port; rejects with EADDRINUSE when it is taken. @param {number} port @returns {Promise<number>} */
	listen(port) {
		return new Promise((resolve, reject) => {
			this.server.once('error', reject);
			this.server.listen(port, '127.0.0.1', () => {
				this.server.removeListener('error', reject);
				this.port = /** @type {import('node:net').AddressInfo} */ (this.server.address()).port;
				resolve(this.port);
			});
		});
	}

	/** @param {http.IncomingMessage} req @param {http.ServerResponse} res */
	async serve(req, res) {
		const pathname = (req.url ?? '/').replace(/[?#].*/, '');
		if (pathname === '/' || pathname === '/demo') {
			res.writeHead(302, { Location: '/demo/', 'Content-Length': 0 });
			res.end();
		} else if (!pathname.startsWith('/demo/')) {
			this.pass(req, res);
		} else if (!this.ownHost(req)) {
			throw new Refusal(403, 'the demo answers to its own address only');
		} else if (pathname === '/demo/api/stream') {
			this.stream(req, res);
		} else if (pathname.startsWith('/demo/api/')) {
			await this.api(req, res, pathname.slice('/demo/api'.length));
		} else {
			this.file(req, res, pathname.slice('/demo/'.length));
		}
	}

	/** Pages of other sites must not steer the demo. @param {http.IncomingMessage} req */
	ownHost(req) {
		const hosts = [`127.0.0.1:${this.port}`, `localhost:${this.port}`];
		const origin = req.headers.origin;
		return hosts.includes(req.headers.host ?? '') && (origin === undefined || hosts.some((h) => origin === `http://${h}`));
	}

	/** @param {http.ServerResponse} res @param {number} status @param {any} body */
	json(res, status, body) {
		if (res.headersSent) {
			res.end();
			return;
		}
		const data = Buffer.from(JSON.stringify(body ?? {}));
		res.writeHead(status, { ...SAFE, 'Content-Type': 'application/json', 'Content-Length': data.length });
		res.end(data);
	}

	/** @param {http.IncomingMessage} req @param {http.ServerResponse} res @param {string} name */
	file(req, res, name) {
		const wanted = name === '' ? 'index.html' : name;
		if (wanted === 'office.js')
			return this.send(req, res, '.js', Buffer.from(stubText()));
		if (wanted === 'office-mailbox.js')
			return this.send(req, res, '.js', fs.readFileSync(new URL('../www/office-mailbox.js', import.meta.url)));
		if (req.method !== 'GET' && req.method !== 'HEAD')
			throw new Refusal(405, 'GET only');
		if (!pageFiles().includes(wanted))
			throw new Refusal(404, `no ${name} here`);
		this.send(req, res, path.extname(wanted), fs.readFileSync(path.join(PAGE, wanted)));
	}

	/** @param {http.IncomingMessage} req @param {http.ServerResponse} res @param {string} kind @param {Buffer} data */
	send(req, res, kind, data) {
		res.writeHead(200, { ...SAFE, 'Content-Type': TYPES[kind], 'Content-Length': data.length });
		res.end(req.method === 'HEAD' ? undefined : data);
	}

	/** @param {http.IncomingMessage} req @param {http.ServerResponse} res */
	pass(req, res) {
		const out = http.request({ host: '127.0.0.1', port: this.behind, method: req.method, path: req.url, headers: req.headers, agent: false }, (answer) => {
			res.writeHead(answer.statusCode ?? 502, answer.headers);
			answer.pipe(res);
		});
		out.on('error', (e) => this.json(res, 502, { error: `nginx does not answer: ${e.message}` }));
		req.pipe(out);
	}

	/** @param {http.IncomingMessage} req @param {http.ServerResponse} res @param {string} route */
	async api(req, res, route) {
		const { world } = this;
		if (req.method === 'GET' && route === '/state')
			return this.json(res, 200, world.state());
		const body = req.method === 'POST' || req.method === 'PATCH' ? await readJson(req) : {};
		const form = /^\/(form|copy|token)\/([^/]+)(?:\/([^/]+))?$/.exec(route);
		if (form !== null)
			return this.json(res, 200, this.outlook(req.method ?? '', form[1], decodeURIComponent(form[2]), form[3] === undefined ? null : decodeURIComponent(form[3]), body));
		const act = /^\/actions\/([a-z-]+)$/.exec(route);
		if (act !== null && req.method === 'POST')
			return this.json(res, 200, await world.act(act[1]));
		const found = /^\/events\/([^/]+)\/([^/]+)(?:\/([^/]+)(\/conversation)?)?$/.exec(route);
		if (found === null)
			throw new Refusal(404, `no ${route} here`);
		const [tenant, user, id] = found.slice(1, 4).map((p) => decodeURIComponent(p ?? ''));
		if (id === '') {
			if (req.method === 'POST')
				return this.json(res, 200, await world.add(tenant, user, body));
		} else if (found[4] !== undefined) {
			if (req.method === 'POST')
				return this.json(res, 200, await world.link(tenant, user, id));
		} else if (req.method === 'PATCH') {
			return this.json(res, 200, await world.change(tenant, user, id, body));
		} else if (req.method === 'DELETE') {
			return this.json(res, 200, await world.remove(tenant, user, id));
		}
		throw new Refusal(405, `${req.method} is not for ${route}`);
	}

	/** What the event form asks. @param {string} method @param {string} what @param {string} user @param {string | null} id @param {any} body */
	outlook(method, what, user, id, body) {
		const { outlook } = this.world;
		if (what === 'token' && method === 'POST')
			return outlook.token(user);
		if (what === 'copy' && method === 'POST' && id !== null)
			return outlook.copy(user, id);
		if (what === 'form' && method === 'GET' && id !== null)
			return outlook.open(user, id);
		if (what === 'form' && method === 'POST')
			return outlook.save(user, id, body);
		throw new Refusal(405, `${method} is not for ${what}`);
	}

	/** @param {http.IncomingMessage} req @param {http.ServerResponse} res */
	stream(req, res) {
		res.writeHead(200, { ...SAFE, 'Content-Type': 'text/event-stream' });
		res.write(`retry: 1000\n\n${event('state', this.world.state())}${this.lines.join('')}`);
		this.listeners.add(res);
		req.on('close', () => this.listeners.delete(res));
	}

	/** Tells all pages. @param {'state' | 'log'} name @param {any} data */
	tell(name, data) {
		const text = event(name, data);
		if (name === 'log') {
			this.lines.push(text);
			if (this.lines.length > KEEP_LINES)
				this.lines.shift();
		}
		for (const res of this.listeners)
			res.write(text);
	}

	/** @returns {Promise<void>} */
	stop() {
		for (const res of this.listeners)
			res.end();
		return new Promise((resolve) => {
			this.server.close(() => resolve());
			this.server.closeAllConnections();
		});
	}
}

/** @param {string} name @param {any} data */
function event(name, data) {
	return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** @param {http.IncomingMessage} req @returns {Promise<any>} */
async function readJson(req) {
	let text = '';
	for await (const part of req.setEncoding('utf8')) {
		text += part;
		if (text.length > BODY_LIMIT)
			throw new Refusal(413, 'too large');
	}
	if (text === '')
		return {};
	try {
		const value = JSON.parse(text);
		if (typeof value === 'object' && value !== null && !Array.isArray(value))
			return value;
	} catch {
		/* Told below. */
	}
	throw new Refusal(400, 'not a JSON object');
}
