// @ts-check
/* A person at the page: real Chromium, real programs, simulated clouds. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Chromium, findChromium } from './chromium.js';
import { Demo } from './demo.js';
import { waitFor } from '../lib/wait.js';
import { HOUR, MINUTE } from './page/model.js';

const WAIT_MS = 15_000;
const AXE = new URL('../../node_modules/axe-core/axe.min.js', import.meta.url);
const chromium = findChromium();
const skip = chromium === null ? 'chromium is not installed (package chromium)' : false;

/** @param {string} id of an event */
const block = (id) => `.ev[data-id="${id}"]`;

/**
 * A demo without its story, and a browser on the page.
 * @param {(demo: Demo, page: Chromium) => Promise<void>} play
 */
async function withPage(play) {
	const demo = await Demo.start({ port: 0 });
	/** @type {Chromium | null} */
	let page = null;
	let fine = false;
	try {
		page = await Chromium.start();
		await page.open(`http://127.0.0.1:${demo.front.port}/demo/`);
		await page.until("document.querySelectorAll('.ev').length > 2");
		await play(demo, page);
		assert.deepEqual(page.complaints, [], 'the page complained');
		fine = true;
	} finally {
		await page?.stop();
		demo.running.expectErrors = true;
		await (fine ? demo.stop() : demo.abandon());
	}
}

/** @param {Chromium} page */
async function save(page) {
	await page.click('#ribbon-save');
	await page.until("document.getElementById('form').hidden");
}

/** The only conversation. @param {Demo} demo */
const talk = (demo) => demo.shown.conversations()[0];

test('a person makes an event, presses the button, drags it, renames it, deletes it: the conversation follows', { skip }, async () => {
	await withPage(async (demo, page) => {
		/* A double click into an empty slot of the third day: the form of a new event. */
		const before = new Set(demo.shown.events().map((e) => e.id));
		const spot = await page.value("(() => { const r = document.querySelectorAll('.day')[2].getBoundingClientRect(); const s = document.getElementById('week-scroll').getBoundingClientRect(); return { x: r.x + r.width / 2, y: s.y + s.height * 0.5 }; })()");
		for (const clickCount of [1, 2]) {
			await page.mouse('mousePressed', spot, { clickCount });
			await page.mouse('mouseReleased', spot, { clickCount });
		}
		await page.until("!document.getElementById('form').hidden && document.activeElement === document.getElementById('form-subject')");

		/* A name, then the real button; the event is not in the calendar yet. */
		await page.send('Input.insertText', { text: 'Savings <b>plan</b>' });
		await page.click('#ribbon-command');
		await page.until("document.querySelector('.talk .topic b')?.textContent === 'Savings <b>plan</b>'");
		assert.equal(await page.value("document.querySelectorAll('.talk b b').length"), 0, 'text stays text');
		await page.until("document.querySelector('.notice.informationalMessage p')?.textContent.includes('Unblu conversation added')");
		const { url } = talk(demo);
		assert.equal(await page.value("document.getElementById('form-location').value"), url);
		await page.until(`document.querySelector('.letter').contentDocument.body.innerText.includes(${JSON.stringify(url)})`);
		assert.deepEqual(demo.shown.events().filter((e) => !before.has(e.id)), [], 'nothing is saved before the person saves');

		/* Saved: the event has its conversation, and the server finds it. */
		await save(page);
		const made = /** @type {any} */ (await waitFor(() => demo.shown.events().find((e) => !before.has(e.id)), WAIT_MS, 'the event is saved'));
		assert.equal(made.start % (30 * MINUTE), 0);
		await page.until(`document.querySelector('${block(made.id)}')?.classList.contains('linked') && !document.querySelector('${block(made.id)}').classList.contains('behind')`);
		const mailbox = /** @type {any} */ (demo.running.mailboxes.find((m) => m.oid === made.user));
		await demo.running.linkState(mailbox, { id: talk(demo).id, sourceId: '' }, (l) => l.state === 'linked', 'the server knows the event');

		/* Two hours down and one day on. */
		const from = await page.where(block(made.id));
		const step = await page.value("(() => { const d = document.querySelectorAll('.day'); return { x: d[1].getBoundingClientRect().x - d[0].getBoundingClientRect().x, y: document.getElementById('week').getBoundingClientRect().height / 24 }; })()");
		await page.drag({ x: from.x, y: from.y - 6 }, { x: from.x + step.x, y: from.y - 6 + 2 * step.y });
		await page.until(`document.querySelector('${block(made.id)}') !== null`);
		const moved = /** @type {any} */ (await waitFor(() => demo.shown.events().find((e) => e.id === made.id && e.start !== made.start), WAIT_MS, 'the event has moved'));
		assert.equal(moved.start - made.start, 24 * HOUR + 2 * HOUR);
		assert.equal(moved.end - moved.start, made.end - made.start);
		await waitFor(() => talk(demo).start === moved.start, WAIT_MS, 'Unblu has the new time');
		const day = new Date(moved.start);
		await page.until(`document.querySelector('.talk .when b').textContent.includes('${String(day.getHours()).padStart(2, '0')}:${String(day.getMinutes()).padStart(2, '0')}')`);
		await page.until("[...document.querySelectorAll('.line[data-source=demo] .said')].some((n) => n.textContent.startsWith('Unblu has followed'))");

		/* With the keyboard a quarter of an hour up. */
		await page.value(`document.querySelector('${block(made.id)}').focus()`);
		for (const type of ['keyDown', 'keyUp'])
			await page.send('Input.dispatchKeyEvent', { type, key: 'ArrowUp', code: 'ArrowUp' });
		await waitFor(() => talk(demo).start === moved.start - 15 * MINUTE, WAIT_MS, 'Unblu has the time set by keyboard');

		/* Renamed in its card, then deleted there. */
		await page.click(block(made.id));
		await page.until("!document.getElementById('card').hidden");
		await page.value("document.getElementById('card-subject').select()");
		await page.send('Input.insertText', { text: 'Savings plan' });
		for (const type of ['keyDown', 'keyUp'])
			await page.send('Input.dispatchKeyEvent', { type, key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: type === 'keyDown' ? '\r' : undefined });
		await waitFor(() => talk(demo).topic === 'Savings plan', WAIT_MS, 'Unblu has the new topic');
		await page.click(block(made.id));
		await page.click('#card-delete');
		await waitFor(() => demo.shown.conversations().length === 0, WAIT_MS, 'the conversation is gone');
		await page.until("document.querySelector('.talk.gone s')?.textContent === 'Savings plan'");
	});
});

