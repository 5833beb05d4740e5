// @ts-check
/*
 * flow-event.js - what the event says and what it gets: property, sourceId of an attempt, the link in body and location.
 * The agent's own words are never lost: what can not be read is not replaced. What is seldom needed is in flow-event-more.js.
 * Over ports.
 */

import { AddinError, errorOf, partLoaded } from './errors.js';
import { inviteAdd, inviteBlock, objectOf, PENDING, PROPERTY, propertyIsNewer, propertyRead, propertyWrite } from './formats.js';

/** @typedef {import('./flow.js').Ports} Ports */

/**
 * @typedef {object} EventFacts
 * @property {import('./outlook.js').Series} series
 * @property {import('./outlook.js').Properties | null} properties null: they can not be had
 * @property {import('./formats.js').Link | null} link
 * @property {boolean} kept the link stands in the property (and not only in this form's session)
 * @property {boolean} inSession something of it is kept with this form
 * @property {boolean} newer a property of a later version stands there
 * @property {import('./formats.js').Pending | null} pending a sourceId is kept with the event
 * @property {string | null} body null: it can not be read
 */

const LARGEST = 1_000_000;
const LOCATION_LENGTH = 255;
const TRIES = 3;
const AGAIN_MS = 1000;
/** Names of what is kept in this tab, and with this form. */
export const MEMORY = 'unblu.pending';
export const SESSION = 'unblu';

const more = () => partLoaded(import('./flow-event-more.js'));

/** @param {Ports} p */
async function loadProperties(p) {
	for (let turn = 1; ; turn++)
		try {
			return await p.item.loadProperties();
		} catch (e) {
			if (turn === 2 || /** @type {any} */ (e).why === 'missing')
				return null;
			await p.sleep(300);
		}
}

/** AddinError read-only; outlook, where neither properties nor form nor body tell whether there is a conversation. @param {Ports} p @param {() => void} [onNone] called as soon as it is known that the event has no conversation @returns {Promise<EventFacts>} */
export async function eventRead(p, onNone) {
	if (!p.item.editable)
		throw new AddinError('read-only');
	const properties = await loadProperties(p);
	const raw = properties?.get(PROPERTY);
	const own = propertyRead(raw);
	/* What this form keeps: in one entry, since each look is a call. */
	const session = own === null && objectOf(await p.item.sessionGet(SESSION)) || {};
	const link = own ?? propertyRead(session.link);
	const newer = link === null && propertyIsNewer(raw);
	if (link === null && !newer)
		onNone?.();
	const series = await p.item.series();
	const kept = [properties?.get(PENDING), session.pending];
	const inTab = link === null;
	const pending = kept.some(Boolean) || inTab && p.memory.get(MEMORY) ? await (await more()).ownPending(p, kept, inTab, series.kind) : null;
	const body = await p.item.bodyType().then((type) => p.item.readBody(type)).catch((e) => (properties ?? link ? null : Promise.reject(e)));
	return { series, properties, link, kept: own !== null, inSession: 'link' in session || 'pending' in session, newer, pending, body };
}

/** @param {Ports} p @param {import('./outlook.js').Properties} properties @param {number} tries */
export async function save(p, properties, tries) {
	for (let turn = 1; ; turn++)
		try {
			await properties.save();
			return true;
		} catch (e) {
			const { message, details } = errorOf(e);
			p.log.add('property-not-saved', { turn, fault: message });
			/* Without an answer another attempt would only wait as long. */
			if (turn >= tries || details.uncertain)
				return false;
			await p.sleep(AGAIN_MS);
		}
}

/** Keeps the sourceId before it is used: with the event, else with this form, else in this tab. @param {Ports} p @param {EventFacts} event @param {import('./formats.js').Pending} pending */
export async function keepPending(p, event, pending) {
	const value = JSON.stringify(pending);
	event.pending = pending;
	event.properties?.set(PENDING, value);
	if (event.properties !== null && await save(p, event.properties, 1))
		return;
	await (await more()).keepElsewhere(p, value);
}

/**
 * Writes the property (null: takes it away); where that fails it is kept with the open form.
 * @param {Ports} p @param {EventFacts} event @param {import('./formats.js').Link | null} link @returns {Promise<boolean>} whether it stands in the property
 */
export async function keepLink(p, event, link) {
	const { properties } = event;
	const value = link === null ? null : propertyWrite(link);
	if (properties !== null) {
		properties.remove(PENDING);
		if (value === null)
			properties.remove(PROPERTY);
		else
			properties.set(PROPERTY, value);
		if (await save(p, properties, TRIES)) {
			if (event.inSession || link === null)
				await p.item.sessionSet(SESSION, null);
			event.inSession = false;
			p.memory.set(MEMORY, null);
			event.kept = link !== null;
			return true;
		}
	}
	event.inSession = await p.item.sessionSet(SESSION, value === null ? null : JSON.stringify({ link: value }));
	return false;
}

/**
 * Puts the link at the end of the body, in place of an old one if told so. AddinError body-failed.
 * @param {Ports} p
 * @param {{ url: string, label: string, labels: string[], isNew: boolean, oldUrl?: string | null }} what
 *   isNew: the link can not be in the body yet, so that it may be put in front of one that can not be read
 */
export async function insertLink(p, { url, label, labels, isNew, oldUrl = null }) {
	const old = oldUrl === null ? null : await partLoaded(import('./invite-remove.js'));
	const type = await p.item.bodyType().catch(() => /** @type {const} */ ('html'));
	let wasRead = false;
	let fault;
	/* Read right before it is written: the agent may be typing. */
	const replace = async () => {
		const body = await p.item.readBody(type);
		wasRead = true;
		const next = inviteAdd(old?.inviteRemove(body, type, oldUrl ?? '', labels) ?? body, type, label, url);
		if (next.length > LARGEST)
			return false;
		if (next !== body)
			await p.item.writeBody(next, type);
		return true;
	};
	try {
		if (await replace())
			return;
	} catch (e) {
		fault = errorOf(e);
	}
	await (await more()).insertOtherwise(p, { url, block: inviteBlock(label, url, type), type, mayPrepend: wasRead || isNew, isWritten: wasRead, fault, replace });
}

/** The link as the location where there is none: a room or a text stays. @param {Ports} p @param {string} url @param {string | null} oldUrl counts as none */
export async function setLocation(p, url, oldUrl) {
	try {
		const there = (await p.item.location()).trim();
		if (url.length <= LOCATION_LENGTH && (there === '' || there === oldUrl))
			await p.item.setLocation(url);
	} catch (e) {
		p.log.add('location-failed', { fault: errorOf(e).message });
	}
}
