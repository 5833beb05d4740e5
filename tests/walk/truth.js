// @ts-check
/*
 * What is really so, seen from the clouds: which conversation has which living events, what each event has asked
 * for over time, and whether each write and each deletion of the product was right at the moment it happened.
 */

import { occurrencesOf } from '../sim/graph/series.js';
import { timeOf, topicOf } from './rule.js';

/**
 * @typedef {import('../lib/simulators.js').Mailbox} Mailbox
 * @typedef {object} Talk a conversation and what belongs to it
 * @property {number} number
 * @property {string} id @property {string} sourceId @property {Mailbox} owner
 * @property {{ topic: string, start: number, zone: string | null, shared: boolean }} about as announced
 * @property {'no' | 'maybe' | 'yes'} put answered 202, or perhaps taken
 * @property {boolean} foreign made so that nobody may touch it
 * @property {Map<any, { topic: string | null, times: string, alive: boolean }>} events with its property, ever, as last noted
 * @property {number} bookedAt virtual @property {boolean} everAlive
 * @property {number | null} aliveSince real; null: no living event @property {number} firstVanished virtual, 0 never
 * @property {number} topicStates @property {number} timeStates how often what its events ask for has changed
 * @property {Set<string>} topics @property {Set<number>} times every value that was ever asked for
 * @property {number} vanishings @property {number} seriesNotes
 * @property {number} touchedAt real, when somebody besides the agent came in or wrote; Infinity never
 * @property {number} startedAt real, when it left CREATED; Infinity never
 * @property {{ at: number, topic?: string, start?: number }[]} byHand changes inside Unblu
 * @property {string} end 'product', 'hand' or 'agent': who deleted it
 * @property {number} searched @property {number} read @property {number} history real, when that was last asked
 * @property {{ op: string, at: number, value: any, changed: boolean }[]} writes of the product, real time
 * @property {{ op: string, at: number, fault: string | undefined }[]} calls that would write
 * @property {string[]} story
 */

const READS = ['getEvent', 'listEvents', 'getEventCalendar', 'getCalendar', 'listCalendars', 'listCalendarView', 'listInstances'];
const DAY = 86400_000;
/* A request of one who has died may still lie before the door. */
const LATE_MS = 300;
/* The longest that what a dead one has sent may lie about unread. */
const BURIED_MS = 2000;
const SETTERS = ['setTopic', 'setScheduledTimestamp'];

export class Truth {
	/**
	 * @param {import('../lib/simulators.js').Simulators} sims
	 * @param {{ maxChars: number, fallback: string, defaultZone: string, graceMs: number, orphanMs: number }} rules
	 */
	constructor(sims, rules) {
		this.sims = sims;
		this.rules = rules;
		/** @type {Map<string, Talk>} by conversation */
		this.talks = new Map();
		/** @type {string[]} what was wrong at the moment it happened */
		this.wrong = [];
		/** What only sync asks for: real times. @type {{ mailbox: string, key: string, what: string, left: boolean, from: number, to: number }[]} */
		this.reads = [];
		/** Ends of sync: real times. @type {number[]} */
		this.deaths = [];
		/** Who was told last to wait, by whom it concerns. @type {Map<string, { from: number, to: number }>} */
		this.told = new Map();
		/** Of the product, in virtual time. @type {{ mailbox: string, at: number }[]} */
		this.deletions = [];
		/** Came too early although they had been told. @type {any[]} */
		this.early = [];
		sims.sim.journal.listeners.add((/** @type {string} */ type, /** @type {any} */ data) => {
			if (type === 'request')
				this.onRequest(data);
			else if (type === 'conversation' && data.write !== undefined)
				this.onWrite(data.id, data.write);
		});
	}

