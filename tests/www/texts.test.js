// @ts-check
/* The texts: the same in all languages, short enough for the info bar, one for each code. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { paneSay } from '../../www/js/pane-words.js';
import { tokenOf } from '../../www/js/session.js';
import { i18nCandidates, i18nSay, INVITATION, LANGUAGES, LAST_RESORT, notice, outcomeText } from '../../www/js/load.js';

const WWW = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../www');
/** @param {string} name @returns {Record<string, string>} */
const table = (name) => JSON.parse(fs.readFileSync(path.join(WWW, `strings/${name}.json`), 'utf8'));
const first = Object.fromEntries(LANGUAGES.map((l) => [l, table(l)]));
const more = Object.fromEntries(LANGUAGES.map((l) => [l, table(`more.${l}`)]));
const tables = Object.fromEntries(LANGUAGES.map((l) => [l, { ...first[l], ...more[l] }]));

/** Names in braces. @param {string} text */
const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();

test('every language has the same texts with the same places for values', () => {
	for (const l of LANGUAGES) {
		assert.deepEqual(Object.keys(first[l]), Object.keys(first.en), l);
		assert.deepEqual(Object.keys(more[l]), Object.keys(more.en), l);
		assert.equal(Object.keys(first[l]).filter((k) => k in more[l]).join(), '', 'each text once');
		for (const [key, text] of Object.entries(tables[l])) {
			assert.equal(holes(text), holes(tables.en[key]), `${l} ${key}`);
			assert.ok(text.trim() !== '');
		}
		assert.ok(INVITATION[l]);
	}
});

test('what stands in the info bar fits with its code, uncut', () => {
	for (const l of LANGUAGES)
		for (const [key, text] of Object.entries(tables[l]))
			if (/^(done|error|progress)\./.test(key))
				assert.ok(notice(text, '12345678').startsWith(`${text} [`), `${l} ${key}: ${text.length}`);
});

