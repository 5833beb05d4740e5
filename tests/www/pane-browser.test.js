// @ts-check
/* The pane in real Chromium: every state, looked at by axe-core in three looks, with the keyboard, small and large. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { findChromium } from '../demo/chromium.js';
import { STORES_NOTHING } from './click.js';
import { LOOKS, PanePage } from './pane-page.js';
import { DIALOG_ONLY, STATES } from './pane-states.js';

const skip = findChromium() === null ? 'chromium is not installed (package chromium)' : !fs.existsSync(new URL('../../node_modules/axe-core', import.meta.url)) ? 'npm ci has not been run' : false;
/** Colours as Outlook tells them. @type {Record<string, any>} */
const THEMES = { light: { bodyBackgroundColor: '#ffffff', bodyForegroundColor: '#242424' }, dark: { bodyBackgroundColor: '#1f1f1f', bodyForegroundColor: '#ffffff' }, forced: null };
/** What a browser says about an answer that the state is about. */
const EXPECTED = /Failed to load resource|favicon|Refused to execute script from '[^']*\/office\.js'/;

/** @param {(pane: PanePage) => Promise<void>} play @param {{ width?: number, height?: number }} [size] */
async function withPane(play, size) {
	const pane = await PanePage.start(size);
	try {
		await play(pane);
		assert.deepEqual(pane.page.complaints.filter((c) => !EXPECTED.test(c)), [], 'the page complained');
	} finally {
		await pane.stop();
	}
}

/** @param {string} name */
const state = (name) => /** @type {import('./pane-states.js').State} */ (STATES.find((s) => s.name === name));

for (const part of [0, 1, 2])
	test(`every state shows what happened and what to do, in light, dark and contrast colours (${part + 1} of 3)`, { skip }, async () => {
		await withPane(async (pane) => {
			for (const s of STATES.filter((_, i) => i % 3 === part)) {
				await pane.enter(s);
				for (const look of Object.keys(LOOKS)) {
					await pane.page.send('Emulation.setEmulatedMedia', { features: LOOKS[look] });
					await pane.page.value(`globalThis.Office?.context === undefined ? 0 : officeStub.theme(${JSON.stringify(THEMES[look])})`);
					assert.deepEqual(await pane.violations(), [], `${s.name}, ${look}`);
				}
				assert.equal(await pane.page.value('document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth'), false, `${s.name} is wider than 320 px`);
				if (process.env.SCREENSHOTS !== undefined)
					await pane.page.screenshot(`${process.env.SCREENSHOTS}/${s.name}.png`);
			}
		});
	});

test('in each language, and with text twice as large, nothing is cut off', { skip }, async () => {
	await withPane(async (pane) => {
		for (const language of ['de-CH', 'fr-CH', 'it-CH', 'en-GB'])
			for (const name of ['linked-series', 'copied', 'asking']) {
				const { want, ...s } = state(name);
				await pane.enter({ ...s, want, shows: /./ }, 'light', language);
				assert.equal(await pane.page.value('document.documentElement.lang'), language.slice(0, 2));
				assert.equal(await pane.page.value("/pane\\.|error\\./.test(document.body.innerText)"), false, 'a text is missing');
				await pane.page.send('Emulation.setDeviceMetricsOverride', { width: 160, height: 360, deviceScaleFactor: 2, mobile: false });
				assert.equal(await pane.page.value('document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth'), false, `${language} ${name} at 200 %`);
				await pane.page.send('Emulation.setDeviceMetricsOverride', { width: 320, height: 720, deviceScaleFactor: 1, mobile: false });
			}
		/* Outlook may name a language that no browser knows. */
		await pane.enter(state('linked'), 'light', 'no_such');
	});
});

/** @param {PanePage} pane @param {string} key @param {number} [modifiers] */
async function type(pane, key, modifiers = 0) {
	const code = /** @type {Record<string, number>} */ ({ Tab: 9, Enter: 13, Escape: 27 })[key];
	await pane.page.send('Input.dispatchKeyEvent', { type: 'keyDown', key, code: key, windowsVirtualKeyCode: code, modifiers, text: key === 'Enter' ? '\r' : undefined });
	await pane.page.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key, windowsVirtualKeyCode: code, modifiers });
}

const FOCUS = "document.activeElement.dataset.act ?? document.activeElement.id ?? document.activeElement.tagName";

