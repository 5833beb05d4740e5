// @ts-check
/* Conversations: state, participants, rules of change and deletion (unblu.md sections 2 to 7, 10). */

import { createHash } from 'node:crypto';
import { textOf } from '../lib/rng.js';
import { UnbluError } from './errors.js';
import { roleIsAtLeast } from './people.js';

const MINUTE = 60_000;
export const END_REASONS = ['ENDED_BY_PARTICIPANT', 'MANDATORY_PARTICIPANT_GONE', 'REQUEST_DECLINED', 'REQUEST_NOT_ANSWERED', 'EXTERNAL_CHANNEL_CLOSED', 'SOLVED_BY_BOT', 'CANCELED', 'CALL_ENDED', 'NO_AGENT_AVAILABLE', 'OTHER'];
const ENGAGEMENT_TYPES_OF_AGENTS = ['SCHEDULED_CONVERSATION', 'HEADLESS_PIN', 'DOMCAP_PIN', 'MOBILE_PIN', 'WHITEBOARD_PIN', 'SCREEN_SHARING_PIN', 'CHAT_PIN', 'HEADLESS_INVITE', 'WHITEBOARD_INVITE', 'SCREEN_SHARING_INVITE'];

/** Half a minute rounds up. @param {number} ms */
export function roundToMinute(ms) {
	return Math.floor((ms + MINUTE / 2) / MINUTE) * MINUTE;
}

/**
 * @typedef {{ person: any, type: string, state: string, hidden: boolean, createdAt: number, joinedAt: number | null, leftAt: number | null }} Participant
 * @typedef {{ at: number, op: string, by: string, requestId: string, before: any, after: any, changed: boolean }} Write
 * @typedef {object} Conversation
 * @property {string} id @property {string | null} topic @property {number | null} scheduledTimestamp @property {string} state
 * @property {string} initialEngagementType @property {string | null} sourceId @property {string | null} sourceUrl @property {string | null} locale @property {string | null} visitorData
 * @property {string} templateId @property {Participant[]} participants every one that ever was @property {Participant[]} bots
 * @property {number} createdAt @property {number | null} endedAt @property {string | null} endReason @property {string | null} endComment @property {any} endPerson
 * @property {Map<string, string>} metadata @property {{ at: number, by: any, text: string, human: boolean }[]} messages @property {{ state: string, at: number }[]} stateChanges
 * @property {boolean} deleted @property {number | null} assigneeJoinedAt
 */

