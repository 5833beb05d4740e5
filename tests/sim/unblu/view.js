// @ts-check
/* ConversationData and ConversationHistoryData as the API document has them. */

import { publicLink } from './conversations.js';

/** @param {any} sim @param {any} c @param {string | null} expand the query parameter */
export function conversationData(sim, c, expand) {
	const wanted = new Set((expand ?? '').split(',').filter((s) => s !== ''));
	const u = sim.settings.unblu;
	const assignee = c.participants.find((/** @type {any} */ p) => p.type === 'ASSIGNED_AGENT');
	/** @type {any} */
	const out = {
		$_type: 'ConversationData', id: c.id, accountId: sim.people.accountId, creationTimestamp: c.createdAt, endTimestamp: c.endedAt, topic: c.topic, scheduledTimestamp: c.scheduledTimestamp,
		recipient: assignee === undefined ? null : sim.people.personData(assignee.person),
		participants: sim.conversations.shown(c).filter((/** @type {any} */ p) => !p.external).map(participantData),
		externalParticipants: sim.conversations.shown(c).filter((/** @type {any} */ p) => p.external).map(externalData),
		botParticipants: c.bots.map((/** @type {any} */ b) => ({ $_type: 'BotParticipantData', personId: b.person.id, hidden: b.hidden })),
		state: c.state, initialEngagementType: c.initialEngagementType, conversationVisibility: 'PRIVATE', locale: c.locale, tokboxSessionId: null, visitorData: c.visitorData,
		conversationTemplateId: c.templateId, inheritConfigurationAndTexts: true, links: links(sim, c), externalMessengerChannelId: null, sourceId: c.sourceId, sourceUrl: c.sourceUrl,
		endReason: c.endReason, initialEngagementUrl: null, awaitedPersonType: 'NONE', awaitedPersonTypeChangeTimestamp: null,
		metadata: wanted.has('metadata') ? { $_version: sim.conversations.metadataVersion(c), ...Object.fromEntries(c.metadata) } : null,
		configuration: wanted.has('configuration') ? {} : null, text: wanted.has('text') ? {} : null,
	};
	if (u.futureFields) {
		/* A newer server: unknown fields, link types and enum values. */
		out.labels = [];
		out.someFutureField = { $_type: 'FutureData', value: 1 };
		out.links.unshift({ $_type: 'ConversationLink', type: 'OPEN_AS_GHOST_IN_AGENT_DESK', url: `${sim.urls.unblu}/app/ghost/${c.id}` });
		out.conversationVisibility = 'SOMETHING_NEW';
	}
	return out;
}

/** @param {any} p */
function participantData(p) {
	return { $_type: 'ParticipantData', state: p.state, personId: p.person.id, hidden: p.hidden, conversationStarred: false, participationType: p.type };
}

/** @param {any} p */
function externalData(p) {
	return { $_type: 'ExternalParticipantData', state: p.state, externalMessengerContactId: null, personId: p.person.id, sourceId: p.person.sourceId, participationType: p.type };
}

/** @param {any} sim @param {any} c */
function links(sim, c) {
	/** @param {string} type @param {string} url */
	const link = (type, url) => ({ $_type: 'ConversationLink', type, url });
	const list = [link('OPEN_IN_AGENT_DESK', `${sim.urls.unblu}/app/desk#${c.id}`), link('OPEN_IN_AGENT_SINGLE_VIEW', `${sim.urls.unblu}/app/desk/single#${c.id}`)];
	if (sim.settings.unblu.publicLink)
		list.push(link('OPEN_PUBLIC_LINK', publicLink(sim, c)));
	return list;
}

/** @param {any} sim @param {any} c */
export function historyData(sim, c) {
	const person = (/** @type {any} */ p) => sim.people.personData(p.person);
	/** @param {any} p */
	const times = (p) => ({ createdTimestamp: p.createdAt, joinedTimestamp: p.joinedAt, activationTimestamp: p.joinedAt, offboardingTimestamp: p.leftAt, leftTimestamp: p.leftAt });
	const last = c.messages.length === 0 ? null : c.messages[c.messages.length - 1].at;
	return {
		$_type: 'ConversationHistoryData', id: c.id, recipient: null, endPerson: c.endPerson === null ? null : sim.people.personData(c.endPerson),
		participants: c.participants.filter((/** @type {any} */ p) => !p.external).map((/** @type {any} */ p) => ({
			$_type: 'ParticipantHistoryData', state: p.state, ...times(p), leftReason: p.leftAt === null ? null : 'PARTICIPANT_LEFT', leftComment: null, conversationRating: null,
			hidden: p.hidden, conversationStarred: false, participationType: p.type, person: person(p), joinedAsAssistant: false,
		})),
		externalParticipants: c.participants.filter((/** @type {any} */ p) => p.external).map((/** @type {any} */ p) => ({
			$_type: 'ExternalParticipantHistoryData', state: p.state, ...times(p), leftReason: p.leftAt === null ? null : 'PARTICIPANT_LEFT', leftComment: null, conversationRating: null,
			participationType: p.type, person: person(p), externalMessengerContact: null,
		})),
		botParticipants: c.bots.map((/** @type {any} */ b) => ({ $_type: 'BotParticipantHistoryData', state: b.state, ...times(b), hidden: b.hidden, person: person(b) })),
		createdTimestamp: c.createdAt, assigneeJoinTimestamp: c.assigneeJoinedAt, endTimestamp: c.endedAt, lastMessageTimestamp: last, lastCompletedRecordingTimestamp: null,
		state: c.state, initialEngagementType: c.initialEngagementType, locale: c.locale, endReason: c.endReason, endComment: c.endComment, tokboxSessionId: null, conversationTemplateId: c.templateId,
		externalMessengerChannelIconId: null, externalMessengerChannelName: null, topic: c.topic, sourceUrl: c.sourceUrl, scheduledTimestamp: c.scheduledTimestamp, dueDeletionTimestamp: null,
		initialEngagementUrl: null, awaitedPersonType: 'NONE', awaitedPersonTypeChangeTimestamp: null, conversationVisibility: 'PRIVATE',
		stateChanges: c.stateChanges.map((/** @type {any} */ s) => ({ $_type: 'ConversationStateChangeData', state: s.state, timestamp: s.at })),
	};
}
