// @ts-check
/* Simulators, the product and the front door, started and stopped as one. */

import fs from 'node:fs';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';
import { DIRECTORY, FURNITURE } from './cast.js';
import { HOUR, MINUTE, addDays, atMinute, weekStart } from './page/model.js';
import { Front } from './server.js';
import { World } from './world.js';

const PORTS_TO_TRY = 20;
const QUIET_MS = 300;

export class Demo {
	/** @param {{ port: number, strict?: boolean, kind?: typeof Stack }} how strict: that port or none; kind: where the programs are */
	static async start({ port, strict = true, kind = Stack }) {
		const demo = new Demo(kind);
		try {
			/* First of all the port: the most likely thing to be wrong. */
			await demo.open(port, strict);
			await demo.rise();
			return demo;
		} catch (e) {
			await demo.abandon();
			throw e;
		}
	}

	/** @param {typeof Stack} [kind] */
	constructor(kind = Stack) {
		this.kind = kind;
		/** @type {World | null} */
		this.world = null;
		/** @type {Stack | null} */
		this.stack = null;
		this.keep = process.env.KEEP_FOLDERS === '1';
		this.front = new Front(/** @type {any} */ (waitingWorld), 0);
	}

	/** @param {number} port @param {boolean} strict */
	async open(port, strict) {
		for (let next = port; ; next++)
			try {
				await this.front.listen(next);
				return;
			} catch (e) {
				const code = /** @type {NodeJS.ErrnoException} */ (e).code;
				if (code === 'EACCES')
					throw new Error(`port ${next} needs root; take one above 1023 with --port`);
				if (code !== 'EADDRINUSE')
					throw e;
				if (strict || next - port >= PORTS_TO_TRY)
					throw new Error(`port ${port} is busy; take another one with --port N`);
			}
	}

	async rise() {
		this.stack = await this.kind.start('demo', {
			clock: true, directory: DIRECTORY, settings: { unblu: { publicLinkBase: 'https://meet.alpinebank.example' } },
			config: {
				syncServerSubscriptionExpiration: HOUR, notificationDebounceMs: 200, deletionGraceSeconds: 1,
				officeJsUrl: `http://127.0.0.1:${this.front.port}/demo/office.js`, showDebugPane: true, providerName: 'Alpine Bank IT',
			},
		});
		const { dir } = this.stack;
		/* Also when a signal ends us in the middle; after a failure the folder is wanted. */
		process.once('exit', () => {
			if (!this.keep)
				fs.rmSync(dir, { recursive: true, force: true });
		});
		this.world = new World(this.stack, (name, data) => this.front.tell(name, data));
		this.front.world = this.world;
		this.front.behind = this.stack.port;
		this.furnish();
		this.world.start();
	}

	/** The instant of a wall-clock hour of the shown week. @param {number} day 0: Monday @param {number} hour */
	at(day, hour) {
		return atMinute(addDays(weekStart(this.running.now()), day), hour * 60);
	}

	get running() {
		if (this.stack === null)
			throw new Error('not started');
		return this.stack;
	}

	get shown() {
		if (this.world === null)
			throw new Error('not started');
		return this.world;
	}

	/** Ordinary events, so that the calendars are not empty. */
	furnish() {
		for (const f of FURNITURE) {
			const start = this.at(f.day, f.hour);
			this.shown.run({ action: 'create', mailbox: this.running.mailboxes[f.who].oid, subject: f.subject, start, end: start + f.minutes * MINUTE });
		}
	}

	/** Until the clouds have not been asked anything for a while: a moved clock makes more than one thing due. */
	async quiet() {
		const { requests } = this.shown.sim.journal;
		let seen = -1;
		let since = 0;
		await waitFor(() => {
			if (requests.total !== seen) {
				seen = requests.total;
				since = performance.now();
			}
			return performance.now() - since > QUIET_MS;
		}, 15_000, 'no request for a while');
	}

	/** Ends everything; throws when something was not as it must be. */
	async stop() {
		await this.world?.stop();
		await this.front.stop();
		await this.stack?.stop();
	}

	/** After a failure. */
	async abandon() {
		this.keep = true;
		await this.world?.stop();
		if (this.front.port !== 0)
			await this.front.stop();
		await this.stack?.abandon();
	}
}

/** What the front door shows until there is something to show. */
const waitingWorld = new Proxy({}, { get: () => () => { throw new Error('the demo is still starting'); } });
