// @ts-check
/* A FastCGI client for the socket itself: whole requests, and pieces of them for bad peers. */

import net from 'node:net';

export const BEGIN = 1;
export const ABORT = 2;
export const END = 3;
export const PARAMS = 4;
export const STDIN = 5;
export const STDOUT = 6;
export const STDERR = 7;

/** @param {number} type @param {number} id @param {Buffer} content @param {number} [padding] */
export function record(type, id, content, padding = 0) {
	const head = Buffer.alloc(8);
	head[0] = 1;
	head[1] = type;
	head.writeUInt16BE(id, 2);
	head.writeUInt16BE(content.length, 4);
	head[6] = padding;
	return Buffer.concat([head, content, Buffer.alloc(padding)]);
}

/** @param {number} id @param {{ role?: number, keep?: boolean }} [options] */
export function begin(id, options = {}) {
	const body = Buffer.alloc(8);
	body.writeUInt16BE(options.role ?? 1, 0);
	body[2] = options.keep === false ? 0 : 1;
	return record(BEGIN, id, body);
}

/** @param {number} n */
function length(n) {
	if (n < 128)
		return Buffer.from([n]);
	const out = Buffer.alloc(4);
	out.writeUInt32BE((n | 0x80000000) >>> 0);
	return out;
}

/** @param {Record<string, string>} pairs */
export function pairs(pairs) {
	return Buffer.concat(Object.entries(pairs).flatMap(([k, v]) => {
		const name = Buffer.from(k);
		const value = Buffer.from(v);
		return [length(name.length), length(value.length), name, value];
	}));
}

/** A stream: its content in records of at most 65,535 bytes, and the empty one that ends it. @param {number} type @param {number} id @param {Buffer} data @param {number} [size] */
export function stream(type, id, data, size = 65535) {
	const out = [];
	for (let at = 0; at < data.length; at += size)
		out.push(record(type, id, data.subarray(at, at + size)));
	out.push(record(type, id, Buffer.alloc(0)));
	return Buffer.concat(out);
}

/** @param {string} method @param {string} uri @param {Buffer} body @param {Record<string, string>} [more] */
export function params(method, uri, body, more = {}) {
	const [path, query = ''] = uri.split('?', 2);
	return {
		REQUEST_METHOD: method, REQUEST_URI: uri, DOCUMENT_URI: path, SCRIPT_NAME: path, QUERY_STRING: query,
		CONTENT_LENGTH: body.length === 0 && method === 'GET' ? '' : String(body.length), CONTENT_TYPE: 'application/json',
		SERVER_PROTOCOL: 'HTTP/1.1', GATEWAY_INTERFACE: 'CGI/1.1', REMOTE_ADDR: '127.0.0.1', REQUEST_ID: '00112233445566778899aabbccddeeff', ...more,
	};
}

/** All bytes of one request. @param {string} method @param {string} uri @param {string | Buffer} [body] @param {{ id?: number, keep?: boolean, params?: Record<string, string> }} [options] */
export function request(method, uri, body = '', options = {}) {
	const id = options.id ?? 1;
	const data = Buffer.from(body);
	return Buffer.concat([begin(id, options), stream(PARAMS, id, pairs(params(method, uri, data, options.params))), stream(STDIN, id, data)]);
}

/**
 * One connection to the socket.
 */
export class Peer {
	/** @param {string} path of the unix socket */
	static async connect(path) {
		const socket = net.connect(path);
		await new Promise((resolve, reject) => {
			socket.once('connect', resolve);
			socket.once('error', reject);
		});
		return new Peer(socket);
	}

	/** @param {net.Socket} socket */
	constructor(socket) {
		this.socket = socket;
		this.buffer = Buffer.alloc(0);
		this.closed = false;
		/** @type {(() => void)[]} */
		this.waiters = [];
		const wake = () => this.waiters.splice(0).forEach((w) => w());
		socket.on('data', (p) => {
			this.buffer = Buffer.concat([this.buffer, p]);
			wake();
		});
		socket.on('error', () => {});
		socket.on('close', () => {
			this.closed = true;
			wake();
		});
	}

	/** @param {Buffer} bytes */
	send(bytes) {
		this.socket.write(bytes);
	}

	/** The next whole record, null when the peer has closed or ms have passed. @param {number} ms */
	async next(ms) {
		const end = performance.now() + ms;
		for (;;) {
			if (this.buffer.length >= 8) {
				const size = 8 + this.buffer.readUInt16BE(4) + this.buffer[6];
				if (this.buffer.length >= size) {
					const found = { type: this.buffer[1], id: this.buffer.readUInt16BE(2), content: this.buffer.subarray(8, 8 + this.buffer.readUInt16BE(4)) };
					this.buffer = this.buffer.subarray(size);
					return found;
				}
			}
			const left = end - performance.now();
			if (this.closed || left <= 0)
				return null;
			await new Promise((resolve) => {
				const timer = setTimeout(() => resolve(undefined), left);
				this.waiters.push(() => {
					clearTimeout(timer);
					resolve(undefined);
				});
			});
		}
	}

	/** Reads one answer up to END_REQUEST. @param {number} [ms] @returns {Promise<{ status: number, headers: Record<string, string>, body: string } | null>} */
	async answer(ms = 5000) {
		const parts = [];
		for (;;) {
			const found = await this.next(ms);
			if (found === null)
				return null;
			if (found.type === STDOUT)
				parts.push(found.content);
			if (found.type === END)
				break;
		}
		const text = Buffer.concat(parts).toString('utf8');
		const cut = text.indexOf('\r\n\r\n');
		const headers = Object.fromEntries(text.slice(0, cut).split('\r\n').map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]));
		return { status: headers.status === undefined ? 200 : parseInt(headers.status, 10), headers, body: text.slice(cut + 4) };
	}

	close() {
		this.socket.destroy();
	}
}