/** @returns {Set<string>} every code that the modules raise */
function raised() {
	const codes = new Set();
	for (const name of fs.readdirSync(path.join(WWW, 'js'))) {
		const source = fs.readFileSync(path.join(WWW, 'js', name), 'utf8');
		for (const m of source.matchAll(/AddinError\(\s*(?:[^'(),]+\? *)?'([a-z-]+)'(?:\s*:\s*'([a-z-]+)')?/g))
			codes.add(m[1]).add(m[2] ?? m[1]);
	}
	return codes;
}

test('every code that the modules raise has its text', () => {
	const codes = raised();
	const inner = ['cancelled', 'http', 'not-json', 'server-down', 'server-off', 'server-refused', 'nested-silent', 'outlook', 'unexpected'];
	for (const code of codes)
		assert.ok(inner.includes(code) || `error.${code}` in tables.en || `done.${code}` in tables.en, code);
	assert.ok(codes.size > 30, `${codes.size} found`);
});

/** Words of the button, and of making: the pane also repairs, removes and signs in, and has buttons of its own. @type {Record<string, RegExp>} */
const BUTTON_WORDS = { en: /click|second|created? conv/i, de: /klick|zweite|Konversationen? erstell/i, fr: /cliqu|deuxi\u00e8me|cr\u00e9er/i, it: /clicc|seconda|creare conv/i };

test('what the pane says of a failure fits whatever was done: no word of clicking, and none of making but after a making', () => {
	/* These come of making only, or have a view of their own. */
	const only = ['no-public-link', 'no-item', 'no-office', 'config-missing', 'config-wrong', 'useless-left'];
	for (const l of LANGUAGES) {
		const own = table(`pane.${l}`);
		const words = paneSay(i18nSay([own]), i18nSay([more[l], first[l]]));
		for (const code of [...raised(), 'outlook', 'unexpected', 'no-such-code', 'busy', 'cancelled', 'unreadable'])
			if (!only.includes(code))
				assert.doesNotMatch(words({ key: `error.${code}`, with: { said: '', reference: '', owner: '', call: '', key: '' } }), BUTTON_WORDS[l], `${l} ${code}`);
		for (const code of ['maybe-copy', 'already', 'already-unannounced', 'created-unkept', 'unreadable'])
			assert.doesNotMatch(words({ key: `done.${code}` }), /click|klick|cliqu|clicc|Unblu options|Unblu-Optionen|Options Unblu|Opzioni Unblu/i, `${l} ${code}`);
		assert.equal(words({ key: 'error.unexpected' }), own['error.generic']);
		assert.equal(words({ key: 'done.no-such-code' }), first[l]['done.generic'], 'what went well is never called a failure');
		assert.deepEqual(Object.keys(own).filter((k) => /^(error|done)\./.test(k) && !['error.generic', 'error.cancelled'].includes(k) && !(k in tables[l]) && !raised().has(k.slice(6))), [], 'none is left over');
	}
});

test('a refused sign-in says what to do, uncut also with the longest reference', () => {
	const reference = 'AADSTS530036 0f8fad5b-d9cb-469f-a165-70867728950e';
	for (const l of LANGUAGES)
		for (const code of ['consent', 'conditional', 'registration', 'failed']) {
			const text = i18nSay([tables[l]])(`error.signin-${code}`, { reference });
			assert.ok(notice(text, '12345678').startsWith(`${text} [`), `${l} ${code}: ${text.length}`);
		}
});

test('a long or strange value can not break the line, the code stays readable', () => {
	for (const said of ['x'.repeat(5000), '\ud83d\ude00'.repeat(200), 'a\r\nb\u0000c', '']) {
		const line = notice(i18nSay([tables.en])('error.gateway-refused', { said }), 'abcd1234');
		assert.ok(line.length <= 150);
		assert.ok(line.endsWith(' [abcd1234]'));
		assert.equal(/[\u0000-\u001f]/.test(line), false);
		assert.equal(/\p{Surrogate}/u.test(line), false, 'no half character');
	}
});

test('languages: full tag, then language, then English', () => {
	assert.deepEqual(i18nCandidates('de-CH'), ['de', 'en']);
	assert.deepEqual(i18nCandidates('DE'), ['de', 'en']);
	assert.deepEqual(i18nCandidates('de-CH', ['en', 'de', 'de-CH']), ['de-CH', 'de', 'en']);
	for (const odd of ['ja-JP', '', 'x'.repeat(500), '../../etc'])
		assert.deepEqual(i18nCandidates(odd), ['en']);
});

test('what tells of a lost connection, or that all went well, is there before it is needed', async () => {
	const more = () => assert.fail('more texts were asked for');
	for (const code of ['network', 'signin-network', 'config-missing', 'part-missing', 'timeout'])
		assert.equal(await outcomeText(i18nSay([first.de]), { kind: 'error', code }, more), tables.de[`error.${code}`]);
	for (const code of ['created', 'created-series', 'created-shared', 'created-unannounced'])
		assert.equal(await outcomeText(i18nSay([first.de]), { kind: 'success', code }, more), tables.de[`done.${code}`]);
});

test('any other is looked for then; a code without a text gets the general one, also when no texts could be loaded', async () => {
	const all = async () => i18nSay([more.de, first.de, LAST_RESORT]);
	assert.equal(await outcomeText(i18nSay([first.de]), { kind: 'error', code: 'past' }, all), more.de['error.past']);
	assert.equal(await outcomeText(i18nSay([first.de, LAST_RESORT]), { kind: 'error', code: 'no-such-code' }, all), tables.de['error.generic']);
	assert.equal(await outcomeText(i18nSay([LAST_RESORT]), { kind: 'error', code: 'past' }, async () => i18nSay([LAST_RESORT])), LAST_RESORT['error.generic']);
	for (const kind of /** @type {const} */ (['success', 'info']))
		assert.equal(await outcomeText(i18nSay([LAST_RESORT]), { kind, code: 'created' }, async () => i18nSay([LAST_RESORT])), LAST_RESORT['done.generic'], 'what went well is never called a failure');
	assert.equal(i18nSay([tables.en])('error.outlook', {}), tables.en['error.outlook']);
	assert.equal(i18nSay([{ a: '{constructor} {x}' }])('a', { x: '{y}', y: 'no' }).includes('no'), false);
});

test('a sign-in that gives no token leaves no place for a value in its text', () => {
	assert.throws(() => tokenOf({ accessToken: '' }), (/** @type {any} */ e) => {
		const text = i18nSay([tables.en])(`error.${e.code}`, e.details.params);
		assert.doesNotMatch(text, /[{}]/);
		return e.code === 'signin-failed';
	});
});
