// @ts-check
/* A pod without a cluster: containers (see ./container) with memory limits, beside the simulators of a Stack. */

import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildFolder, SOURCE_ROOT } from '../lib/build.js';
import { Program, descendants } from '../lib/program.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

/** The image's tree, or this machine with what the build installs. */
export const IMAGE_ROOT = process.env.IMAGE_ROOT ?? '/';
const ENTRY = IMAGE_ROOT === '/' ? '/usr/local/libexec/outlook-addin-entry' : '/usr/libexec/outlook-addin-entry';
const CGROUP_V1 = '/sys/fs/cgroup/memory';
const CGROUP_V2 = '/sys/fs/cgroup';
/** Not of this machine, as OpenShift would take one, and group 0. */
export const ACCOUNT = { uid: 1000680000, gid: 0 };

const CONTAINER_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A cgroup of our own with a limit. */
export class Cgroup {
	/** @returns {string | null} why there can be none */
	static missing() {
		try {
			new Cgroup('probe', 32).remove();
			return null;
		} catch (e) {
			return `no memory cgroup: ${/** @type {Error} */ (e).message}`;
		}
	}

	/** @param {string} name @param {number} mib */
	constructor(name, mib) {
		this.v1 = fs.existsSync(CGROUP_V1);
		this.dir = path.join(this.v1 ? CGROUP_V1 : CGROUP_V2, `outlook-addin-${process.pid}-${name}`);
		fs.mkdirSync(this.dir);
		try {
			fs.writeFileSync(path.join(this.dir, this.v1 ? 'memory.limit_in_bytes' : 'memory.max'), String(mib << 20));
		} catch (e) {
			this.remove();
			throw e;
		}
	}

	/** @param {string} file */
	read(file) {
		return fs.readFileSync(path.join(this.dir, file), 'utf8');
	}

	/** How often the limit has killed something. */
	get kills() {
		return Number(/^oom_kill (\d+)$/m.exec(this.read(this.v1 ? 'memory.oom_control' : 'memory.events'))?.[1]);
	}

	/** MiB that can not be dropped: without the cache of files. */
	get mib() {
		const stat = this.read('memory.stat');
		return Number(new RegExp(this.v1 ? '^total_rss (\\d+)$' : '^anon (\\d+)$', 'm').exec(stat)?.[1]) / (1 << 20);
	}

	remove() {
		fs.rmdirSync(this.dir);
	}
}

/** One container. SIGTERM goes to its process 1, as an engine sends it. */
export class Container extends Program {
	/** @param {Pod} pod @param {string} name @param {string[]} args @param {{ mib: number, env: Record<string, string>, writable?: boolean, entry?: string }} how */
	constructor(pod, name, args, how) {
		const cgroup = new Cgroup(name, how.mib);
		super(name, [path.join(SOURCE_ROOT, 'tests/package/container'), IMAGE_ROOT, pod.podDir, pod.secretsDir, cgroup.dir, `${ACCOUNT.uid}:${ACCOUNT.gid}`,
			...how.writable ? ['--writable'] : [], how.entry ?? ENTRY, ...args], { dir: pod.logDir, env: how.env });
		this.cgroup = cgroup;
		this.ended.then(() => waitFor(() => {
			cgroup.remove();
			return true;
		}, 5000, `${cgroup.dir} is empty`));
	}

	/** Its process 1. */
	get first() {
		return descendants(this.pid)[0];
	}

	/** @param {NodeJS.Signals} signal */
	kill(signal) {
		if (this.running)
			process.kill(this.first.pid, signal);
	}

	/** A command in it, as an engine's health check runs one. @param {...string} argv @returns {Promise<{ code: number | string, stdout: string, stderr: string }>} */
	exec(...argv) {
		const inside = ['--target', `${this.first.pid}`, '--mount', '--pid', '--ipc', '--root', '--wd', 'setpriv', `--reuid=${ACCOUNT.uid}`, `--regid=${ACCOUNT.gid}`, '--clear-groups', '--bounding-set=-all', '--no-new-privs', ...argv];
		return new Promise((resolve) => {
			execFile('nsenter', inside, { timeout: 10_000, env: { PATH: CONTAINER_PATH } }, (e, stdout, stderr) => resolve({ code: e?.code ?? 0, stdout, stderr }));
		});
	}