	/** @param {{ id: string, sourceId: string }} conversation @param {Mailbox} owner @param {Talk['about']} about @returns {Talk} */
	book(conversation, owner, about) {
		/** @type {Talk} */
		const talk = {
			number: this.talks.size + 1, ...conversation, owner, about, put: 'no', foreign: false, events: new Map(), bookedAt: this.sims.now(), everAlive: false,
			aliveSince: null, firstVanished: 0, topicStates: 0, timeStates: 0, topics: new Set(), times: new Set(), vanishings: 0, seriesNotes: 0,
			touchedAt: Infinity, startedAt: Infinity, byHand: [], end: '', searched: 0, read: 0, history: 0, writes: [], calls: [], story: [],
		};
		this.talks.set(talk.id, talk);
		return talk;
	}

	/** @param {Talk} talk @param {string} text */
	tell(talk, text) {
		talk.story.push(`${new Date(this.sims.now()).toISOString()} ${text}`);
	}

	/** @param {Talk | undefined} talk @param {string} text */
	fail(talk, text) {
		if (talk === undefined)
			this.wrong.push(text);
		else {
			this.tell(talk, `WRONG: ${text}`);
			this.wrong.push(`conversation ${talk.number} (${talk.id}): ${text}`);
		}
	}

	/** The conversation that the event's property names. @param {any} event @returns {string | null} */
	named(event) {
		for (const p of event.props.values())
			try {
				const inner = JSON.parse(p.value).unblu;
				return (typeof inner === 'string' ? JSON.parse(inner) : inner).conversationId;
			} catch {
				/* Not ours to understand. */
			}
		return null;
	}

	/** In a calendar of the owner, not called off, with the property. @param {Talk} talk @param {any} event */
	isAlive(talk, event) {
		return event.folder === 'calendar' && !event.isCancelled && event.isOrganizer && event.box.user.oid === talk.owner.oid && this.named(event) === talk.id;
	}

	/** @param {Talk} talk */
	living(talk) {
		return [...talk.events.keys()].filter((e) => this.isAlive(talk, e));
	}

	/** What the product may take for the agent's zone. @param {Talk} talk @returns {(string | null)[]} */
	zones(talk) {
		return talk.put === 'yes' ? [talk.about.zone] : talk.put === 'no' ? [null] : [null, talk.about.zone];
	}

	/** What an event asks of its conversation; null: nothing yet. No times: whatever it is. @param {Talk} talk @param {any} event */
	wanted(talk, event) {
		if (event.start === null)
			return null;
		const source = event.type === 'seriesMaster' ? this.nextOccurrence(event) : event;
		return { topic: topicOf(event.subject, this.rules), times: source === null ? [] : this.zones(talk).map((zone) => timeOf(source, zone, this.rules.defaultZone)) };
	}

	/** The first that is not called off and not over. @param {any} event */
	nextOccurrence(event) {
		const now = this.sims.now();
		return occurrencesOf(event, now - 2 * DAY, now + 1800 * DAY).filter((o) => !o.isCancelled && o.end > now).sort((x, y) => x.start - y.start)[0] ?? null;
	}

	/** Every time that a series may ask for while the walk goes on. @param {any} event @returns {number[]} */
	soon(event) {
		const now = this.sims.now();
		return event.type === 'seriesMaster' ? occurrencesOf(event, now - 2 * DAY, now + 200 * DAY).map((o) => timeOf(o, null, this.rules.defaultZone)) : [];
	}

	/** How often a series may have moved on by itself, at most. @param {Talk} talk */
	movedOn(talk) {
		const series = [...talk.events.keys()].filter((e) => e.recurrence !== null);
		const passed = series.reduce((n, e) => n + occurrencesOf(e, talk.bookedAt, this.sims.now()).length + e.cancelled.size + e.exceptions.size, 0);
		return passed + talk.seriesNotes;
	}

