// @ts-check
/*
 * flow.js - what a click does: the order of the steps and every way out, over ports. Pure: no DOM, no Office, no fetch, no
 * clock of its own. flow-again.js has what a click does where a conversation is there already, flow-pane.js what only the
 * pane does.
 *
 * The order: (1) read what the event says, (2) keep a sourceId with the event, (3) create, (4) property, (5) link in the
 * body, (6) location if empty, (7) announcement accepted. Whatever breaks, the next click goes on where this one stopped.
 */

import { AddinError, errorOf, partLoaded } from './errors.js';
import { fingerprint, inviteForeign, inviteUrl, propertyAnnounced, SOURCE_PREFIX, topicOf } from './formats.js';
import { eventRead, insertLink, keepLink, keepPending, setLocation } from './flow-event.js';

/**
 * What needs the network or the configuration.
 * @typedef {object} Remote
 * @property {import('./load.js').Config} config
 * @property {import('./session.js').Session} session
 * @property {import('./remote.js').UnbluClient} unblu
 * @property {import('./remote.js').LinksClient} links
 * @property {string} label text above the link
 * @property {string[]} labels every one that may stand there
 * @property {string[]} bases where public links begin, as far as known
 * @property {string} fallbackTopic
 */

/**
 * @typedef {object} Ports
 * @property {import('./outlook.js').Item} item
 * @property {Promise<Remote>} remote starts loading before it is needed
 * @property {{ get(key: string): string | null, set(key: string, value: string | null): void }} memory of this browser tab
 * @property {(url: string) => void} learn a public link was made: its beginning is remembered
 * @property {string} language of the agent, a tag
 * @property {string | undefined} timeZone IANA name
 * @property {() => number} now Unix ms
 * @property {() => string} uuid
 * @property {(ms: number) => Promise<void>} sleep
 * @property {<T>(run: () => Promise<T>) => Promise<T>} [alone] for a step of what is not alone as a whole: while no other page of ours is at work on the event
 * @property {() => void} check throws AddinError `timeout` once the time for all of it is over
 * @property {import('./errors.js').Log} log
 */

/**
 * How it ended; code and kind name the text: strings "done.<code>" (success, info) or "error.<code>".
 * @typedef {{ kind: 'success' | 'info' | 'error', code: string, params?: Record<string, string>, link?: import('./formats.js').Link, error?: AddinError }} Outcome
 */

/** What goes on while the event is read: the silent sign-in, and who the agent is. @typedef {{ warm: Promise<unknown>, person: Promise<{ id: string }> }} Early */

export const MINUTE_MS = 60_000;
/* MailboxEnums.DelegatePermissions: Write 2, EditOwn 16, EditAll 32. */
export const MAY_WRITE = 2 | 16 | 32;
/** Not failures, only not what was wanted: no error colour. */
const CALM = ['signin-cancelled', 'busy'];

/** @param {unknown} e @returns {Outcome} */
export function outcomeOf(e) {
	const error = errorOf(e);
	return { kind: CALM.includes(error.code) ? 'info' : 'error', code: error.code, params: error.details.params, error };
}

/** @param {Promise<unknown>} promise looked at later; its failure is not unhandled until then */
function later(promise) {
	promise.catch(() => undefined);
}

/**
 * Subject and times; AddinError for those that can not be planned.
 * @param {Ports} p @param {import('./outlook.js').Series} series
 */
async function readTimes(p, series) {
	const start = (await p.item.start()).getTime();
	const end = (await p.item.end()).getTime();
	if (end <= start)
		throw new AddinError('times-inverted');
	if (end > p.now())
		return start;
	if (series.kind !== 'master')
		throw new AddinError('past');
	return (await again()).runningStart(series, start, p.now());
}

/** @param {import('./outlook.js').Sharing} sharing */
function refuseWithoutRights(sharing) {
	if (sharing.kind === 'shared' && (sharing.permissions & MAY_WRITE) === 0)
		throw new AddinError('shared-no-rights', { params: { owner: sharing.owner } });
}