	/** Asks it to end. @returns {Promise<number>} milliseconds that it took */
	async drain() {
		const began = performance.now();
		const { code } = await this.stop(5000);
		if (code !== 0)
			throw new Error(`${this.name} ended with ${code}`);
		return performance.now() - began;
	}
}

/** The programs as `make install` puts them, for a container of this machine's tree. @param {string} to */
function installPrograms(to) {
	const stage = `${to}-stage`;
	execFileSync('make', ['-s', '-C', buildFolder(), 'install', `DESTDIR=${stage}`], { stdio: ['ignore', 'ignore', 'inherit'] });
	fs.renameSync(path.join(stage, 'usr/local'), to);
	fs.rmSync(stage, { recursive: true });
	fs.copyFileSync(path.join(SOURCE_ROOT, 'conf/container/entry'), path.join(to, 'libexec/outlook-addin-entry'));
	fs.chmodSync(path.join(to, 'libexec/outlook-addin-entry'), 0o755);
}

export class Pod extends Stack {
	/** @type {Container[]} */
	containers = [];
	podDir = path.join(this.dir, 'pod');
	/* Not below dir, where a story finds no secret. */
	secretsDir = `${this.dir}-secrets`;

	async prepare() {
		this.stateDir = path.join(this.podDir, 'state');
		this.storeFile = path.join(this.stateDir, 'state.db');
		await super.prepare();
		for (const name of ['config', 'run', 'nginx', 'state', 'upper']) {
			fs.mkdirSync(path.join(this.podDir, name), { recursive: true });
			/* What fsGroup does: the group may write. */
			fs.chownSync(path.join(this.podDir, name), 0, ACCOUNT.gid);
			fs.chmodSync(path.join(this.podDir, name), 0o775);
		}
		fs.mkdirSync(this.secretsDir, { mode: 0o750 });
		for (const [name, value] of Object.entries(this.sims.secrets))
			fs.writeFileSync(path.join(this.secretsDir, name), value, { mode: 0o440 });
		if (IMAGE_ROOT === '/')
			installPrograms(path.join(this.podDir, 'programs'));
		/* Sockets and store lie where they are by default. */
		const { database, fastcgiListen, ...config } = /** @type {any} */ (this.config);
		fs.writeFileSync(path.join(this.podDir, 'config/addin.json'), JSON.stringify(config));
	}

	/** @param {string} name @param {string[]} args @param {{ mib: number, secrets?: 'volume' | 'environment', writable?: boolean, entry?: string, env?: Record<string, string> }} how */
	container(name, args, how) {
		const container = new Container(this, name, args, {
			...how, env: { PATH: CONTAINER_PATH, ...how.secrets === 'environment' ? this.sims.secrets : {}, ...how.secrets === 'volume' ? { CREDENTIALS_DIRECTORY: '/etc/outlook-addin-secrets' } : {}, ...how.env },
		});
		this.containers.push(container);
		return container;
	}

	async ready() {
		await waitFor(async () => {
			const dead = this.containers.find((c) => !c.running);
			if (dead !== undefined)
				throw new Error(`${dead.name} ended with ${dead.exit?.code}: ${dead.stderr.slice(-2000)}`);
			return (await this.http.get('/ready')).status === 200;
		}, 15_000, 'GET /ready answers 200 through nginx');
	}

	/** The store belongs to the container's account. @param {string} sql @returns {Promise<any[]>} */
	async query(sql) {
		if (this.postgres !== null)
			return super.query(sql);
		const text = execFileSync('sqlite3', ['-readonly', '-json', '-cmd', '.timeout 5000', this.storeFile, sql], { uid: ACCOUNT.uid, gid: ACCOUNT.gid, encoding: 'utf8', maxBuffer: 64 << 20 });
		return text.trim() === '' ? [] : JSON.parse(text);
	}

	async close() {
		for (const container of this.containers)
			if (container.running)
				await container.destroy();
		fs.rmSync(this.secretsDir, { recursive: true, force: true });
		await super.close();
	}
}
