// @ts-check
/* The check at sending: plain ES5, local, and in doubt the invitation goes. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';

const SOURCE = fs.readFileSync(new URL('../../www/js/launchevent.js', import.meta.url), 'utf8');
const LINK = 'https://unblu.example/unblu/rest/v4/invitations?pin=1&b=2';
const PROPERTY = JSON.stringify({ v: 1, conversationId: 'c1', sourceId: 's', createdAt: '2026-01-01T00:00:00Z', url: LINK });

/** @typedef {{ property?: any, body?: any, type?: string, language?: string, fail?: string }} Case */

/** What event.completed() gets, once it was called. @param {Case} it */
function send({ property = PROPERTY, body = '', type = 'html', language = 'en-US', fail = '' }) {
	/** @type {any[]} */
	const completed = [];
	/** @type {Record<string, (event: any) => void>} */
	const actions = {};
	const answer = (/** @type {string} */ name, /** @type {any} */ value, /** @type {(r: any) => void} */ callback) => {
		if (fail === `${name} throws`)
			throw new Error(name);
		callback(fail === name ? { status: 'failed', error: { code: 1 } } : { status: 'succeeded', value });
	};
	const item = {
		loadCustomPropertiesAsync: (/** @type {any} */ cb) => answer('properties', { get: (/** @type {string} */ name) => name === 'unblu' ? property : undefined }, cb),
		body: { getTypeAsync: (/** @type {any} */ cb) => answer('type', type, cb), getAsync: (/** @type {string} */ as, /** @type {any} */ cb) => answer('body', as === type ? body : 'asked for the wrong type', cb) },
	};
	const Office = { actions: { associate: (/** @type {string} */ name, /** @type {any} */ fn) => { actions[name] = fn; } }, context: { displayLanguage: language, mailbox: { item: fail === 'item' ? null : item } } };
	vm.runInNewContext(SOURCE, { Office });
	actions.onAppointmentSend({ completed: (/** @type {any} */ how) => completed.push(how) });
	assert.equal(completed.length, 1, 'completed() is called once');
	return completed[0];
}

for (const [name, it] of /** @type {[string, Case][]} */ ([
	['an event without a conversation', { property: null }],
	['a property that is empty', { property: '' }],
	['a property that is no JSON', { property: '{' }],
	['a property of another version', { property: '{"v":2,"url":"https://x.example/"}' }],
	['a property without the link', { property: '{"v":1,"conversationId":"c1"}' }],
	['the link as it is', { body: `<a href="x">${LINK}</a>` }],
	['the link in a text', { body: `Join: ${LINK}\n`, type: 'text' }],
	['the link escaped', { body: `<a href="${LINK.replace('&', '&amp;')}">` }],
	['the link inside a scanner\'s address', { body: `https://safe.example/?url=${encodeURIComponent(LINK)}&x=1` }],
	['properties that can not be read', { fail: 'properties' }],
	['a body that can not be read', { fail: 'body' }],
	['a type that can not be read', { fail: 'type' }],
	['Office throwing at once', { fail: 'properties throws' }],
	['Office throwing later', { fail: 'body throws' }],
	['no item', { fail: 'item' }],
]))
	test(`goes: ${name}`, () => assert.equal(JSON.stringify(send(it)), '{"allowEvent":true}'));

test('asks when the link is gone, in the agent\'s language', () => {
	for (const [language, word] of [['en-US', /send anyway/], ['de-CH', /trotzdem senden/], ['fr-FR', /envoyez quand/], ['it-IT', /inviare comunque/], ['pt-BR', /send anyway/], ['constructor', /send anyway/]]) {
		const asked = send({ body: '<p>nothing here</p>', language: String(language) });
		assert.equal(asked.allowEvent, false);
		assert.match(asked.errorMessage, /** @type {RegExp} */ (word));
		assert.ok(asked.errorMessage.length <= 500);
	}
	assert.equal(send({ property: JSON.stringify(PROPERTY), body: 'x' }).allowEvent, false, 'JSON in JSON');
	assert.equal(send({ property: JSON.parse(PROPERTY), body: 'x' }).allowEvent, false, 'an object');
});

test('is plain ES5, as old Outlook for Windows needs it', () => {
	const code = SOURCE.replace(/\/\*[^]*?\*\//g, '').replace(/'[^'\n]*'/g, "''");
	for (const newer of [/=>/, /\b(let|const|async|await|class|import|export)\b/, /`/, /\?/, /\bPromise\b/, /\b(document|window|localStorage|fetch|XMLHttpRequest)\b/, /\bonReady\b/])
		assert.doesNotMatch(code, newer);
});
