// @ts-check
/*
 * load.js - what a page loads of ours besides scripts: config.json as outlook-addinctl render writes it, checked key by
 * key, so that a wrong one is named; and the texts: which table for a language, values into texts, and what stands in the
 * info bar (at most 150 characters, the request id at its end). Pure but for configLoad() and i18nLoad().
 */

import { AddinError } from './errors.js';

/**
 * @typedef {object} Config
 * @property {string} version of the server
 * @property {string} clientId
 * @property {string} authority URL
 * @property {string[]} tenantIds lower-case; empty: every tenant
 * @property {string[]} apiScopes
 * @property {string} unbluApiUrl without a slash at the end
 * @property {boolean} syncServerEnabled
 * @property {boolean} debugMode
 * @property {boolean} showDebugPane
 * @property {Record<string, string>} invitationTexts text above the link, by language
 * @property {string} fallbackTopic
 * @property {number} topicMaxChars
 * @property {boolean} allowInsecureLinks
 * @property {string} supportUrl "": none
 * @property {string} conversationTemplateId "" for Unblu's default
 */

const LIMIT_MS = 5000;
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LOOPBACK = /^(127(\.\d+){3}|localhost|\[::1\])$/;

/** @param {unknown} value */
function isUrl(value) {
	try {
		const { protocol, hostname } = new URL(String(value));
		return typeof value === 'string' && (protocol === 'https:' || protocol === 'http:' && LOOPBACK.test(hostname));
	} catch {
		return false;
	}
}

/** @param {unknown} value */
const isText = (value) => typeof value === 'string';
/** @param {unknown} value */
const isSwitch = (value) => typeof value === 'boolean';
/** @param {unknown} value */
const isWords = (value) => Array.isArray(value) && value.every((v) => isText(v) && v !== '');

/** @param {unknown} value */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
/** Text for a language. @param {any} value */
const isTexts = (value) => isObject(value) && Object.values(value).every(isText);

/**
 * key, what it must be, its default; without one it must be there.
 * @type {[string, (value: any) => boolean, any?][]}
 */
const KEYS = [
	['clientId', (v) => isText(v) && GUID.test(v)],
	['authority', isUrl],
	['unbluApiUrl', isUrl],
	['tenantIds', isWords, []],
	['apiScopes', (v) => isWords(v) && v.length > 0],
	['syncServerEnabled', isSwitch, false],
	['debugMode', isSwitch, false],
	['showDebugPane', isSwitch, false],
	['invitationTexts', isTexts, {}],
	['fallbackTopic', isText, ''],
	['topicMaxChars', (v) => Number.isSafeInteger(v) && v >= 1 && v <= 1000, 250],
	['allowInsecureLinks', isSwitch, false],
	['conversationTemplateId', isText, ''],
	['supportUrl', isText, ''],
	['version', isText, ''],
];

/** The configuration, or AddinError config-wrong whose param `key` names what is wrong. @param {unknown} doc @returns {Config} */
export function configCheck(doc) {
	if (!isObject(doc))
		throw new AddinError('config-wrong', { said: 'config.json is not an object', params: { key: 'config.json' } });
	/** @type {any} */
	const out = {};
	for (const [key, sound, fallback] of KEYS) {
		const value = /** @type {any} */ (doc)[key] ?? fallback;
		if (value === undefined || !sound(value))
			throw new AddinError('config-wrong', { said: `${key} is ${value === undefined ? 'missing' : 'malformed'}`, params: { key } });
		out[key] = value;
	}
	return { ...out, unbluApiUrl: out.unbluApiUrl.replace(/\/+$/, ''), tenantIds: out.tenantIds.map((/** @type {string} */ t) => t.toLowerCase()) };
}

/**
 * Fetches and checks it; AddinError config-missing when it can not be had within 5 s.
 * @param {import('./remote.js').Net} net @param {string} url
 */
export async function configLoad(net, url) {
	let doc;
	try {
		doc = (await net.json('GET', url, { timeoutMs: LIMIT_MS })).body;
	} catch (e) {
		throw new AddinError('config-missing', { said: /** @type {Error} */ (e).message, params: { key: 'config.json' } });
	}
	return configCheck(doc);
}

/* The texts. */

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
 * @param {import('./remote.js').Net} net @param {string} tag @param {(language: string) => string} url @returns {Promise<Table[]>}
 */
export async function i18nLoad(net, tag, url) {
	for (const language of i18nCandidates(tag))
		try {
			return [(await net.json('GET', url(language), { timeoutMs: LIMIT_MS })).body];
		} catch {
			/* the next one */
		}
	return [];
}

/* The info bar. */

const LONGEST = 150;

/** When not even the texts could be loaded. @type {Table} */
export const LAST_RESORT = {
	'progress.creating': 'Creating Unblu conversation...',
	'done.generic': 'See Unblu options.',
	'error.generic': 'The Unblu conversation could not be created. Try again.',
};

/** @param {string} text @param {number} max */
function cut(text, max) {
	const points = Array.from(text);
	let out = text;
	while (out.length > max) {
		points.pop();
		out = `${points.join('').trimEnd()}\u2026`;
	}
	return out;
}

/** A text and the id under which the log has it. @param {string} text @param {string} requestId */
export function notice(text, requestId) {
	const tail = ` [${requestId}]`;
	const line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
	return cut(line, LONGEST - tail.length) + tail;
}

/**
 * The text of an outcome: its own, or else the general one for its kind.
 * @param {Say} say @param {import('./flow.js').Outcome} outcome @param {() => Promise<Say>} more where it is looked for then
 */
export async function outcomeText(say, outcome, more) {
	const kind = outcome.kind === 'error' ? 'error' : 'done';
	const key = `${kind}.${outcome.code}`;
	let text = say(key, outcome.params);
	if (text === key)
		text = (await more())(key, outcome.params);
	return text === key ? say(`${kind}.generic`) : text;
}
