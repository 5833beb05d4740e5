// @ts-check
/* outlook-addin-fcgi with its role web alone: FastCGI over its socket, no nginx, no simulators. */

import { execFile } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { giveAway, makeFolder, serviceAccount, usableParts } from '../lib/build.js';
import { Peer, request } from '../lib/fastcgi.js';
import { ON_POSTGRESQL, testDatabase } from '../lib/postgres.js';
import { Program, descendants, parseLines } from '../lib/program.js';
import { waitFor } from '../lib/wait.js';

export const EVENTS = '/addin/webhook/events';
export const LIFECYCLE = '/addin/webhook/lifecycle';
export const CLIENT = '11111111-1111-4111-8111-111111111111';
export const TENANT = '84bd8158-0000-4000-8000-000000000001';
export const OTHER_TENANT = '84bd8158-0000-4000-8000-000000000002';
export const LOGIN = 'http://127.0.0.1:9';
export const KIND = { event: 0, follow: 1, search: 2, catchup: 3, link: 4, keys: 5 };
export const HINT = { created: 1, updated: 2, deleted: 4, reauthorize: 8, removed: 16, missed: 32 };

const SECRETS = { CLIENT_SECRET: 'canary-client-secret', SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET: 'canary-gateway-secret' };

/** @typedef {{ config?: Record<string, any>, args?: string[], role?: string, env?: Record<string, string>, wrap?: string[], start?: boolean, postgres?: import("../lib/postgres.js").Database }} Options */
/** @typedef {{ status: number, headers: Record<string, string>, body: string }} Answer */

export class Web {
	/** Runs story with a web that is stopped, or killed when it fails. @param {Options} options @param {(web: Web) => Promise<void>} story */
	static async play(options, story) {
		const web = new Web(options);
		try {
			if (options.start !== false)
				await web.start();
			await story(web);
			await web.stop();
		} catch (e) {
			await web.program?.destroy();
			process.stderr.write(web.tail());
			throw e;
		}
		fs.rmSync(web.dir, { recursive: true, force: true });
	}

	/** @param {Options} options */
	constructor(options) {
		this.options = options;
		this.dir = makeFolder('web');
		this.parts = usableParts(this.dir);
		for (const name of ['run', 'state', 'log']) {
			fs.mkdirSync(path.join(this.dir, name), { mode: 0o750 });
			giveAway(path.join(this.dir, name));
		}
		this.socket = path.join(this.dir, 'run/fcgi.sock');
		this.storeFile = path.join(this.dir, 'state/state.db');
		/** With TEST_DATABASE=postgresql. */
		this.postgres = ON_POSTGRESQL || options.postgres ? options.postgres ?? testDatabase() : null;
		this.configFile = path.join(this.dir, 'addin.json');
		this.logDir = path.join(this.dir, 'log');
		this.config = {
			deploymentUrl: 'http://127.0.0.1:8/', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: LOGIN, clientId: CLIENT,
			tenantIds: [TENANT, OTHER_TENANT], syncServerEnabled: true, syncServerAuthGatewayClientId: 'gateway-client', loginUrl: LOGIN, graphUrl: LOGIN,
			database: this.postgres?.url ?? `sqlite:${this.storeFile}`, fastcgiListen: `unix:${this.socket}`, logLevel: 'info', notificationDebounceMs: 600_000,
			...options.config,
		};
		this.writeConfig(this.config);
		this.subscriptions = 0;
		/** @type {Program | null} */
		this.program = null;
		/** @type {Peer[]} */
		this.peers = [];
	}

	/** @param {any} config */
	writeConfig(config) {
		fs.writeFileSync(this.configFile, typeof config === 'string' ? config : JSON.stringify(config), { mode: 0o644 });
	}

	env() {
		/** @type {Record<string, string>} */
		const env = { PATH: process.env.PATH ?? '', TZ: 'UTC', HOME: '/nonexistent', ...SECRETS };
		for (const [name, value] of Object.entries(process.env))
			if (/^(GCOV_|.*SAN_OPTIONS$)/.test(name) && value !== undefined)
				env[name] = value;
		return { ...env, ...this.options.env };
	}

	/** @param {string[]} [more] arguments */
	launch(more = []) {
		const { role = 'web', args = [], wrap = [] } = this.options;
		const argv = [...wrap, this.parts.fcgi, '--config', this.configFile, ...role === '' ? [] : ['--role', role], ...args, ...more];
		this.program = new Program('fcgi', argv, { dir: this.logDir, cwd: this.dir, env: this.env(), account: wrap.length > 0 ? null : serviceAccount() });
		return this.program;
	}

	async start() {
		const program = this.launch();
		await waitFor(() => {
			if (program.exit !== null)
				throw new Error(`it ended: ${JSON.stringify(program.exit)}`);
			return fs.existsSync(this.socket);
		}, 15_000, 'the socket is there');
		await waitFor(async () => (await this.ask('GET', '/ready'))?.status === 200, 15_000, 'it is ready');
		return program;
	}

