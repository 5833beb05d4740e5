// @ts-check
/*
 * What the pane knows and does: facts for pane-view.js, gathered over ports and changed by the agent's
 * actions. One action at a time; every failure ends as a fact, none is thrown.
 */

import { AddinError } from './errors.js';

/**
 * @typedef {import('./pane-view.js').Facts} Facts
 * @typedef {import('./pane-view.js').Problem} Problem
 *
 * @typedef {object} Ports what the pane needs of the rest
 * @property {() => Promise<Exclude<Facts['place'], 'loading'>>} place
 * @property {() => Promise<NonNullable<Facts['config']>>} config
 * @property {() => Promise<import('./pane-view.js').EventFacts>} inspect
 * @property {(how: { replace: boolean }) => Promise<string>} create the one-click flow, and how it ended; replace: also when there is one
 * @property {() => Promise<string>} repair
 * @property {(how: { only: boolean }) => Promise<string>} remove only: what stands in the event, not the conversation
 * @property {() => Promise<Facts['session']>} account who is signed in, without asking anybody
 * @property {() => Promise<string>} signIn asks the agent
 * @property {() => void} cancel ends the action in progress
 * @property {() => Promise<void>} signOut
 * @property {() => Promise<any>} same repair of an event that seems a copy and is the first one
 * @property {(conversationId: string) => Promise<import('./pane-view.js').SyncFacts | null>} sync GET api/links; null: the server knows no such link
 * @property {(e: unknown, action: string) => Problem} problem
 */

/** The server learns of a save only a moment later. */
const LOOK_MS = 15_000;
const LOOKS = 240;
/** The server has not heard of the conversation. @type {import('./pane-view.js').SyncFacts} */
const UNKNOWN = { state: 'unknown', topic: null, start: null, syncedAt: null, lastError: null };

/** What is known at first. @type {Facts} */
export const NOTHING = {
	place: 'loading', config: null, configProblem: null, event: null, session: { state: 'unknown', account: '' },
	busy: null, done: null, asking: false, sync: null, syncProblem: null, problem: null,
};

export class Pane {
	/** @param {Ports} ports @param {(facts: Facts) => void} show */
	constructor(ports, show) {
		this.ports = ports;
		this.show = show;
		this.facts = { ...NOTHING };
		this.loads = 0;
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		this.timer = undefined;
		this.looks = 0;
		this.readings = 0;
		/** The reading in progress that nobody asked for. @type {Promise<unknown> | null} */
		this.reading = null;
		/** Ends an action's wait for it: the action is not begun. */
		this.stop = () => {};
	}

	/** @param {Partial<Facts>} change */
	set(change) {
		this.facts = { ...this.facts, ...change };
		this.show(this.facts);
	}

	/** Everything anew. What a later one has overtaken, as by another event in view, shows nothing any more. */
	async load() {
		const turn = ++this.loads;
		this.set({ place: 'loading', problem: null, configProblem: null });
		const place = await this.ports.place();
		if (turn !== this.loads)
			return;
		if (place === 'outside' || place === 'no-office' || place === 'no-texts')
			return this.set({ place });
		try {
			const config = await this.ports.config();
			if (turn !== this.loads)
				return;
			this.facts.config = config;
		} catch (e) {
			if (turn === this.loads)
				this.set({ place, config: null, configProblem: this.ports.problem(e, 'reload') });
			return;
		}
		if (place !== 'ready')
			return this.set({ place });
		await this.inspect();
		if (turn !== this.loads)
			return;
		this.set({ place });
		await this.look();
	}

	/**
	 * Reads the event; a failure is a problem that can be tried again. What a later reading has overtaken changes nothing.
	 * @param {boolean} [unasked] nor then does what an action has overtaken, or that a click is at work on it
	 * @returns {Promise<boolean>} whether it counts
	 */
	async inspect(unasked = false) {
		const turn = ++this.readings;
		const isCurrent = () => turn === this.readings && !(unasked && (this.facts.busy !== null || this.facts.asking));
		try {
			const event = await this.ports.inspect();
			if (isCurrent())
				this.facts.event = event;
		} catch (e) {
			const problem = this.ports.problem(e, 'reload');
			if (!isCurrent() || unasked && problem.code === 'busy')
				return false;
			this.facts.event ??= { kind: 'single', shared: null, link: null, inBody: false, unread: false, foreign: false, start: null, newer: false };
			this.facts.problem = problem;
		}
		return isCurrent();
	}

	/** Who is signed in, and what the server says of the conversation. Asks the agent nothing. */
	async look() {
		clearTimeout(this.timer);
		const turn = this.loads;
		const { event, config } = this.facts;
		if (this.facts.session.state !== 'out')
			await this.who();
		if (turn !== this.loads || event?.link == null || config?.syncServerEnabled !== true || !this.isIn())
			return;
		await this.sync(event.link.conversationId);
		if (turn === this.loads && this.isIn() && ++this.looks < LOOKS)
			this.timer = setTimeout(() => void this.again(), LOOK_MS);
	}

