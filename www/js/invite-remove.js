// @ts-check
/* invite-remove.js - takes the block with the link out of a body. Pure; loaded only where something is to be removed. */

import { decodeEntities, escapeHtml, indexOfUrl, inviteHas, labelLines } from './invite.js';

/** @typedef {import('./invite.js').BodyType} BodyType */

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
