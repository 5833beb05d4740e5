// @ts-check
/* The pane's words as they stand on the screen, in each language. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { i18nSay, LANGUAGES, LAST_RESORT } from '../../www/js/load.js';
import { NOTHING } from '../../www/js/pane.js';
import { paneView } from '../../www/js/pane-view.js';
import { paneSay } from '../../www/js/pane-words.js';

/** @typedef {import('../../www/js/pane-view.js').Facts} Facts */

/** @param {string} name @returns {Record<string, string>} */
const table = (name) => JSON.parse(fs.readFileSync(new URL(`../../www/strings/${name}.json`, import.meta.url), 'utf8'));
const SHARED = { owner: 'luca@example.com', canWrite: true };
/** @type {import('../../www/js/pane-view.js').EventFacts} */
const EVENT = { kind: 'single', shared: null, link: { conversationId: 'c', url: 'https://u.example/c', announced: true }, inBody: true, unread: false, foreign: false, newer: false, start: null };
/** What the modules that raise them give to the texts of failures. */
const GIVEN = { call: 'saveAsync', owner: 'o', said: 'no', key: 'k' };

/** @param {Partial<Facts>} more @returns {Facts} */
const facts = (more) => ({ ...NOTHING, place: 'ready', config: { syncServerEnabled: true, supportUrl: '' }, event: EVENT, session: { state: 'in', account: 'a' }, ...more });

/** Everything that a view says. @param {import('../../www/js/pane-view.js').View} v */
function said(v) {
	const rows = v.rows.flatMap((r) => (r.value === undefined ? [r.label] : [r.label, r.value]));
	const asked = v.question === null ? [] : [v.question.text, v.question.yes.label, v.question.no.label];
	return [v.title, ...v.text, ...v.notes, ...v.actions.map((a) => a.label), ...rows, ...asked];
}

/** What can be known when something was done, or has failed. @returns {Facts[]} */
function known() {
	const codes = [...Object.keys(table('en')), ...Object.keys(table('more.en')), ...Object.keys(table('pane.en'))];
	const of = (/** @type {string} */ kind) => [...new Set(codes.filter((k) => k.startsWith(`${kind}.`)).map((k) => k.slice(kind.length + 1)))];
	const events = [EVENT, { ...EVENT, shared: SHARED }, { ...EVENT, link: null }, { ...EVENT, shared: SHARED, link: null }, { ...EVENT, shared: SHARED, unread: true, inBody: false }, { ...EVENT, shared: { ...SHARED, canWrite: false } }];
	const unread = { code: 'outlook', retry: 'reload', texts: { call: 'loadCustomPropertiesAsync' } };
	const done = of('done').flatMap((code) => events.flatMap((event) => [null, unread].map((problem) => facts({ event, done: code, problem }))));
	const failed = of('error').map((code) => facts({ problem: { code, retry: 'create', requestId: 'abcd1234', texts: GIVEN } }));
	const waits = ['announced', 'linked'].map((state) => facts({ event: events[1], sync: { state, topic: null, start: null, syncedAt: null, lastError: null } }));
	return [...done, ...failed, ...waits, ...['server-down', 'x'].map((code) => facts({ sync: null, syncProblem: { code } }))];
}

test('no text on the screen keeps a place for a value: what is not known is said in other words', () => {
	for (const l of LANGUAGES) {
		const say = paneSay(i18nSay([table(`pane.${l}`)]), i18nSay([table(`more.${l}`), table(l), LAST_RESORT]));
		for (const f of known())
			for (const text of said(paneView(f)))
				assert.doesNotMatch(say(text), /[{}]/, `${l} ${text.key}, done ${f.done}, failed ${f.problem?.code}`);
	}
});

test('in whose calendar it was made is said also when the event can not be read after it', () => {
	const text = (/** @type {typeof SHARED | null} */ shared) => paneView(facts({ event: { ...EVENT, shared }, done: 'created-shared', problem: { code: 'outlook', retry: 'reload' } })).text[0];
	assert.deepEqual([text(SHARED), text(null)], [{ key: 'done.created-shared', with: { owner: SHARED.owner } }, { key: 'done.created' }]);
});

test('one thing has one name', () => {
	const all = (/** @type {string} */ l) => Object.values(table(`pane.${l}`)).join('\n');
	assert.doesNotMatch(all('it'), /[^.!?:;\n] (Suo|Sua|Suoi|Sue|Lei|Le)\b/, 'the agent, in the small letters of the button');
	assert.doesNotMatch(all('de'), /Einzelheiten unten/, 'its heading says Angaben');
	assert.doesNotMatch(all('fr'), /fen\u00eatres? contextuelle/, 'the button says pop-ups');
});