	isIn() {
		return this.facts.session.state === 'in';
	}

	async again() {
		if (this.facts.busy === null && !this.facts.asking)
			await this.look();
	}

	/** The event may have been changed from elsewhere: by the button, or by the agent's own hand. */
	async changed() {
		const { place, busy, asking, problem } = this.facts;
		if (place !== 'ready' || busy !== null || asking || problem !== null || this.reading !== null)
			return;
		const before = this.facts.event?.link?.conversationId;
		const reading = this.inspect(true);
		this.reading = reading;
		const isNew = await reading;
		this.reading = null;
		if (!isNew)
			return;
		if (this.facts.event?.link?.conversationId !== before)
			Object.assign(this.facts, { done: null, sync: null, syncProblem: null });
		this.set({});
		await this.look();
	}

	/** Another event is in view: nothing of the one before is shown or goes on. */
	async moved() {
		clearTimeout(this.timer);
		this.stop();
		this.readings++;
		Object.assign(this.facts, { event: null, done: null, sync: null, syncProblem: null, asking: false });
		await this.load();
	}

	async who() {
		const session = await this.ports.account().catch(() => /** @type {Facts['session']} */ ({ state: 'needed', account: '' }));
		/* Signed out meanwhile is signed out. */
		if (this.facts.session.state !== 'out')
			this.set({ session });
	}

	/** @param {string} id */
	async sync(id) {
		const isOf = () => this.isIn() && this.facts.event?.link?.conversationId === id;
		try {
			const sync = await this.ports.sync(id);
			if (isOf())
				this.set({ sync: sync ?? UNKNOWN, syncProblem: null });
		} catch (e) {
			if (isOf())
				this.set({ sync: null, syncProblem: this.ports.problem(e, 'refresh') });
		}
	}

	/** @param {string} id of an action of the view */
	async act(id) {
		if (id === 'cancel') {
			this.stop();
			return this.ports.cancel();
		}
		if (this.facts.busy !== null)
			return;
		this.looks = 0;
		switch (id) {
		case 'create': return this.run('create', () => this.ports.create({ replace: false }), id);
		case 'create-new': return this.run('create', () => this.ports.create({ replace: true }), id);
		case 'repair': return this.run('repair', () => this.ports.repair(), id);
		case 'remove': return this.set({ asking: true, problem: null, done: null });
		case 'same': return this.run('repair', () => this.ports.same(), id);
		case 'remove-no': return this.set({ asking: false });
		case 'remove-yes': return this.run('remove', () => this.ports.remove({ only: false }), 'remove');
		case 'remove-only': return this.run('remove', () => this.ports.remove({ only: true }), id);
		case 'sign-in': return this.run('sign-in', () => this.signIn(), id);
		case 'sign-out': return this.signOut();
		case 'retry': return this.retry();
		case 'dismiss':
			this.set({ problem: null });
			return this.load();
		case 'refresh':
			this.set({ sync: null, syncProblem: null });
			return this.look();
		default: return this.load();
		}
	}

	async retry() {
		const what = this.facts.problem?.retry ?? 'reload';
		await this.act(what === 'remove' ? 'remove-yes' : what);
	}

	/** Until that reading has ended. @param {Promise<unknown>} reading @returns {Promise<boolean>} false: the action was stopped before */
	isFree(reading) {
		return Promise.race([reading.then(() => true), new Promise((resolve) => { this.stop = () => resolve(false); })]);
	}

	/**
	 * What was asked for one event is never done to another, and is no matter of that one.
	 * @param {NonNullable<Facts['busy']>} busy @param {() => Promise<Facts['done']>} work tells how it ended
	 * @param {string} retry
	 */
	async run(busy, work, retry) {
		const turn = this.loads;
		/* A sign-in that was given up may never end. */
		this.set({ busy, problem: null, asking: false, done: null, waiting: false });
		const isFree = this.reading === null || await this.isFree(this.reading);
		if (turn !== this.loads)
			return this.set({ busy: null });
		if (!isFree)
			return this.set({ busy: null, problem: this.ports.problem(new AddinError('cancelled'), retry) });
		/** @type {Problem | null} */
		let failure = null;
		/** @type {Partial<Facts>} */
		let end = {};
		try {
			end = { done: await work(), sync: null, syncProblem: null };
		} catch (e) {
			failure = this.ports.problem(e, retry);
		}
		if (turn !== this.loads)
			return this.set({ busy: null });
		Object.assign(this.facts, end);
		await this.inspect();
		if (turn !== this.loads)
			return this.set({ busy: null });
		this.set({ busy: null, problem: failure ?? this.facts.problem });
		await this.look();
	}

	async signIn() {
		const account = await this.ports.signIn();
		this.facts.session = { state: 'in', account };
		return null;
	}

	async signOut() {
		clearTimeout(this.timer);
		try {
			await this.ports.signOut();
		} catch {
			/* What is in this page is gone all the same. */
		}
		this.set({ session: { state: 'out', account: '' }, sync: null, syncProblem: null, problem: null, asking: false, done: null });
	}
}
