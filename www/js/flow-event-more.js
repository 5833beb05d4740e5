// @ts-check
/*
 * flow-event-more.js - what flow-event.js needs only when something does not go the short way: the sourceId of an attempt
 * where the event does not keep it, and after an attempt that made nothing; the link where the body can not be replaced.
 * Over ports; loaded then.
 */

import { AddinError, errorOf } from './errors.js';
import { MEMORY, save, SESSION } from './flow-event.js';
import { MINUTE_MS } from './flow.js';
import { fingerprint, inviteHas, objectOf, PENDING, SOURCE, SOURCE_PREFIX } from './formats.js';

/** @typedef {import('./flow.js').Ports} Ports */
/** @typedef {import('./formats.js').Pending} Pending */

const YOUNG_MS = 3_600_000;

/** How this tab knows an event that keeps nothing itself. @param {Ports} p */
async function memoryName(p) {
	const id = await p.item.id();
	return fingerprint(id ?? `${(await p.item.start()).getTime()} ${(await p.item.end()).getTime()} ${await p.item.subject()}`);
}

/** @param {unknown} value @returns {Pending | null} */
export function pendingRead(value) {
	const o = objectOf(value);
	if (o === null || o.v !== 1 || typeof o.sourceId !== 'string' || !SOURCE.test(o.sourceId) || !o.sourceId.startsWith(SOURCE_PREFIX))
		return null;
	return { v: 1, sourceId: o.sourceId, at: typeof o.at === 'string' ? o.at : '', ...(typeof o.start === 'number' ? { start: o.start } : {}), ...(typeof o.item === 'string' ? { item: o.item } : {}) };
}

/** @param {Ports} p @param {Pending} pending */
function isYoung(p, pending) {
	return p.now() - Date.parse(pending.at) < YOUNG_MS;
}

/** @param {Ports} p @returns {Promise<Pending | null>} */
async function rememberedPending(p) {
	const text = p.memory.get(MEMORY) ?? '';
	const name = text.split(' ', 1)[0];
	const pending = pendingRead(text.slice(name.length + 1));
	if (pending === null || !isYoung(p, pending))
		return null;
	return await memoryName(p).catch(() => '') === name ? pending : null;
}

/**
 * Whether an attempt was made for another event: a copy has the property of the first one. Another id tells, and where the
 * first one was not saved yet another start: then the agent has moved the event since in the same form, or it is a copy.
 * @param {Ports} p @param {Pending} pending @param {import('./outlook.js').SeriesKind} series
 */
async function isOthers(p, pending, series) {
	const id = await p.item.id();
	if (id !== null && pending.item !== undefined)
		return fingerprint(id) !== pending.item;
	if (series !== 'single' || pending.start === undefined || Math.abs(pending.start - (await p.item.start()).getTime()) <= MINUTE_MS)
		return false;
	return id !== null || pending.item !== undefined || !isYoung(p, pending);
}

/**
 * The attempt that was made for this event.
 * @param {Ports} p @param {unknown[]} kept with the event, with this form @param {boolean} inTab whether it may be remembered in this tab @param {import('./outlook.js').SeriesKind} series
 */
export async function ownPending(p, [withEvent, withForm], inTab, series) {
	const first = pendingRead(withEvent);
	if (first !== null && !await isOthers(p, first, series).catch(() => false))
		return first;
	return pendingRead(withForm) ?? (inTab ? rememberedPending(p) : null);
}

/** With this form, else in this tab. @param {Ports} p @param {string} value a Pending as JSON */
export async function keepElsewhere(p, value) {
	if (await p.item.sessionSet(SESSION, JSON.stringify({ pending: value })))
		return;
	const name = await memoryName(p).catch(() => null);
	if (name !== null)
		p.memory.set(MEMORY, `${name} ${value}`);
}

/** Nothing was made: the next attempt may be another, also that of a copy of this event. @param {Ports} p @param {import('./flow-event.js').EventFacts} event */
export async function clearPending(p, event) {
	if (event.properties !== null && event.properties.get(PENDING) !== undefined) {
		event.properties.remove(PENDING);
		await save(p, event.properties, 1);
	}
	await p.item.sessionSet(SESSION, null);
	p.memory.set(MEMORY, null);
}

/** @param {Ports} p @param {import('./formats.js').BodyType} type @param {string} url */
async function isThereNow(p, type, url) {
	return p.item.readBody(type).then((body) => inviteHas(body, url), () => false);
}

/**
 * The link in a body that was not replaced: once more from the start, since it may have been changed meanwhile, else in
 * front of it, as where it can not be read or is too large. Whatever was said to have failed is looked for before more is
 * written: it may have been done. AddinError body-failed.
 * @param {Ports} p
 * @param {{ url: string, block: string, type: import('./formats.js').BodyType, mayPrepend: boolean, isWritten: boolean, fault?: AddinError, replace: () => Promise<boolean> }} how
 *   isWritten: an attempt to replace the body was made; fault: of reading or of that; replace: the same again
 */
export async function insertOtherwise(p, { url, block, type, mayPrepend, isWritten, fault, replace }) {
	if (isWritten && fault !== undefined && await isThereNow(p, type, url))
		return;
	if (isWritten && fault?.details.uncertain === false)
		try {
			if (await replace())
				return;
		} catch (e) {
			if (await isThereNow(p, type, url))
				return;
			fault = errorOf(e);
		}
	/* No answer: it may still come. Another attempt could make two. */
	if (!mayPrepend || isWritten && fault?.details.uncertain)
		throw new AddinError('body-failed', { said: fault?.message });
	try {
		await p.item.prependBody(type === 'text' ? `${block}\r\n\r\n` : block, type);
	} catch (e) {
		if (!await isThereNow(p, type, url))
			throw new AddinError('body-failed', { said: errorOf(e).message });
	}
}
