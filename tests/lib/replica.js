// @ts-check
/* Another outlook-addin-fcgi beside the stack's own, on the same database. */

import fs from 'node:fs';
import path from 'node:path';
import { giveAway, serviceAccount } from './build.js';
import { Peer, request } from './fastcgi.js';
import { Client, freePort } from './http.js';
import { Program, descendants } from './program.js';
import { waitFor } from './wait.js';

/** @typedef {import('./stack.js').Stack} Stack */

/** Another outlook-addin-fcgi of the same installation. */
export class Replica {
	/** @param {Stack} stack @param {number} number @param {{ config?: Record<string, any>, args?: string[] }} [how] keys of addin.json that are its own, more arguments */
	constructor(stack, number, how = {}) {
		/** Its wake-up socket and FastCGI socket are its own, all else is the stack's. */
		this.dir = path.join(stack.dir, `replica-${number}`);
		fs.mkdirSync(this.dir, { mode: 0o750 });
		giveAway(this.dir);
		this.stack = stack;
		this.name = `fcgi-replica-${number}`;
		this.socket = path.join(this.dir, 'fcgi.sock');
		this.configFile = path.join(this.dir, 'addin.json');
		fs.writeFileSync(this.configFile, JSON.stringify({ ...stack.config, fastcgiListen: `unix:${this.socket}`, ...how.config }), { mode: 0o644 });
		this.args = how.args ?? [];
		/** To its own nginx. @type {Client | null} */
		this.http = null;
		/** @type {Program} */
		this.program = this.launch();
	}

	/**
	 * One with an nginx and a renewal of its own, as a container of the role all.
	 * @param {Stack} stack @param {number} number @param {number} port of its nginx
	 */
	static async withNginx(stack, number, port) {
		const site = path.join(stack.dir, `site-${number}`);
		const config = { httpListen: `127.0.0.1:${port}`, metricsListen: `127.0.0.1:${await freePort()}` };
		const file = path.join(stack.dir, `site-${number}.json`);
		fs.writeFileSync(file, JSON.stringify({ ...stack.config, ...config, fastcgiListen: `unix:${stack.dir}/replica-${number}/fcgi.sock` }), { mode: 0o644 });
		const done = await stack.run(stack.parts.ctl, ['--config', file, 'render', '--out', site]);
		if (done.code !== 0)
			throw new Error(`outlook-addinctl render ended with ${done.code}: ${done.stderr}`);
		const replica = new Replica(stack, number, { config, args: ['--nginx', site, '--renew'] });
		replica.http = new Client(`http://127.0.0.1:${port}`);
		return replica;
	}

	launch() {
		const { stack } = this;
		this.program = new Program(this.name, [stack.parts.fcgi, '--config', this.configFile, ...this.args], { dir: stack.logDir, cwd: this.dir, env: stack.env(), account: serviceAccount() });
		return this.program;
	}

	async ready() {
		await waitFor(async () => fs.existsSync(this.socket) && (await this.ask('GET', '/ready')).status === 200, 15_000, `${this.name} is ready`);
		await waitFor(() => this.program.log.some((l) => l.event === 'replica-joined'), 15_000, `${this.name} has joined`);
	}

	/** What a probe of a cluster asks, of one with an nginx. */
	async serves() {
		await waitFor(async () => (await this.http?.get('/ready'))?.status === 200, 15_000, `${this.name} serves`);
	}

	/** @param {string} method @param {string} uri @param {string} [text] */
	async ask(method, uri, text = '') {
		const peer = await Peer.connect(this.socket);
		peer.send(request(method, uri, text));
		const answer = await peer.answer(10_000);
		peer.close();
		return answer ?? { status: 0, body: '' };
	}

	/** @param {'web' | 'sync'} role */
	pid(role) {
		return waitFor(() => descendants(this.program.pid).find(({ argv }) => argv[argv.indexOf('--role') + 1] === role)?.pid, 10_000, `${role} of ${this.name}`);
	}
}
