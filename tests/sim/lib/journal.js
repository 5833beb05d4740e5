// @ts-check
/*
 * What happened: bounded rings for reading, exact counters for asserting, and a live stream.
 * Nothing here scans on the path of a request.
 */

/** A ring that keeps the newest `size` items; `total` counts all that ever were. */
export class Ring {
	/** @param {number} size */
	constructor(size) {
		this.size = size;
		/** @type {any[]} */
		this.items = [];
		this.total = 0;
	}

	/** @param {any} item */
	push(item) {
		if (this.items.length < this.size)
			this.items.push(item);
		else
			this.items[this.total % this.size] = item;
		this.total++;
	}

	/** Oldest first. */
	list() {
		if (this.total <= this.size)
			return [...this.items];
		const cut = this.total % this.size;
		return [...this.items.slice(cut), ...this.items.slice(0, cut)];
	}

	clear() {
		this.items = [];
		this.total = 0;
	}
}

/** @returns {MailboxCounters} */
function freshMailbox() {
	return { requests: 0, throttled: 0, early: 0, inFlight: 0, maxConcurrent: 0, exchanges: 0, maxExchanges: 0 };
}

/**
 * inFlight/maxConcurrent are what Outlook sees (batch members one by one), exchanges/maxExchanges the
 * HTTP exchanges of the client that touch the mailbox (a batch is one).
 * @typedef {{ requests: number, throttled: number, early: number, inFlight: number, maxConcurrent: number, exchanges: number, maxExchanges: number }} MailboxCounters
 */

export class Journal {
	/** service -> op -> status -> count @type {Record<string, Record<string, Record<string, number>>>} */
	counts = {};
	/** @type {Map<string, MailboxCounters>} */
	mailboxes = new Map();
	early = 0;
	handshakes = { sent: 0, answered: 0, unanswered: 0 };
	deliveries = { posts: 0, attempts: 0, delivered: 0, failedAttempts: 0, dropped: 0, items: 0, slow: 0 };

	/** @param {import('./clock.js').Clock} clock @param {number} size */
	constructor(clock, size) {
		this.clock = clock;
		this.requests = new Ring(size);
		/** @type {Set<(type: string, data: any) => void>} */
		this.listeners = new Set();
	}

	clear() {
		this.requests.clear();
		this.counts = {};
		this.mailboxes = new Map();
		this.early = 0;
		this.handshakes = { sent: 0, answered: 0, unanswered: 0 };
		this.deliveries = { posts: 0, attempts: 0, delivered: 0, failedAttempts: 0, dropped: 0, items: 0, slow: 0 };
	}

	/** @param {string} oid */
	mailbox(oid) {
		let found = this.mailboxes.get(oid);
		if (found === undefined) {
			found = freshMailbox();
			this.mailboxes.set(oid, found);
		}
		return found;
	}

	/** One finished request. @param {any} entry */
	request(entry) {
		entry.seq = this.requests.total;
		const service = (this.counts[entry.service] ??= {});
		const op = (service[entry.op] ??= {});
		op[entry.status] = (op[entry.status] ?? 0) + 1;
		if (entry.early)
			this.early++;
		if (entry.mailbox !== undefined && entry.service === 'graph' && entry.op !== 'batch') {
			const m = this.mailbox(entry.mailbox);
			m.requests++;
			if (entry.status === 429)
				m.throttled++;
			if (entry.early)
				m.early++;
		}
		this.requests.push(entry);
		this.emit('request', entry);
	}

	/** To everybody who follows the stream. @param {string} type @param {any} data */
	emit(type, data) {
		if (this.listeners.size === 0)
			return;
		for (const listener of this.listeners)
			listener(type, data);
	}

	/**
	 * Newest `limit` entries that match, oldest first.
	 * @param {{ service?: string, op?: string, mailbox?: string, tenant?: string, conversation?: string, subscription?: string, status?: string, after?: number, limit?: number }} want
	 */
	find(want) {
		const fields = /** @type {const} */ (['service', 'op', 'mailbox', 'tenant', 'conversation', 'subscription']);
		const out = this.requests.list().filter((e) => {
			if (want.after !== undefined && e.seq <= want.after)
				return false;
			if (want.status !== undefined && String(e.status) !== want.status)
				return false;
			return fields.every((f) => want[f] === undefined || e[f] === want[f]);
		});
		return want.limit === undefined ? out : out.slice(-want.limit);
	}

	counters() {
		return {
			requests: this.counts,
			requestsTotal: this.requests.total,
			earlyRetries: this.early,
			mailboxes: Object.fromEntries(this.mailboxes),
			handshakes: this.handshakes,
			deliveries: this.deliveries,
		};
	}
}