	/** To be called behind every change of an event. @param {any} event @param {string} what */
	changed(event, what) {
		const now = this.named(event);
		for (const talk of this.talks.values())
			if (talk.id === now || talk.events.has(event)) {
				this.tell(talk, `${what}: "${String(event.subject).slice(0, 40)}" ${event.start === null ? 'no time' : new Date(event.start).toISOString()}${event.isAllDay ? ' all day' : ''} ${event.folder}${event.isCancelled ? ' cancelled' : ''}${event.calendarId === event.box.defaultCalendar ? '' : ' other calendar'} ${event.immutableId.slice(-8)}`);
				this.note(talk, event);
			}
	}

	/** @param {Talk} talk @param {any} event */
	note(talk, event) {
		const last = talk.events.get(event);
		/* The first event is measured against what the conversation was made with, a copy counts from its start. */
		const base = last ?? (talk.events.size === 0 ? { topic: talk.about.topic, times: String([talk.about.start]), alive: false } : { topic: null, times: '', alive: false });
		const alive = this.isAlive(talk, event);
		const wanted = alive ? this.wanted(talk, event) : null;
		talk.events.set(event, { topic: wanted?.topic ?? base.topic, times: wanted === null ? base.times : String(wanted.times), alive });
		if (wanted !== null) {
			talk.topicStates += Number(wanted.topic !== base.topic);
			if (String(wanted.times) !== base.times)
				talk.timeStates += wanted.times.length;
			talk.topics.add(wanted.topic);
			[...wanted.times, ...this.soon(event)].forEach((t) => talk.times.add(t));
			talk.seriesNotes += Number(event.type === 'seriesMaster');
		}
		talk.vanishings += Number(base.alive && !alive);
		this.noteLife(talk);
	}

	/** @param {Talk} talk */
	noteLife(talk) {
		if (this.living(talk).length > 0) {
			talk.everAlive = true;
			talk.aliveSince ??= performance.now();
		} else if (talk.aliveSince !== null) {
			talk.aliveSince = null;
			talk.firstVanished ||= this.sims.now();
		}
	}

	/** The agent's zone has become known, or may have: all-day events ask for another time. @param {Talk} talk @param {'maybe' | 'yes'} put */
	announced(talk, put) {
		if (talk.put !== 'yes')
			talk.put = put;
		for (const event of talk.events.keys())
			this.note(talk, event);
	}

	/** @param {any} entry */
	onRequest(entry) {
		const began = performance.now() - entry.ms;
		this.noteWait(entry, began);
		if (entry.service === 'graph' && READS.includes(entry.op))
			this.reads.push({ mailbox: entry.mailbox, key: entry.batch ?? entry.requestId, what: `${entry.op} ${entry.fault ?? entry.status}`, left: entry.left === true, from: began, to: performance.now() });
		if (entry.service === 'graph' && entry.op === 'listEvents' && entry.path.includes('contains') && !entry.path.includes('$skip')) {
			for (const talk of this.talks.values())
				if (entry.path.includes(talk.id))
					talk.searched = began;
			return;
		}
		const talk = entry.service === 'unblu' && entry.conversation !== undefined ? this.talks.get(entry.conversation) : undefined;
		if (talk === undefined)
			return;
		if (entry.op === 'read')
			talk.read = began;
		if (entry.op === 'history')
			talk.history = began;
		if (SETTERS.includes(entry.op) || entry.op === 'delete') {
			talk.calls.push({ op: entry.op, at: began, fault: entry.fault });
			this.tell(talk, `${entry.op} -> ${entry.status}${entry.fault === undefined ? '' : ` (${entry.fault})`}`);
		}
	}

	/** What was told to one who died meanwhile nobody knows, nor what is being told just now. @param {any} entry @param {number} began */
	noteWait(entry, began) {
		if (entry.retryAfter === undefined)
			return;
		const key = `${entry.service}/${entry.tenant ?? ''}/${entry.mailbox ?? ''}`;
		const told = this.told.get(key);
		if (entry.early && !(entry.left && this.isBuried(began)) && !(told !== undefined && (began < told.to + LATE_MS || this.deaths.some((t) => t >= told.from - LATE_MS && t <= told.to + 100))))
			this.early.push({ op: entry.op, mailbox: entry.mailbox, time: entry.time, ms: entry.ms, at: began, told, seq: entry.seq });
		this.told.set(key, { from: began, to: performance.now() });
	}

