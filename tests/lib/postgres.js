// @ts-check
/* A PostgreSQL of the test's own: started when it is first asked for, stopped by its process id. */

import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { SOURCE_ROOT } from './build.js';
import { pause } from './wait.js';

const SCRIPT = path.join(SOURCE_ROOT, 'tests/lib/postgres.sh');

/** Shall the programs keep their state in PostgreSQL? */
export const ON_POSTGRESQL = process.env.TEST_DATABASE === 'postgresql';

export class Postgres {
	/** @param {string[]} [settings] such as ['fsync=on'] @param {number} [port] also on 127.0.0.1 */
	constructor(settings = [], port = 0) {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-pg-'));
		this.settings = settings.flatMap((s) => ['-c', s]);
		this.port = port;
		this.databases = 0;
		this.call('start');
		process.on('exit', () => this.stop());
	}

	/** @param {string} command @returns {[string[], any]} arguments and options of the script */
	words(command) {
		return [[command, this.dir, ...command === 'stop' ? [] : this.settings],
			{ encoding: 'utf8', env: { PATH: process.env.PATH, POSTGRES_TEMPLATE: process.env.POSTGRES_TEMPLATE ?? '', ...this.port === 0 ? {} : { PGPORT: `${this.port}` } }, stdio: ['ignore', 'pipe', 'inherit'] }];
	}

	/** @param {string} command */
	call(command) {
		return execFileSync(SCRIPT, ...this.words(command)).trim();
	}

	/** An empty database: its URL. @returns {Database} */
	database() {
		const name = `test${++this.databases}`;
		execFileSync('psql', ['-qX', '-h', this.dir, ...this.ports(), '-U', 'outlook', '-c', `CREATE DATABASE ${name}`, 'postgres']);
		return new Database(this, name);
	}

	ports() {
		return this.port === 0 ? [] : ['-p', `${this.port}`];
	}

	/** Immediate shutdown, as a crash: nothing is written any more. */
	crash() {
		this.call('stop');
	}

	again() {
		this.call('again');
	}

	/** Down at once and up again after ms, while everything else goes on. @param {number} ms */
	async bounce(ms) {
		const run = promisify(execFile);
		await run(SCRIPT, ...this.words('stop'));
		await pause(ms);
		await run(SCRIPT, ...this.words('again'));
	}

	stop() {
		if (!fs.existsSync(this.dir))
			return;
		this.call('stop');
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}

export class Database {
	/** @param {Postgres} server @param {string} name */
	constructor(server, name) {
		this.server = server;
		this.name = name;
		this.url = `postgresql://outlook@/${name}?host=${server.dir}${server.port === 0 ? '' : `&port=${server.port}`}`;
	}

	/** psql, which reads statements. @returns {string[]} */
	shell() {
		return ['psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-h', this.server.dir, ...this.server.ports(), '-U', 'outlook', this.name];
	}

	/** Rows of a SELECT; other statements are run. @param {string} sql @returns {Promise<any[]>} */
	query(sql) {
		const text = sql.trim().replace(/;$/, '');
		const rows = /^(select|with)\b/i.test(text);
		return new Promise((resolve, reject) => {
			execFile('psql', ['-qXAt', '-v', 'ON_ERROR_STOP=1', '-h', this.server.dir, ...this.server.ports(), '-U', 'outlook', '-c',
				rows ? `SELECT row_to_json(q) FROM (${text}) q` : text, this.name], { maxBuffer: 256 << 20 }, (e, stdout, stderr) => {
				if (e !== null)
					reject(new Error(`psql: ${stderr || e.message}`));
				else
					resolve(rows ? stdout.split('\n').filter((l) => l !== '').map((l) => JSON.parse(l)) : []);
			});
		});
	}
}

/** @type {Postgres | null} */
let shared = null;

/** A database on the one server of this process. */
export function testDatabase() {
	shared ??= new Postgres();
	return shared.database();
}
