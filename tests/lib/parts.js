// @ts-check
/*
 * The whole product in a temporary folder: simulators, real nginx, the real programs. stop() also holds
 * what must be true after every story.
 */

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { giveAway, makeFolder, serviceAccount, usableParts, hasTestHooks } from './build.js';
import { FakeClock } from './faketime.js';
import { Client, freePort } from './http.js';
import { ON_POSTGRESQL, testDatabase } from './postgres.js';
import { Program, descendants, parseLines } from './program.js';
import { Simulators } from './simulators.js';
import { searchCanaries } from './canary.js';
import { waitFor } from './wait.js';

/**
 * @typedef {object} Options
 * @property {Record<string, any>} [config] keys of addin.json that differ from the harness' own
 * @property {boolean} [clock] run under libfaketime (needs --enable-test-hooks)
 * @property {number} [seed]
 * @property {Record<string, any>} [settings] of the simulators
 * @property {any} [directory] of the simulators: app, gateway, tenants
 * @property {number} [logSize] how many exchanges the simulators remember
 * @property {import('./postgres.js').Database} [postgres] where the state is kept; else a file, or with TEST_DATABASE=postgresql a database of its own
 * @property {boolean} [onSqlite] in a file, whatever TEST_DATABASE says
 * @property {string[]} [wrap] put before outlook-addin-fcgi: strace and its options
 * @property {Record<string, string>} [env] more environment for the programs
 * @property {boolean} [start] false: only prepare, the test starts the parts itself
 * @property {Simulators} [sims] simulators that stand already; they are not stopped
 * @property {string} [storeFolder] where the store shall be (another file system)
 */

const KEEP = process.env.KEEP_FOLDERS === '1';

/** @param {string} file @param {string} program */
function tail(file, program) {
	if (!fs.existsSync(file))
		return '';
	const lines = fs.readFileSync(file, 'utf8').split('\n').filter((l) => l !== '').slice(-15);
	return lines.length === 0 ? '' : `--- ${program}\n${lines.join('\n')}\n`;
}

export class Parts {
	/**
	 * @template {typeof Parts} T @this {T}
	 * @param {string} name @param {Options} [options] @returns {Promise<InstanceType<T>>}
	 */
	static async start(name, options = {}) {
		const stack = /** @type {InstanceType<T>} */ (new this(name, options));
		try {
			await stack.prepare();
			if (options.start !== false)
				await stack.up();
			return stack;
		} catch (e) {
			await stack.abandon();
			throw e;
		}
	}

	/**
	 * Runs story with a stack, stops it, and keeps the folder and tells the logs when something failed.
	 * @template {typeof Parts} T @this {T}
	 * @param {string} name @param {Options} options @param {(stack: InstanceType<T>) => Promise<void>} story
	 */
	static async play(name, options, story) {
		const stack = await this.start(name, options);
		try {
			await story(stack);
			if (stack.failed)
				throw new Error('a part of the story has failed');
			await stack.stop();
		} catch (e) {
			await stack.abandon();
			throw e;
		}
	}

	/** @param {string} name @param {Options} options */
	constructor(name, options) {
		this.name = name;
		this.options = options;
		this.dir = makeFolder(name.replace(/[^A-Za-z0-9]+/g, '-'));
		this.parts = this.findParts();
		this.runDir = path.join(this.dir, 'run');
		this.siteDir = path.join(this.dir, 'site');
		this.logDir = path.join(this.dir, 'logs');
		this.stateDir = options.storeFolder ?? path.join(this.dir, 'state');
		this.storeFile = path.join(this.stateDir, 'state.db');
		/** @type {import('./postgres.js').Database | null} */
		this.postgres = options.postgres ?? (ON_POSTGRESQL && !options.onSqlite ? testDatabase() : null);
		this.socket = path.join(this.runDir, 'fcgi.sock');
		this.configFile = path.join(this.dir, 'addin.json');
		/** When outlook-addin-fcgi was started, performance.now(). */
		this.startedAt = 0;
		/** @type {Program | null} */
		this.fcgi = null;
		/** @type {Program | null} */
		this.nginx = null;
		this.clock = options.clock ? new FakeClock(this.dir) : null;
		this.runs = 0;
		/** @type {string[]} what must not show up anywhere */
		this.secrets = [];
		/** Log lines of level error are a failure of the story unless it says that they belong to it. */
		this.expectErrors = false;
		this.over = false;
		/** A part of the story has failed and said so itself. */
		this.failed = false;
		/** Set by prepare(). @type {Simulators} */
		this.sims = /** @type {any} */ (null);
		/** @type {Client} */
		this.http = /** @type {any} */ (null);
		this.port = 0;
		this.metricsPort = 0;
	}

