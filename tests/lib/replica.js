// @ts-check
/* Another outlook-addin-fcgi beside the stack's own, on the same database. */

import fs from 'node:fs';
import path from 'node:path';
import { giveAway, serviceAccount } from './build.js';
import { Peer, request } from './fastcgi.js';
import { Program, descendants } from './program.js';
import { waitFor } from './wait.js';

/** @typedef {import('./stack.js').Stack} Stack */

/** Another outlook-addin-fcgi of the same installation. */
export class Replica {
	/** @param {Stack} stack @param {number} number @param {Record<string, any>} [config] keys that differ from the stack's */
	constructor(stack, number, config = {}) {
		/** Its wake-up socket and FastCGI socket are its own, all else is the stack's. */
		this.dir = path.join(stack.dir, `replica-${number}`);
		fs.mkdirSync(this.dir, { mode: 0o750 });
		giveAway(this.dir);
		this.stack = stack;
		this.name = `fcgi-replica-${number}`;
		this.socket = path.join(this.dir, 'fcgi.sock');
		this.configFile = path.join(this.dir, 'addin.json');
		fs.writeFileSync(this.configFile, JSON.stringify({ ...stack.config, ...config, fastcgiListen: `unix:${this.socket}` }), { mode: 0o644 });
		/** @type {Program} */
		this.program = this.launch();
	}

	launch() {
		const { stack } = this;
		this.program = new Program(this.name, [stack.parts.fcgi, '--config', this.configFile], { dir: stack.logDir, cwd: this.dir, env: stack.env(), account: serviceAccount() });
		return this.program;
	}

	async ready() {
		await waitFor(async () => fs.existsSync(this.socket) && (await this.ask('GET', '/ready')).status === 200, 15_000, `${this.name} is ready`);
		await waitFor(() => this.program.log.some((l) => l.event === 'replica-joined'), 15_000, `${this.name} has joined`);
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
