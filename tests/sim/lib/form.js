// @ts-check
/* application/x-www-form-urlencoded as RFC 6749 appendix B wants it. */

/** @param {string} text @returns {string | null} null: broken percent-encoding */
export function formDecode(text) {
	try {
		return decodeURIComponent(text.replace(/\+/g, ' '));
	} catch {
		return null;
	}
}

/** @param {string} text */
export function formEncode(text) {
	return encodeURIComponent(text).replace(/%20/g, '+').replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
}

/**
 * The fields of a body; null when it is not well-formed or a name appears twice.
 * @param {string} body @returns {Map<string, string> | null}
 */
export function formParse(body) {
	const out = new Map();
	for (const pair of body.split('&')) {
		if (pair === '')
			continue;
		const eq = pair.indexOf('=');
		const name = formDecode(eq < 0 ? pair : pair.slice(0, eq));
		const value = formDecode(eq < 0 ? '' : pair.slice(eq + 1));
		if (name === null || value === null || out.has(name))
			return null;
		out.set(name, value);
	}
	return out;
}

/**
 * client id and secret of an HTTP Basic header, both form-encoded before base64 (RFC 6749 2.3.1).
 * @param {string | undefined} header @returns {{ id: string, secret: string } | null}
 */
export function basicClient(header) {
	const found = basicPair(header);
	if (found === null)
		return null;
	const id = formDecode(found[0]);
	const secret = formDecode(found[1]);
	return id === null || secret === null ? null : { id, secret };
}

/** The raw pair of a Basic header. @param {string | undefined} header @returns {[string, string] | null} */
export function basicPair(header) {
	const m = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '');
	if (m === null)
		return null;
	const text = Buffer.from(m[1], 'base64').toString('utf8');
	const colon = text.indexOf(':');
	return colon < 0 ? null : [text.slice(0, colon), text.slice(colon + 1)];
}

/** A path segment decoded once; the raw text when it is broken. @param {string} text */
export function pathDecode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
