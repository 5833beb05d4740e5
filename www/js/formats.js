// @ts-check
/*
 * formats.js - what stands in an event and in Unblu, to the letter. Pure.
 *
 * The custom property `unblu` of an event: the contract with the server (its reader is lib/rule/event.c). A JSON string
 * {"v":1,"conversationId","sourceId","createdAt"}; members of ours beside: url (the public link), item (fingerprint of the
 * event it was made for, when it had an id), mailbox "shared", announced false (the server has not accepted it yet).
 * Members that we do not know are kept.
 *
 * The block with the link in the invitation: build, find, add (invite-remove.js takes it out again). Works on the body as
 * text, HTML or plain; Outlook rewrites ids, classes and comments, so a block is known by its link alone. What is not ours
 * is kept byte by byte.
 *
 * Topics as the server makes them (lib/rule/plan.c): equal here and there, or the first synchronisation would write.
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

/**
 * A conversation that may have been asked for: when, and for which event, as far as it is known by then.
 * @typedef {{ v: 1, sourceId: string, at: string, start?: number, item?: string }} Pending at: ISO 8601, UTC; start: of the event, Unix ms; item: fingerprint of its id
 */

export const PROPERTY = 'unblu';
export const PENDING = 'unbluPending';
export const SOURCE_PREFIX = 'outlook-addin:';

const ID = /^[A-Za-z0-9_=-]{1,127}$/;
export const SOURCE = /^[\x21-\x7e]{1,100}$/;
const LONGEST = 1000;

