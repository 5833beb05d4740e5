// @ts-check
/* Searches every file under a folder for texts that must not be there. */

import fs from 'node:fs';
import path from 'node:path';

/** Base64 of a text that stands somewhere inside a longer one. @param {string} text @returns {string[]} */
function insideBase64(text) {
	return [0, 1, 2].map((before) => {
		const coded = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]).toString('base64').replace(/=+$/, '');
		return coded.slice(before === 0 ? 0 : before + 1, -2);
	});
}

/** The forms in which a secret might have got into a file. @param {string} secret */
function forms(secret) {
	return [...new Set([secret, encodeURIComponent(secret), ...insideBase64(secret), JSON.stringify(secret).slice(1, -1)])].filter((f) => f.length >= 8).map((f) => Buffer.from(f));
}

/** @param {string} dir @returns {Generator<string>} */
function* files(dir) {
	for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
		const full = path.join(dir, entry.name);
		if (entry.isDirectory())
			yield* files(full);
		else if (entry.isFile())
			yield full;
	}
}

/**
 * @param {string} dir @param {string[]} secrets @param {string[]} except files that may hold them
 * @returns {string[]} complaints
 */
export function searchCanaries(dir, secrets, except) {
	/** @type {string[]} */
	const out = [];
	const wanted = secrets.map((s) => ({ head: s.slice(0, 8), forms: forms(s) }));
	for (const file of files(dir)) {
		if (except.includes(file) || file.includes('/parts/'))
			continue;
		const data = fs.readFileSync(file);
		for (const { head, forms: list } of wanted)
			if (list.some((f) => data.includes(f)))
				out.push(`${file} holds the secret ${head}...`);
		if (/\beyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/.test(data.toString('latin1')))
			out.push(`${file} holds a token`);
	}
	return out;
}
