// @ts-check
/*
 * flow-again.js - what a click does where there is a conversation already, or a series that has begun: the link again, the
 * announcement again, topic and time of one that was found, no link that could go into an invitation. Over the ports of flow.js, loaded by it when
 * it comes to that; pure like it.
 */

import { AddinError, errorOf } from './errors.js';
import { announce, MINUTE_MS } from './flow.js';
import { eventRead, insertLink, keepLink, setLocation } from './flow-event.js';
import { fingerprint, inviteHas, inviteUrl, propertyAnnounced, topicOf } from './formats.js';

/** @typedef {import('./flow.js').Ports} Ports */
/** @typedef {import('./flow.js').Remote} Remote */
/** @typedef {import('./flow.js').Outcome} Outcome */

/** @param {Ports} p @param {import('./flow-event.js').EventFacts} event @returns {Promise<boolean>} */
export async function isCopy(p, { link }) {
	if (link?.item === undefined)
		return false;
	const id = await p.item.id();
	return id !== null && fingerprint(id) !== link.item;
}

/** The public link of a conversation that is there, from Unblu where the event does not say it. AddinError conversation-gone, link-withheld. @param {Ports} p @param {import('./formats.js').Link} link @param {boolean} interactive */
async function linkUrl(p, link, interactive) {
	const remote = await p.remote;
	const kept = inviteUrl(link.url, remote.config.allowInsecureLinks);
	if (kept !== null)
		return kept;
	await remote.session.token({ interactive });
	const conversation = await remote.unblu.read(link.conversationId);
	if (conversation === null)
		throw new AddinError('conversation-gone');
	const url = inviteUrl(conversation.publicLink, remote.config.allowInsecureLinks);
	if (url === null)
		throw new AddinError('link-withheld');
	return url;
}

/**
 * Writes the link as it is to be now, unless the event has another or none meanwhile: what was read before an exchange with
 * another side may be old.
 * @param {Ports} p @param {import('./flow-event.js').EventFacts} event with a link @param {(link: import('./formats.js').Link) => import('./formats.js').Link} change
 * @returns {Promise<boolean>} false: it is no longer that one, and event.link is what stands there now
 */
async function renewLink(p, event, change) {
	return p.alone === undefined ? renew(p, event, change) : p.alone(() => renew(p, event, change));
}

/** @type {typeof renewLink} */
async function renew(p, event, change) {
	const link = /** @type {import('./formats.js').Link} */ (event.link);
	const now = await eventRead(p);
	if (now.link === null && now.properties === null) {
		event.link = change(link);
		return true;
	}
	Object.assign(event, now);
	if (now.link?.conversationId !== link.conversationId)
		return false;
	event.link = change(now.link);
	await keepLink(p, event, event.link);
	return true;
}

/**
 * Announces a link that the server has not accepted yet; not that of what may be a copy: the server would follow the copy.
 * @param {Ports} p @param {import('./flow-event.js').EventFacts} event @param {{ interactive: boolean, doubtful: boolean | null }} how doubtful: of seemsCopy
 * @returns {Promise<boolean>} whether nothing is left to announce
 */
export async function announceAgain(p, event, { interactive, doubtful }) {
	const { link } = event;
	if (link?.announced !== false)
		return true;
	try {
		const remote = await p.remote;
		if (!remote.config.syncServerEnabled)
			return true;
		if (doubtful !== false)
			return false;
		await remote.session.token({ interactive });
		const topic = topicOf(await p.item.subject(), remote.fallbackTopic, remote.config.topicMaxChars);
		const start = (await p.item.start()).getTime();
		if (!await announce(p, remote, link, { topic, start, eventId: link.item === undefined ? null : await p.item.id() }))
			return false;
		if (!await renewLink(p, event, (now) => propertyAnnounced(now, true)))
			await remote.links.remove(link.conversationId);
	} catch (e) {
		p.log.add('announce-failed', { fault: errorOf(e).message });
		return false;
	}
	return true;
}

/**
 * An event that was unsaved at the click names no event in its property, and neither does a copy of it. Once it has an id,
 * the time decides: the same as Unblu's, and it is taken for the first one and marked, so that later copies are seen as
 * such; another, and it may be either a copy or the first one after a change that is not saved. Rejects when Unblu can not
 * be asked.
 * @param {Ports} p @param {import('./flow-event.js').EventFacts} event @param {boolean} interactive whether a person may be asked to sign in, for the server's sake @returns {Promise<boolean>} whether it may be a copy
 */
