// @ts-check
/*
 * invite.js - the block with the link in the invitation: build, find, add, take out again. Works on the body as text, HTML
 * or plain; Outlook rewrites ids, classes and comments, so a block is known by its link alone. What is not ours is kept
 * byte by byte. Pure.
 */

/** @typedef {'html' | 'text'} BodyType */

const ENTITIES = /** @type {Record<string, string>} */ ({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', colon: ':', sol: '/', quest: '?', equals: '=', num: '#', period: '.', lowbar: '_', percnt: '%' });
const LINE_BREAK = /\r\n|\r|\n/;
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
function indexOfUrl(text, url, from = 0) {
	for (let at = text.indexOf(url, from); at >= 0; at = text.indexOf(url, at + 1))
		if (!AFTER_LINK.test(text[at + url.length] ?? ''))
			return at;
	return -1;
}

/** The disguises a link goes through. @param {string} body @returns {string[]} */
function readings(body) {
	const plain = decodeEntities(body);
	const twice = decodeEntities(plain);
	return [body, plain, twice, decodePercent(twice), plain.replace(/[\r\n]+[ \t]*/g, '').replace(/=(?=$)/g, '')];
}

/** Does the body hold this link, also as a link scanner writes it? @param {string} body @param {string} url */
export function inviteHas(body, url) {
	if (url === '')
		return false;
	const wanted = [...new Set([url, decodePercent(url)])];
	return readings(body).some((text) => wanted.some((u) => indexOfUrl(text, u) >= 0));
}

/**
 * The first link in the body that lies below one of the bases ("https://host/path/"), or null: a link of ours although
 * the event has no property, such as in a copied event.
 * @param {string} body @param {string[]} bases
 */
export function inviteForeign(body, bases) {
	const text = decodeEntities(body);
	for (const base of bases) {
		if (base === '')
			continue;
		for (let at = text.indexOf(base); at >= 0; at = text.indexOf(base, at + 1)) {
			const url = /^[^\s"'<>]+/.exec(text.slice(at))?.[0] ?? '';
			if (url.length > base.length)
				return url;
		}
	}
	return null;
}

/** @param {string} label @returns {string[]} */
function labelLines(label) {
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
	const end = body.search(/<\/body\s*>(?![\s\S]*<\/body\s*>)/i);
	const at = end >= 0 ? end : closingHtml(body);
	return body.slice(0, at) + block + body.slice(at);
}

/** @param {string} body */
function closingHtml(body) {
	const m = /<\/html\s*>\s*$/i.exec(body);
	return m === null ? body.length : m.index;
}

/** What a reader sees of a piece of HTML, blanks as one. @param {string} html */
function seen(html) {
	return decodeEntities(html.replace(/<!--[\s\S]*?-->/g, '').replace(/<br\b[^>]*>/gi, ' ').replace(/<[^>]*>/g, '')).replace(/[\s\u00a0\u200b\ufeff]+/g, ' ').trim();
}

/** @param {string} text */
function squeezed(text) {
	return text.replace(/[\s\u00a0\u200b\ufeff]+/g, ' ').trim();
}

/** Anchors as [start, end]. @param {string} html @returns {[number, number][]} */
function anchors(html) {
	/** @type {[number, number][]} */
	const list = [];
	for (const m of html.matchAll(/<a\s[^>]*>[\s\S]*?<\/a\s*>/gi))
		list.push([m.index ?? 0, (m.index ?? 0) + m[0].length]);
	return list;
}

/** The innermost paragraph, division or cell around a place. @param {string} html @param {number} from @param {number} to @returns {[number, number] | null} */
function paragraphAround(html, from, to) {
	const open = /** @type {{ tag: string, at: number }[]} */ ([]);
	for (const m of html.matchAll(/<!--[\s\S]*?-->|<(\/?)(p|div)\b[^>]*>/gi)) {
		if (m[2] === undefined)
			continue;
		const at = m.index ?? 0;
		const tag = m[2].toLowerCase();
		if (m[1] === '' && at < from)
			open.push({ tag, at });
		else if (m[1] === '/' && at < from)
			while (open.length > 0 && open.pop()?.tag !== tag);
		else if (m[1] === '/' && at >= to) {
			const inner = open.pop();
			return inner !== undefined && inner.tag === tag ? [inner.at, at + m[0].length] : null;
		} else if (at >= to)
			return null;
	}
	return null;
}

/** Is the visible text exactly one of the labels and the link? @param {string} text @param {string} url @param {string[]} labels */
function isOurs(text, url, labels) {
	return labels.some((label) => text === squeezed(`${labelLines(label).join(' ')} ${url}`)) || text === url;
}

/** @param {string} html @param {string} url @param {string[]} labels */
function removeHtml(html, url, labels) {
	for (let turn = 0; turn < 50; turn++) {
		const found = anchors(html).reverse().find(([from, to]) => inviteHas(html.slice(from, to), url));
		if (found === undefined)
			break;
		const around = paragraphAround(html, found[0], found[1]);
		const whole = around !== null && isOurs(seen(html.slice(around[0], around[1])), url, labels) ? around : found;
		html = html.slice(0, whole[0]) + html.slice(whole[1]);
	}
	const bare = escapeHtml(url);
	for (const form of new Set([url, bare, url.replace(/&/g, '&amp;')]))
		for (let at = indexOfUrl(html, form); at >= 0; at = indexOfUrl(html, form, at))
			html = html.slice(0, at) + html.slice(at + form.length);
	return html;
}

/** @param {string} text @param {string} url @param {string[]} labels */
function removeText(text, url, labels) {
	const parts = text.split(/(\r\n|\r|\n)/);
	for (let i = 0; i < parts.length; i += 2) {
		if (indexOfUrl(parts[i], url) < 0)
			continue;
		if (parts[i].trim() !== url && parts[i].trim() !== `<${url}>`) {
			parts[i] = parts[i].slice(0, indexOfUrl(parts[i], url)) + parts[i].slice(indexOfUrl(parts[i], url) + url.length);
			continue;
		}
		const first = labels.map(labelLines).map((lines) => i - 2 * lines.length).find((at, n) => {
			const lines = labelLines(labels[n]);
			return at >= 0 && lines.length > 0 && lines.every((l, k) => parts[at + 2 * k].trim() === l);
		}) ?? i;
		/* With the line end behind, and the empty line that we put in front. */
		const from = first >= 2 && parts[first - 2].trim() === '' && first > 2 ? first - 2 : first;
		parts.splice(from, i + 2 - from);
		i = from - 2;
	}
	return parts.join('');
}

/**
 * The body without the link: the whole block where it stands as we wrote it (under one of the labels), else only the link.
 * @param {string} body @param {BodyType} type @param {string} url @param {string[]} labels every label that we may have used
 */
export function inviteRemove(body, type, url, labels) {
	if (url === '')
		return body;
	return type === 'html' ? removeHtml(body, url, labels) : removeText(body, url, labels);
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
	if (typeof url !== 'string' || url.length > 2000 || /[\u0000-\u0020\u007f-\u00a0\u2028\u2029"'<>\\`{}|^]/.test(url))
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
