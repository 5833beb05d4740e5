// @ts-check
/*
 * pane-desk.js - the parts that the pane works with, and an end to work that does not come to one: by the agent, or after
 * a while. What hung then goes on for nobody: its exchanges and its dialog are ended, it no longer reaches the event, and
 * it no longer keeps the button waiting. Everything after it has new parts.
 */

import { AddinError } from './errors.js';

/** @typedef {import('./app.js').App} App */

/** As long as the button waits for a person. */
const LONGEST_MS = 240_000;

/** The same as long as it may go on. @template {object} T @param {T} o @param {() => void} check throws @returns {T} */
function guarded(o, check) {
	return new Proxy(o, {
		get(target, name) {
			check();
			return Reflect.get(target, name);
		},
	});
}

/** @param {App} app @returns {import('./flow.js').Ports} */
function portsOf(app) {
	const ports = app.ports();
	const { item, check } = ports;
	return { ...ports, item: guarded({ ...item, loadProperties: async () => guarded(await item.loadProperties(), check) }, check) };
}

export class Desk {
	/** @param {(before: App | null) => App} open new parts, in place of the ones before @param {number} [longestMs] */
	constructor(open, longestMs = LONGEST_MS) {
		this.longestMs = longestMs;
		this.open = open;
		this.app = open(null);
		/** Ends the work in progress. @type {(code?: string) => void} */
		this.end = () => undefined;
	}

	/**
	 * AddinError `cancelled` by end(), `timeout`.
	 * @template T @param {(app: App, over: Promise<never>) => Promise<T>} run @returns {Promise<T>}
	 */
	async work(run) {
		const { app } = this;
		/** @type {Promise<never>} */
		const over = new Promise((_, reject) => {
			this.end = (code = 'cancelled') => {
				app.end();
				this.app = this.open(app);
				this.end = () => undefined;
				reject(new AddinError(code));
			};
		});
		over.catch(() => undefined);
		const timer = setTimeout(() => this.end('timeout'), this.longestMs);
		try {
			return await Promise.race([run(app, over), over]);
		} finally {
			clearTimeout(timer);
			this.end = () => undefined;
		}
	}

	/** New parts for another event; work on the one before is ended. */
	renew() {
		this.end();
		this.app.end();
		this.app = this.open(this.app);
	}

	/** Work on the event, alone. @template T @param {(ports: import('./flow.js').Ports) => Promise<T>} flow @returns {Promise<T>} */
	flow(flow) {
		return this.work((app, over) => app.alone(() => Promise.race([flow(portsOf(app)), over])));
	}
}
