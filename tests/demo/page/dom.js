// @ts-check
/* Making elements. Text is always set as text. */

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {Node | string | null | undefined | false} Child */

/** @param {Element} node @param {Record<string, any>} props */
function apply(node, props) {
	for (const [name, value] of Object.entries(props)) {
		if (value === undefined || value === null || value === false)
			continue;
		if (name.startsWith('on'))
			node.addEventListener(name.slice(2), value);
		else if (name === 'style')
			/** @type {HTMLElement} */ (node).style.cssText = value;
		else if (name === 'dataset')
			Object.assign(/** @type {HTMLElement} */ (node).dataset, value);
		else
			node.setAttribute(name, value === true ? '' : String(value));
	}
}

/** @param {Element} node @param {Child[]} children */
function fill(node, children) {
	for (const child of children)
		if (child !== null && child !== undefined && child !== false)
			node.append(child);
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, any>} [props] @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
	const node = document.createElement(tag);
	apply(node, props);
	fill(node, children);
	return node;
}

/** @param {string} tag @param {Record<string, any>} [props] @param {...Child} children @returns {SVGElement} */
export function s(tag, props = {}, ...children) {
	const node = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
	apply(node, props);
	fill(node, children);
	return node;
}

/** @param {string} id @returns {any} */
export function byId(id) {
	const found = document.getElementById(id);
	if (found === null)
		throw new Error(`the page has no #${id}`);
	return found;
}

/** Sets text only when it differs, so that a selection survives. @param {Element} node @param {string} text */
export function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

const PATHS = {
	bubble: 'M3.6 2.5h8.8A2.1 2.1 0 0 1 14.5 4.6v4.8a2.1 2.1 0 0 1-2.1 2.1H9l-3.2 2.7c-.3.3-.8.1-.8-.4v-2.3H3.6A2.1 2.1 0 0 1 1.5 9.4V4.6a2.1 2.1 0 0 1 2.1-2.1z',
	tick: 'M3.2 8.6 6.5 11.9 12.9 4.6',
	trash: 'M2.5 4.2h11M6 4V2.5h4V4M4 4.2l.6 9.3h6.8l.6-9.3M6.6 6.8v4.2M9.4 6.8v4.2',
	cross: 'M4 4l8 8M12 4l-8 8',
	link: 'M6.7 9.3a2.6 2.6 0 0 0 3.7 0l2.3-2.3a2.6 2.6 0 0 0-3.7-3.7l-.7.7M9.3 6.7a2.6 2.6 0 0 0-3.7 0L3.3 9a2.6 2.6 0 0 0 3.7 3.7l.7-.7',
	info: 'M8 7.2v4M8 4.9v.1M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0z',
	warn: 'M8 2.2 14.6 13.6H1.4zM8 6.4v3.4M8 11.6v.1',
	pin: 'M8 14.3c2.9-3 4.6-5.4 4.6-7.6a4.6 4.6 0 0 0-9.2 0c0 2.2 1.7 4.6 4.6 7.6zM8 8.3a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2z',
	open: 'M9.5 2.5h4v4M13.3 2.7 8 8M6.5 3.5h-3a1 1 0 0 0-1 1v8a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1v-3',
	copy: 'M5.5 5.5v-2a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2M3.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1z',
	clock: 'M8 4.5V8l2.4 1.5M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0z',
};

/** A 16-unit line icon. @param {keyof typeof PATHS} name @param {number} [size] */
export function icon(name, size = 14) {
	return s('svg', { viewBox: '0 0 16 16', width: size, height: size, 'aria-hidden': 'true', class: 'ic' },
		s('path', { d: PATHS[name], fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }));
}
