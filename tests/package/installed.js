// @ts-check
/*
 * The installed package instead of the build tree: its programs, its addin.json, secrets as files in
 * /etc/outlook-addin, started as its units say, with simulated clouds as peers. As root, on a machine that is
 * thrown away.
 */

import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseLines, Program } from '../lib/program.js';
import { Stack } from '../lib/stack.js';

const AS_UNIT = fileURLToPath(new URL('./as-unit', import.meta.url));
const ETC = '/etc/outlook-addin';
const STATE = '/var/lib/outlook-addin';
const SERVER = 'outlook-addin.service';
const NGINX = 'outlook-addin-nginx.service';
const RENEWAL = 'outlook-addin-renew.service';

/** By the lines of the units, each in a process of its own. */
export class Installed extends Stack {
	configFile = path.join(ETC, 'addin.json');
	stateDir = STATE;
	storeFile = path.join(STATE, 'state.db');

	/** What is delivered has no clock that could be moved. @param {string} name @param {import('../lib/parts.js').Options} options */
	constructor(name, options) {
		super(name, { ...options, clock: false });
	}

	findParts() {
		return { fcgi: '/usr/libexec/outlook-addin-fcgi', renew: '/usr/bin/outlook-addin-renew', ctl: '/usr/bin/outlook-addinctl', data: '/usr/share/outlook-addin' };
	}

	get account() {
		return null;
	}

	get searched() {
		return [this.dir, this.stateDir];
	}

	/** With an empty store: in that of other peers what failed there is waited for. Nobody has it open. */
	async prepare() {
		for (const name of fs.readdirSync(STATE))
			if (name.startsWith('state.db'))
				fs.rmSync(path.join(STATE, name));
		await super.prepare();
	}

	/** The keys of the file that lies there, but for its database and socket, which are where they are by default. @param {Record<string, any>} [change] */
	writeConfig(change = {}) {
		/* Due in every run: without a clock to move nothing else would be. */
		Object.assign(/** @type {any} */ (this.config), change, { syncServerSubscriptionRenewalLimit: 1000 });
		const { database, fastcgiListen, ...config } = /** @type {any} */ (this.config);
		fs.writeFileSync(this.configFile, JSON.stringify({ ...JSON.parse(fs.readFileSync(this.configFile, 'utf8')), ...config }, null, '\t'));
		/* As docs/install.md has them: the account's alone. */
		const { uid } = fs.statSync(STATE);
		for (const [name, value] of Object.entries(this.sims.secrets)) {
			const file = path.join(ETC, name);
			fs.writeFileSync(file, value);
			fs.chownSync(file, uid, 0);
			fs.chmodSync(file, 0o400);
		}
	}

	/** The unit of nginx does so. */
	async renderSite() {}

	/** @param {string} name @param {string} unit @returns {Program} */
	service(name, unit) {
		return new Program(name, [AS_UNIT, unit], { dir: this.logDir });
	}

	async startFcgi() {
		this.fcgi = this.service('fcgi', SERVER);
		return this.fcgi;
	}

	async startNginx() {
		this.nginx = this.service('nginx', NGINX);
	}

	renew() {
		return this.run(AS_UNIT, [RENEWAL]);
	}

	/** @param {...string} args */
	ctl(...args) {
		return this.run(AS_UNIT, [SERVER, 'outlook-addinctl', ...args]);
	}
}

const call = promisify(execFile);

/** @param {string} unit @param {string} property */
const shown = async (unit, property) => (await call('systemctl', ['show', '--property', property, '--value', unit])).stdout.trim();

/** A service of systemd. The process of ours behind it writes its journal into a file. */
class Service extends Program {
	/** @param {string} name @param {string} unit @param {string} dir */
	constructor(name, unit, dir) {
		super(name, ['/usr/bin/journalctl', '--follow', '--no-tail', '--output=cat', `--since=@${Date.now() / 1000}`, `_SYSTEMD_UNIT=${unit}`], { dir });
		this.unit = unit;
		this.stderrFile = this.stdoutFile;
		execFileSync('systemctl', ['restart', unit]);
	}

	get pid() {
		return Number(execFileSync('systemctl', ['show', '--property', 'MainPID', '--value', this.unit], { encoding: 'utf8' }));
	}

	/** Of whom follows the journal. @param {NodeJS.Signals} signal */
	killGroup(signal) {
		this.child.kill(signal);
	}

	async stop() {
		await call('systemctl', ['stop', this.unit]);
		await call('journalctl', ['--sync']);
		this.killGroup('SIGTERM');
		await this.ended;
		this.exit = { code: Number(await shown(this.unit, 'ExecMainStatus')), signal: null };
		return this.exit;
	}

	async destroy() {
		await this.stop();
	}
}

/** By a systemd that runs. */
export class Booted extends Installed {
	/** @param {string} name @param {string} unit */
	service(name, unit) {
		return new Service(name, unit, this.logDir);
	}

	async renew() {
		const since = `--since=@${Date.now() / 1000}`;
		await call('systemctl', ['start', RENEWAL]).catch(() => null);
		await call('journalctl', ['--sync']);
		const { stdout } = await call('journalctl', ['--output=cat', since, `_SYSTEMD_UNIT=${RENEWAL}`]);
		return { code: Number(await shown(RENEWAL, 'ExecMainStatus')), stdout: '', stderr: stdout, log: parseLines(stdout) };
	}
}