/**
 * @param {Ports} p @param {Remote} remote @param {import('./formats.js').Link} link
 * @param {{ topic: string, start: number, eventId: string | null }} what @returns {Promise<boolean>} whether the server has accepted it
 */
export async function announce(p, remote, link, what) {
	try {
		await remote.links.put(link.conversationId, {
			sourceId: link.sourceId, topic: what.topic, start: new Date(what.start), mailbox: link.mailbox === 'shared' ? 'shared' : 'own', timeZone: p.timeZone,
			/* In another one's mailbox the agent's own has no such event, and what is not there looks deleted. */
			eventId: link.mailbox === 'shared' ? undefined : what.eventId ?? undefined,
		});
		return true;
	} catch (e) {
		p.log.add('announce-failed', { fault: errorOf(e).message });
		return false;
	}
}

/**
 * @param {Ports} p @param {import('./flow-event.js').EventFacts} event @param {Early} early
 * @returns {Promise<{ remote: Remote, wanted: import('./remote.js').Wanted, sharing: import('./outlook.js').Sharing, eventId: string | null, start: number }>}
 */
async function prepare(p, event, { warm, person }) {
	const subject = await p.item.subject();
	const start = await readTimes(p, event.series);
	const sharing = await p.item.sharing();
	refuseWithoutRights(sharing);
	const eventId = await p.item.id();
	const remote = await p.remote;
	p.check();
	const sourceId = event.pending?.sourceId ?? `${SOURCE_PREFIX}${p.uuid()}`;
	const kept = event.pending === null ? keepPending(p, event, { v: 1, sourceId, at: new Date(p.now()).toISOString(), start, ...itemOf(eventId) }) : Promise.resolve();
	later(kept);
	await warm.catch(() => remote.session.token({ interactive: true }));
	await kept;
	const agent = await person.catch(async (e) => {
		const { code } = errorOf(e);
		/* Only here, where the agent waits for it, may a refused token open a window. */
		if (/^gateway-(login|una)/.test(code))
			await remote.session.token({ interactive: true, force: true });
		else if (code !== 'signin-needed')
			throw e;
		return remote.unblu.getCurrentPerson();
	});
	const { config } = remote;
	const topic = topicOf(subject, remote.fallbackTopic, config.topicMaxChars);
	return {
		remote, sharing, eventId, start,
		wanted: { sourceId, topic, scheduledTimestamp: start, personId: agent.id, templateId: config.conversationTemplateId, metadata: { 'outlookAddin.schema': '1', 'outlookAddin.requestId': p.log.requestId } },
	};
}

/** @param {{ written: boolean, kept: boolean, announced: boolean }} done @param {import('./outlook.js').Sharing} sharing @param {import('./outlook.js').Series} series @returns {{ kind: Outcome['kind'], code: string, params?: Record<string, string> }} */
function createdOutcome(done, sharing, series) {
	if (!done.written)
		return { kind: 'error', code: 'body-failed' };
	if (!done.kept)
		return { kind: 'info', code: 'created-unkept' };
	if (!done.announced)
		return { kind: 'info', code: 'created-unannounced' };
	if (sharing.kind === 'shared')
		return { kind: 'success', code: 'created-shared', params: { owner: sharing.owner } };
	return { kind: 'success', code: series.kind === 'master' ? 'created-series' : 'created' };
}

const again = () => partLoaded(import('./flow-again.js'));

/** Whether it is what the event says now, as far as it tells. @param {import('./remote.js').Conversation} c @param {import('./remote.js').Wanted} wanted */
function isAsWanted(c, wanted) {
	return (c.topic ?? wanted.topic) === wanted.topic && Math.abs((c.scheduledTimestamp ?? wanted.scheduledTimestamp) - wanted.scheduledTimestamp) <= MINUTE_MS;
}

