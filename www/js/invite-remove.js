// @ts-check
/* invite-remove.js - takes the block with the link out of a body. Pure; loaded only where something is to be removed. */

import { decodeEntities, escapeHtml, indexOfUrl, inviteHas, labelLines, squeezed } from './formats.js';

/** @typedef {import('./formats.js').BodyType} BodyType */

/** @typedef {{ name: string, close: boolean, from: number, to: number }} Tag name "" for a comment */

/** The tags of a piece of HTML in one pass; a comment is one too. @param {string} html @returns {Tag[]} */
function tags(html) {
	/** @type {Tag[]} */
	const list = [];
	/* One that is never closed is none. */
	const lastComment = html.lastIndexOf('-->');
	for (let from = html.indexOf('<'); from >= 0; from = html.indexOf('<', from)) {
		const comment = from + 4 <= lastComment && html.startsWith('<!--', from);
		const end = comment ? html.indexOf('-->', from + 4) : html.indexOf('>', from + 1);
		if (end < 0)
			break;
		const to = end + (comment ? 3 : 1);
		const m = comment ? null : /^<(\/?)([a-zA-Z][\w:-]*)/.exec(html.slice(from, from + 40));
		if (m !== null || comment)
			list.push({ name: m?.[2].toLowerCase() ?? '', close: m?.[1] === '/', from, to });
		from = m !== null || comment ? to : from + 1;
	}
	return list;
}

/** What a reader sees of a piece of HTML, blanks as one. @param {string} html */
function seen(html) {
	let text = '';
	let at = 0;
	for (const tag of tags(html)) {
		text += html.slice(at, tag.from) + (tag.name === 'br' ? ' ' : '');
		at = tag.to;
	}
	return squeezed(decodeEntities(text + html.slice(at)));
}

/** Anchors as [start, end]. @param {Tag[]} all @returns {[number, number][]} */
function anchors(all) {
	/** @type {[number, number][]} */
	const list = [];
	let open = -1;
	for (const tag of all)
		if (tag.name === 'a' && !tag.close)
			open = tag.from;
		else if (tag.name === 'a' && open >= 0) {
			list.push([open, tag.to]);
			open = -1;
		}
	return list;
}

/** The innermost paragraph or division around a place. @param {Tag[]} all @param {number} from @param {number} to @returns {[number, number] | null} */
function paragraphAround(all, from, to) {
	/** @type {Tag[]} */
	const open = [];
	for (const tag of all) {
		if (tag.name !== 'p' && tag.name !== 'div')
			continue;
		if (tag.from >= to) {
			const inner = open.pop();
			return tag.close && inner?.name === tag.name ? [inner.from, tag.to] : null;
		}
		if (tag.from >= from)
			return null;
		if (!tag.close)
			open.push(tag);
		else
			while (open.length > 0 && open.pop()?.name !== tag.name);
	}
	return null;
}

/** Is the visible text exactly one of the labels and the link? @param {string} text @param {string} url @param {string[]} labels */
function isOurs(text, url, labels) {
	return labels.some((label) => text === squeezed(`${labelLines(label).join(' ')} ${url}`)) || text === url;
}

/** Is nothing to be seen but the link, as it is or as a link scanner writes it? @param {string} text @param {string} url */
function isLink(text, url) {
	return text === '' || /^<?https?:\S+$/i.test(text) && inviteHas(text, url);
}

/** @param {string} html */
function hasPicture(html) {
	return tags(html).some(({ name }) => /^(img|svg|v:.*)$/.test(name));
}

/** A body with one link less: with all of the block, else with what shows only the link; words and pictures of the agent's stay. @param {string} html @param {Tag[]} all @param {[number, number]} found the anchor @param {string} url @param {string[]} labels */
function withoutAnchor(html, all, [from, to], url, labels) {
	const around = paragraphAround(all, from, to);
	if (around !== null) {
		const block = html.slice(around[0], around[1]);
		if (isOurs(seen(block), url, labels) && !hasPicture(block))
			return html.slice(0, around[0]) + html.slice(around[1]);
	}
	const inner = html.slice(html.indexOf('>', from) + 1, html.lastIndexOf('<', to - 1));
	const stays = hasPicture(inner) || !isLink(seen(inner), url);
	return html.slice(0, from) + (stays ? inner : '') + html.slice(to);
}

/** @param {string} html @param {string} url @param {string[]} labels */
function removeHtml(html, url, labels) {
	for (let turn = 0; turn < 50; turn++) {
		const all = tags(html);
		const found = anchors(all).reverse().find(([from, to]) => inviteHas(html.slice(from, to), url));
		if (found === undefined)
			break;
		html = withoutAnchor(html, all, found, url, labels);
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
