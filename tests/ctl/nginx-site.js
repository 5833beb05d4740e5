// @ts-check
/* A rendered nginx.conf in a real nginx, before a FastCGI peer that shows what it gets. */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { buildFolder, dataFolder, giveAway, makeFolder, serviceAccount } from '../lib/build.js';
import { BEGIN, END, PARAMS, STDIN, STDOUT, record } from '../lib/fastcgi.js';
import { freePort } from '../lib/http.js';
import { Program } from '../lib/program.js';
import { waitFor } from '../lib/wait.js';

const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');

/** @param {Buffer} data @returns {Record<string, string>} */
function parsePairs(data) {
	let at = 0;
	const length = () => {
		const short = data[at];
		const size = short < 128 ? 1 : 4;
		const n = size === 1 ? short : data.readUInt32BE(at) & 0x7fffffff;
		at += size;
		return n;
	};
	/** @type {Record<string, string>} */
	const out = {};
	while (at < data.length) {
		const name = length();
		const value = length();
		out[data.toString('latin1', at, at + name)] = data.toString('latin1', at + name, at + name + value);
		at += name + value;
	}
	return out;
}

/** A FastCGI program on a unix socket; answer() may say how a request ends. */
export class Peer {
	/** @param {string} file */
	constructor(file) {
		/** @type {{ params: Record<string, string>, body: Buffer }[]} */
		this.seen = [];
		this.connections = 0;
		/** @type {() => 'answer' | 'break'} */
		this.mood = () => 'answer';
		this.headers = 'Status: 200\r\nContent-Type: application/json\r\n';
		/** @type {Set<net.Socket>} */
		this.sockets = new Set();
		this.server = net.createServer((s) => this.serve(s));
		this.file = file;
	}

	async listen() {
		await new Promise((resolve) => this.server.listen({ path: this.file, backlog: 4096 }, () => resolve(null)));
		fs.chmodSync(this.file, 0o777);
	}

	/** @param {net.Socket} socket */
	serve(socket) {
		let data = Buffer.alloc(0);
		/** @type {Buffer[]} */
		let params = [];
		/** @type {Buffer[]} */
		let body = [];
		this.connections++;
		this.sockets.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => this.sockets.delete(socket));
		socket.on('data', (d) => {
			data = Buffer.concat([data, d]);
			while (data.length >= 8 && data.length >= 8 + data.readUInt16BE(4) + data[6]) {
				const type = data[1];
				const id = data.readUInt16BE(2);
				const content = data.subarray(8, 8 + data.readUInt16BE(4));
				data = data.subarray(8 + content.length + data[6]);
				if (type === BEGIN)
					[params, body] = [[], []];
				else if (type === PARAMS)
					params.push(content);
				else if (type === STDIN && content.length > 0)
					body.push(content);
				else if (type === STDIN)
					this.done(socket, id, parsePairs(Buffer.concat(params)), Buffer.concat(body));
			}
		});
	}

	/** @param {net.Socket} socket @param {number} id @param {Record<string, string>} params @param {Buffer} body */
	done(socket, id, params, body) {
		this.seen.push({ params, body });
		if (this.mood() === 'break') {
			socket.destroy();
			return;
		}
		const text = Buffer.from(`${this.headers}\r\n{}`);
		socket.write(Buffer.concat([record(STDOUT, id, text), record(STDOUT, id, Buffer.alloc(0)), record(END, id, Buffer.alloc(8))]));
	}

	async close() {
		for (const s of this.sockets)
			s.destroy();
		await new Promise((resolve) => this.server.close(resolve));
	}
}

/**
 * @typedef {{ status: number, headers: http.IncomingHttpHeaders, text: string, body: Buffer }} Answer
 * @typedef {{ peer: Peer, port: number, site: string, metrics: number, nginx: Program, ask: (method: string, target: string, how?: { headers?: http.OutgoingHttpHeaders, body?: string | Buffer, agent?: http.Agent, port?: number }) => Promise<Answer> }} Site
 */

/**
 * A rendered site in a real nginx before a FastCGI peer.
 * @param {string} name @param {(site: Site) => Promise<void>} body @param {Record<string, any> | (() => Promise<Record<string, any>>)} [keys] of addin.json
 */
export function story(name, body, keys = {}) {
	test(name, async () => {
		const dir = makeFolder('nginx');
		const [port, metrics] = [await freePort(), await freePort()];
		const socket = path.join(dir, 'fcgi.sock');
		const config = path.join(dir, 'addin.json');
		fs.writeFileSync(config, JSON.stringify({
			deploymentUrl: `http://127.0.0.1:${port}`, deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example',
			clientId: '11111111-2222-3333-4444-555555555555', fastcgiListen: `unix:${socket}`,
			httpListen: `127.0.0.1:${port}`, metricsListen: `127.0.0.1:${metrics}`, ...typeof keys === 'function' ? await keys() : keys,
		}));
		const site = path.join(dir, 'site');
		execFileSync(CTL, ['--config', config, 'render', '--out', site], { env: { PATH: process.env.PATH, OUTLOOK_ADDIN_DATADIR: dataFolder() }, stdio: 'ignore' });
		const tmp = path.join(site, 'tmp');
		giveAway(tmp);
		const peer = new Peer(socket);
		await peer.listen();
		const nginx = new Program('nginx', ['nginx', '-p', site, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], { dir, env: { PATH: process.env.PATH ?? '' }, account: serviceAccount() });
		/** @type {Site['ask']} */
		const ask = (method, target, how = {}) => new Promise((resolve, reject) => {
			const req = http.request({ host: '127.0.0.1', port: how.port ?? port, method, path: target, headers: how.headers, agent: how.agent ?? false, timeout: 20_000 }, (res) => {
				/** @type {Buffer[]} */
				const parts = [];
				res.on('data', (d) => parts.push(d));
				res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(parts).toString(), body: Buffer.concat(parts) }));
				res.on('error', reject);
			});
			req.on('timeout', () => req.destroy(new Error('no answer in 20 s')));
			req.on('error', reject);
			req.end(how.body);
		});
		try {
			await waitFor(async () => (await ask('GET', '/live').catch(() => null))?.status === 200, 10_000, 'nginx answers');
			peer.seen = [];
			await body({ peer, port, site, metrics, nginx, ask });
		} finally {
			await nginx.stop();
			await peer.close();
			fs.rmSync(dir, { recursive: true, force: true });
		}
	});
}