/** @param {unknown} value text, text in text, or an object @returns {any} */
export function objectOf(value) {
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

/** Whether a later version has written it. @param {unknown} value */
export function propertyIsNewer(value) {
	const v = objectOf(value)?.v;
	return typeof v === 'number' && v > 1;
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

/** @typedef {'html' | 'text'} BodyType */

/* The block with the link. */

const ENTITIES = /** @type {Record<string, string>} */ ({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', colon: ':', sol: '/', quest: '?', equals: '=', num: '#', period: '.', lowbar: '_', percnt: '%' });
const LINE_BREAK = /\r\n|\r|\n/;
const LONGEST_URL = 2000;
const AFTER_LINK = /[A-Za-z0-9_~%-]/;

/** @param {string} text */
export function escapeHtml(text) {
	return text.replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Entities to characters, once. @param {string} text */
export function decodeEntities(text) {
	return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{2,8}));/g, (whole, dec, hex, name) => {
		if (name !== undefined)
			return ENTITIES[name] ?? ENTITIES[name.toLowerCase()] ?? whole;
		const code = dec !== undefined ? Number(dec) : parseInt(hex, 16);
		return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
	});
}

/** Percent escapes to characters as far as they are whole. @param {string} text */
function decodePercent(text) {
	return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => {
		try {
			return decodeURIComponent(run);
		} catch {
			return run;
		}
	});
}

/** Where url stands in text as a whole, not as the beginning of a longer one; -1: nowhere. @param {string} text @param {string} url @param {number} [from] */
export function indexOfUrl(text, url, from = 0) {
	for (let at = text.indexOf(url, from); at >= 0; at = text.indexOf(url, at + 1))
		if (!AFTER_LINK.test(text[at + url.length] ?? ''))
			return at;
	return -1;
}

/** The disguises a link goes through. @param {string} body @returns {string[]} */
function readings(body) {
	const plain = decodeEntities(body);
	const twice = decodeEntities(plain);
	return [body, plain, twice, decodePercent(twice), plain.replace(/[\r\n]+[ \t]*/g, '')];
}

/** Does the body hold this link, also as a link scanner writes it? @param {string} body @param {string} url */
export function inviteHas(body, url) {
	if (url === '')
		return false;
	const wanted = [...new Set([url, decodePercent(url)])];
	return readings(body).some((text) => wanted.some((u) => indexOfUrl(text, u) >= 0));
}

/** The longest web address at a place, "" for none. @param {string} text @param {number} at */
const urlAt = (text, at) => /^https?:[^\s"'<>]+/.exec(text.slice(at, at + LONGEST_URL))?.[0] ?? '';

/**
 * The first link in the body that is of ours although the event has no property, such as in a copied event: below one of
 * the bases ("https://host/path?"), or right after one of the labels. Null: there is none.
 * @param {string} body @param {string[]} bases @param {string[]} labels
 */
export function inviteForeign(body, bases, labels) {
	const text = decodeEntities(body);
	for (const base of bases)
		for (let at = text.indexOf(base); base !== '' && at >= 0; at = text.indexOf(base, at + 1))
			if (urlAt(text, at).length > base.length)
				return urlAt(text, at);
	const plain = squeezed(decodeEntities(body.replace(/<[^<>]*>/g, ' ')));
	for (const label of labels.map((l) => squeezed(l)).filter((l) => l !== ''))
		for (let at = plain.indexOf(label); at >= 0; at = plain.indexOf(label, at + 1)) {
			const url = urlAt(plain, at + label.length + 1);
			if (url !== '')
				return url;
		}
	return null;
}

/** Blanks of any kind as one. @param {string} text */
export function squeezed(text) {
	return text.replace(/[\s\u00a0\u200b\ufeff]+/g, ' ').trim();
}

/** @param {string} label @returns {string[]} */
export function labelLines(label) {
	return label.split(LINE_BREAK).map((l) => l.trim()).filter((l) => l !== '');
}

/**
 * The block: label line by line, then the whole link. The anchor's id keeps Outlook from making a preview of it.
 * @param {string} label @param {string} url @param {BodyType} type
 */
export function inviteBlock(label, url, type) {
	const lines = labelLines(label);
	if (type === 'text')
		return [...lines, url].join('\r\n');
	return `<p>${[...lines.map(escapeHtml), `<a id="LPNoLP" href="${escapeHtml(url)}">${escapeHtml(url)}</a>`].join('<br>')}</p>`;
}

/** The body with the block at its end; the same body when the link is there. @param {string} body @param {BodyType} type @param {string} label @param {string} url */
export function inviteAdd(body, type, label, url) {
	if (inviteHas(body, url))
		return body;
	const block = inviteBlock(label, url, type);
	if (type === 'text')
		return body.trim() === '' ? `${body}${block}\r\n` : `${body}${/[\r\n]$/.test(body) ? '' : '\r\n'}\r\n${block}\r\n`;
	const at = closing(body, 'body') ?? closing(body, 'html') ?? body.length;
	return body.slice(0, at) + block + body.slice(at);
}

/** Where the last closing tag of this name begins. @param {string} html @param {string} name */
function closing(html, name) {
	const at = html.toLowerCase().lastIndexOf(`</${name}`);
	return at >= 0 && /^\s*>/.test(html.slice(at + name.length + 2, at + name.length + 20)) ? at : null;
}

/** The label for a language. @param {Record<string, string>} texts by language or full tag @param {string} language @param {string} fallback */
export function inviteLabel(texts, language, fallback) {
	const tag = language.toLowerCase();
	for (const wanted of [tag, tag.split('-')[0]])
		for (const [name, text] of Object.entries(texts))
			if (name.toLowerCase() === wanted)
				return text;
	return fallback;
}

/**
 * The public link if it may go into an invitation: an absolute https address (http only if allowed), no user name in it.
 * @param {unknown} url @param {boolean} insecure whether http is allowed @returns {string | null}
 */
export function inviteUrl(url, insecure) {
	if (typeof url !== 'string' || !/^https?:\/\//i.test(url) || url.length > LONGEST_URL || /[\u0000-\u0020\u007f-\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"'<>\\`{}|^]/.test(url))
		return null;
	let parsed;
	try {
		parsed = new URL(url);
	} catch {
		return null;
	}
	if (parsed.protocol !== 'https:' && !(insecure && parsed.protocol === 'http:'))
		return null;
	return parsed.username !== '' || parsed.password !== '' || parsed.hostname === '' ? null : url;
}

/* Topics. */

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
const BLANK = '[ \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\t\\n\\v\\f\\r\\u0085\\u2028\\u2029]+';
const BLANK_ENDS = new RegExp(`^${BLANK}|${BLANK}$`, 'g');
/* Default_Ignorable_Code_Point, as far as text has them. */
const UNSEEN = new RegExp(`${BLANK}|[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0]|[\\u{e0000}-\\u{e0fff}]`, 'gu');
const TOPIC_BYTES = 1023;

/** Without blanks at both ends. @param {string} text */
export function trim(text) {
	return text.replace(BLANK_ENDS, '');
}

/** In one line: a run of control characters is a blank. @param {string} text */
export function oneLine(text) {
	return trim(text.replace(CONTROLS, ' '));
}

/** At most max code points. @param {string} text @param {number} max */
export function cutPoints(text, max) {
	const points = Array.from(text);
	return points.length <= max ? text : points.slice(0, max).join('');
}

/** @param {string} text @param {number} max bytes of UTF-8 */
function cutBytes(text, max) {
	const encoder = new TextEncoder();
	let points = Array.from(text);
	while (encoder.encode(points.join('')).length > max)
		points = points.slice(0, -1);
	return points.join('');
}

/** Whether a reader sees anything. @param {string} text */
export function isVisible(text) {
	return text.replace(CONTROLS, '').replace(UNSEEN, '') !== '';
}

/**
 * The topic of a conversation: the subject in one line, at most max code points, the fallback when nothing is to be seen.
 * @param {string} subject @param {string} fallback @param {number} max
 */
export function topicOf(subject, fallback, max) {
	const line = oneLine(subject.replace(/\p{Surrogate}/gu, '\ufffd'));
	return trim(cutBytes(cutPoints(isVisible(line) ? line : oneLine(fallback), max), TOPIC_BYTES));
}