	/** The programs and their data. */
	findParts() {
		return usableParts(this.dir);
	}

	/** Who runs the programs; null: we ourselves. */
	get account() {
		return serviceAccount();
	}

	/** Where no secret may be found after the story. */
	get searched() {
		return [this.dir];
	}

	/**
	 * A subtest of the story; its failure keeps the folder.
	 * @param {import('node:test').TestContext} t @param {string} name @param {() => Promise<void>} part
	 */
	async part(t, name, part) {
		await t.test(name, async () => {
			try {
				await part();
			} catch (e) {
				this.failed = true;
				throw e;
			}
		});
	}

	async prepare() {
		if (this.clock !== null && !hasTestHooks())
			throw new Error('stories with a clock need a build configured with --enable-test-hooks');
		for (const dir of [this.runDir, this.logDir, path.join(this.dir, 'state')]) {
			fs.mkdirSync(dir, { mode: 0o750 });
			giveAway(dir);
		}
		this.sims = this.options.sims ?? await Simulators.start({ seed: this.options.seed, settings: this.options.settings, directory: this.options.directory, logSize: this.options.logSize });
		this.port = await freePort();
		this.metricsPort = await freePort();
		this.http = new Client(`http://127.0.0.1:${this.port}`);
		this.config = {
			deploymentUrl: `http://127.0.0.1:${this.port}/`,
			deploymentAddinEndpoint: 'addin',
			...this.sims.config,
			syncServerEnabled: true,
			database: this.postgres?.url ?? `sqlite:${this.storeFile}`,
			fastcgiListen: `unix:${this.socket}`,
			httpListen: `127.0.0.1:${this.port}`,
			metricsListen: `127.0.0.1:${this.metricsPort}`,
			notificationDebounceMs: 100,
			deletionGraceSeconds: 1,
			logLevel: 'debug',
			...this.options.config,
		};
		this.writeConfig();
		this.secrets.push(...Object.values(this.sims.secrets));
		await this.renderSite();
	}

	async renderSite() {
		const done = await this.ctl('render', '--out', this.siteDir);
		if (done.code !== 0)
			throw new Error(`outlook-addinctl render ended with ${done.code}: ${done.stderr}`);
	}

	/** @param {Record<string, any>} [change] */
	writeConfig(change = {}) {
		Object.assign(/** @type {any} */ (this.config), change);
		fs.writeFileSync(this.configFile, JSON.stringify(this.config, null, '\t'), { mode: 0o644 });
	}