export async function mayBeCopy(p, event, interactive) {
	const link = /** @type {import('./formats.js').Link} */ (event.link);
	if (link.item !== undefined || !event.kept || event.series.kind !== 'single')
		return false;
	const id = await p.item.id();
	if (id === null)
		return false;
	const remote = await p.remote;
	await remote.session.token({ interactive: interactive && remote.config.syncServerEnabled });
	const at = (await remote.unblu.read(link.conversationId))?.scheduledTimestamp ?? null;
	if (at === null)
		return false;
	if (Math.abs(at - (await p.item.start()).getTime()) > MINUTE_MS)
		return true;
	await renewLink(p, event, (now) => ({ ...now, item: fingerprint(id) }));
	return false;
}

/** The same, null: nobody says. @param {Ports} p @param {import('./flow-event.js').EventFacts} event @param {boolean} interactive @returns {Promise<boolean | null>} */
export async function seemsCopy(p, event, interactive) {
	return mayBeCopy(p, event, interactive).catch((e) => {
		p.log.add('copy-not-known', { fault: errorOf(e).message });
		return null;
	});
}

/** A click on an event that has its conversation. @param {Ports} p @param {import('./flow-event.js').EventFacts} event @returns {Promise<Outcome>} */
export async function clickLinked(p, event) {
	if (await isCopy(p, event))
		return { kind: 'info', code: 'copied', link: event.link ?? undefined };
	/* A person is asked to sign in only where something is left to announce. */
	const doubtful = await seemsCopy(p, event, event.link?.announced === false);
	if (event.link === null)
		throw new AddinError('nothing-linked');
	const { link } = event;
	if (!event.kept)
		await keepLink(p, event, link);
	const url = link.url ?? await linkUrl(p, link, true);
	const there = event.body !== null && inviteHas(event.body, url);
	if (!there) {
		const remote = await p.remote;
		const sound = await linkUrl(p, { ...link, url }, true);
		p.check();
		await insertLink(p, { url: sound, label: remote.label, labels: remote.labels, isNew: false });
		await setLocation(p, sound, null);
	}
	const announced = await announceAgain(p, event, { interactive: true, doubtful });
	if (there && doubtful)
		return { kind: 'info', code: 'maybe-copy', link };
	const code = there ? 'already' : 'repaired';
	return announced ? { kind: there ? 'info' : 'success', code, link: event.link ?? link } : { kind: 'info', code: `${code}-unannounced`, link };
}

const DAY_MS = 86_400_000;

/** The last day of a series, YYYY-MM-DD; null: no end; undefined: not told. @param {any} recurrence */
function lastDayOf(recurrence) {
	try {
		const day = recurrence.seriesTime?.getEndDate?.();
		return day === undefined ? undefined : day === null || day === '' ? null : String(day).slice(0, 10);
	} catch {
		return undefined;
	}
}

/** Start of the next meeting of a series whose first is over, as far as it can be known here; the server knows better. AddinError past. @param {import('./outlook.js').Series} series @param {number} start @param {number} now */
export function runningStart({ recurrence }, start, now) {
	const lastDay = lastDayOf(recurrence);
	if (lastDay === undefined || lastDay !== null && Date.parse(`${lastDay}T23:59:59Z`) + DAY_MS <= now)
		throw new AddinError('past');
	return start > now ? start : start + Math.ceil((now - start + 1) / DAY_MS) * DAY_MS;
}

/** Brings it to what the event says now. @param {Remote} remote @param {import('./remote.js').Conversation} found @param {import('./remote.js').Wanted} wanted */
export async function updateFound(remote, found, wanted) {
	if (found.topic !== null && found.topic !== wanted.topic)
		await remote.unblu.setTopic(found.id, wanted.topic);
	if (found.scheduledTimestamp !== null && Math.abs(found.scheduledTimestamp - wanted.scheduledTimestamp) > MINUTE_MS)
		await remote.unblu.setScheduledTimestamp(found.id, wanted.scheduledTimestamp);
}

/**
 * The link of a conversation that came without a sound one. Where there is none the conversation is of no use: it is
 * taken away again. AddinError no-public-link, link-not-accepted; useless-left where it could not be: the next attempt
 * finds it instead of leaving one more.
 * @param {Ports} p @param {Remote} remote @param {import('./remote.js').Conversation} conversation
 */
export async function otherLink(p, remote, conversation) {
	const given = conversation.publicLink ?? (await remote.unblu.read(conversation.id).catch(() => null))?.publicLink ?? null;
	const url = inviteUrl(given, remote.config.allowInsecureLinks);
	if (url !== null)
		return url;
	try {
		await remote.unblu.remove(conversation.id);
	} catch (e) {
		p.log.add('useless-conversation-left', { conversation: conversation.id, fault: errorOf(e).message });
		throw new AddinError('useless-left', { said: errorOf(e).message, uncertain: true });
	}
	throw new AddinError(given === null ? 'no-public-link' : 'link-not-accepted', { said: given === null ? undefined : 'the public link is no https address' });
}
