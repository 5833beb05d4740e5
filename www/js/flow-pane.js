// @ts-check
/* flow-pane.js - what only the pane does with an event: look, repair, remove. Over the ports of flow.js; pure like it. */

import { AddinError, errorOf } from './errors.js';
import { outcomeOf } from './flow.js';
import { announceAgain, clickLinked, isCopy, mayBeCopy, seemsCopy } from './flow-again.js';
import { eventRead, keepLink } from './flow-event.js';
import { fingerprint, inviteForeign, inviteHas, inviteUrl } from './formats.js';
import { inviteRemove } from './invite-remove.js';

/** @typedef {import('./flow.js').Ports} Ports */
/** @typedef {import('./flow.js').Outcome} Outcome */
/** @typedef {'none' | 'linked' | 'link-missing' | 'copied' | 'foreign-link' | 'unkept' | 'occurrence' | 'newer'} EventState */
/**
 * What the pane shows of an event. bodyIsKnown: whether the link could be looked for in it; gone: the conversation no longer exists.
 * @typedef {{ state: EventState, link: import('./formats.js').Link | null, series: import('./outlook.js').SeriesKind, sharing: import('./outlook.js').Sharing, bodyIsKnown: boolean, unannounced: boolean, gone?: boolean }} Inspection
 */
/** What the event itself says. @typedef {Omit<Inspection, 'bodyIsKnown' | 'gone'> & { event: import('./flow-event.js').EventFacts }} Look */

/** Takes the link out of the body. AddinError with that code. @param {Ports} p @param {string} url @param {string[]} labels @param {'body-not-cleared' | 'link-not-cleared'} code */
async function removeLink(p, url, labels, code) {
	try {
		const type = await p.item.bodyType();
		const body = await p.item.readBody(type);
		const next = inviteRemove(body, type, url, labels);
		if (next !== body)
			await p.item.writeBody(next, type);
	} catch (e) {
		throw new AddinError(code, { said: errorOf(e).message });
	}
}

/** @param {Ports} p @param {string} url */
async function clearLocation(p, url) {
	try {
		if ((await p.item.location()).trim() === url)
			await p.item.setLocation('');
	} catch (e) {
		p.log.add('location-failed', { fault: errorOf(e).message });
	}
}

/**
 * What nobody else tells of the conversation: its link, where the event has none, and that it is gone, where no server
 * follows it. Asked silently; of an Unblu that does not say there is nothing to tell. null: it need not be asked.
 * @param {Ports} p @param {import('./formats.js').Link} link @returns {Promise<{ url?: string, gone?: boolean } | null>}
 */
async function asUnbluHasIt(p, link) {
	try {
		const { config, session, unblu } = await p.remote;
		if (link.url !== undefined && config.syncServerEnabled)
			return null;
		await session.token({ interactive: false });
		const found = await unblu.read(link.conversationId);
		return { url: inviteUrl(found?.publicLink, config.allowInsecureLinks) ?? undefined, gone: found === null };
	} catch (e) {
		p.log.add('conversation-not-read', { fault: errorOf(e).message });
		return {};
	}
}

/** Rejects with AddinError when the event can not be read. @param {Ports} p @returns {Promise<Look>} */
async function lookAt(p) {
	const event = await eventRead(p);
	const sharing = await p.item.sharing();
	const base = { event, link: event.link, series: event.series.kind, sharing, unannounced: event.link?.announced === false };
	if (event.newer)
		return { ...base, state: 'newer' };
	if (event.series.kind === 'occurrence')
		return { ...base, state: 'occurrence' };
	if (event.link === null) {
		const { bases, labels } = await p.remote.catch(() => ({ bases: [], labels: [] }));
		const foreign = event.body !== null && inviteForeign(event.body, bases, labels) !== null;
		if (foreign && event.properties === null)
			throw new AddinError('unreadable');
		/* Ours, by an attempt that is known: made, and its mark was not kept. */
		return { ...base, state: !foreign ? 'none' : event.pending === null ? 'foreign-link' : 'unkept' };
	}
	return { ...base, state: await isCopy(p, event) ? 'copied' : 'linked' };
}

/**
 * What the event says, without any person, and without any change that an agent sees: it announces again what the server
 * has not accepted, and marks an event that was unsaved at the click. Unblu and the server, which may take their time, are
 * not asked alone: a click on the button waits for the event only. What the event says is looked at once more then: a
 * click may have come between. Rejects with AddinError when the event can not be read.
 * @param {Ports} p @param {<T>(run: () => Promise<T>) => Promise<T>} [alone] runs it while no other page of ours is at work on the event
 * @returns {Promise<Inspection>}
 */
