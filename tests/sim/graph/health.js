// @ts-check
/*
 * "Slow" and "drop" states of an endpoint (graph.md section 5), per host, over windows of 10 virtual minutes. Off by
 * default. Slow: what is new waits 10 minutes. Drop: what is new is thrown away for 10 minutes. Behind either a small
 * sample is let through, and what becomes of it decides; who lost something is told `missed` once the host is well.
 */

const WINDOW_MS = 600_000;
const ENOUGH = 10;
const SAMPLE = 3;
const SLOW_SHARE = 0.1;
const LATE_SHARE = 0.15;

/**
 * @typedef {object} Host
 * @property {number} from of the window @property {number} answers @property {number} slow over the first timeout @property {number} late over that of retries
 * @property {'ok' | 'slow' | 'drop'} state @property {boolean} sampling @property {number} sample let through @property {Set<any>} missed subscriptions that lost something
 */

export class EndpointHealth {
	/** @type {Map<string, Host>} */
	hosts = new Map();

	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
	}

	clear() {
		this.hosts = new Map();
	}

	/** @param {string} url */
	host(url) {
		const name = new URL(url).host;
		let h = this.hosts.get(name);
		if (h === undefined) {
			h = { from: this.sim.clock.now(), answers: 0, slow: 0, late: 0, state: 'ok', sampling: false, sample: 0, missed: new Set() };
			this.hosts.set(name, h);
		}
		return h;
	}

	/** How long a new post must wait, or that it is dropped. @param {string} url @param {Set<any>} subs @returns {number | 'drop'} */
	gate(url, subs) {
		if (!this.sim.settings.graph.delivery.endpointHealth)
			return 0;
		const h = this.host(url);
		if (h.state === 'ok')
			return 0;
		if (h.sampling && h.sample < SAMPLE) {
			h.sample++;
			return 0;
		}
		if (h.state === 'slow')
			return WINDOW_MS;
		for (const sub of subs)
			h.missed.add(sub);
		return 'drop';
	}

	/** @param {string} url @param {boolean} first @param {{ ms: number, status: number }} answer */
	note(url, first, answer) {
		const { delivery } = this.sim.settings.graph;
		if (!delivery.endpointHealth)
			return;
		const h = this.host(url);
		if (h.state === 'ok' && this.sim.clock.now() - h.from > WINDOW_MS)
			this.begin(h);
		h.answers++;
		h.slow += Number(answer.ms > delivery.firstTimeoutMs - 5);
		h.late += Number(!first && answer.ms > delivery.retryTimeoutMs - 5);
		if (h.answers >= (h.sampling ? SAMPLE : ENOUGH))
			this.judge(h);
	}

	/** @param {Host} h */
	begin(h) {
		Object.assign(h, { from: this.sim.clock.now(), answers: 0, slow: 0, late: 0, sample: 0 });
	}

	/** @param {Host} h */
	judge(h) {
		if (h.late / h.answers > LATE_SHARE)
			this.enter(h, 'drop');
		else if (h.slow / h.answers > SLOW_SHARE && (h.state === 'ok' || h.sampling))
			this.enter(h, 'slow');
		else if (h.sampling)
			this.recover(h);
	}

	/** @param {Host} h @param {'slow' | 'drop'} state */
	enter(h, state) {
		const known = h.state === state && !h.sampling;
		Object.assign(h, { state, sampling: false });
		if (known)
			return;
		this.sim.clock.after(WINDOW_MS, () => {
			if (h.state !== state || h.sampling)
				return;
			this.begin(h);
			h.sampling = true;
		});
	}

	/** @param {Host} h */
	recover(h) {
		Object.assign(h, { state: 'ok', sampling: false });
		this.begin(h);
		const subs = [...h.missed];
		h.missed.clear();
		for (const sub of subs)
			this.sim.lifecycle.missed(sub);
	}

	describe() {
		return Object.fromEntries(this.hosts);
	}
}
