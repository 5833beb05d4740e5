// @ts-check
/* flow-event.js - what the event says and what is kept with it: the property, and the sourceId of an attempt. Over ports. */

import { errorOf } from './errors.js';
import { fingerprint, PENDING, pendingRead, pendingWrite, PROPERTY, propertyRead, propertyWrite } from './property.js';

/** @typedef {import('./flow.js').Ports} Ports */

/**
 * @typedef {object} EventFacts
 * @property {import('./office-item.js').Series} series
 * @property {import('./office-item.js').Properties | null} properties null: they can not be had
 * @property {import('./property.js').Link | null} link
 * @property {boolean} kept the link stands in the property (and not only in this form's session)
 * @property {boolean} inSession something of it is kept with this form
 * @property {boolean} newer a property of a later version stands there
 * @property {import('./property.js').Pending | null} pending
 * @property {boolean} attempted a sourceId is kept with the event
 * @property {string | null} body null: it can not be read
 */

const TRIES = 3;
const AGAIN_MS = 1000;
const MEMORY_MS = 3_600_000;
const MEMORY = 'unblu.pending';
const SESSION = 'unblu';

/** @param {unknown} raw */
function isNewer(raw) {
	try {
		const value = typeof raw === 'string' ? JSON.parse(raw) : raw;
		return typeof value?.v === 'number' && value.v > 1;
	} catch {
		return false;
	}
}

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

/** How this tab knows an event that keeps nothing itself. @param {Ports} p */
async function memoryName(p) {
	const id = await p.item.id();
	return fingerprint(id ?? `${(await p.item.start()).getTime()} ${(await p.item.end()).getTime()} ${await p.item.subject()}`);
}

/** @param {Ports} p @returns {Promise<import('./property.js').Pending | null>} */
async function rememberedPending(p) {
	const text = p.memory.get(MEMORY);
	if (text === null)
		return null;
	const [name, value] = text.split(' ', 2);
	const pending = pendingRead(text.slice(name.length + 1));
	if (value === undefined || pending === null || !(p.now() - Date.parse(pending.at) < MEMORY_MS))
		return null;
	return await memoryName(p).catch(() => '') === name ? pending : null;
}

/** What this form keeps: in one entry, since each look is a call. @param {Ports} p @returns {Promise<{ link?: unknown, pending?: unknown }>} */
async function sessionRead(p) {
	try {
		const value = JSON.parse(await p.item.sessionGet(SESSION) ?? '{}');
		return typeof value === 'object' && value !== null ? value : {};
	} catch {
		return {};
	}
}

/** @param {Ports} p @param {() => void} [onNone] called as soon as it is known that the event has no conversation @returns {Promise<EventFacts>} */
export async function eventRead(p, onNone) {
	const properties = await loadProperties(p);
	const raw = properties?.get(PROPERTY);
	const own = propertyRead(raw);
	const session = own !== null ? {} : await sessionRead(p);
	const link = own ?? propertyRead(session.link);
	if (link === null && !isNewer(raw))
		onNone?.();
	const series = await p.item.series();
	const pending = pendingRead(properties?.get(PENDING)) ?? pendingRead(session.pending) ?? (link === null ? await rememberedPending(p) : null);
	const body = await p.item.bodyType().then((type) => p.item.readBody(type)).catch(() => null);
	return { series, properties, link, kept: own !== null, inSession: 'link' in session || 'pending' in session, newer: link === null && isNewer(raw), pending, attempted: pending !== null, body };
}

/** @param {Ports} p @param {import('./office-item.js').Properties} properties @param {number} tries */
async function save(p, properties, tries) {
	for (let turn = 1; ; turn++)
		try {
			await properties.save();
			return true;
		} catch (e) {
			p.log.add('property-not-saved', { turn, fault: errorOf(e).message });
			if (turn >= tries)
				return false;
			await p.sleep(AGAIN_MS);
		}
}

/** Keeps the sourceId before it is used: with the event, else with this form, else in this tab. @param {Ports} p @param {EventFacts} event @param {string} sourceId */
export async function keepPending(p, event, sourceId) {
	const value = pendingWrite(sourceId, new Date(p.now()));
	event.attempted = true;
	event.properties?.set(PENDING, value);
	if (event.properties !== null && await save(p, event.properties, 1))
		return;
	if (await p.item.sessionSet(SESSION, JSON.stringify({ pending: value })))
		return;
	const name = await memoryName(p).catch(() => null);
	if (name !== null)
		p.memory.set(MEMORY, `${name} ${value}`);
}

/** Nothing was made: the next attempt may be another, also that of a copy of this event. @param {Ports} p @param {EventFacts} event */
export async function clearPending(p, event) {
	if (!event.attempted)
		return;
	if (event.properties !== null && event.properties.get(PENDING) !== undefined) {
		event.properties.remove(PENDING);
		await save(p, event.properties, 1);
	}
	await p.item.sessionSet(SESSION, null);
	p.memory.set(MEMORY, null);
}

/**
 * Writes the property (null: takes it away); where that fails it is kept with the open form.
 * @param {Ports} p @param {EventFacts} event @param {import('./property.js').Link | null} link @returns {Promise<boolean>} whether it stands in the property
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
