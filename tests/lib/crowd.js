// @ts-check
/* Thousands of mailboxes with a subscription, in the simulators and in a store; and outlook-addin-renew, measured. */

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { startSimulators } from '../sim/index.js';
import { buildFolder, storeTool } from './build.js';
import { ON_POSTGRESQL, testDatabase } from './postgres.js';

const MINUTE = 60_000;

/** @typedef {{ code: number | null, signal: string | null, ms: number, stdout: string, stderr: string, summary: any, peakKiB: number }} Run */

/** @param {number} i */
function guid(i) {
	return `10000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
}

export class Crowd {
	/**
	 * @param {{ count: number, tenants?: number, agedMinutes?: number, config?: any, settings?: any, logSize?: number }} options
	 * agedMinutes: since the subscriptions were granted
	 */
	static async start(options) {
		const crowd = new Crowd(options);
		await crowd.prepare();
		return crowd;
	}

	/** @param {any} options */
	constructor(options) {
		this.options = { tenants: 1, agedMinutes: 6000, config: {}, settings: {}, ...options };
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'outlook-addin-crowd-'));
		/** With TEST_DATABASE=postgresql. */
		this.postgres = ON_POSTGRESQL ? testDatabase() : null;
		this.database = this.postgres?.url ?? `sqlite:${this.dir}/state.db`;
		this.config = path.join(this.dir, 'addin.json');
		/** @type {any} */
		this.sim = null;
		/** Batches that are being answered, now and at most. */
		this.flight = { now: 0, most: 0 };
		/** Mailboxes by tenant. @type {Map<string, any[]>} */
		this.mailboxes = new Map();
		/** Our webhook: it passes the handshake. @type {http.Server | null} */
		this.hook = null;
		this.url = '';
		this.refuseHandshake = false;
		/** Of the renewal, beside its own. @type {Record<string, string>} */
		this.env = {};
	}

	async listen() {
		this.hook = http.createServer((req, res) => {
			const token = new URL(req.url ?? '/', 'http://x').searchParams.get('validationToken') ?? '';
			req.resume();
			if (this.refuseHandshake)
				res.writeHead(503).end();
			else
				res.writeHead(200, { 'Content-Type': 'text/plain' }).end(token);
		});
		await new Promise((resolve) => this.hook?.listen(0, '127.0.0.1', () => resolve(undefined)));
		this.url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (this.hook.address()).port}`;
	}

	async prepare() {
		const { count, tenants, agedMinutes } = this.options;
		const ids = Array.from({ length: tenants }, (_, i) => `20000000-0000-4000-8000-${String(i).padStart(12, '0')}`);
		const defaults = JSON.parse(fs.readFileSync(new URL('../sim/defaults.json', import.meta.url), 'utf8'));
		this.sim = await startSimulators({
			seed: 11, logSize: this.options.logSize ?? 50_000, tenants: { ...defaults, tenants: ids.map((id) => ({ id, domain: `${id}.example`, mailboxes: [] })) },
			settings: { validate: 'off', graph: { notify: { profile: 'none' } }, ...this.options.settings },
		});
		await this.listen();
		const url = `${this.url}/addin/webhook/events`;
		const granted = this.sim.clock.now() - agedMinutes * MINUTE;
		for (const [t, id] of ids.entries()) {
			const tenant = this.sim.directory.tenants.get(id);
			const users = Array.from({ length: Math.ceil((count - t) / tenants) }, (_, i) => {
				const oid = guid(t + i * tenants);
				return this.sim.directory.addUser(tenant, { oid, upn: `${oid}@${tenant.domain}` });
			});
			this.mailboxes.set(id, users);
			const subs = users.map((u) => this.subscribe(tenant, u, url, granted + 10_065 * MINUTE));
			const file = path.join(this.dir, 'subscribed.txt');
			fs.writeFileSync(file, subs.map((s) => `${s.oid} ${s.id}\n`).join(''));
			await this.tool('subscribed', id, file, url, this.sim.directory.clientId, String(granted), String(granted + 10_065 * MINUTE));
		}
		this.configure(this.options.config);
	}

	/** Writes addin.json. @param {any} change */
	configure(change) {
		const ids = [...this.mailboxes.keys()];
		fs.writeFileSync(this.config, JSON.stringify({
			deploymentUrl: this.url, deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: this.sim.urls.gateway, clientId: this.sim.directory.clientId, tenantIds: ids,
			syncServerEnabled: true, syncServerAuthGatewayClientId: 'gateway', graphUrl: this.sim.urls.graph, loginUrl: this.sim.urls.entra, database: this.database,
			fastcgiListen: `unix:${this.dir}/fcgi.sock`, ...change,
		}));
	}

	/** @param {any} tenant @param {any} user @param {string} url @param {number} expiresAt */
	subscribe(tenant, user, url, expiresAt) {
		const { sim } = this;
		const sub = {
			id: sim.rng.guid(), tenant: tenant.id, oid: user.oid, resource: `users/${user.oid}/events`, calendarId: null, changeTypes: ['created', 'updated', 'deleted'], changeType: 'created,updated,deleted',
			notificationUrl: url, lifecycleNotificationUrl: url.replace('events', 'lifecycle'), clientState: 'x', immutable: true, applicationId: tenant.app.clientId, creatorId: tenant.app.servicePrincipalId,
			latestSupportedTlsVersion: 'v1_2', createdAt: sim.clock.now(), expiresAt, renewals: 0, authorizedAt: sim.clock.now(), stopExpiry: () => {},
			key: `${tenant.app.clientId}|created,deleted,updated|${user.oid}|`,
		};
		sim.subscriptions.add(sub);
		return sub;
	}

	/** What Graph has of a mailbox. @param {any} user @returns {any[]} */
	at(user) {
		return [...this.sim.subscriptions.byMailbox.get(user.oid) ?? []];
	}

	/** Everybody. @returns {any[]} */
	get users() {
		return [...this.mailboxes.values()].flat();
	}

	/** Each batch is answered after so long. @param {number} delayMs */
	slowBatches(delayMs) {
		this.sim.faults.add({ service: 'graph', op: 'batch', kind: 'delay', delayMs });
	}

	/** Watches how many exchanges of the operation are under way: as the simulator's own server sees them. */
	watch() {
		const { flight } = this;
		const port = Number(new URL(this.sim.urls.graph).port);
		this.sim.servers.find((/** @type {any} */ s) => s.address().port === port).on('request', (/** @type {any} */ req, /** @type {any} */ res) => {
			if (!/\$batch/i.test(req.url))
				return;
			flight.most = Math.max(flight.most, ++flight.now);
			res.once('close', () => {
				flight.now--;
			});
		});
	}

	/** @param {string[]} args @returns {Promise<string>} */
	tool(...args) {
		return new Promise((resolve, reject) => execFile(storeTool(), [this.database, ...args], { maxBuffer: 1 << 28 },
			(e, stdout, stderr) => e ? reject(new Error(`${e.message} ${stderr}`)) : resolve(stdout)));
	}

	/** Behind the product's back: rows of a SELECT; other statements are run. @param {string} text @returns {Promise<any[]>} */
	sql(text) {
		if (this.postgres !== null)
			return this.postgres.query(text);
		return new Promise((resolve, reject) => execFile('sqlite3', ['-json', `${this.dir}/state.db`, text],
			(e, stdout, stderr) => e ? reject(new Error(`${e.message} ${stderr}`)) : resolve(stdout.trim() === '' ? [] : JSON.parse(stdout))));
	}

	/** @returns {Promise<any>} */
	async dump() {
		return JSON.parse(await this.tool('dump'));
	}

	/** A pass, under way. @param {string[]} words */
	begin(...words) {
		return spawn(path.join(buildFolder(), 'cronjob/outlook-addin-renew'), ['--config', this.config, ...words], { env: { PATH: process.env.PATH, CLIENT_SECRET: this.sim.directory.defaultSecret, ...this.env } });
	}

	/** @param {string[]} words @returns {Promise<Run>} */
	async renew(...words) {
		const began = process.hrtime.bigint();
		const child = this.begin(...words);
		const out = { stdout: '', stderr: '' };
		child.stdout.on('data', (chunk) => { out.stdout += chunk; });
		child.stderr.on('data', (chunk) => { out.stderr += chunk; });
		let peakKiB = 0;
		const look = setInterval(() => {
			try {
				peakKiB = Math.max(peakKiB, Number(/^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
			} catch {
				/* it has ended */
			}
		}, 20);
		const [code, signal] = await new Promise((resolve) => child.once('close', (c, s) => resolve([c, s])));
		clearInterval(look);
		const ms = Number(process.hrtime.bigint() - began) / 1e6;
		const summary = out.stderr.split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l)).find((l) => l.event === 'renew-done');
		return { code, signal, ms, ...out, summary, peakKiB };
	}

	async close() {
		await this.sim?.close();
		await new Promise((resolve) => {
			this.hook?.close(resolve);
			this.hook?.closeAllConnections();
		});
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}