/** The add-in's pane, as the person reads it. */
const PANE = "document.querySelector('.paneframe iframe').contentDocument";

/** @param {Chromium} page @param {string} select @param {string | number} option its value, or its place */
async function choose(page, select, option) {
	await page.value(`(() => { const s = document.getElementById('${select}'); s.value = ${typeof option === 'number' ? `s.options[${option}].value` : JSON.stringify(option)}; s.dispatchEvent(new Event('change')); })()`);
}

test('the pane beside the form: creates, says what the server knows, removes; and opens a second time', { skip }, async () => {
	await withPage(async (demo, page) => {
		await page.click('#event-new');
		await page.until("!document.getElementById('form').hidden");
		await page.send('Input.insertText', { text: 'Pension check' });
		await page.click('#ribbon-pane');
		await page.until(`${PANE}?.querySelector('[data-act=create]')`);
		await page.value(`${PANE}.querySelector('[data-act=create]').click()`);
		await page.until(`/Conversation created[\\s\\S]*Waits for the event to be saved/.test(${PANE}.body.innerText)`, WAIT_MS);
		await save(page);
		const made = /** @type {any} */ (await waitFor(() => demo.shown.events().find((e) => e.subject === 'Pension check'), WAIT_MS, 'the event is saved'));
		await page.until(`document.querySelector('${block(made.id)}')?.classList.contains('linked')`);
		await page.click(block(made.id));
		await page.click('#card-open');
		await page.click('#ribbon-pane');
		await page.until(`/Followed[\\s\\S]*Pension check/.test(${PANE}?.body?.innerText)`, WAIT_MS);
		await page.value(`${PANE}.querySelector('[data-act=remove]').click()`);
		await page.until(`${PANE}.querySelector('[data-act=remove-yes]')`);
		await page.value(`${PANE}.querySelector('[data-act=remove-yes]').click()`);
		await page.until(`${PANE}.getElementById('pane').dataset.state === 'removed'`);
		assert.deepEqual([demo.shown.conversations(), await page.value("document.getElementById('form-location').value")], [[], '']);
		await save(page);
		await page.until(`!document.querySelector('${block(made.id)}').classList.contains('linked')`);
	});
});

test('a series has one conversation, one date of it is refused, and the dates follow', { skip }, async () => {
	await withPage(async (demo, page) => {
		await page.click('#event-new');
		await page.until("!document.getElementById('form').hidden");
		await page.send('Input.insertText', { text: 'Weekly advice' });
		await choose(page, 'form-repeat', 'weekly');
		await page.click('#ribbon-command');
		await page.until("document.querySelector('.notice.informationalMessage p')?.textContent.includes('whole series')");
		await save(page);
		await page.until("document.querySelector('.ev.linked:not(.behind)')");
		const dates = demo.shown.events().filter((e) => e.subject === 'Weekly advice');
		assert.deepEqual([dates.length, new Set(dates.map((d) => d.conversation)).size, talk(demo).start], [8, 1, dates[0].start]);
		await page.click('.ev.linked');
		await page.click('#card-open');
		await page.until("!document.getElementById('form').hidden");
		await page.click('#ribbon-pane');
		await page.until(`${PANE}?.getElementById('pane')?.dataset.state === 'occurrence'`);
		await page.click('#ribbon-command');
		await page.until("document.querySelector('.notice.errorMessage p')?.textContent.includes('Open the whole series')");
		await page.value("document.querySelector('.formbar .close').click()");
		/* The first date is given up: the conversation moves on to the second. */
		await page.click('.ev.linked');
		await page.click('#card-delete');
		await waitFor(() => talk(demo).start === dates[1].start, WAIT_MS, 'Unblu has the time of the next date');
	});
});

