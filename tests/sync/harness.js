// @ts-check
/* The sync process alone against the simulators: work goes into the store by storetool, as web would put it. */

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { buildFolder, storeTool } from '../lib/build.js';
import { ON_POSTGRESQL, testDatabase } from '../lib/postgres.js';
import { FakeClock } from '../lib/faketime.js';
import { startSimulators } from '../sim/index.js';
import { ANNA, BEN, CARLA, TENANT_A, TENANT_B } from '../sim/testkit.js';

export { ANNA, BEN, CARLA, TENANT_A, TENANT_B };
export const KIND = { event: 0, follow: 1, search: 2, catchup: 3, link: 4, keys: 5 };
export const HINT = { created: 1, updated: 2, deleted: 4, reauthorize: 8, removed: 16, missed: 32 };
export const STATE = { announced: 0, linked: 1, gone: 2, held: 3, foreign: 4, ended: 5, kept: 6, deleted: 7, unconfirmed: 8, endedEarly: 9 };
export const BOX = { followed: 0, parked: 1, unfollowed: 2 };

/** @type {Record<string, string>} */
export const TENANT_OF = { [ANNA]: TENANT_A, [BEN]: TENANT_A, [CARLA]: TENANT_B };
const FCGI = path.join(buildFolder(), 'fcgi/outlook-addin-fcgi');
const RENEW = path.join(buildFolder(), 'cronjob/outlook-addin-renew');
/** What writers take in PostgreSQL, as in lib/port/store_postgres.c. */
const STORE_LOCK = '7310281735541';
const TOOL = storeTool();

/** @param {number} ms */
function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * @template T
 * @param {string} what @param {() => Promise<T | null | undefined | false> | T | null | undefined | false} look
 * @param {number} [timeoutMs] @returns {Promise<T>}
 */
export async function until(what, look, timeoutMs = 15_000) {
	const end = Date.now() + timeoutMs;
	for (;;) {
		const seen = await look();
		if (seen)
			return /** @type {T} */ (seen);
		if (Date.now() > end)
			throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
		await pause(20);
	}
}

export class Bench {
	/** @param {any} t @param {{ config?: any, settings?: any, start?: boolean, now?: string }} [options] now: the programs and simulators begin then, and advance() moves on */
	static async start(t, options = {}) {
		const bench = new Bench();
		t.after(() => bench.close(t));
		await bench.prepare(options);
		if (options.start !== false)
			await bench.up();
		return bench;
	}