	async stop() {
		this.closePeers();
		if (this.program === null || !this.program.running)
			return;
		const exit = await this.program.stop();
		if (exit.code !== 0)
			throw new Error(`SIGTERM was answered with ${JSON.stringify(exit)}`);
		const bad = this.log.filter((l) => l.time === undefined);
		if (bad.length > 0)
			throw new Error(`not a JSON line: ${JSON.stringify(bad[0])}`);
	}

	closePeers() {
		for (const peer of this.peers.splice(0))
			peer.close();
	}

	tail() {
		const file = path.join(this.logDir, 'fcgi.err');
		return fs.existsSync(file) ? `--- ${file}\n${fs.readFileSync(file, 'utf8').split('\n').slice(-25).join('\n')}\n` : '';
	}

	/** @returns {any[]} */
	get log() {
		return parseLines(fs.readFileSync(path.join(this.logDir, 'fcgi.err'), 'utf8'));
	}

	/** @param {'web' | 'sync'} role */
	pid(role = 'web') {
		const found = descendants(this.program?.pid ?? -1).filter(({ argv }) => argv[argv.indexOf('--role') + 1] === role && argv[0] === 'outlook-addin-fcgi');
		return found.length === 1 ? found[0].pid : null;
	}

	/** A connection that is closed at the end. @param {Buffer} [bytes] sent at once */
	async peer(bytes) {
		const peer = await Peer.connect(this.socket);
		this.peers.push(peer);
		if (bytes !== undefined)
			peer.send(bytes);
		return peer;
	}

	/** One request on a connection of its own. @param {string} method @param {string} uri @param {string | Buffer} [body] @param {Record<string, string>} [params] @returns {Promise<Answer>} */
	async ask(method, uri, body = '', params = {}) {
		const peer = await Peer.connect(this.socket);
		peer.send(request(method, uri, body, { params }));
		const answer = await peer.answer(10_000);
		peer.close();
		if (answer === null)
			throw new Error(`${method} ${uri}: no answer`);
		return answer;
	}

	/** @param {string | Buffer} body @param {string} [path] */
	notify(body, path = EVENTS) {
		return this.ask('POST', path, body);
	}

	/** @param {string} sql @returns {Promise<any[]>} */
	query(sql, readonly = true) {
		if (this.postgres !== null)
			return this.postgres.query(sql);
		return new Promise((resolve, reject) => {
			execFile('sqlite3', [...readonly ? ['-readonly'] : [], '-json', '-cmd', '.timeout 5000', this.storeFile, sql], { maxBuffer: 64 << 20, ...serviceAccount() ?? {} }, (e, stdout, stderr) => {
				if (e !== null)
					reject(new Error(`sqlite3: ${stderr || e.message}`));
				else
					resolve(stdout.trim() === '' ? [] : JSON.parse(stdout));
			});
		});
	}

	/** A subscription as sync would have stored it. @param {{ id?: string, tenant?: string, mailbox?: string }} [how] */
	async follow(how = {}) {
		const n = String(++this.subscriptions).padStart(4, '0');
		const sub = { id: `5522bd62-7c96-4530-85b0-00b916f6${n}`, clientState: crypto.randomBytes(32).toString('base64url'), tenant: TENANT, mailbox: `8a1e6c1e-0000-4000-8000-00000000${n}`, ...how };
		const hash = crypto.createHash('sha256').update(sub.clientState).digest('hex');
		await this.query(`INSERT INTO subscription (client_state_hash, tenant, user_id, id, granted_ms, expires_ms, requested_life_ms, created_ms, notification_url, resource)
			VALUES ('${hash}', '${sub.tenant}', '${sub.mailbox}', '${sub.id}', ${sub.id === '' ? 0 : 1}, 9999999999999, 1, 1, '', '')`, false);
		return sub;
	}

	/** The queue: what web has added. @returns {Promise<{ kind: number, event: string, hints: number, mailbox: string }[]>} */
	rows() {
		return this.query(`SELECT kind, event, hints, user_id AS mailbox FROM arrival UNION ALL
			SELECT work.kind, work.event, work.hints, lane.user_id FROM work JOIN lane ON lane.id = work.lane ORDER BY 1, 2`);
	}

	/** Event ids in the queue. */
	async events() {
		return (await this.rows()).filter((r) => r.kind === KIND.event).map((r) => r.event);
	}

	/** @returns {Promise<string[]>} */
	async degraded() {
		return JSON.parse((await this.ask('GET', '/ready')).body).degraded;
	}

	/** Value of one sample of /metrics. @param {string} name with labels */
	async metric(name) {
		const line = (await this.ask('GET', '/metrics')).body.split('\n').find((l) => l.startsWith(`outlook_addin_${name} `));
		return line === undefined ? null : Number(line.split(' ').pop());
	}
}
