// @ts-check
/* A small reader for the XML of manifests: elements, attributes, text. No DTD, no CDATA, no processing instructions. */

/** @typedef {{ name: string, attributes: Record<string, string>, children: Element[], text: string }} Element */

/** @type {Record<string, string>} */
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** @param {string} text */
function plain(text) {
	return text.replace(/&([^;]*);/g, (_, name) => {
		if (ENTITIES[name] === undefined)
			throw new Error(`unknown entity ${name}`);
		return ENTITIES[name];
	});
}

/** @param {string} source @returns {Element} the root */
export function xmlRead(source) {
	const token = /<\?xml[^>]*\?>|<!--[^]*?-->|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*"[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
	/** @type {Element} */
	const top = { name: '', attributes: {}, children: [], text: '' };
	const open = [top];
	while (token.lastIndex < source.length) {
		const at = token.lastIndex;
		const m = token.exec(source);
		if (m === null)
			throw new Error(`no XML: ${source.slice(at, at + 60)}`);
		const [, closed, opened, attributes, empty, text] = m;
		const inside = open[open.length - 1];
		if (closed !== undefined) {
			if (inside.name !== closed)
				throw new Error(`</${closed}> closes <${inside.name}>`);
			open.pop();
		} else if (opened !== undefined) {
			/** @type {Element} */
			const element = { name: opened, attributes: {}, children: [], text: '' };
			for (const [, name, value] of attributes.matchAll(/([\w:.-]+)\s*=\s*"([^"]*)"/g)) {
				if (name in element.attributes)
					throw new Error(`<${opened}> has ${name} twice`);
				element.attributes[name] = plain(value);
			}
			inside.children.push(element);
			if (empty === '')
				open.push(element);
		} else if (text !== undefined)
			inside.text += plain(text);
	}
	if (open.length !== 1 || top.children.length !== 1)
		throw new Error('not one whole document');
	return top.children[0];
}

/** The element and all below it, in the order of the document. @param {Element} element @returns {Element[]} */
export function xmlAll(element) {
	return [element, ...element.children.flatMap(xmlAll)];
}

/** All below the element with that name. @param {Element} element @param {string} name */
export function xmlFind(element, name) {
	return xmlAll(element).filter((e) => e.name === name);
}
