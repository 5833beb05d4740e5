// @ts-check
/* "Slow" and "drop" states of an endpoint (graph.md section 5), per host, over windows of 10 virtual minutes. Off by default. */

const WINDOW_MS = 600_000;
const ENOUGH = 10;

export class EndpointHealth {
	/** @type {Map<string, { from: number, answers: number, slow: number, late: number, state: 'ok' | 'slow' | 'drop', until: number }>} */
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
			h = { from: this.sim.clock.now(), answers: 0, slow: 0, late: 0, state: 'ok', until: 0 };
			this.hosts.set(name, h);
		}
		return h;
	}

	/** How long a new post must wait, or that it is dropped. @param {string} url @returns {number | 'drop'} */
	gate(url) {
		if (!this.sim.settings.graph.delivery.endpointHealth)
			return 0;
		const h = this.host(url);
		const now = this.sim.clock.now();
		if (h.until <= now)
			h.state = 'ok';
		if (h.state === 'drop')
			return 'drop';
		return h.state === 'slow' ? WINDOW_MS : 0;
	}

	/** @param {string} url @param {boolean} first @param {{ ms: number, status: number }} answer */
	note(url, first, answer) {
		const { delivery } = this.sim.settings.graph;
		if (!delivery.endpointHealth)
			return;
		const h = this.host(url);
		const now = this.sim.clock.now();
		if (now - h.from > WINDOW_MS)
			Object.assign(h, { from: now, answers: 0, slow: 0, late: 0 });
		h.answers++;
		if (answer.ms > delivery.firstTimeoutMs - 5)
			h.slow++;
		if (!first && answer.ms > delivery.retryTimeoutMs - 5)
			h.late++;
		if (h.answers < ENOUGH)
			return;
		if (h.late / h.answers > 0.15)
			Object.assign(h, { state: 'drop', until: now + WINDOW_MS });
		else if (h.slow / h.answers > 0.1 && h.state === 'ok')
			Object.assign(h, { state: 'slow', until: now + WINDOW_MS });
	}

	describe() {
		return Object.fromEntries(this.hosts);
	}
}