	/** The environment of a program; secrets only where they belong. @param {boolean} [secrets] */
	env(secrets = true) {
		/** @type {Record<string, string>} */
		const env = { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', TZ: 'UTC', LANG: 'C.UTF-8', OUTLOOK_ADDIN_DATADIR: this.parts.data };
		for (const [name, value] of Object.entries(process.env))
			if (/^(GCOV_|.*SAN_OPTIONS$)/.test(name) && value !== undefined)
				env[name] = value;
		return { ...env, ...this.clock?.env ?? {}, ...secrets ? this.sims?.secrets : {}, ...this.options.env };
	}

	/** Starts outlook-addin-fcgi and nginx and waits until both answer. */
	async up() {
		await Promise.all([this.startFcgi(), this.startNginx()]);
		await waitFor(async () => (await this.http.get('/ready')).status === 200, 15_000, 'GET /ready answers 200 through nginx');
	}

	/** @param {{ wrap?: string[], args?: string[], wait?: boolean }} [how] */
	async startFcgi(how = {}) {
		if (this.fcgi?.running)
			throw new Error('outlook-addin-fcgi runs already');
		const argv = [...how.wrap ?? this.options.wrap ?? [], this.parts.fcgi, '--config', this.configFile, ...how.args ?? []];
		const program = new Program('fcgi', argv, { dir: this.logDir, cwd: this.dir, env: this.env(), account: argv[0] === this.parts.fcgi ? this.account : null });
		this.fcgi = program;
		this.startedAt = performance.now();
		if (how.wait === false)
			return program;
		await waitFor(() => {
			if (program.exit !== null)
				throw new Error(`it ended with ${JSON.stringify(program.exit)}`);
			return fs.existsSync(this.socket);
		}, 15_000, 'outlook-addin-fcgi listens');
		return program;
	}

	async startNginx() {
		this.nginx = new Program('nginx', ['nginx', '-p', this.siteDir, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], { dir: this.logDir, cwd: this.siteDir, env: { PATH: process.env.PATH ?? '' }, account: this.account });
		await waitFor(async () => (await this.http.get('/live')).status, 10_000, 'nginx answers');
		if (!this.nginx.running)
			throw new Error('nginx ended');
	}

	/**
	 * Process ids of a role of the running outlook-addin-fcgi.
	 * @param {'web' | 'sync'} role
	 */
	pids(role) {
		if (!this.fcgi?.running)
			return [];
		return descendants(this.fcgi.pid).filter(({ argv }) => argv.some((a, i) => a === `--role=${role}` || a === role && argv[i - 1] === '--role')).map((p) => p.pid);
	}

	/** The one process of a role, as soon as it stands. @param {'web' | 'sync'} role */
	async pid(role) {
		return waitFor(() => this.pids(role)[0], 10_000, `${role} runs`);
	}

	/** kill -9 (or another signal); resolves when that very process is gone. @param {'web' | 'sync'} role @param {NodeJS.Signals} [signal] */
	async kill(role, signal = 'SIGKILL') {
		const pid = await this.pid(role);
		process.kill(pid, signal);
		await waitFor(() => !this.pids(role).includes(pid), 5000, `${role} (pid ${pid}) is gone`);
		return pid;
	}

	/**
	 * Runs a one-shot program to its end.
	 * @param {string} file @param {string[]} args @param {{ env?: Record<string, string>, ms?: number, secrets?: boolean }} [how]
	 * @returns {Promise<{ code: number, stdout: string, stderr: string, log: any[] }>}
	 */
	run(file, args, how = {}) {
		const number = ++this.runs;
		return new Promise((resolve) => {
			execFile(file, args, { env: { ...this.env(how.secrets ?? true), ...how.env }, cwd: this.dir, timeout: how.ms ?? 60_000, killSignal: 'SIGKILL', maxBuffer: 64 << 20, ...this.account ?? {} }, (e, stdout, stderr) => {
				const code = e === null ? 0 : typeof e.code === 'number' ? e.code : 128;
				/* What a person typed wrong is told to a person; all else is JSON. */
				const name = `${path.basename(file)}-${number}${code === 2 ? '-usage' : ''}`;
				fs.writeFileSync(path.join(this.logDir, `${name}.out`), stdout);
				fs.writeFileSync(path.join(this.logDir, `${name}.err`), `${stderr}`);
				resolve({ code, stdout, stderr, log: parseLines(stderr) });
			});
		});
	}

	/** One pass of outlook-addin-renew. @param {...string} args */
	renew(...args) {
		return this.run(this.parts.renew, ['--config', this.configFile, ...args]);
	}

	/** @param {...string} args */
	ctl(...args) {
		return this.run(this.parts.ctl, ['--config', this.configFile, ...args]);
	}

	/** Virtual milliseconds of all parts. */
	now() {
		return this.sims.now();
	}

	/** Moves every clock ahead, and wakes sync, which otherwise would not notice. @param {number} ms */
	async advance(ms) {
		if (this.clock === null)
			throw new Error('start the stack with clock: true');
		this.clock.set(this.clock.offsetMs + ms);
		this.sims.advance(ms);
		await this.wake();
	}

	/** A wake datagram for sync; perl, because Node can not send one. */
	async wake() {
		const script = 'use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or exit 1; send($s, "w", 0, pack_sockaddr_un($ARGV[0])) or exit 1;';
		await new Promise((resolve) => execFile('perl', ['-e', script, path.join(this.runDir, 'wake.sock')], resolve));
	}

	/** Lines that the programs wrote, of every run. @returns {any[]} */
	get log() {
		return this.fcgi === null ? [] : this.fcgi.log;
	}

	/** @param {string} sql @returns {Promise<any[]>} rows; the store is opened read-only */
	query(sql) {
		if (this.postgres !== null)
			return this.postgres.query(sql);
		return new Promise((resolve, reject) => {
			execFile('sqlite3', ['-readonly', '-json', '-cmd', '.timeout 5000', this.storeFile, sql], { maxBuffer: 256 << 20, ...this.account ?? {} }, (e, stdout, stderr) => {
				if (e !== null)
					reject(new Error(`sqlite3: ${stderr || e.message}`));
				else
					resolve(stdout.trim() === '' ? [] : JSON.parse(stdout));
			});
		});
	}

	/** Ends everything in order and holds the standing truths. */
	async stop() {
		const { sims } = this;
		/** @type {string[]} */
		const wrong = [];
		if (this.fcgi !== null) {
			const early = this.fcgi.exit;
			const exit = early ?? await this.fcgi.stop();
			if (exit.code !== 0)
				wrong.push(`outlook-addin-fcgi ${early === null ? 'answered SIGTERM' : 'ended by itself'} with ${JSON.stringify(exit)}`);
		}
		await this.nginx?.stop();
		wrong.push(...this.badLogLines(), ...await sims.violations());
		if (this.options.sims === undefined)
			this.secrets.push(...sims.confidential());
		for (const folder of this.searched)
			wrong.push(...searchCanaries(folder, [...new Set(this.secrets)], [this.configFile]));
		wrong.push(...searchAnswers(this.http?.seen ?? [], this.secrets));
		if (wrong.length > 0)
			throw new Error(`after the story:\n${wrong.join('\n')}`);
		await this.close();
		if (!KEEP)
			fs.rmSync(this.dir, { recursive: true, force: true });
	}

	/** Everything on stderr of outlook-addin-fcgi and the one-shot programs is a JSON line of the agreed form. */
	badLogLines() {
		/** @type {string[]} */
		const out = [];
		for (const file of fs.readdirSync(this.logDir)) {
			if (!/^(fcgi|outlook-addin-renew-\d+)\.err$/.test(file))
				continue;
			for (const line of parseLines(fs.readFileSync(path.join(this.logDir, file), 'utf8'))) {
				if (line.text !== undefined && line.time === undefined)
					out.push(`${file}: not a JSON line: ${line.text}`);
				else if (!['debug', 'info', 'warning', 'error'].includes(line.level) || ['time', 'program', 'event'].some((k) => typeof line[k] !== 'string'))
					out.push(`${file}: without time, level, program or event: ${JSON.stringify(line)}`);
				else if (line.level === 'error' && !this.expectErrors)
					out.push(`${file}: ${JSON.stringify(line)}`);
			}
		}
		return out.slice(0, 20);
	}

	async close() {
		this.over = true;
		this.http?.close();
		this.clock?.close();
		if (this.options.sims === undefined)
			await this.sims?.stop();
	}

	/** After a failure: kills, keeps the folder, tells the ends of the logs. */
	async abandon() {
		if (this.over)
			return;
		await this.fcgi?.destroy();
		await this.nginx?.destroy();
		const tails = fs.readdirSync(this.logDir).map((f) => tail(path.join(this.logDir, f), f)).join('');
		process.stderr.write(`story ${this.name} failed; folder kept: ${this.dir}\n${tails}${this.sims === null ? '' : this.sims.tail()}`);
		await this.close();
	}
}

/** @param {string[]} seen @param {string[]} secrets */
function searchAnswers(seen, secrets) {
	const all = seen.join('\n');
	return [...new Set(secrets)].filter((s) => all.includes(s)).map((s) => `an answer holds the secret ${s.slice(0, 6)}...`);
}
