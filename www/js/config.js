// @ts-check
/* config.js - config.json as outlook-addinctl render writes it: checked key by key, so that a wrong one is named. Pure but for configLoad(). */

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
 * @property {Record<string, string>} invitation text above the link, by language
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
const isWords = (value) => Array.isArray(value) && value.every((v) => typeof v === 'string' && v !== '');

/** Text for a language, or an object with a text. @param {unknown} value */
function isTexts(value) {
	return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every((v) => typeof v === 'string' || typeof v?.text === 'string');
}

/**
 * key, whether it must be there, what it must be, its default.
 * @type {[string, boolean, (value: any) => boolean, any][]}
 */
const KEYS = [
	['clientId', true, (v) => isText(v) && GUID.test(v), ''],
	['authority', true, isUrl, ''],
	['unbluApiUrl', true, isUrl, ''],
	['tenantIds', false, isWords, []],
	['apiScopes', true, (v) => isWords(v) && v.length > 0, []],
	['syncServerEnabled', false, isSwitch, false],
	['debugMode', false, isSwitch, false],
	['showDebugPane', false, isSwitch, false],
	['invitation', false, isTexts, {}],
	['invitationTexts', false, isTexts, {}],
	['fallbackTopic', false, isText, ''],
	['topicMaxChars', false, (v) => Number.isSafeInteger(v) && v >= 1 && v <= 1000, 250],
	['allowInsecureLinks', false, isSwitch, false],
	['conversationTemplateId', false, isText, ''],
	['supportUrl', false, isText, ''],
	['version', false, isText, ''],
];

/** @param {Record<string, any>} texts @returns {Record<string, string>} */
function plainTexts(texts) {
	return Object.fromEntries(Object.entries(texts).map(([k, v]) => [k, typeof v === 'string' ? v : v.text]));
}

/** The configuration, or AddinError config-wrong whose param `key` names what is wrong. @param {unknown} doc @returns {Config} */
export function configCheck(doc) {
	if (typeof doc !== 'object' || doc === null || Array.isArray(doc))
		throw new AddinError('config-wrong', { said: 'config.json is not an object', params: { key: 'config.json' } });
	/** @type {any} */
	const out = {};
	for (const [key, needed, sound, fallback] of KEYS) {
		const value = /** @type {any} */ (doc)[key];
		if (value === undefined || value === null) {
			if (needed)
				throw new AddinError('config-wrong', { said: `${key} is missing`, params: { key } });
			out[key] = fallback;
		} else if (!sound(value)) {
			throw new AddinError('config-wrong', { said: `${key} is malformed`, params: { key } });
		} else {
			out[key] = value;
		}
	}
	const { invitation, invitationTexts, ...rest } = out;
	return { ...rest, unbluApiUrl: rest.unbluApiUrl.replace(/\/+$/, ''), tenantIds: rest.tenantIds.map((/** @type {string} */ t) => t.toLowerCase()), invitation: plainTexts({ ...invitationTexts, ...invitation }) };
}

/**
 * Fetches and checks it; AddinError config-missing when it can not be had within 5 s.
 * @param {import('./net.js').Net} net @param {string} url
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
