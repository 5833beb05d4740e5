// @ts-check
/* The ribbon's button in real Chromium, with the real MSAL, under the product's content security policy. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { findChromium } from '../demo/chromium.js';
import { Click, FUNCTION, STORES_NOTHING } from './click.js';
import { loginHost } from './login.js';

const skip = findChromium() === null ? 'chromium is not installed (package chromium)' : false;
const WORDS = '<html><head></head><body><p>Dear Mr Meier</p></body></html>';

/** What a page loaded of our scripts and texts. @param {import('./site.js').Site} site */
const parts = (site) => [...new Set(site.seen.map((s) => s.path).filter((p) => /^(js|strings)\//.test(p)))].sort();

/** The only notice. @param {any} seen */
const told = (seen) => seen.item.notifications.unblu;

test('the button', { skip }, async (t) => {
	const click = await Click.start(t, { args: (sim) => loginHost(t, sim.urls.entra) });

	await t.test('signs in through the host, makes the conversation and says so', async () => {
		await click.reset();
		const seen = await click.press({ item: { body: WORDS }, before: 'sessionStorage.clear();' });
		assert.deepEqual(seen.bridge.filter((/** @type {string} */ m) => m !== 'GetInitContext'), ['GetToken']);
		assert.equal(told(seen).type, 'informationalMessage');
		assert.match(told(seen).message, /^Unblu conversation added\. .* \[[0-9a-f]{8}\]$/);
		const [c] = click.conversations();
		assert.equal(JSON.parse(seen.item.properties.unblu).conversationId, c.id);
		assert.ok(seen.item.body.includes(`${c.id}</a></p></body></html>`));
		assert.equal(seen.twice, false);
		assert.deepEqual(click.browser.complaints, []);
		assert.deepEqual(click.sim.checks.violations.list(), []);
		const text = JSON.stringify([seen.local, seen.item]);
		assert.equal(/eyJ/.test(text), false, 'no token in localStorage or in the event');
		assert.equal(click.site.seen.find((s) => s.method === 'PUT')?.body.sourceId, c.sourceId);
	});

	await t.test('pressed twice at once makes one conversation and one block', async () => {
		await click.reset();
		const seen = await click.press({ twice: true });
		assert.equal(click.conversations().length, 1);
		assert.equal(seen.item.body.split('</a>').length - 1, 1);
		assert.equal(seen.twice, false);
	});

	await t.test('asks the host for a sign-in when a person is needed', async () => {
		await click.reset();
		const seen = await click.press({ bridge: await click.nested({ silent: false }), before: 'sessionStorage.clear();' });
		assert.ok(seen.bridge.includes('GetTokenPopup'));
		assert.equal(click.conversations().length, 1);
	});

	/* The page's clock can be put forward. */
	const CLOCK = 'sessionStorage.clear(); { const now = Date.now.bind(Date); let ahead = 0; Date.now = () => now() + ahead; globalThis.jump = (ms) => { ahead += ms; }; }';

	await t.test('waits for a person who takes two minutes to sign in, and says meanwhile what is waited for', async () => {
		await click.reset();
		const seen = await click.press({ bridge: await click.nested({ silent: false, popup: { ms: 1300, ahead: 120_000 } }), before: CLOCK });
		assert.match(told(seen).message, /^Unblu conversation added/);
		assert.equal(click.conversations().length, 1);
		const said = await click.browser.value('officeStub.mailbox.calls.filter((c) => c.name === "notificationMessages.replaceAsync").map((c) => c.args[1].message).join("|")');
		assert.match(said, /^[^|]* (\[[0-9a-f]{8}\])(\|[^|]* \1)*$/, 'each with the same id');
		assert.match(said, /^Creating[^|]*\|Sign in, in the window[^|]*\|Creating[^|]*\|Unblu conversation added/);
	});

	await t.test('pressed again while it waits for a person says nothing else meanwhile, and goes on after it', async () => {
		await click.reset();
		const both = click.press({ bridge: await click.nested({ silent: false, popup: { hold: true } }), twice: true, before: 'sessionStorage.clear();' });
		await click.browser.until('globalThis.letIn !== undefined');
		await click.browser.until('navigator.locks.query().then((q) => q.held.length === 1 && q.pending.length === 1)');
		await click.browser.value('letIn()');
		assert.match(told(await both).message, /^This event already has/);
		const said = (await click.browser.value('officeStub.mailbox.calls.filter((c) => c.name === "notificationMessages.replaceAsync").map((c) => c.args[1].message)'));
		const ids = said.map((/** @type {string} */ m) => m.slice(-10));
		assert.deepEqual(said.map((/** @type {string} */ m) => m.slice(0, 8)), ['Creating', 'Sign in,', 'Creating', 'Unblu co', 'Creating', 'This eve']);
		assert.deepEqual([new Set(ids.slice(0, 4)).size, new Set(ids.slice(4)).size], [1, 1], 'the one after the other');
		assert.equal(click.conversations().length, 1);
	});

	await t.test('does not wait for a person for ever, nor for an Outlook that does not answer', async () => {
		await click.reset();
		const gone = await click.press({ bridge: await click.nested({ silent: false, popup: { ms: 60_000, ahead: 250_000 } }), before: CLOCK });
		assert.match(told(gone).message, /^It took too long/);
		/* The sign-in hangs on. A click now is not kept waiting by it. */
		assert.deepEqual(await click.browser.value('navigator.locks.query().then((q) => [q.held.length, q.pending.length])'), [0, 0]);
		await click.browser.value(`globalThis.bridgeNow = { silent: true, popup: undefined }; officeStub.run(${JSON.stringify(FUNCTION)})`);
		assert.match(told(await click.seen()).message, /^Unblu conversation added/);
		const hung = await click.press({ faults: { 'body.setAsync': { hang: true } }, before: `${CLOCK} addEventListener("DOMContentLoaded", () => officeStub.mailbox.listeners.add((n) => { if (n === "customProperties.saveAsync") jump(50_000); }));` });
		assert.match(told(hung).message, /^It took too long/);
		assert.equal(hung.twice, false);
	});

	await t.test('has the last word also where the notice before can not be replaced', async () => {
		await click.reset();
		const seen = await click.press({ faults: { 'notificationMessages.replaceAsync': { fail: {}, after: 1 } } });
		assert.match(told(seen).message, /^Unblu conversation added/);
	});

	await t.test('cancelled there is said without alarm, and there is no second window', async () => {
		await click.reset();
		const seen = await click.press({ bridge: await click.nested({ fail: { status: 'USER_CANCEL', code: 'user_cancel', subError: '', description: 'x' } }), before: 'sessionStorage.clear();' });
		assert.equal(told(seen).type, 'informationalMessage');
		assert.match(told(seen).message, /cancelled/);
		assert.equal(seen.calls.includes('ui.displayDialogAsync'), false);
		assert.equal(click.conversations().length, 0);
	});

	await t.test('of a host without a bridge signs in in the dialog, and keeps the token for the next click', async () => {
		await click.reset();
		const seen = await click.press({ bridge: null, context: { sets: { mailbox: '1.14' }, profile: { emailAddress: 'anna@alpinebank.example' } } });
		assert.match(told(seen).message, /^Unblu conversation added/, JSON.stringify(click.browser.complaints));
		assert.equal(click.conversations()[0].participants[0].person.username, 'anna@alpinebank.example');
		assert.equal(JSON.stringify(seen.local).includes('eyJ'), false);
		const asked = click.sim.journal.requests.list().filter((/** @type {any} */ r) => r.op === 'authorize').length;
		assert.equal(asked, 1);
		const again = await click.press({ bridge: null, context: { sets: { mailbox: '1.14' }, profile: { emailAddress: 'anna@alpinebank.example' } } });
		assert.match(told(again).message, /^Unblu conversation added/);
		assert.equal(click.sim.journal.requests.list().filter((/** @type {any} */ r) => r.op === 'authorize').length, 1);
	});

	await t.test('of a host without a bridge replaces a token that Unblu refuses by one dialog', async () => {
		await click.reset();
		const user = click.sim.directory.anyUser('anna@alpinebank.example');
		const { access } = await click.nested();
		const stale = JSON.stringify({ accessToken: access, expiresAt: 4e12, tenantId: user.tenant, username: user.upn, clientId: click.sim.directory.clientId, hint: user.upn });
		const host = { bridge: null, context: { sets: { mailbox: '1.14' }, profile: { emailAddress: user.upn } }, before: `sessionStorage.clear(); sessionStorage.setItem('unblu.token', ${JSON.stringify(stale)});` };
		await click.sim.control('POST', '/control/faults', { service: 'unblu', op: 'getCurrentPerson', kind: 'status', status: 401, count: 1 });
		const dialogs = (/** @type {any} */ seen) => seen.calls.filter((/** @type {string} */ c) => c === 'ui.displayDialogAsync').length;
		const seen = await click.press(host);
		assert.match(told(seen).message, /^Unblu conversation added/);
		assert.equal(dialogs(seen), 1);
	});

	await t.test('works where the browser lets a page in a frame store and lock nothing, by the bridge and by the dialog', async () => {
		for (const host of [{}, { bridge: null, context: { sets: { mailbox: '1.14' }, profile: { emailAddress: 'anna@alpinebank.example' } } }]) {
			await click.reset();
			const seen = await click.press({ ...host, before: STORES_NOTHING });
			assert.match(told(seen).message, /^Unblu conversation added/);
			assert.equal(click.conversations().length, 1);
		}
	});

	await t.test('falls through to the dialog when the bridge refuses the app', async () => {
		await click.reset();
		const seen = await click.press({ bridge: await click.nested({ fail: { status: 'PERSISTENT_ERROR', code: 'x', subError: '', description: 'origin is not valid' } }), before: 'sessionStorage.clear();' });
		assert.match(told(seen).message, /^Unblu conversation added/);
	});

	for (const [answer, words] of [['cancel', /cancelled/], ['consent', /approve.*AADSTS65001/], ['conditional', /rules.*AADSTS53003/]])
		await t.test(`whose dialog ends with ${answer} says what to do`, async () => {
			await click.reset();
			await click.sim.control('POST', '/control/settings', { entra: { signIn: { answer } } });
			const seen = await click.press({ bridge: null, context: { sets: { mailbox: '1.14' } }, before: 'sessionStorage.clear();' });
			assert.match(told(seen).message, /** @type {RegExp} */ (words));
			assert.equal(told(seen).type, answer === 'cancel' ? 'informationalMessage' : 'errorMessage');
			assert.equal(click.conversations().length, 0);
		});

	for (const [code, words] of /** @type {[number, RegExp][]} */ ([[12007, /already open/], [12009, /pop-ups/], [12011, /pop-ups/]]))
		await t.test(`whose dialog does not open (${code}) says why`, async () => {
			await click.reset();
			const seen = await click.press({ bridge: null, context: { sets: { mailbox: '1.14' } }, faults: { 'ui.displayDialogAsync': { fail: { code } } }, before: 'sessionStorage.clear();' });
			assert.match(told(seen).message, words);
		});

	await t.test('of another organisation refuses', async () => {
		await click.reset({ tenantIds: ['00000000-0000-4000-8000-000000000000'] });
		assert.match(told(await click.press()).message, /organisation is not enabled/);
		assert.equal(click.conversations().length, 0);
	});

	await t.test('without an event ends without a word', async () => {
		await click.reset();
		const seen = await click.press({ context: { itemless: true } });
		assert.deepEqual(seen.item.notifications, {});
	});

	await t.test('names the wrong key of config.json, and that there is none', async () => {
		await click.reset({ unbluApiUrl: 'nonsense' });
		assert.match(told(await click.press()).message, /"unbluApiUrl"/);
		await click.reset();
		click.site.config = null;
		assert.match(told(await click.press()).message, /config\.json could not be loaded/);
	});

	await t.test('loads nothing of ours but what the page asks ahead for, and one table of texts', async () => {
		await click.reset();
		await click.press({ before: 'sessionStorage.clear();' });
		assert.equal(click.conversations().length, 1);
		const html = fs.readFileSync(new URL('../../www/commands.html', import.meta.url), 'utf8');
		const ahead = [...html.matchAll(/(?:href|src)="(js\/[\w-]+\.js)"/g)].map((m) => m[1]);
		assert.deepEqual(parts(click.site), [...ahead, 'strings/en.json'].sort());
	});

	await t.test('whose answer was lost while a part can not be loaded is found by the next click', async () => {
		await click.reset();
		await click.sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'lost', count: 1 });
		click.site.answers['GET js/unblu-more.js'] = { status: 404 };
		const seen = await click.press({ item: { body: WORDS } });
		assert.match(told(seen).message, /no second conversation is made/);
		assert.deepEqual([seen.item.body, seen.twice, click.conversations().length], [WORDS, false, 1]);
		delete click.site.answers['GET js/unblu-more.js'];
		const again = await click.press({ item: { body: WORDS, properties: seen.item.properties } });
		assert.match(told(again).message, /^Unblu conversation added/);
		assert.equal(click.conversations().length, 1);
		assert.ok(parts(click.site).includes('js/unblu-more.js'));
	});

	await t.test('says which failure it is when a part can not be loaded, and changes nothing', async () => {
		await click.reset();
		const first = await click.press({ item: { body: WORDS } });
		click.site.answers['GET js/flow-again.js'] = { status: 404 };
		const seen = await click.press({ item: { body: WORDS, properties: first.item.properties } });
		assert.match(told(seen).message, /^Part of the add-in could not be loaded/);
		assert.deepEqual([told(seen).type, seen.item.body, seen.twice], ['errorMessage', WORDS, false]);
		await click.reset();
		await click.sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'status', status: 503, count: 1 });
		click.site.answers['GET js/unblu-more.js'] = { status: 404 };
		const refused = await click.press({ item: { body: WORDS } });
		assert.match(told(refused).message, /^Part of the add-in could not be loaded/);
		assert.ok(refused.item.properties.unbluPending, 'the attempt is kept');
	});

	await t.test('has a word also when the texts for a failure can not be loaded', async () => {
		await click.reset();
		click.site.answers['GET strings/more.en.json'] = { status: 404 };
		assert.match(told(await click.press({ context: { sets: { mailbox: '1.14' } }, bridge: null, faults: { 'ui.displayDialogAsync': { fail: { code: 12007 } } }, before: 'sessionStorage.clear();' })).message, /could not be created/);
	});

	await t.test('cold, with everything else at 50 ms, has the link in the body within 600 ms', async () => {
		await click.reset();
		await click.sim.control('POST', '/control/settings', { unblu: { latencyMs: 50 } });
		click.site.answers['PUT api/links'] = { status: 202, delay: 50 };
		/** @type {number[]} */
		const times = [];
		for (let i = 0; i < 5; i++) {
			await click.reset();
			await click.sim.control('POST', '/control/settings', { unblu: { latencyMs: 50 } });
			click.site.answers['PUT api/links'] = { status: 202, delay: 50 };
			await click.press({ bridge: await click.nested({ delay: 20 }), before: 'sessionStorage.clear(); addEventListener("DOMContentLoaded", () => { officeStub.mailbox.listeners.add((n) => { if (n === "body.setAsync") globalThis.linkAt = performance.now(); }); officeStub.run("addUnbluConversation"); });', });
			times.push(await click.browser.value('globalThis.linkAt'));
		}
		t.diagnostic(`link in the body after ${times.map(Math.round).join(', ')} ms`);
		assert.ok(Math.min(...times) < 600, `${times}`);
	});
});