test('with the keyboard alone: everything is reached in reading order, seen, and removing can be taken back', { skip }, async () => {
	await withPane(async (pane) => {
		await pane.enter(state('linked'));
		const walk = [];
		for (let i = 0; i < 7; i++) {
			await type(pane, 'Tab');
			walk.push(await pane.page.value(FOCUS));
			assert.equal(await pane.page.value("getComputedStyle(document.activeElement).outlineStyle !== 'none'"), true, 'the focus is seen');
		}
		assert.deepEqual(walk, ['url', 'copy', 'open', 'refresh', 'remove', 'sign-out', '']);
		await pane.page.value("document.querySelector('[data-act=remove]').focus()");
		await type(pane, 'Enter');
		await pane.page.until(`${FOCUS} === 'remove-no'`);
		await type(pane, 'Escape');
		await pane.page.until("document.getElementById('question').hidden");
		await pane.page.until(`${FOCUS} === 'remove'`);
		await type(pane, 'Enter');
		await pane.page.until(`${FOCUS} === 'remove-no'`);
		await type(pane, 'Tab', 8);
		assert.equal(await pane.page.value(FOCUS), 'remove-yes');
		await type(pane, 'Enter');
		await pane.page.until("document.getElementById('pane').dataset.state === 'removed'");
		assert.equal(await pane.page.value(FOCUS), 'create', 'the focus is where the work goes on');
	});
});

