// @ts-check
/* One child process: its output goes to files, it is stopped by pid and dies with us. */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { waitFor } from './wait.js';

/** @type {Set<Program>} */
const alive = new Set();

process.on('exit', () => {
	for (const program of alive)
		program.killGroup('SIGKILL');
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
	process.once(signal, () => process.exit(130));

/**
 * @typedef {object} Account who runs it: the account of the harness, or another when that is root
 * @property {number} uid
 * @property {number} gid
 */

export class Program {
	/**
	 * @param {string} name names the log files
	 * @param {string[]} argv program and arguments
	 * @param {{ dir: string, env?: Record<string, string>, cwd?: string, account?: Account | null }} options
	 */
	constructor(name, argv, options) {
		this.name = name;
		this.argv = argv;
		this.stdoutFile = path.join(options.dir, `${name}.out`);
		this.stderrFile = path.join(options.dir, `${name}.err`);
		const out = fs.openSync(this.stdoutFile, 'a');
		const err = fs.openSync(this.stderrFile, 'a');
		/* detached: a group of its own, so that children go with it. */
		this.child = spawn(argv[0], argv.slice(1), {
			cwd: options.cwd ?? options.dir, env: options.env ?? {}, stdio: ['ignore', out, err], detached: true,
			...options.account ?? {},
		});
		fs.closeSync(out);
		fs.closeSync(err);
		/** @type {{ code: number | null, signal: string | null } | null} */
		this.exit = null;
		alive.add(this);
		/** @type {Promise<{ code: number | null, signal: string | null }>} */
		this.ended = new Promise((resolve) => {
			const done = (/** @type {number | null} */ code, /** @type {string | null} */ signal) => {
				this.exit = { code, signal };
				alive.delete(this);
				resolve(this.exit);
			};
			this.child.once('exit', done);
			this.child.once('error', (e) => {
				fs.appendFileSync(this.stderrFile, `${e.message}\n`);
				done(127, null);
			});
		});
	}

	get pid() {
		return this.child.pid ?? -1;
	}

	get running() {
		return this.exit === null;
	}

	get stdout() {
		return fs.readFileSync(this.stdoutFile, 'utf8');
	}

	get stderr() {
		return fs.readFileSync(this.stderrFile, 'utf8');
	}

	/** What it wrote to stderr, line by line; a line that is not JSON becomes {text}. @returns {any[]} */
	get log() {
		return parseLines(this.stderr);
	}

	/** @param {NodeJS.Signals} signal */
	kill(signal) {
		if (this.running)
			process.kill(this.pid, signal);
	}

	/** @param {NodeJS.Signals} signal */
	killGroup(signal) {
		try {
			process.kill(-this.pid, signal);
		} catch {
			/* Nobody left. */
		}
	}

	/** Asks it to end; after ms it is killed and that is an error. @param {number} [ms] */
	async stop(ms = 10_000) {
		this.kill('SIGTERM');
		try {
			await waitFor(() => this.exit, ms, `${this.name} (pid ${this.pid}) ends after SIGTERM`);
		} finally {
			this.killGroup('SIGKILL');
		}
		return /** @type {{ code: number | null, signal: string | null }} */ (this.exit);
	}

	/** kill -9 of it and its group. */
	async destroy() {
		this.killGroup('SIGKILL');
		await this.ended;
	}

	/** Waits for its end. @param {number} ms */
	async wait(ms) {
		return waitFor(() => this.exit, ms, `${this.name} ends by itself`);
	}
}

/** @param {string} text @returns {any[]} */
export function parseLines(text) {
	return text.split('\n').filter((l) => l !== '').map((line) => {
		try {
			return JSON.parse(line);
		} catch {
			return { text: line };
		}
	});
}

/**
 * The living descendants of a process, with their command lines.
 * @param {number} pid @returns {{ pid: number, argv: string[] }[]}
 */
export function descendants(pid) {
	/** @type {Map<number, number[]>} */
	const children = new Map();
	for (const name of fs.readdirSync('/proc')) {
		if (!/^\d+$/.test(name))
			continue;
		try {
			const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
			const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
			if (fields[0] === 'Z')
				continue;
			const parent = Number(fields[1]);
			children.set(parent, [...children.get(parent) ?? [], Number(name)]);
		} catch {
			/* Ended meanwhile. */
		}
	}
	/** @type {{ pid: number, argv: string[] }[]} */
	const out = [];
	const queue = [pid];
	for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
		for (const child of children.get(next) ?? []) {
			queue.push(child);
			try {
				out.push({ pid: child, argv: fs.readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0').slice(0, -1) });
			} catch {
				/* Ended meanwhile. */
			}
		}
	}
	return out;
}
