// @ts-check
/* HTTP from the outside: a keep-alive client that counts, and a raw socket for what a client would not send. */

import http from 'node:http';
import net from 'node:net';

/**
 * @typedef {{ status: number, headers: http.IncomingHttpHeaders, rawHeaders: string[], body: Buffer, text: string, json: any, ms: number, cut: boolean }} Answer
 * status 0: no answer came (text says why), or cut: one that broke off
 */

export class Client {
	/**
	 * @param {string} base "http://127.0.0.1:PORT"
	 * @param {{ connections?: number, timeoutMs?: number }} [options]
	 */
	constructor(base, options = {}) {
		this.base = new URL(base);
		this.timeoutMs = options.timeoutMs ?? 20_000;
		this.agent = new http.Agent({ keepAlive: true, maxSockets: options.connections ?? 64 });
		/** Every status ever received, 0 for a lost exchange. @type {Record<number, number>} */
		this.counts = {};
		/** Bodies and headers that were seen, for the search for leaked secrets. @type {string[]} */
		this.seen = [];
		this.remember = true;
	}

	/**
	 * Never rejects: a broken exchange is an answer with status 0.
	 * @param {string} method @param {string} target path and query
	 * @param {{ headers?: http.OutgoingHttpHeaders, body?: string | Buffer, agent?: http.Agent | false, timeoutMs?: number }} [options]
	 * @returns {Promise<Answer>}
	 */
	request(method, target, options = {}) {
		const began = performance.now();
		const body = options.body === undefined ? undefined : Buffer.from(options.body);
		/** @type {http.OutgoingHttpHeaders} */
		const headers = { ...options.headers };
		if (body !== undefined && headers['Content-Length'] === undefined && headers['Transfer-Encoding'] === undefined)
			headers['Content-Length'] = body.length;
		return new Promise((resolve) => {
			let over = false;
			/** @type {net.Socket | null} */
			let socket = null;
			let before = 0;
			const done = (/** @type {number} */ status, /** @type {http.IncomingMessage | null} */ res, /** @type {Buffer} */ data) => {
				if (over)
					return;
				over = true;
				clearTimeout(timer);
				this.counts[status] = (this.counts[status] ?? 0) + 1;
				const text = data.toString('utf8');
				if (this.remember && this.seen.length < 20_000)
					this.seen.push(`${res?.rawHeaders.join(': ') ?? ''}\n${text}`);
				resolve({
					status, headers: res?.headers ?? {}, rawHeaders: res?.rawHeaders ?? [], body: data, text,
					get json() {
						return JSON.parse(text);
					},
					ms: performance.now() - began,
					cut: status === 0 && socket !== null && socket.bytesRead > before,
				});
			};
			const req = http.request({ host: this.base.hostname, port: this.base.port, method, path: target, headers, agent: options.agent ?? this.agent }, (res) => {
				/** @type {Buffer[]} */
				const parts = [];
				res.on('data', (p) => parts.push(p));
				res.on('end', () => done(res.statusCode ?? 0, res, Buffer.concat(parts)));
				res.on('error', (e) => done(0, null, Buffer.from(e.message)));
				res.on('aborted', () => done(0, null, Buffer.from('aborted')));
			});
			req.on('socket', (s) => {
				socket = s;
				before = s.bytesRead;
			});
			const limit = options.timeoutMs ?? this.timeoutMs;
			const timer = setTimeout(() => {
				done(0, null, Buffer.from(`no answer within ${limit} ms`));
				req.destroy();
			}, limit);
			req.on('error', (e) => done(0, null, Buffer.from(e.message)));
			req.end(body);
		});
	}

	/** @param {string} target @param {http.OutgoingHttpHeaders} [headers] */
	get(target, headers) {
		return this.request('GET', target, { headers });
	}

	/** JSON unless it is text already. @param {string} target @param {any} body @param {http.OutgoingHttpHeaders} [headers] */
	post(target, body, headers) {
		return this.request('POST', target, {
			headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
			body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
		});
	}

	close() {
		this.agent.destroy();
	}
}

/**
 * Sends bytes as they are and reads until the peer closes or ms have passed.
 * @param {number} port @param {string | Buffer} bytes @param {{ ms?: number, end?: boolean }} [options]
 * @returns {Promise<string>}
 */
export function rawExchange(port, bytes, options = {}) {
	return new Promise((resolve) => {
		const socket = net.connect(port, '127.0.0.1');
		/** @type {Buffer[]} */
		const parts = [];
		const done = () => {
			clearTimeout(timer);
			socket.destroy();
			resolve(Buffer.concat(parts).toString('latin1'));
		};
		const timer = setTimeout(done, options.ms ?? 5000);
		socket.on('data', (p) => parts.push(p));
		socket.on('close', done);
		socket.on('error', done);
		socket.write(bytes);
		if (options.end)
			socket.end();
	});
}

/** An open connection that has sent these bytes and then keeps still. @param {number} port @param {string | Buffer} bytes @returns {Promise<net.Socket>} */
export function openStalled(port, bytes) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, '127.0.0.1', () => {
			socket.write(bytes, () => resolve(socket));
		});
		socket.once('error', reject);
		socket.on('error', () => {});
	});
}

/** A port that nobody has right now. @returns {Promise<number>} */
export function freePort() {
	return new Promise((resolve, reject) => {
		const server = net.createServer();
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const { port } = /** @type {net.AddressInfo} */ (server.address());
			server.close(() => resolve(port));
		});
	});
}