export class Conversations {
	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
		/** @type {Map<string, Conversation>} the living */
		this.byId = new Map();
		/** @type {Map<string, Conversation>} deleted ones, for the tests */
		this.deleted = new Map();
		/** @type {Map<string, Conversation>} by sourceId, while not ended */
		this.bySource = new Map();
		/** @type {Map<string, Write[]>} every write, by conversation, for ever */
		this.ledger = new Map();
		this.counts = { create: 0, setTopic: 0, setScheduledTimestamp: 0, end: 0, delete: 0, updateMetadata: 0, unchanged: 0 };
	}

	/** @param {Conversation} c @param {string} op @param {any} ctx @param {any} before @param {any} after */
	write(c, op, ctx, before, after) {
		const changed = JSON.stringify(before) !== JSON.stringify(after);
		const write = { at: this.sim.clock.now(), op, by: ctx.identity?.label ?? 'control', requestId: ctx.requestId ?? '', before, after, changed };
		let list = this.ledger.get(c.id);
		if (list === undefined) {
			list = [];
			this.ledger.set(c.id, list);
		}
		list.push(write);
		/** @type {any} */ (this.counts)[op]++;
		if (!changed)
			this.counts.unchanged++;
		this.sim.journal.emit('conversation', { ...this.describe(c), write });
	}

	/** @param {string} id @returns {Conversation} */
	get(id) {
		const c = this.byId.get(id);
		if (c === undefined)
			throw new UnbluError('notFound', `Conversation with id '${id}' not found`);
		return c;
	}

	/** @param {any} ctx @param {any} body @returns {Conversation} */
	create(ctx, body) {
		const { sim } = this;
		const me = ctx.identity;
		const type = body.initialEngagementType ?? 'SCHEDULED_CONVERSATION';
		const participants = this.checkCreation(me, body, type);
		const now = sim.clock.now();
		const topic = typeof body.topic === 'string' ? body.topic : null;
		/** @type {Conversation} */
		const c = {
			id: sim.rng.text(22), topic, scheduledTimestamp: body.scheduledTimestamp == null ? null : roundToMinute(body.scheduledTimestamp), state: 'CREATED', initialEngagementType: type,
			sourceId: body.sourceId ?? null, sourceUrl: body.sourceUrl ?? null, locale: body.locale ?? 'en', visitorData: body.visitorData ?? null,
			templateId: body.conversationTemplateId ?? textOf(`template:${type}`, 22), participants, bots: [], createdAt: now, endedAt: null, endReason: null, endComment: null, endPerson: null,
			metadata: new Map(Object.entries(body.metadata ?? {}).filter(([k]) => k !== '$_version')), messages: [], stateChanges: [{ state: 'CREATED', at: now }], deleted: false, assigneeJoinedAt: now,
		};
		this.byId.set(c.id, c);
		if (c.sourceId !== null)
			this.bySource.set(c.sourceId, c);
		ctx.conversation = c.id;
		this.write(c, 'create', ctx, null, { topic: c.topic, scheduledTimestamp: c.scheduledTimestamp, sourceId: c.sourceId });
		return c;
	}

	/** @param {any} me @param {any} body @param {string} type @returns {Participant[]} */
	checkCreation(me, body, type) {
		const list = body.participants;
		if (type === 'SCHEDULED_CONVERSATION' && (typeof body.topic !== 'string' || body.topic.trim() === ''))
			throw new UnbluError('invalid', 'A topic is mandatory for scheduled conversations');
		if (body.scheduledTimestamp != null && (type !== 'SCHEDULED_CONVERSATION' || !Number.isSafeInteger(body.scheduledTimestamp)))
			throw new UnbluError('invalid', 'scheduledTimestamp can only be set for conversations with initialEngagementType SCHEDULED_CONVERSATION');
		if (!Array.isArray(list) || list.length === 0)
			throw new UnbluError('invalid', 'At least one participant is required');
		this.checkTopicLength(body.topic);
		const participants = list.map((p) => this.participant(p));
		if (!roleIsAtLeast(me.role, 'ADMIN')) {
			if (!ENGAGEMENT_TYPES_OF_AGENTS.includes(type))
				throw new UnbluError('forbidden', `Conversations of type ${type} can not be created by an agent`);
			if (participants.length !== 1 || participants[0].person !== me.person || participants[0].type !== 'ASSIGNED_AGENT' || (body.externalParticipants ?? []).length > 0)
				throw new UnbluError('forbidden', 'The calling agent must be the only participant and the assignee');
		}
		if (body.sourceId != null && this.bySource.has(body.sourceId))
			throw new UnbluError(this.sim.settings.unblu.duplicateSourceStatus, `A conversation with the sourceId '${body.sourceId}' already exists`);
		return participants;
	}

	/** @param {any} topic */
	checkTopicLength(topic) {
		const max = this.sim.settings.unblu.topicMaxChars;
		if (typeof topic === 'string' && max !== null && [...topic].length > max)
			throw new UnbluError('invalid', `The topic must not be longer than ${max} characters`);
	}

	/** @param {any} p @returns {Participant} */
	participant(p) {
		const person = this.sim.people.persons.get(p?.personId);
		if (person === undefined)
			throw new UnbluError('invalid', `Person with id '${p?.personId}' not found`);
		const type = p.participationType ?? 'ASSIGNED_AGENT';
		if (type === 'ASSIGNED_AGENT' && person.personType !== 'AGENT')
			throw new UnbluError('invalid', 'Assignee must be an agent');
		const now = this.sim.clock.now();
		return { person, type, state: 'ACTIVE', hidden: p.hidden ?? false, createdAt: now, joinedAt: now, leftAt: null };
	}

	/** @param {Conversation} c */
	present(c) {
		return c.participants.filter((p) => p.leftAt === null);
	}

	/** What ConversationData lists: the present ones; a server may go on to show those who left as ENDED. @param {Conversation} c */
	shown(c) {
		return this.sim.settings.unblu.leftParticipants === 'ended' ? c.participants : this.present(c);
	}

	/** @param {any} me @param {Conversation} c */
	participation(me, c) {
		return me.person === null ? undefined : this.present(c).find((p) => p.person === me.person);
	}

	/** @param {any} me @param {Conversation} c */
	mayRead(me, c) {
		if (!roleIsAtLeast(me.role, 'ADMIN') && this.participation(me, c) === undefined)
			throw new UnbluError('forbidden', 'The calling agent is not a participant of the conversation');
	}

	/** The matrix of unblu.md section 4. @param {any} me @param {Conversation} c @param {'topic' | 'time'} what */
	mayChange(me, c, what) {
		if (roleIsAtLeast(me.role, 'ADMIN'))
			return;
		const u = this.sim.settings.unblu;
		const mine = this.participation(me, c);
		const [allowed, types, property] = what === 'topic'
			? [u.allowNonAdminTopic, u.topicParticipations, 'com.unblu.conversation.message.allowNonAdminUsersChangeConversationTopicViaWebApi']
			: [u.allowNonAdminTime, u.timeParticipations, 'com.unblu.conversation.message.allowNonAdminUsersChangeConversationScheduledTimeViaWebApi'];
		if (mine === undefined || !allowed && !types.includes(mine.type))
			throw new UnbluError('forbidden', `Not allowed to change the conversation (see ${property})`);
	}

	/** @param {any} ctx @param {Conversation} c @param {any} topic */
	setTopic(ctx, c, topic) {
		this.mayChange(ctx.identity, c, 'topic');
		if (topic !== null && topic !== undefined && typeof topic !== 'string')
			throw new UnbluError('invalid', 'topic must be a string');
		if (c.initialEngagementType === 'SCHEDULED_CONVERSATION' && (topic ?? '').trim() === '')
			throw new UnbluError('invalid', 'A topic is mandatory for scheduled conversations');
		this.checkTopicLength(topic);
		this.refuseEnded(c);
		const before = c.topic;
		c.topic = topic ?? null;
		this.write(c, 'setTopic', ctx, before, c.topic);
	}

	/** @param {any} ctx @param {Conversation} c @param {any} value */
	setScheduledTimestamp(ctx, c, value) {
		this.mayChange(ctx.identity, c, 'time');
		if (c.initialEngagementType !== 'SCHEDULED_CONVERSATION')
			throw new UnbluError('invalid', 'Only scheduled conversations have a scheduled time');
		if (!Number.isSafeInteger(value))
			throw new UnbluError('invalid', 'scheduledTimestamp is required');
		this.refuseEnded(c);
		const before = c.scheduledTimestamp;
		c.scheduledTimestamp = roundToMinute(value);
		this.write(c, 'setScheduledTimestamp', ctx, before, c.scheduledTimestamp);
	}

	/** @param {Conversation} c */
	refuseEnded(c) {
		if (c.state === 'ENDED' && this.sim.settings.unblu.endedIsReadOnly)
			throw new UnbluError('alreadyEnded', 'The conversation has already ended');
	}

	/** @param {any} ctx @param {Conversation} c */
	delete(ctx, c) {
		const me = ctx.identity;
		if (!roleIsAtLeast(me.role, 'ADMIN')) {
			if (c.participants.some((p) => p.person !== me.person) || this.participation(me, c) === undefined)
				throw new UnbluError('forbidden', 'The conversation has or had other participants');
			if (c.messages.some((m) => m.human))
				throw new UnbluError('forbidden', 'The conversation contains messages');
		}
		c.deleted = true;
		this.byId.delete(c.id);
		this.freeSource(c);
		this.deleted.set(c.id, c);
		this.write(c, 'delete', ctx, { state: c.state, participants: this.present(c).length }, null);
	}

	/** @param {Conversation} c */
	freeSource(c) {
		if (c.sourceId !== null && this.bySource.get(c.sourceId) === c)
			this.bySource.delete(c.sourceId);
	}

	/** @param {any} ctx @param {Conversation} c @param {any} body */
	end(ctx, c, body) {
		if (!roleIsAtLeast(ctx.identity.role, 'ADMIN') && this.participation(ctx.identity, c) === undefined)
			throw new UnbluError('forbidden', 'Not allowed to end the conversation');
		if (body?.reason !== undefined && body.reason !== null && !END_REASONS.includes(body.reason))
			throw new UnbluError('invalid', `Unknown end reason ${body.reason}`);
		if (c.state === 'ENDED')
			throw new UnbluError('alreadyEnded', 'The conversation has already ended');
		const before = c.state;
		this.setState(c, 'OFFBOARDING');
		this.setState(c, 'ENDED');
		c.endedAt = this.sim.clock.now();
		c.endReason = body?.reason ?? 'ENDED_BY_PARTICIPANT';
		c.endComment = body?.comment ?? null;
		c.endPerson = ctx.identity.person;
		this.freeSource(c);
		this.write(c, 'end', ctx, before, 'ENDED');
	}

	/** @param {Conversation} c @param {string} state */
	setState(c, state) {
		c.state = state;
		c.stateChanges.push({ state, at: this.sim.clock.now() });
	}

	/** The optimistic-lock key of the metadata map. @param {Conversation} c */
	metadataVersion(c) {
		return createHash('md5').update([...c.metadata].map(([k, v]) => `${k}=${v}`).join('\n')).digest('hex');
	}

	/** @param {any} ctx @param {Conversation} c @param {any} body */
	updateMetadata(ctx, c, body) {
		if (!roleIsAtLeast(ctx.identity.role, 'ADMIN'))
			throw new UnbluError('forbidden', 'Role ADMIN is required');
		if (typeof body?.$_version !== 'string')
			throw new UnbluError('missingVersion', `Update of the 'metadata' properties is not possible because of missing '$_version' key`);
		if (body.$_version !== this.metadataVersion(c))
			throw new UnbluError('staleVersion', 'The metadata was changed in the meantime');
		const before = Object.fromEntries(c.metadata);
		c.metadata = new Map(Object.entries(body).filter(([k]) => k !== '$_version').map(([k, v]) => [k, String(v)]));
		this.write(c, 'updateMetadata', ctx, before, Object.fromEntries(c.metadata));
	}

	/** For the control interface. @param {Conversation} c */
	describe(c) {
		return {
			id: c.id, topic: c.topic, scheduledTimestamp: c.scheduledTimestamp, scheduled: c.scheduledTimestamp === null ? null : new Date(c.scheduledTimestamp).toISOString(),
			state: c.state, deleted: c.deleted, sourceId: c.sourceId, initialEngagementType: c.initialEngagementType, createdAt: new Date(c.createdAt).toISOString(), endReason: c.endReason,
			agent: c.participants.find((p) => p.type === 'ASSIGNED_AGENT')?.person.username ?? null,
			participants: c.participants.map((p) => ({ personId: p.person.id, name: p.person.displayName, personType: p.person.personType, type: p.type, state: p.state, left: p.leftAt !== null })),
			messages: c.messages.length, metadata: Object.fromEntries(c.metadata), publicLink: this.sim.settings.unblu.publicLink ? publicLink(this.sim, c) : null,
			writes: (this.ledger.get(c.id) ?? []).length,
		};
	}
}

/** @param {any} sim @param {Conversation} c */
export function publicLink(sim, c) {
	return `${sim.settings.unblu.publicLinkBase ?? sim.urls.unblu}/unblu/desk?conversation=${c.id}`;
}