	/** Sent by one who has died meanwhile, and read here late, on a busy machine: its connection is closed. @param {number} at */
	isBuried(at) {
		return this.deaths.some((t) => t <= at && at <= t + BURIED_MS);
	}

	/** The most exchanges at once of one sync for a mailbox; a batch is one. @param {Mailbox} mailbox @returns {{ what: string, from: number, to: number }[]} */
	mostAtOnce(mailbox) {
		/** @type {Map<string, { what: string, from: number, to: number }>} */
		const exchanges = new Map();
		for (const { key, what, left, from, to } of this.reads.filter((x) => x.mailbox === mailbox.oid)) {
			if (left && this.isBuried(from))
				continue;
			const known = exchanges.get(key);
			exchanges.set(key, { what, from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) });
		}
		const all = [...exchanges.values()];
		/** @type {{ what: string, from: number, to: number }[]} */
		let most = [];
		for (const { from } of all) {
			/* What a dead one had asked for counts no more. */
			const now = all.filter((o) => o.from <= from && o.to > from + 1 && !this.deaths.some((t) => o.from <= t + LATE_MS / 2 && t <= from));
			if (now.length > most.length)
				most = now;
		}
		return most;
	}

	/** @param {string} id @param {{ op: string, by: string, before: any, after: any, changed: boolean }} write */
	onWrite(id, write) {
		const talk = this.talks.get(id);
		if (write.op === 'create' || write.by !== 'gateway client') {
			if (talk !== undefined && write.op === 'delete')
				talk.end = write.by === 'control' ? 'hand' : 'agent';
			return;
		}
		if (talk === undefined) {
			this.fail(talk, `${write.op} of conversation ${id}, of which nobody has told`);
			return;
		}
		if (talk.foreign)
			this.fail(talk, `${write.op} of a conversation that is not ours`);
		if (write.op === 'delete')
			this.onDeletion(talk);
		else if (SETTERS.includes(write.op))
			this.onSetter(talk, write);
		else
			this.fail(talk, `${write.op}, which nobody has asked for`);
	}

	/** @param {Talk} talk @param {{ op: string, after: any, changed: boolean }} write */
	onSetter(talk, write) {
		const known = write.op === 'setTopic' ? talk.topics : talk.times;
		talk.writes.push({ op: write.op, at: performance.now(), value: write.after, changed: write.changed });
		if (!known.has(write.after))
			this.fail(talk, `${write.op} ${JSON.stringify(write.after)}, which no event has ever asked for`);
		if (write.op === 'setScheduledTimestamp' && talk.startedAt < talk.read)
			this.fail(talk, 'the time was set although the conversation was read when it was CREATED no more');
	}

	/** The guard and the calendar, as they were when the product last looked. @param {Talk} talk */
	onDeletion(talk) {
		talk.end = 'product';
		this.deletions.push({ mailbox: talk.owner.oid, at: this.sims.now() });
		this.tell(talk, 'deleted by the product');
		if (talk.touchedAt < talk.history)
			this.fail(talk, 'deleted although somebody besides the agent takes or took part, or a message was written');
		if (talk.startedAt < talk.read)
			this.fail(talk, 'deleted although it was CREATED no more');
		if (talk.aliveSince !== null && talk.aliveSince < talk.searched)
			this.fail(talk, 'deleted although an event of it lives');
		if (!talk.everAlive && talk.about.shared)
			this.fail(talk, 'deleted without an event, although it was announced as shared');
		const goneMs = this.sims.now() - (talk.everAlive ? talk.firstVanished : talk.bookedAt);
		if (talk.aliveSince === null && goneMs < (talk.everAlive ? this.rules.graceMs : this.rules.orphanMs))
			this.fail(talk, `deleted ${goneMs} ms after its event was gone`);
	}
}
