// @ts-check
/*
 * flow-event-more.js - what flow-event.js needs only when something does not go the short way: the sourceId of an attempt
 * where the event does not keep it, and after an attempt that made nothing; the link where the body can not be replaced.
 * Over ports; loaded then.
 */

import { AddinError, errorOf } from './errors.js';
import { MEMORY, save, SESSION } from './flow-event.js';
import { fingerprint, inviteHas, PENDING, pendingRead } from './formats.js';

/** @typedef {import('./flow.js').Ports} Ports */

const MEMORY_MS = 3_600_000;

/** How this tab knows an event that keeps nothing itself. @param {Ports} p */
async function memoryName(p) {
	const id = await p.item.id();
	return fingerprint(id ?? `${(await p.item.start()).getTime()} ${(await p.item.end()).getTime()} ${await p.item.subject()}`);
}

/** @param {Ports} p @returns {Promise<import('./formats.js').Pending | null>} */
export async function rememberedPending(p) {
	const text = p.memory.get(MEMORY);
	if (text === null)
		return null;
	const [name, value] = text.split(' ', 2);
	const pending = pendingRead(text.slice(name.length + 1));
	if (value === undefined || pending === null || !(p.now() - Date.parse(pending.at) < MEMORY_MS))
		return null;
	return await memoryName(p).catch(() => '') === name ? pending : null;
}

/** With this form, else in this tab. @param {Ports} p @param {string} value of pendingWrite */
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
 * The link in front of a body that can not be read, is too large, or was not replaced. AddinError body-failed.
 * @param {Ports} p
 * @param {{ url: string, block: string, type: import('./formats.js').BodyType, mayPrepend: boolean, isWritten: boolean, fault?: AddinError }} how
 *   isWritten: an attempt to replace the body was made; fault: of reading or of that
 */
export async function insertOtherwise(p, { url, block, type, mayPrepend, isWritten, fault }) {
	if (isWritten && fault !== undefined && await isThereNow(p, type, url))
		return;
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
