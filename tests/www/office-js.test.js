// @ts-check
/* The pages with Microsoft's own office.js: outside of Outlook, and in as much of Outlook on the web as can be played. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { findChromium } from '../demo/chromium.js';
import { DIST, OfficeJs } from './office-js.js';
import { CONVERSATION, PUBLIC_LINK } from './site.js';

const skip = findChromium() === null ? 'chromium is not installed (package chromium)' : !fs.existsSync(DIST) ? 'npm ci has not been run' : false;
const WORDS = '<html><body><p>Dear Mr Meier</p></body></html>';
const STATE = "(frames[0] ?? window).document.getElementById('pane')?.dataset.state";

test('with Microsoft\'s office.js', { skip }, async (t) => {
	const office = await OfficeJs.start();
	t.after(() => office.stop());
	const { page } = office;

	await t.test('outside of Outlook the pane says so at once, and the other pages do no harm', async () => {
		office.reset();
		const begin = Date.now();
		await office.outside('taskpane.html');
		await page.until(`${STATE} === 'outside'`);
		t.diagnostic(`said after ${Date.now() - begin} ms`);
		await office.outside('commands.html');
		await page.until("globalThis.Office?.actions?._association.mappings.ADDUNBLUCONVERSATION !== undefined");
		await office.outside('auth.html');
		await page.until("/nothing to do here/.test(document.body?.innerText)");
		assert.deepEqual(office.complaints(), []);
	});

	await t.test('outside of Outlook the pane says so also when parts of office.js can not be had', async () => {
		for (const blocked of [/o15apptofilemappingtable/, /appsforoffice/]) {
			office.reset();
			office.blocked = blocked;
			await office.outside('taskpane.html');
			await page.until(`${STATE} === 'outside'`, 6000);
		}
	});

	await t.test('in Outlook one press makes the conversation, puts the link into the text, and completes once', async () => {
		office.reset();
		await office.inside('commands.html', { body: WORDS });
		await page.until('officeHost.listener !== null');
		await page.value("officeHost.press('addUnbluConversation')");
		await page.until('officeHost.completed > 0');
		const { item, completed, unknown } = await page.value('({ item: officeHost.mailbox.item, completed: officeHost.completed, unknown: officeHost.unknown })');
		assert.match(item.notifications.unblu.message, /^Unblu conversation added\. .* \[[0-9a-f]{8}\]$/);
		assert.equal(JSON.parse(item.properties.unblu).conversationId, CONVERSATION);
		assert.ok(item.body.startsWith('<html><body><p>Dear Mr Meier</p><p>') && item.body.includes(`>${PUBLIC_LINK}${CONVERSATION}</a>`), item.body);
		assert.equal(item.location, PUBLIC_LINK + CONVERSATION);
		assert.deepEqual([completed, unknown, office.complaints()], [1, [], []]);
	});

	await t.test('in Outlook who is not signed in signs in in the dialog, and the conversation is made', async () => {
		office.reset();
		await office.inside('commands.html', { body: WORDS }, false);
		await page.until('officeHost.listener !== null');
		await page.value("officeHost.press('addUnbluConversation')");
		await page.value(`${await office.prompt('Allow')}.click()`);
		await page.until('officeHost.completed > 0');
		assert.match(await page.value('officeHost.mailbox.item.notifications.unblu.message'), /^Unblu conversation added/);
		assert.deepEqual([await page.value('officeHost.completed'), office.complaints()], [1, []]);
	});

	await t.test('in Outlook who does not let the window open is told what to do', async () => {
		office.reset();
		await office.inside('commands.html', { body: WORDS }, false);
		await page.until('officeHost.listener !== null');
		await page.value("officeHost.press('addUnbluConversation')");
		await page.value(`${await office.prompt('Ignore')}.click()`);
		await page.until('officeHost.completed > 0');
		assert.match(await page.value('officeHost.mailbox.item.notifications.unblu.message'), /sign-in window was blocked/);
		assert.deepEqual(office.site.seen.filter((s) => s.method === 'POST'), []);
	});

	await t.test('the pane outlives the question that office.js puts in its place', async () => {
		office.reset();
		await office.inside('taskpane.html', { body: WORDS }, false);
		await page.until(`${STATE} === 'sign-in'`);
		await page.value("frames[0].document.querySelector('[data-act=create]').click()");
		const allow = await office.prompt('Allow');
		assert.equal(await page.value("frames[0].document.getElementById('pane')"), null);
		await page.value(`frames[0].dispatchEvent(new Event('focus')); ${allow}.click()`);
		await page.until(`${STATE} === 'created'`);
		assert.deepEqual(office.complaints(), []);
	});

	await t.test('a press before our scripts have arrived is not lost', async () => {
		office.reset();
		office.delay = 1500;
		await office.inside('commands.html', { body: WORDS });
		await page.until('officeHost.listener !== null', 20_000);
		await page.value("officeHost.press('addUnbluConversation')");
		await page.until('officeHost.completed > 0', 20_000);
		assert.match(await page.value('officeHost.mailbox.item.notifications.unblu.message'), /^Unblu conversation added/);
	});

	await t.test('the check before sending is ready for its event too', async () => {
		office.reset();
		await office.inside('launchevent.html');
		await page.until('officeHost.listener !== null');
		assert.deepEqual(office.complaints(), []);
	});

	await t.test('in Outlook the pane makes, shows and removes the conversation', async () => {
		office.reset();
		await office.inside('taskpane.html', { body: WORDS });
		await page.until(`${STATE} === 'none'`, 20_000);
		await page.value("frames[0].document.querySelector('[data-act=create]').click()");
		await page.until(`${STATE} === 'created'`);
		await page.value("frames[0].document.querySelector('[data-act=remove]').click()");
		await page.until("frames[0].document.querySelector('[data-act=remove-yes]') !== null");
		await page.value("frames[0].document.querySelector('[data-act=remove-yes]').click()");
		await page.until(`${STATE} === 'removed'`);
		assert.deepEqual(await page.value('[officeHost.mailbox.item.body, officeHost.mailbox.item.location, officeHost.unknown]'), [WORDS, '', []]);
		assert.deepEqual(office.complaints(), []);
	});

	await t.test('in Outlook without Microsoft\'s scripts the pane says that they are missing', async () => {
		office.reset();
		office.blocked = /appsforoffice/;
		await office.inside('taskpane.html');
		await page.until(`${STATE} === 'no-office'`, 20_000);
	});
});
