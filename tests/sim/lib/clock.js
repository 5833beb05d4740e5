// @ts-check
/*
 * Virtual time of all simulators: real time, times a factor, plus an offset that the harness sets.
 * Timers are due in virtual time, so a jump of the offset runs everything that became due.
 */

const LONGEST_SLEEP_MS = 3600_000;

/**
 * @typedef {{ due: number, seq: number, run: () => void, dead: boolean }} Timer
 */

export class Clock {
	constructor() {
		this.offsetMs = 0;
		this.factor = 1;
		this.anchorMs = Date.now();
		/** @type {Timer[]} a binary heap, earliest first */
		this.heap = [];
		this.seq = 0;
		/** @type {NodeJS.Timeout | null} */
		this.sleeper = null;
		this.closed = false;
	}

	/** Virtual Unix milliseconds. */
	now() {
		return Math.floor(this.anchorMs + (Date.now() - this.anchorMs) * this.factor + this.offsetMs);
	}

	/** ISO text of a virtual instant. @param {number} [ms] */
	iso(ms = this.now()) {
		return new Date(ms).toISOString();
	}

	/**
	 * offsetMs is absolute, advanceMs relative; a factor change keeps the present instant.
	 * @param {{ offsetMs?: number, advanceMs?: number, factor?: number }} change
	 */
	set(change) {
		for (const name of ['offsetMs', 'advanceMs', 'factor']) {
			const value = /** @type {any} */ (change)[name];
			if (value !== undefined && !Number.isFinite(value))
				throw new RangeError(`clock: ${name} must be a number`);
		}
		if (change.factor !== undefined) {
			if (change.factor < 0)
				throw new RangeError('clock: factor must not be negative');
			const real = Date.now();
			const skew = (real - this.anchorMs) * (this.factor - 1);
			this.offsetMs += skew;
			this.anchorMs = real;
			this.factor = change.factor;
		}
		if (change.offsetMs !== undefined)
			this.offsetMs = change.offsetMs;
		if (change.advanceMs !== undefined)
			this.offsetMs += change.advanceMs;
		this.wake();
	}

	describe() {
		const now = this.now();
		return { now, iso: this.iso(now), realNow: Date.now(), offsetMs: Math.round(this.offsetMs), factor: this.factor };
	}

	/**
	 * Runs fn once, delayMs of virtual time from now. Returns a function that cancels it.
	 * @param {number} delayMs @param {() => void} fn
	 */
	after(delayMs, fn) {
		return this.at(this.now() + Math.max(0, delayMs), fn);
	}

	/** @param {number} due @param {() => void} fn */
	at(due, fn) {
		/** @type {Timer} */
		const timer = { due, seq: this.seq++, run: fn, dead: false };
		push(this.heap, timer);
		if (this.heap[0] === timer)
			this.arm();
		return () => {
			timer.dead = true;
		};
	}

	arm() {
		if (this.sleeper !== null)
			clearTimeout(this.sleeper);
		this.sleeper = null;
		while (this.heap.length > 0 && this.heap[0].dead)
			pop(this.heap);
		if (this.heap.length === 0 || this.closed || this.factor === 0 && this.heap[0].due > this.now())
			return;
		const wait = (this.heap[0].due - this.now()) / (this.factor || 1);
		this.sleeper = setTimeout(() => this.wake(), Math.min(Math.max(0, Math.ceil(wait)), LONGEST_SLEEP_MS));
		this.sleeper.unref?.();
	}

	/** Runs what is due; called by the real timer and by every change of the clock. */
	wake() {
		for (;;) {
			while (this.heap.length > 0 && this.heap[0].dead)
				pop(this.heap);
			if (this.closed || this.heap.length === 0 || this.heap[0].due > this.now())
				break;
			/** @type {Timer} */ (pop(this.heap)).run();
		}
		this.arm();
	}

	close() {
		this.closed = true;
		if (this.sleeper !== null)
			clearTimeout(this.sleeper);
		this.heap = [];
	}
}

/** @param {Timer} a @param {Timer} b */
function earlier(a, b) {
	return a.due < b.due || (a.due === b.due && a.seq < b.seq);
}

/** @param {Timer[]} heap @param {Timer} timer */
function push(heap, timer) {
	let i = heap.length;
	heap.push(timer);
	while (i > 0) {
		const parent = (i - 1) >> 1;
		if (!earlier(timer, heap[parent]))
			break;
		heap[i] = heap[parent];
		i = parent;
	}
	heap[i] = timer;
}

/** @param {Timer[]} heap */
function pop(heap) {
	const first = heap[0];
	const last = /** @type {Timer} */ (heap.pop());
	if (heap.length === 0)
		return first;
	let i = 0;
	for (;;) {
		let child = 2 * i + 1;
		if (child >= heap.length)
			break;
		if (child + 1 < heap.length && earlier(heap[child + 1], heap[child]))
			child++;
		if (!earlier(heap[child], last))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return first;
}