export async function flowInspect(p, alone = (run) => run()) {
	const first = await alone(() => lookAt(p));
	const { event, link } = first;
	if (link === null || first.state !== 'linked')
		return inspectionOf(first, null);
	const asking = { ...p, alone };
	const doubtful = await seemsCopy(asking, event, false);
	const isAnnounced = await announceAgain(asking, event, { interactive: false, doubtful });
	const told = event.link === null ? null : await asUnbluHasIt(p, event.link);
	const isFresh = told === null && link.item !== undefined && link.announced !== false;
	const known = { ...first, link: event.link, unannounced: !isAnnounced, state: /** @type {EventState} */ (event.link === null ? 'none' : 'linked') };
	const seen = isFresh ? first : await alone(() => lookAt(p)).catch(() => known);
	const isSame = seen.link?.conversationId === link.conversationId;
	return inspectionOf({ ...seen, unannounced: seen.unannounced && !(isSame && isAnnounced) }, isSame ? told : null);
}

/** @param {Look} look @param {{ url?: string, gone?: boolean } | null} told @returns {Inspection} */
function inspectionOf({ event: { body }, ...seen }, told) {
	if (seen.link === null || seen.state !== 'linked')
		return { ...seen, bodyIsKnown: body !== null };
	const url = seen.link.url ?? told?.url;
	const missing = body !== null && url !== undefined && !inviteHas(body, url);
	return { ...seen, link: { ...seen.link, url }, bodyIsKnown: body !== null && url !== undefined, gone: told?.gone, state: missing ? 'link-missing' : 'linked' };
}

/**
 * Names this event in the link: it seems a copy, and is the first one. Outlook gives an event that is moved to another
 * calendar another id.
 * @param {Ports} p @param {import('./flow-event.js').EventFacts} event @param {import('./formats.js').Link} link
 */
async function markSame(p, event, link) {
	const id = await p.item.id();
	if (id === null)
		throw new AddinError('outlook', { params: { call: 'getItemIdAsync' } });
	event.link = { ...link, item: fingerprint(id) };
	if (!await keepLink(p, event, event.link))
		throw new AddinError('outlook', { params: { call: 'saveAsync' } });
}

/**
 * The link again where it is missing, and the announcement again. `same`: the agent says that it is no copy. Never rejects.
 * @param {Ports} p @param {{ same?: boolean }} [how] @returns {Promise<Outcome>}
 */
export async function flowRepair(p, { same = false } = {}) {
	try {
		const event = await eventRead(p);
		if (event.link === null)
			throw new AddinError('nothing-linked');
		if (event.series.kind === 'occurrence')
			throw new AddinError('occurrence');
		if (same)
			await markSame(p, event, event.link);
		return await clickLinked(p, event);
	} catch (e) {
		return outcomeOf(e);
	}
}

/**
 * Takes everything away: conversation, the server's link, block, location if it is ours, property. `keepConversation`:
 * only what stands in the event (when Unblu refuses, since others took part). Can be repeated. Never rejects.
 * @param {Ports} p @param {{ keepConversation?: boolean }} [how] @returns {Promise<Outcome>}
 */
export async function flowRemove(p, { keepConversation = false } = {}) {
	try {
		const event = await eventRead(p);
		const { link } = event;
		if (link === null)
			throw new AddinError('nothing-linked');
		if (event.series.kind === 'occurrence')
			throw new AddinError('occurrence');
		/* The conversation of a copied event belongs to the event it was copied from. */
		const only = keepConversation || await isCopy(p, event);
		const remote = await p.remote;
		let { url } = link;
		if (!only) {
			await remote.session.token({ interactive: true });
			/* Nor does that of what may be one, such as a form that is not saved with the mark of an event that was. */
			if (await mayBeCopy(p, event, true) || link.item !== undefined && await p.item.id() === null)
				throw new AddinError('maybe-copy');
			url ??= (await remote.unblu.read(link.conversationId))?.publicLink ?? undefined;
			p.check();
			await remote.unblu.remove(link.conversationId);
		}
		if (!only && remote.config.syncServerEnabled)
			await remote.links.remove(link.conversationId).catch((e) => p.log.add('unannounce-failed', { fault: errorOf(e).message }));
		if (url !== undefined) {
			await removeLink(p, url, remote.labels, only ? 'link-not-cleared' : 'body-not-cleared');
			await clearLocation(p, url);
		}
		await keepLink(p, event, null);
		return { kind: 'success', code: only ? 'unlinked' : 'removed', link };
	} catch (e) {
		return outcomeOf(e);
	}
}
