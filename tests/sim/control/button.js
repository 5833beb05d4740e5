// @ts-check
/* The add-in's button in one call: makes the conversation as the agent, writes property and link into the event. */

import { conversationData } from '../unblu/view.js';

/** @param {any} sim @param {any} want mailbox, event; sourceId, topic, start may be given */
export function pressButton(sim, want) {
	const person = sim.people.findAgent(want.mailbox ?? '');
	const user = sim.directory.anyUser(want.mailbox ?? '');
	const event = user === undefined ? undefined : sim.calendars.box(user).find(want.event);
	if (person === undefined || event === undefined)
		throw new RangeError('mailbox and event must exist');
	const sourceId = want.sourceId ?? `outlook-addin:${sim.rng.guid()}`;
	const ctx = { identity: { kind: 'user', role: person.role, person, label: person.username }, requestId: 'button' };
	const topic = want.topic ?? (event.subject.trim() || 'Meeting');
	const c = sim.conversations.create(ctx, {
		$_type: 'ConversationCreationData', initialEngagementType: 'SCHEDULED_CONVERSATION', topic, scheduledTimestamp: want.start === undefined ? event.start : Date.parse(want.start), sourceId,
		participants: [{ $_type: 'ConversationCreationParticipantData', personId: person.id, participationType: 'ASSIGNED_AGENT' }],
	});
	const data = conversationData(sim, c, null);
	const url = data.links.find((/** @type {any} */ l) => l.type === 'OPEN_PUBLIC_LINK')?.url;
	const linked = want.noProperty ? {} : sim.actions.run({ action: 'link', mailbox: want.mailbox, event: event.immutableId, conversationId: c.id, sourceId, url, addinId: want.addinId, asObject: want.asObject });
	return { conversation: data, sourceId, url: url ?? null, ...linked, tenant: user.tenant, oid: user.oid };
}
