// @ts-check
/*
 * property.js - the custom property `unblu` of an event: the contract with the server (its reader is lib/rule/event.c).
 * A JSON string {"v":1,"conversationId","sourceId","createdAt"}; members of ours beside: url (the public link), item
 * (fingerprint of the event it was made for, when it had an id), mailbox "shared", announced false (the server has not
 * accepted it yet). Members that we do not know are kept. Pure.
 */

/**
 * @typedef {object} Link
 * @property {1} v
 * @property {string} conversationId
 * @property {string} sourceId
 * @property {string} createdAt ISO 8601, UTC
 * @property {string} [url] public link
 * @property {string} [item] fingerprint of the event's id
 * @property {'shared'} [mailbox] the event lies in someone else's calendar
 * @property {false} [announced] still to be announced to the server
 */

/** @typedef {{ v: 1, sourceId: string, at: string }} Pending a conversation that may have been asked for */

export const PROPERTY = 'unblu';
export const PENDING = 'unbluPending';
export const SOURCE_PREFIX = 'outlook-addin:';

const ID = /^[A-Za-z0-9_=-]{1,127}$/;
const SOURCE = /^[\x21-\x7e]{1,100}$/;
const LONGEST = 1000;

/** @param {unknown} value text, text in text, or an object @returns {any} */
function objectOf(value) {
	for (let i = 0; i < 3 && typeof value === 'string'; i++)
		try {
			value = JSON.parse(value);
		} catch {
			return null;
		}
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

/** Null for anything that is no sound link of this version. @param {unknown} value @returns {Link | null} */
export function propertyRead(value) {
	const o = objectOf(value);
	if (o === null || o.v !== 1 || !ID.test(o.conversationId) || typeof o.conversationId !== 'string' || typeof o.sourceId !== 'string' || !SOURCE.test(o.sourceId))
		return null;
	const link = { ...o };
	if (typeof link.createdAt !== 'string')
		link.createdAt = '';
	for (const name of ['url', 'item'])
		if (name in link && typeof link[name] !== 'string')
			delete link[name];
	if (link.mailbox !== 'shared')
		delete link.mailbox;
	if (link.announced !== false)
		delete link.announced;
	return link;
}

/** The value to store, under 1 KB: a link too long for that is left out (it can be read from Unblu). @param {Link} link */
export function propertyWrite(link) {
	const text = JSON.stringify(link);
	if (text.length <= LONGEST)
		return text;
	const { url, ...rest } = link;
	const short = JSON.stringify(rest);
	if (short.length <= LONGEST)
		return short;
	/* What others put beside ours does not fit: the contract goes first. */
	const { v, conversationId, sourceId, createdAt, announced, mailbox } = link;
	return JSON.stringify({ v, conversationId, sourceId, createdAt, announced, mailbox });
}

/** @param {Link} link @param {boolean} accepted @returns {Link} */
export function propertyAnnounced(link, accepted) {
	const { announced, ...rest } = link;
	return accepted ? rest : { ...rest, announced: false };
}

/** @param {unknown} value @returns {Pending | null} */
export function pendingRead(value) {
	const o = objectOf(value);
	if (o === null || o.v !== 1 || typeof o.sourceId !== 'string' || !SOURCE.test(o.sourceId) || !o.sourceId.startsWith(SOURCE_PREFIX))
		return null;
	return { v: 1, sourceId: o.sourceId, at: typeof o.at === 'string' ? o.at : '' };
}

/** @param {string} sourceId @param {Date} at */
export function pendingWrite(sourceId, at) {
	return JSON.stringify({ v: 1, sourceId, at: at.toISOString() });
}

/** A short fingerprint of an id (FNV-1a, two halves): to compare, not to hide. @param {string} id */
export function fingerprint(id) {
	let a = 0x811c9dc5;
	let b = 0xcbf29ce4;
	for (let i = 0; i < id.length; i++) {
		a = Math.imul(a ^ id.charCodeAt(i), 0x01000193);
		b = Math.imul(b ^ id.charCodeAt(id.length - 1 - i), 0x01000193);
	}
	return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}