test('in a colleague\u2019s calendar: as delegate it works and says for whom, with read rights it is refused', { skip }, async () => {
	await withPage(async (demo, page) => {
		await choose(page, 'whose', 1);
		await page.until("document.querySelectorAll('.ev').length === 1");
		await page.click('.ev');
		await page.click('#card-open');
		await page.until("document.querySelector('.formbar .whose').textContent === 'in the calendar of Luca Brunner'");
		await page.click('#ribbon-command');
		await page.until("document.querySelector('.notice.informationalMessage p')?.textContent.includes('calendar of luca.brunner@alpinebank.example')");
		assert.equal(talk(demo).agent, demo.running.mailboxes[0].oid, 'the delegate is the agent');
		await save(page);
		await page.until("document.querySelector('.ev.linked')");
		await page.click('.seg button:nth-child(2)');
		await page.until("document.getElementById('whose').options.length === 2");
		await choose(page, 'whose', 1);
		await page.until("document.querySelectorAll('.ev').length > 2");
		await page.click('.ev:not(.linked)');
		await page.click('#card-open');
		await page.click('#ribbon-command');
		await page.until("document.querySelector('.notice.errorMessage p')?.textContent.includes('may not change events')");
		assert.deepEqual([demo.shown.conversations().length, await page.value("document.getElementById('ribbon-save').disabled")], [1, true]);
	});
});

test('the buttons of the stations: web and sync are killed and come back, a subscription runs out and is made again', { skip }, async () => {
	await withPage(async (demo, page) => {
		const box = demo.running.mailboxes[0];
		const start = demo.at(3, 16);
		const event = await demo.shown.add(box.tenant, box.oid, { subject: 'House purchase', start, end: start + HOUR });
		await demo.shown.link(box.tenant, box.oid, event.id);
		await page.until("document.querySelector('.station[data-id=graph] .value').textContent.includes('min')");
		for (const role of /** @type {const} */ (['web', 'sync'])) {
			const pid = await demo.running.pid(role);
			await page.click(`#act-kill-${role}`);
			const next = await waitFor(() => demo.running.pids(role).find((p) => p !== pid), WAIT_MS, `${role} runs again`);
			await page.until(`document.querySelector('.station[data-id=${role}] .value').textContent.includes('${next}')`);
		}
		await page.click('#act-expire');
		await page.until("document.querySelector('.station[data-id=graph] .value').textContent === 'subscription has run out'");
		await demo.quiet();
		await demo.shown.change(box.tenant, box.oid, event.id, { subject: 'House purchase, second talk' });
		await page.until("document.querySelector('.ev.behind') !== null");
		assert.equal(talk(demo).topic, 'House purchase');
		await page.value("[...document.querySelectorAll('.line[data-source=graph]')].at(-1).click()");
		assert.ok(JSON.parse(await page.value("document.querySelector('.line pre').textContent")), 'a line unfolds');
		await page.click('#act-renew');
		await waitFor(() => talk(demo).topic === 'House purchase, second talk', WAIT_MS, 'the change is caught up');
		await page.until("document.querySelector('.ev.behind') === null && document.querySelector('.station[data-id=graph] .value').textContent.includes('min')");
	});
});

test('axe-core finds nothing to complain about, light and dark, with the form and without', { skip: skip || (fs.existsSync(AXE) ? false : 'npm ci has not been run') }, async () => {
	await withPage(async (_demo, page) => {
		await page.send('Runtime.evaluate', { expression: fs.readFileSync(AXE, 'utf8') });
		const look = async (/** @type {string} */ where) => {
			/* Nothing fades in or out any more. */
			await page.until("document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getComputedTiming().iterations === Infinity)");
			assert.deepEqual(await page.value("axe.run(document, { iframes: false }).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target + ' ' + n.failureSummary).join(' | ')))"), [], where);
		};
		await look('light');
		await page.click('#event-new');
		await page.until("!document.getElementById('form').hidden");
		await look('light, form');
		await page.click('#theme');
		await look('dark, form');
		await page.value("document.querySelector('.formbar .close').click()");
		await look('dark');
	});
});

test('what the back end refuses is shown and changes nothing', { skip }, async () => {
	await withPage(async (demo, page) => {
		await page.click('#act-expire');
		await page.until("document.querySelector('.toast')?.textContent === 'there is no subscription'");
		assert.equal(await page.value("fetch('/demo/api/events/x/y/z', { method: 'DELETE' }).then((r) => r.status)"), 404);
		page.complaints.length = 0;
		assert.equal(demo.shown.events().length, 7);
	});
});
