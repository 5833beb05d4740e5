// @ts-check
/*
 * invite.js - the block with the link in the invitation: build, find, add (invite-remove.js takes it out again). Works on the body as text, HTML
 * or plain; Outlook rewrites ids, classes and comments, so a block is known by its link alone. What is not ours is kept
 * byte by byte. Pure.
 */

/** @typedef {'html' | 'text'} BodyType */

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
