// @ts-check
/*
 * scripts/demo --tenant FILE: the same programs with the configuration of a real tenant, without
 * simulators. Only the addresses on this machine are ours: nginx at --port, socket and store in a folder.
 */

import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { execFileSync } from 'node:child_process';
import { findPrograms, giveAway, makeFolder, serviceAccount, usableParts } from '../lib/build.js';
import { Client, freePort } from '../lib/http.js';
import { Program } from '../lib/program.js';
import { waitFor } from '../lib/wait.js';
import { untilSignal } from './signals.js';
import { Tail } from './tail.js';

const { values } = parseArgs({ options: { config: { type: 'string' }, port: { type: 'string', default: '8080' }, keep: { type: 'boolean', default: false } } });
const PASSED_ON = /^(PATH|LANG|TZ|CLIENT_SECRET|SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET|CREDENTIALS_DIRECTORY|SSL_CERT_FILE|SSL_CERT_DIR|.*_FILE)$/;

/** @param {string} text */
function line(text) {
	process.stdout.write(`${text}\n`);
}

/** @param {string} file @returns {Record<string, any>} */
function readConfig(file) {
	try {
		const value = JSON.parse(fs.readFileSync(file, 'utf8'));
		if (typeof value === 'object' && value !== null && !Array.isArray(value))
			return value;
	} catch (e) {
		throw new Error(`${file}: ${/** @type {Error} */ (e).message}`);
	}
	throw new Error(`${file}: not a JSON object`);
}

class Tenant {
	/** @param {string} file @param {number} port */
	constructor(file, port) {
		this.file = file;
		this.port = port;
		findPrograms();
		this.dir = makeFolder('tenant');
		this.parts = usableParts(this.dir);
		/** @type {Program[]} */
		this.programs = [];
		this.tail = new Tail((name, text) => line(name === 'nginx' ? `nginx: ${text}` : text));
		/** @type {Record<string, string>} */
		this.env = { OUTLOOK_ADDIN_DATADIR: this.parts.data };
		for (const [name, value] of Object.entries(process.env))
			if (PASSED_ON.test(name) && value !== undefined)
				this.env[name] = value;
	}

	async prepare() {
		for (const name of ['run', 'state', 'logs']) {
			fs.mkdirSync(path.join(this.dir, name), { mode: 0o750 });
			giveAway(path.join(this.dir, name));
		}
		const given = readConfig(this.file);
		const config = {
			database: `sqlite:${path.join(this.dir, 'state', 'state.db')}`, ...given,
			fastcgiListen: `unix:${path.join(this.dir, 'run', 'fcgi.sock')}`, httpListen: `127.0.0.1:${this.port}`, metricsListen: `127.0.0.1:${await freePort()}`,
		};
		this.config = path.join(this.dir, 'addin.json');
		fs.writeFileSync(this.config, JSON.stringify(config, null, '\t'));
		this.ownStore = given.database === undefined;
		this.deploymentUrl = String(given.deploymentUrl);
		line(this.ctl('check'));
		this.ctl('render', '--out', path.join(this.dir, 'site'));
	}

	/** @param {...string} args */
	ctl(...args) {
		try {
			return execFileSync(this.parts.ctl, ['--config', String(this.config), ...args], { env: this.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...serviceAccount() ?? {} }).trim();
		} catch (e) {
			const { stdout, stderr } = /** @type {any} */ (e);
			throw new Error(`outlook-addinctl ${args[0]}:\n${stdout ?? ''}${stderr ?? e}`.trim());
		}
	}

	/** @param {string} name @param {string[]} argv @param {Record<string, string>} env */
	run(name, argv, env) {
		const program = new Program(name, argv, { dir: path.join(this.dir, 'logs'), cwd: this.dir, env, account: serviceAccount() });
		this.tail.follow(name, program.stderrFile);
		this.programs.push(program);
		return program;
	}

	async start() {
		const site = path.join(this.dir, 'site');
		this.run('fcgi', [this.parts.fcgi, '--config', String(this.config)], this.env);
		this.run('nginx', ['nginx', '-p', site, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], { PATH: process.env.PATH ?? '' });
		this.run('renew', [this.parts.renew, '--config', String(this.config), '--loop'], this.env);
		const http = new Client(`http://127.0.0.1:${this.port}`);
		try {
			const ready = await waitFor(async () => {
				const ended = this.programs.find((p) => !p.running);
				if (ended !== undefined)
					return { status: 0, text: `${ended.name} ended with ${JSON.stringify(ended.exit)}` };
				const answer = await http.get('/ready');
				return answer.status === 200 ? answer : null;
			}, 30_000, 'GET /ready answers 200');
			this.tail.look();
			if (ready.status === 0)
				throw new Error(ready.text);
			line(`\nGET /ready -> ${ready.status} ${ready.text.trim()}`);
		} finally {
			http.close();
		}
	}

	welcome() {
		line(`The product is at http://127.0.0.1:${this.port}/ ; Microsoft Graph must reach it as ${this.deploymentUrl} (HTTPS in front of this port).`);
		if (this.ownStore && !values.keep)
			line('The store is temporary: what was followed is found again by adoption in the next run. A "database" in the file, or --keep, keeps it.');
		line(`outlook-addinctl --config ${this.config} status\nCtrl-C ends it.\n`);
	}

	/** Until a signal comes or a program ends by itself. */
	async forever() {
		const ends = this.programs.map(async (p) => {
			const exit = await p.ended;
			throw new Error(`${p.name} has ended by itself: ${JSON.stringify(exit)}`);
		});
		await Promise.race([untilSignal(), ...ends]);
		ends.forEach((end) => end.catch(() => {}));
	}

	async stop() {
		for (const p of [...this.programs].reverse())
			if (p.running)
				await p.stop();
		this.tail.stop();
		if (values.keep)
			line(`kept: ${this.dir}`);
	}
}

/** @param {number} port */
async function ensureFree(port) {
	const { createServer } = await import('node:net');
	const server = createServer();
	await new Promise((resolve, reject) => {
		server.once('error', () => reject(new Error(`port ${port} is busy or not ours to take; take another one with --port N`)));
		server.listen(port, '127.0.0.1', () => resolve(undefined));
	});
	await new Promise((resolve) => server.close(resolve));
}

async function main() {
	if (values.config === undefined)
		throw new Error('--config FILE is required');
	const port = Number(values.port);
	await ensureFree(port);
	const tenant = new Tenant(path.resolve(values.config), port);
	/* Also when a signal ends us while it starts. */
	process.once('exit', () => values.keep || fs.rmSync(tenant.dir, { recursive: true, force: true }));
	try {
		await tenant.prepare();
		await tenant.start();
		tenant.welcome();
		await tenant.forever();
		line('stopping');
	} finally {
		await tenant.stop();
	}
}

main().then(() => process.exit(0), (e) => {
	process.stderr.write(`demo: ${e?.message ?? e}\n`);
	process.exit(1);
});
