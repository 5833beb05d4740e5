// @ts-check
/*
 * Simulators of Entra ID, Microsoft Graph, the Auth Gateway and Unblu, in one process and in memory.
 *
 *   const sim = await startSimulators({ seed: 7 });
 *   sim.urls            // { entra, graph, unblu, gateway, rest, control }
 *   await sim.control('POST', '/control/actions', { action: 'create', mailbox: ..., subject: ... })
 *   await sim.close();
 */

import fs from 'node:fs';
import { controlService } from './control/index.js';
import { Keys } from './entra/keys.js';
import { entraService } from './entra/index.js';
import { SignIns } from './entra/signin.js';
import { TokenStore } from './entra/token.js';
import { Actions } from './graph/actions.js';
import { Calendars } from './graph/calendar.js';
import { DeliveryEngine } from './graph/deliver.js';
import { graphService } from './graph/index.js';
import { Lifecycle } from './graph/lifecycle.js';
import { Notifier } from './graph/notify.js';
import { Subscriptions } from './graph/subscriptions.js';
import { Checks } from './lib/checks.js';
import { Clock } from './lib/clock.js';
import { Directory } from './lib/directory.js';
import { Faults } from './lib/faults.js';
import { Journal, Ring } from './lib/journal.js';
import { listen } from './lib/listener.js';
import { Outbound } from './lib/outbound.js';
import { Rng } from './lib/rng.js';
import { defaultSettings, mergeSettings } from './lib/settings.js';
import { Conversations } from './unblu/conversations.js';
import { Gateway } from './unblu/gateway.js';
import { unbluService } from './unblu/index.js';
import { People } from './unblu/people.js';

const DEFAULTS = new URL('./defaults.json', import.meta.url);
const LOG_SIZE = 20_000;
const DELIVERY_LOG_SIZE = 20_000;

/**
 * @typedef {object} Options
 * @property {{ entra?: number, graph?: number, unblu?: number, control?: number }} [ports] 0 or absent: a free one
 * @property {number} [seed]
 * @property {any} [tenants] what replaces defaults.json, in whole or by its top-level members
 * @property {any} [settings] merged into the defaults
 * @property {number} [logSize]
 */

export class Simulators {
	/** @type {Directory} */
	directory = /** @type {any} */ (null);
	signIns = new SignIns();
	/** @type {TokenStore} */
	tokens = /** @type {any} */ (null);
	/** @type {Calendars} */
	calendars = /** @type {any} */ (null);
	/** @type {Subscriptions} */
	subscriptions = /** @type {any} */ (null);
	/** @type {Lifecycle} */
	lifecycle = /** @type {any} */ (null);
	/** @type {Notifier} */
	notifier = /** @type {any} */ (null);
	/** @type {People} */
	people = /** @type {any} */ (null);
	/** @type {Conversations} */
	conversations = /** @type {any} */ (null);
	/** @type {Gateway} */
	gateway = /** @type {any} */ (null);

	/** @param {Options} options */
	constructor(options) {
		this.options = options;
		this.data = { ...JSON.parse(fs.readFileSync(DEFAULTS, 'utf8')), ...options.tenants };
		this.clock = new Clock();
		this.outbound = new Outbound();
		this.urls = { entra: '', graph: '', unblu: '', gateway: '', rest: '', control: '' };
		/** @type {import('node:http').Server[]} */
		this.servers = [];
		/** @type {string[]} errors of the simulators themselves: a test that sees one has found a bug here */
		this.errors = [];
		this.seed = options.seed ?? 1;
		this.rng = new Rng(this.seed);
		this.settings = mergeSettings(defaultSettings(), options.settings ?? {});
		this.journal = new Journal(this.clock, options.logSize ?? LOG_SIZE);
		this.faults = new Faults(this.clock, this.rng);
		this.checks = new Checks(this);
		this.keys = new Keys(this);
		this.delivery = new DeliveryEngine(this, DELIVERY_LOG_SIZE);
		this.actions = new Actions(this);
		this.world();
	}

	/** What a reset makes anew: a world without events, subscriptions and conversations. */
	world() {
		this.directory = new Directory(this.data);
		this.tokens = new TokenStore(this);
		this.signIns = new SignIns();
		this.calendars = new Calendars(this);
		this.subscriptions = new Subscriptions(this);
		this.lifecycle = new Lifecycle(this);
		this.notifier = new Notifier(this);
		this.handshakes = new Ring(1000);
		/** @type {Map<string, any>} */
		this.deltaTokens = new Map();
		this.people = new People(this);
		this.conversations = new Conversations(this);
		this.gateway = new Gateway(this, this.data.gateway);
	}

	/** Back to the start: same ports, same keys, journal and clock cleared. @param {{ seed?: number, settings?: any, keepClock?: boolean }} [how] */
	reset(how = {}) {
		for (const sub of this.subscriptions.byId.values())
			sub.stopExpiry();
		this.clock.heap = [];
		if (!how.keepClock)
			this.clock.set({ offsetMs: 0, factor: 1 });
		this.seed = how.seed ?? this.seed;
		this.rng.state = this.rng.seed = this.seed >>> 0;
		Object.assign(this.settings, mergeSettings(mergeSettings(defaultSettings(), this.options.settings ?? {}), how.settings ?? {}));
		this.journal.clear();
		this.faults.clear();
		this.checks.clear();
		this.errors.length = 0;
		this.world();
		this.delivery.clear();
		this.journal.emit('reset', { seed: this.seed });
	}

	/** @param {any} e */
	fail(e) {
		const text = e?.stack ?? String(e);
		this.errors.push(text);
		this.journal.emit('simulatorError', { text });
	}

	async start() {
		await this.keys.start();
		const ports = this.options.ports ?? {};
		const services = /** @type {const} */ ([['entra', entraService], ['graph', graphService], ['unblu', unbluService]]);
		for (const [name, make] of services) {
			const server = await listen(this, make(this), ports[name] ?? 0);
			this.servers.push(server);
			this.urls[name] = urlOf(server);
		}
		this.urls.gateway = `${this.urls.unblu}/gateway`;
		this.urls.rest = `${this.urls.gateway}/app/rest/v4`;
		this.controller = controlService(this);
		const server = await this.controller.listen(ports.control ?? 0);
		this.servers.push(server);
		this.urls.control = urlOf(server);
		return this;
	}

	/**
	 * The control interface without HTTP: same routes, same answers; throws on a refusal.
	 * @param {string} method @param {string} path @param {any} [body]
	 */
	async control(method, path, body) {
		const reply = await /** @type {any} */ (this.controller).call(method, path, body);
		if (reply.status >= 400)
			throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
		return reply.body;
	}

	async close() {
		this.clock.close();
		this.controller?.close();
		this.outbound.close();
		await Promise.all(this.servers.map((server) => new Promise((resolve) => {
			server.close(resolve);
			server.closeAllConnections();
		})));
	}
}

/** @param {import('node:http').Server} server */
function urlOf(server) {
	const address = /** @type {import('node:net').AddressInfo} */ (server.address());
	return `http://127.0.0.1:${address.port}`;
}

/** @param {Options} [options] @returns {Promise<Simulators>} */
export async function startSimulators(options = {}) {
	return new Simulators(options).start();
}
