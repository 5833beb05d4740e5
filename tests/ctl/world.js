// @ts-check
/* A store, a configuration and outlook-addinctl on them. */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { buildFolder } from '../lib/build.js';
import { waitFor } from '../lib/wait.js';

export const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');
export const SEED = path.join(buildFolder(), 'tests/ctl/seed');
export const TENANT = '11111111-2222-3333-4444-555555555555';
export const ALICE = 'aaaaaaaa-0000-0000-0000-000000000001';
export const BOB = 'bbbbbbbb-0000-0000-0000-000000000002';

/** @typedef {{ code: number, stdout: string, stderr: string }} Result */

export class World {
	constructor() {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-ctl-'));
		this.config = path.join(this.dir, 'addin.json');
		this.socket = path.join(this.dir, 'fcgi.sock');
		this.database = `sqlite:${path.join(this.dir, 'state.db')}`;
		this.write({});
	}

	/** @param {Record<string, unknown>} more */
	write(more) {
		fs.writeFileSync(this.config, JSON.stringify({
			deploymentUrl: 'https://addin.example', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example',
			clientId: TENANT, tenantIds: [TENANT], syncServerEnabled: true, syncServerAuthGatewayClientId: 'gateway',
			database: this.database, fastcgiListen: `unix:${this.socket}`, ...more,
		}));
	}

	/** @param {string} file @param {string[]} args @returns {Promise<Result>} */
	run(file, args) {
		return new Promise((resolve) => {
			execFile(file, args, { timeout: 30_000, cwd: this.dir, env: { PATH: process.env.PATH, ASAN_OPTIONS: process.env.ASAN_OPTIONS } }, (e, stdout, stderr) => {
				resolve({ code: e === null ? 0 : typeof e.code === 'number' ? e.code : 128, stdout, stderr });
			});
		});
	}

	/** @param {...string} args */
	ctl(...args) {
		return this.run(CTL, ['--config', this.config, ...args]);
	}

	/** @param {number} [age] of everything, in seconds @param {...string} more see seed.c */
	async seed(age = 0, ...more) {
		const done = await this.run(SEED, [this.database, `${age}`, ...more]);
		assert.equal(done.code, 0, done.stderr);
	}

	async status() {
		const { code, stdout } = await this.ctl('status', '--json');
		return { code, doc: JSON.parse(stdout) };
	}

	/** A list with --json. @param {...string} args @returns {Promise<any[]>} */
	async list(...args) {
		const done = await this.ctl(...args, '--json');
		assert.equal(done.code, 0, done.stderr);
		return JSON.parse(done.stdout);
	}

	/** Straight from the store. @param {string} sql */
	async sql(sql) {
		const done = await this.run('sqlite3', ['-json', path.join(this.dir, 'state.db'), sql]);
		assert.equal(done.code, 0, done.stderr);
		return done.stdout === '' ? [] : JSON.parse(done.stdout);
	}

	/** A wake socket as sync has it; perl, because Node has no such sockets. Tells how many datagrams came. */
	async listen() {
		const file = path.join(this.dir, 'wakes');
		const script = `use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0); bind($s, pack_sockaddr_un($ARGV[0])) or die; $| = 1; print "ready\\n"; while (defined recv($s, my $d, 64, 0)) { print "wake\\n" }`;
		const out = fs.openSync(file, 'w');
		const child = spawn('perl', ['-e', script, path.join(this.dir, 'wake.sock')], { stdio: ['ignore', out, 'inherit'] });
		fs.closeSync(out);
		const lines = () => fs.readFileSync(file, 'utf8').split('\n').filter((l) => l !== '');
		await waitFor(() => lines().length > 0, 5000, 'the wake socket stands');
		return { count: () => lines().length - 1, stop: () => child.kill() };
	}

	end() {
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}

/** @param {string} name @param {(w: World) => Promise<void>} body */
export function story(name, body) {
	test(name, async () => {
		const world = new World();
		try {
			await body(world);
		} finally {
			world.end();
		}
	});
}
