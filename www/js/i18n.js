// @ts-check
/* i18n.js - the texts: which table for a language, values into texts. Pure but for i18nLoad(). */

export const LANGUAGES = ['en', 'de', 'fr', 'it'];

/** What stands above the link when the configuration has no text of its own. */
export const INVITATION = /** @type {Record<string, string>} */ ({
	en: 'Join the online conversation:',
	de: 'An der Online-Konversation teilnehmen:',
	fr: 'Participer \u00e0 la conversation en ligne\u00a0:',
	it: 'Partecipa alla conversazione online:',
});

/** @typedef {Record<string, string>} Table */
/** @typedef {(key: string, params?: Record<string, string>) => string} Say */

/** The tables for a tag, best first: full tag, language, English. @param {string} tag @param {string[]} [there] */
export function i18nCandidates(tag, there = LANGUAGES) {
	const lower = tag.toLowerCase();
	const wanted = [lower, lower.split('-')[0], 'en'];
	return [...new Set(wanted.map((w) => there.find((t) => t.toLowerCase() === w)).filter((t) => t !== undefined))];
}

/** Texts with {name} replaced; the key itself where there is none. @param {Table[]} tables best first @returns {Say} */
export function i18nSay(tables) {
	return (key, params = {}) => {
		const text = tables.map((t) => t[key]).find((t) => typeof t === 'string') ?? key;
		return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.prototype.hasOwnProperty.call(params, name) ? params[name] : whole));
	};
}

/**
 * The tables of a language; one that can not be had is left out.
 * @param {import('./net.js').Net} net @param {string} tag @param {(language: string) => string} url @returns {Promise<Table[]>}
 */
export async function i18nLoad(net, tag, url) {
	const [best, ...others] = i18nCandidates(tag);
	for (const language of [best, ...others])
		try {
			return [(await net.json('GET', url(language), { timeoutMs: 5000 })).body];
		} catch {
			/* the next one */
		}
	return [];
}