/** Makes it, or finds it. @template {{ remote: Remote, wanted: import('./remote.js').Wanted }} T @param {Ports} p @param {T} made of prepare */
async function makeConversation(p, made) {
	const { remote, wanted } = made;
	const conversation = await remote.unblu.create(wanted);
	if (conversation.engagementType !== 'SCHEDULED_CONVERSATION')
		throw new AddinError('gateway-answer', { said: `a conversation of type ${conversation.engagementType}` });
	if (!isAsWanted(conversation, wanted))
		await again().then((m) => m.updateFound(remote, conversation, wanted)).catch((e) => p.log.add('found-not-updated', { fault: errorOf(e).message }));
	const url = inviteUrl(conversation.publicLink, remote.config.allowInsecureLinks) ?? await (await again()).otherLink(p, remote, conversation);
	return { ...made, conversation, url };
}

/** @param {string | null} eventId */
const itemOf = (eventId) => (eventId === null ? {} : { item: fingerprint(eventId) });

/** A conversation for an event that has none. @param {Ports} p @param {import('./flow-event.js').EventFacts} event @param {Early} early @param {string | null} oldUrl to be replaced @returns {Promise<Outcome>} */
async function clickNew(p, event, early, oldUrl) {
	let asked = false;
	const { remote, wanted, sharing, eventId, start, conversation, url } = await prepare(p, event, early).then((made) => {
		p.check();
		asked = true;
		return makeConversation(p, made);
	}).catch(async (e) => {
		const { code, details } = errorOf(e);
		if (event.pending && code !== 'timeout' && !(asked && details.uncertain))
			await partLoaded(import('./flow-event-more.js')).then((m) => m.clearPending(p, event)).catch(() => undefined);
		throw e;
	});
	p.learn(url);
	/** @type {import('./formats.js').Link} */
	let link = {
		v: 1, conversationId: conversation.id, sourceId: wanted.sourceId, createdAt: new Date(p.now()).toISOString(), url,
		...itemOf(eventId), ...(sharing.kind === 'own' ? {} : { mailbox: /** @type {const} */ ('shared') }),
	};
	const withServer = remote.config.syncServerEnabled;
	const announcing = withServer ? announce(p, remote, link, { topic: wanted.topic, start, eventId }) : Promise.resolve(true);
	const kept = await keepLink(p, event, withServer ? propertyAnnounced(link, false) : link);
	const written = await insertLink(p, { url, label: remote.label, labels: remote.labels, isNew: true, oldUrl }).then(() => true, (e) => {
		p.log.add('body-failed', { fault: errorOf(e).message });
		return false;
	});
	if (written)
		await setLocation(p, url, oldUrl);
	const announced = await announcing;
	link = propertyAnnounced(link, announced);
	if (withServer && announced)
		await keepLink(p, event, link);
	p.log.add('created', { conversation: conversation.id, written, kept, announced });
	return { ...createdOutcome({ written, kept, announced }, sharing, event.series), link };
}

/**
 * The click. `fresh`: a new conversation although the event names one (a copied event); its old link is replaced.
 * Never rejects.
 * @param {Ports} p @param {{ fresh?: boolean }} [how] @returns {Promise<Outcome>}
 */
export async function flowClick(p, { fresh = false } = {}) {
	try {
		const warm = p.remote.then((r) => r.session.token({ interactive: false }));
		later(warm);
		/** @type {Early['person'] | null} */
		let person = null;
		const ask = () => {
			person ??= warm.then(() => p.remote).then((r) => r.unblu.getCurrentPerson());
			later(person);
			return person;
		};
		const event = await eventRead(p, ask);
		if (event.series.kind === 'occurrence')
			throw new AddinError('occurrence');
		if (event.newer)
			throw new AddinError('newer');
		if (event.link !== null && !fresh)
			return await (await again()).clickLinked(p, event);
		let oldUrl = event.link?.url ?? null;
		if (event.body !== null && oldUrl === null) {
			const { bases, labels } = await p.remote;
			oldUrl = inviteForeign(event.body, bases, labels);
			if (oldUrl !== null && !fresh && event.pending === null)
				return { kind: 'info', code: event.properties === null ? 'unreadable' : 'foreign-link' };
		}
		return await clickNew(p, event, { warm, person: ask() }, fresh ? oldUrl : null);
	} catch (e) {
		const outcome = outcomeOf(e);
		p.log.add('click-failed', { code: outcome.code, said: outcome.error?.details.said });
		return outcome;
	}
}