test('what happens is said to screen readers: politely, and at once when it went wrong', { skip }, async () => {
	await withPane(async (pane) => {
		await pane.enter(state('created'));
		assert.equal(await pane.page.value("document.getElementById('head').getAttribute('role')"), 'status');
		await pane.enter(state('error-down'));
		assert.equal(await pane.page.value("document.getElementById('head').getAttribute('role')"), 'alert');
		await pane.enter(state('linked'));
		await pane.page.send('Browser.grantPermissions', { permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'] }).catch(() => {});
		await pane.page.click('[data-act=copy]');
		await pane.page.until("document.getElementById('said').textContent === 'Link copied'");
	});
});

test('without its scripts the page says after a while that they are missing', { skip }, async () => {
	await withPane(async (pane) => {
		await pane.enter(state('none'));
		assert.equal(await pane.page.value("document.querySelector('.late').checkVisibility({ visibilityProperty: true })"), false);
		pane.site.answers['GET js/pane-view.js'] = { status: 404 };
		await pane.page.open(`${pane.site.url}/taskpane.html`);
		await pane.page.until("document.querySelector('.late') !== null && document.getAnimations().length > 0");
		assert.equal(await pane.page.value("document.querySelector('.late').checkVisibility({ visibilityProperty: true })"), false);
		await pane.page.value('document.getAnimations().forEach((a) => a.finish())');
		assert.equal(await pane.page.value("document.querySelector('.late').checkVisibility({ visibilityProperty: true }) && /could not be loaded/.test(document.body.innerText)"), true);
		assert.deepEqual(await pane.violations(), []);
	});
});

test('the state of the synchronisation is asked for again, and follows', { skip }, async () => {
	await withPane(async (pane) => {
		await pane.enter(state('waiting'));
		pane.site.reset();
		await pane.press('refresh');
		await pane.page.until("/Followed/.test(document.body.innerText)");
	});
});

test('a sign-in that nobody answers can be cancelled, keeps no click waiting, and the next one works', { skip }, async () => {
	await withPane(async (pane) => {
		await pane.enter(state('cancelled'));
		assert.deepEqual(await pane.page.value('navigator.locks.query().then((q) => [q.held.length, q.pending.length])'), [0, 0]);
		await pane.page.value("globalThis.how = 'ok'");
		await pane.press('retry');
		await pane.page.until("document.getElementById('pane').dataset.state === 'created'");
		/* Work that follows is not taken for the sign-in that was given up. */
		await pane.enter(state('creating-sign-in'));
		await pane.press('cancel');
		pane.site.answers['POST conversations/create'] = { delay: 3000, body: {} };
		await pane.page.value("globalThis.how = 'ok'");
		await pane.press('retry');
		await pane.page.until("document.getElementById('pane').dataset.state === 'busy-create'");
	});
});

test('while the pane asks Unblu it keeps no click waiting', { skip }, async () => {
	await withPane(async (pane) => {
		await pane.enter({ ...state('linked-without-server'), answers: { 'GET conversations/read': { delay: 60_000 } }, want: 'loading', shows: /Looking at this event/ });
		const asks = () => pane.site.seen.some((s) => /conversations\/.*\/read/.test(s.path));
		for (const end = Date.now() + 15_000; !asks() && Date.now() < end;)
			await new Promise((resolve) => setTimeout(resolve, 20));
		assert.ok(asks());
		assert.deepEqual(await pane.page.value('navigator.locks.query().then((q) => [q.held.length, q.pending.length])'), [0, 0]);
	});
});

test('an event that comes into view while the pane still loads for the first time is the one that it shows', { skip }, async () => {
	await withPane(async (pane) => {
		const s = state('linked');
		await pane.enter({ ...s, config: { showDebugPane: true }, answers: { 'GET config.json': { delay: 60_000 } }, want: 'loading', shows: /Looking at this event/ });
		delete pane.site.answers['GET config.json'];
		await pane.page.value("Object.assign(officeStub.mailbox.item, { properties: {}, body: '', location: '', itemId: 'AAMkOther' }); officeStub.select(true)");
		await pane.page.until("document.getElementById('pane').dataset.state === 'none' && document.querySelector('#debug summary') !== null");
	});
});

test('a pane that stays open shows the event that is in view now, and works on no other', { skip }, async () => {
	const shows = (/** @type {string} */ want) => `document.getElementById('pane')?.dataset.state === '${want}' && document.getElementById('pane').getAttribute('aria-busy') === 'false'`;
	await withPane(async (pane) => {
		await pane.enter(state('asking'));
		await pane.page.value("Object.assign(officeStub.mailbox.item, { properties: {}, body: '', location: '', itemId: 'AAMkOther' }); officeStub.select(true)");
		await pane.page.until(shows('none'));
		assert.equal(await pane.page.value("document.getElementById('question').hidden"), true, 'what was asked was about the one before');
		await pane.page.value('officeStub.select(false)');
		await pane.page.until(shows('no-item'));
		/* In the middle of something. */
		await pane.enter(state('cancelled'));
		await pane.press('retry');
		await pane.page.until("document.getElementById('pane').dataset.state === 'busy-sign-in'");
		await pane.page.value("globalThis.how = 'ok'; officeStub.select(true)");
		await pane.page.until(shows('none'));
		assert.deepEqual(await pane.page.value('navigator.locks.query().then((q) => [q.held.length, q.pending.length])'), [0, 0]);
		await pane.press('create');
		await pane.page.until(shows('created'));
	});
});

test('where the browser lets it store nothing, and Outlook throws for events that it does not know, the pane works', { skip }, async () => {
	const noEvents = "addEventListener('DOMContentLoaded', () => Office.onReady(() => { Office.context.mailbox.addHandlerAsync = () => { throw new Error('This event is not supported on this platform.'); }; }));";
	await withPane((pane) => pane.enter({ ...state('debug'), before: STORES_NOTHING + noEvents, shows: /Sign in to see it[\s\S]*Copy report/ }));
});

test('what the pane asks by itself opens no window, also when the server refuses the token', { skip }, async () => {
	const no = { status: 401, body: { error: { code: 'unauthorized', message: 'no' } } };
	const dialogs = "officeStub.mailbox.calls.filter((c) => c.name === 'ui.displayDialogAsync').length";
	await withPane(async (pane) => {
		await pane.enter({ ...state('unannounced'), context: DIALOG_ONLY, stored: true, answers: { 'PUT api/links': no, 'GET api/links': no }, shows: /Not known at the moment \(server-refused\)[\s\S]*does not know of this conversation yet/ });
		assert.equal(await pane.page.value(dialogs), 0);
		pane.site.seen = [];
		await pane.page.value("dispatchEvent(new Event('focus'))");
		await pane.page.until("/Sign out/.test(document.body.innerText)");
		while (!pane.site.seen.some((s) => s.method === 'GET' && s.path.startsWith('api/links')))
			await new Promise((resolve) => setTimeout(resolve, 20));
		assert.equal(await pane.page.value(dialogs), 0);
	});
});

test('payloads as subject, owner and reason stay text, and a link that is none is not offered', { skip }, async () => {
	const evil = '<img src=x onerror="globalThis.hit=1"><script>globalThis.hit=1</script>"\'`${hit=1}';
	await withPane(async (pane) => {
		const s = state('not-followed');
		await pane.enter({ ...s, item: { ...s.item, shared: { owner: evil, delegatePermissions: 63 } }, answers: { 'GET api/links': { body: { state: 'linked', topic: evil, start: null, syncedAt: null, lastError: evil, mailbox: { state: 'parked', reason: evil } } } }, shows: /<img src=x/ });
		assert.equal(await pane.page.value("globalThis.hit === undefined && document.querySelectorAll('#pane img, #pane script').length"), 0);
		const link = JSON.parse(state('linked').item.properties.unblu);
		for (const url of ['javascript:globalThis.hit=1', 'data:text/html,<script>1</script>', 'http://meet.example.com/x']) {
			await pane.enter({ ...state('linked'), item: { ...state('linked').item, properties: { unblu: JSON.stringify({ ...link, url }) } }, want: 'missing', shows: /./ });
			assert.equal(await pane.page.value("document.querySelector('a.button')"), null, url);
		}
	});
});

test('the report has versions, configuration and log, and no token, address or topic', { skip }, async () => {
	await withPane(async (pane) => {
		await pane.enter(state('debug'));
		await pane.page.value("globalThis.copied = ''; navigator.clipboard.writeText = async (t) => { copied = t; }");
		await pane.press('report');
		const report = await pane.page.until('globalThis.copied');
		assert.match(report, /Add-in: 0\.1\.0[\s\S]*clientId: 5f2a6d1e[\s\S]*"event":"/);
		assert.doesNotMatch(report, /c2lnbmF0dXJl|anna\.keller|Portfolio review|Bearer/);
	});
});