	constructor() {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'outlook-addin-sync-'));
		this.postgres = ON_POSTGRESQL ? testDatabase() : null;
		this.database = this.postgres?.url ?? `sqlite:${this.dir}/state.db`;
		this.log = path.join(this.dir, 'sync.log');
		/** @type {any} */
		this.sim = null;
		/** @type {import('node:child_process').ChildProcess | null} */
		this.child = null;
		/** @type {http.Server | null} */
		this.hook = null;
		/** What a webhook would have got. @type {any[]} */
		this.posts = [];
		this.handshakes = 0;
		this.refuseHandshake = false;
		this.env = {};
		/** @type {FakeClock | null} */
		this.clock = null;
	}

	/** @param {{ config?: any, settings?: any, now?: string }} options */
	async prepare(options) {
		if (options.now !== undefined)
			this.clock = new FakeClock(this.dir);
		this.sim = await startSimulators({ seed: 7, settings: { graph: { notify: { profile: 'none' } }, ...options.settings } });
		if (options.now !== undefined)
			await this.setClock(Date.parse(options.now) - Date.now());
		const url = await this.listen();
		const { app, gateway, tenants } = JSON.parse(fs.readFileSync(new URL('../sim/defaults.json', import.meta.url), 'utf8'));
		const config = {
			deploymentUrl: url, deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: this.sim.urls.gateway, clientId: app.clientId,
			tenantIds: tenants.map((/** @type {any} */ t) => t.id), syncServerEnabled: true, syncServerAuthGatewayClientId: gateway.clientId,
			graphUrl: this.sim.urls.graph, loginUrl: this.sim.urls.entra, database: this.database,
			fastcgiListen: `unix:${this.dir}/fcgi.sock`, logLevel: 'debug', notificationDebounceMs: 0, deletionGraceSeconds: 1,
			...options.config,
		};
		fs.writeFileSync(path.join(this.dir, 'addin.json'), JSON.stringify(config));
		this.env = {
			PATH: process.env.PATH, CLIENT_SECRET: app.clientSecret, SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET: gateway.clientSecret,
			/* libfaketime has to be preloaded, and would come before the sanitizer. */
			ASAN_OPTIONS: `detect_leaks=1:abort_on_error=0${this.clock === null ? '' : ':verify_asan_link_order=0'}`, UBSAN_OPTIONS: 'print_stacktrace=1',
			...this.clock?.env,
		};
	}

	/** @param {number} offsetMs */
	async setClock(offsetMs) {
		this.clock?.set(offsetMs);
		await this.control('POST', '/control/clock', { offsetMs });
	}

	/** Unix ms, for the programs and simulators. */
	now() {
		return Date.now() + (this.clock?.offsetMs ?? 0);
	}

	/** Moves the clock to that instant; nobody is woken, sync notices at its next beat. @param {string | number} to */
	async goTo(to) {
		await this.setClock((typeof to === 'number' ? to : Date.parse(to)) - Date.now());
	}

	async listen() {
		this.hook = http.createServer(async (req, res) => {
			let body = '';
			for await (const part of req)
				body += part;
			const raw = /[?&]validationToken=([^&]*)/.exec(req.url ?? '');
			/* doctor asks for the add-in's files, which are nginx's. */
			if (raw === null && req.method === 'GET') {
				res.writeHead(404).end();
				return;
			}
			if (raw === null) {
				this.posts.push(JSON.parse(body));
				res.writeHead(202).end();
				return;
			}
			this.handshakes++;
			if (this.refuseHandshake)
				res.writeHead(503).end();
			else
				res.writeHead(200, { 'Content-Type': 'text/plain' }).end(decodeURIComponent(raw[1].replace(/\+/g, ' ')));
		});
		await new Promise((resolve) => this.hook?.listen(0, '127.0.0.1', () => resolve(undefined)));
		return `http://127.0.0.1:${/** @type {net.AddressInfo} */ (this.hook?.address()).port}`;
	}

	/** Starts sync and waits until it is ready. */
	async up() {
		const out = fs.openSync(this.log, 'a');
		const from = this.lines().length;
		this.child = spawn(FCGI, ['--config', path.join(this.dir, 'addin.json'), '--role', 'sync'], { env: this.env, stdio: ['ignore', out, out] });
		fs.closeSync(out);
		await until('sync is ready', () => {
			if (this.child?.exitCode !== null)
				throw new Error(`sync has ended: ${fs.readFileSync(this.log, 'utf8')}`);
			return this.lines().slice(from).some((l) => l.event === 'ready' && l.role === 'sync');
		});
	}

	/** Of the sync child, not the supervisor. */
	pid() {
		const children = fs.readFileSync(`/proc/${this.child?.pid}/task/${this.child?.pid}/children`, 'utf8').trim().split(' ').filter((p) => p !== '').map(Number);
		const pid = children.find((p) => {
			try {
				return fs.readFileSync(`/proc/${p}/environ`, 'latin1').includes('OUTLOOK_ADDIN_CHILD=sync');
			} catch {
				return false;
			}
		});
		if (pid === undefined)
			throw new Error('no sync child');
		return pid;
	}

	async down() {
		const child = this.child;
		if (child === null || child.exitCode !== null)
			return;
		this.child = null;
		const ended = new Promise((resolve) => child.once('exit', resolve));
		child.kill('SIGTERM');
		const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
		await ended;
		clearTimeout(timer);
	}

	/** @param {any} t */
	async close(t) {
		await this.down();
		this.clock?.close();
		await new Promise((resolve) => {
			this.hook?.close(resolve);
			this.hook?.closeAllConnections();
		});
		const text = fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8') : '';
		const state = this.sim === null ? { total: 0, errors: [] } : { ...await this.control('GET', '/control/violations'), ...await this.control('GET', '/control/health') };
		await this.sim?.close();
		if (process.env.KEEP_FOLDERS === '1')
			t.diagnostic(this.dir);
		else
			fs.rmSync(this.dir, { recursive: true, force: true });
		if (/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(text))
			throw new Error(`sanitizer: ${text.slice(text.search(/ERROR: (Address|Leak)Sanitizer|runtime error:/)).slice(0, 3000)}`);
		if (state.total > 0)
			throw new Error(`requests against the specification: ${JSON.stringify(state.violations).slice(0, 2000)}`);
	}

	/** @returns {any[]} */
	lines() {
		if (!fs.existsSync(this.log))
			return [];
		return fs.readFileSync(this.log, 'utf8').split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l));
	}

	/** @param {string} method @param {string} route @param {any} [body] */
	control(method, route, body) {
		return this.sim.control(method, route, body);
	}

	/** @param {any} action */
	async act(action) {
		return (await this.control('POST', '/control/actions', action)).event;
	}

	/** @param {string[]} args @returns {Promise<string>} */
	tool(...args) {
		return new Promise((resolve, reject) => execFile(TOOL, [this.database, ...args], { env: { PATH: process.env.PATH, ...this.clock?.env, ASAN_OPTIONS: this.clock === null ? '' : 'verify_asan_link_order=0' } },
			(e, stdout, stderr) => e ? reject(new Error(`${e.message} ${stderr}`)) : resolve(stdout)));
	}

	/** One pass of outlook-addin-renew. @returns {Promise<{ code: number, stderr: string }>} */
	renew() {
		return new Promise((resolve) => execFile(RENEW, ['--config', path.join(this.dir, 'addin.json')], { env: this.env },
			(e, stdout, stderr) => resolve({ code: e === null ? 0 : Number(e.code), stderr })));
	}

	/** Changes the store behind the product's back; only while it is down. @param {string} text @returns {Promise<void>} */
	async sql(text) {
		if (this.postgres !== null) {
			await this.postgres.query(text);
			return;
		}
		await new Promise((resolve, reject) => execFile('sqlite3', [path.join(this.dir, 'state.db'), text], (e, stdout, stderr) => e ? reject(new Error(stderr)) : resolve(undefined)));
	}

	/** Nobody else can write, until release() is called. */
	async lockStore() {
		const [program, ...args] = this.postgres === null ? ['flock', '-x', path.join(this.dir, 'state.db.lock'), 'sh', '-c', 'echo held; exec cat'] : this.postgres.shell();
		const holder = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
		const ended = new Promise((resolve) => holder.once('exit', resolve));
		if (this.postgres !== null)
			holder.stdin.write(`BEGIN; SELECT pg_advisory_xact_lock(${STORE_LOCK});\n\\echo held\n`);
		await new Promise((resolve) => holder.stdout.once('data', resolve));
		return {
			release: () => {
				holder.stdin.end();
				return ended;
			},
		};
	}

	/** Everything that was stored is gone; only while it is down. */
	async loseStore() {
		if (this.postgres !== null)
			await this.postgres.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
		for (const name of ['state.db', 'state.db-wal', 'state.db-shm'])
			fs.rmSync(`${this.dir}/${name}`, { force: true });
	}

	/** @returns {Promise<any>} */
	async dump() {
		return JSON.parse(await this.tool('dump'));
	}

	/** As web does behind a commit. */
	wake() {
		return this.tool('wake', path.join(this.dir, 'wake.sock'));
	}

	/** @param {string} user @param {string} event @param {number} [hints] @param {number} [kind] */
	async notify(user, event, hints = HINT.updated, kind = KIND.event) {
		await this.tool('work', String(kind), TENANT_OF[user], user, event, String(hints), '0');
		await this.wake();
	}

	/** The add-in's PUT, as web stores it. @param {string} user @param {any} made of /control/button @param {string} topic @param {number} start @param {string} [zone] @param {string} [event] */
	async announce(user, made, topic, start, zone = '', event = '') {
		await this.tool('follow', TENANT_OF[user], user, '');
		await this.tool('announce', made.conversation.id ?? made.conversation, TENANT_OF[user], user, made.sourceId, topic, String(start), zone, event);
	}

	/** @param {string} user @param {number} [hints] */
	async follow(user, hints = 0) {
		await this.tool('follow', TENANT_OF[user], user, '');
		await this.notify(user, '', hints, KIND.follow);
	}

	/** @param {string} id */
	async link(id) {
		return (await this.dump()).links.find((/** @type {any} */ l) => l.conversation === id);
	}

	/** Waits until nothing is queued for now. @param {string} [what] */
	async settled(what = 'the queue is empty') {
		return until(what, async () => {
			const d = await this.dump();
			return d.work.every((/** @type {any} */ w) => w.due > this.now() + 500 || w.notBefore > this.now() + 500) && d;
		});
	}

	/** Requests of a service and operation so far. @param {string} service @param {string} op */
	async count(service, op) {
		return (await this.control('GET', `/control/log?service=${service}&op=${op}&limit=20000`)).length;
	}

	/** An event with a conversation made by the button. @param {string} user @param {any} [change] */
	async meeting(user, change = {}) {
		const start = change.start ?? '2027-03-01T09:00:00Z';
		const event = await this.act({ action: 'create', mailbox: user, subject: 'Portfolio review', start, end: change.end ?? '2027-03-01T09:30:00Z', ...change });
		const made = await this.control('POST', '/control/button', { mailbox: user, event: event.immutableId });
		const id = made.conversation.id ?? made.conversation;
		return { event, made, id };
	}

	/** @param {string} id */
	conversation(id) {
		return this.control('GET', `/control/conversations/${id}`);
	}
}
