// @ts-check
/* The block in the invitation: build, find, add, remove; HTML and text; nothing else is touched. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeEntities, escapeHtml, inviteAdd, inviteBlock, inviteForeign, inviteHas, inviteLabel, inviteUrl } from '../../www/js/formats.js';
import { inviteRemove } from '../../www/js/invite-remove.js';
import { PAYLOADS } from './payloads.js';

const URL_ = 'https://meet.example.com/unblu/desk?conversation=AcviDb210C5BoFd6e_79oan&x=1';
const LABEL = 'Join the online conversation:';
const LABELS = [LABEL, 'An der Online-Konversation teilnehmen:', 'Two\nlines'];

test('the block is escaped, and only its own tags are in it', () => {
	assert.equal(PAYLOADS.length, 60);
	for (const p of PAYLOADS) {
		const block = inviteBlock(p, `https://x.example/${p}`, 'html');
		const tags = [...block.matchAll(/<[^>]*>/g)].map((m) => m[0].replace(/ .*/s, '>'));
		assert.deepEqual([...new Set(tags)].filter((x) => !['<p>', '</p>', '<br>', '<a>', '</a>'].includes(x)), [], JSON.stringify(p.slice(0, 40)));
		assert.equal(tags.filter((x) => x === '<a>').length, 1);
		const href = /href="([^"]*)"/.exec(block)?.[1] ?? '';
		assert.equal(decodeEntities(href), `https://x.example/${p}`.replace(/\u0000/g, '\u0000'));
	}
});

test('of hostile links none is accepted', () => {
	const good = ['https://meet.example.com/unblu/desk?conversation=a', 'https://meet.example.com:8443/a/b/c#d', 'https://[2001:db8::1]/x', 'https://m\u00fcnchen.example/x', 'https://x.example/%3Cscript%3E'];
	for (const url of good)
		assert.equal(inviteUrl(url, false), url);
	for (const p of PAYLOADS)
		assert.equal(inviteUrl(p, false), null, JSON.stringify(p.slice(0, 60)));
	for (const odd of [null, undefined, 1, {}, [], '', `https://x.example/${'a'.repeat(2000)}`])
		assert.equal(inviteUrl(odd, true), null);
	assert.equal(inviteUrl('http://127.0.0.1:1/x', true), 'http://127.0.0.1:1/x');
	assert.equal(inviteUrl('http://127.0.0.1:1/x', false), null);
	assert.equal(inviteUrl('javascript:alert(1)', true), null);
});

test('it goes to the end of the body, before the closing tags, and only once', () => {
	const block = inviteBlock(LABEL, URL_, 'html');
	for (const [body, want] of [
		['', block], ['<p>x</p>', `<p>x</p>${block}`], ['<html><body><p>x</p></body></html>', `<html><body><p>x</p>${block}</body></html>`], ['<p>x</p></html>\r\n', `<p>x</p>${block}</html>\r\n`],
		['<BODY>a</BODY ></HTML>', `<BODY>a${block}</BODY ></HTML>`], ['<body><p>&lt;/body&gt;</p><!-- </body> --></body>', `<body><p>&lt;/body&gt;</p><!-- </body> -->${block}</body>`],
	]) {
		const out = inviteAdd(body, 'html', LABEL, URL_);
		assert.equal(out, want);
		assert.equal(inviteAdd(out, 'html', LABEL, URL_), out);
	}
	assert.equal(inviteAdd('', 'text', LABEL, URL_), `${LABEL}\r\n${URL_}\r\n`);
	assert.equal(inviteAdd('x', 'text', LABEL, URL_), `x\r\n\r\n${LABEL}\r\n${URL_}\r\n`);
	assert.equal(inviteAdd('x\r\n', 'text', LABEL, URL_), `x\r\n\r\n${LABEL}\r\n${URL_}\r\n`);
});

test('the link is found in every disguise, and a longer one is not it', () => {
	const html = escapeHtml(URL_);
	for (const body of [
		URL_, `<a href="${html}">`, `<a href="${URL_.replace(/&/g, '&amp;')}">x</a>`, `<a href="https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(URL_)}&amp;data=05">x</a>`,
		`<a href="${html.replace(/-/g, '&#45;')}">`, `Join: <${URL_}>`, `${URL_.slice(0, 30)}\r\n${URL_.slice(30)}`, `x ${URL_}.`, `&lt;${html}&gt;`,
	])
		assert.ok(inviteHas(body, URL_), body);
	for (const body of ['', `${URL_}2`, `${URL_}_x`, URL_.slice(0, -1), URL_.replace('oan', 'oaN'), 'https://meet.example.com/unblu/desk?conversation='])
		assert.equal(inviteHas(body, URL_), false, body);
	assert.equal(inviteHas('anything', ''), false);
	assert.equal(inviteHas('%', 'https://x.example/%'), false);
});

test('added and removed again the body is what it was, byte by byte', () => {
	const bodies = ['', '<p>x</p>', '<html><body><p>Dear <b>Mr</b> &amp; Ms</p><div>regards</div></body></html>', '<body><div><p>a</p><div>b</div></div></body>', ...PAYLOADS.map((p) => `<p>${p}</p>`)];
	for (const body of bodies)
		for (const label of LABELS)
			assert.equal(inviteRemove(inviteAdd(body, 'html', label, URL_), 'html', URL_, LABELS), body, body.slice(0, 60));
	for (const body of ['x\r\n', 'x\r\ny\r\n', 'one\r\n\r\n\r\n', ...PAYLOADS.map((p) => `${p}\r\n`)])
		for (const label of LABELS) {
			const back = inviteRemove(inviteAdd(body, 'text', label, URL_), 'text', URL_, LABELS);
			assert.equal(back.trimEnd(), body.trimEnd(), JSON.stringify(body.slice(0, 60)));
		}
});

test('as Outlook rewrote it the block goes whole, and what the agent wrote into it stays', () => {
	const a = `<a id="x_LPNoLP" class="x" href="${escapeHtml(URL_)}" data-auth="NotApplicable">${URL_.replace(/&/g, '&amp;')}</a>`;
	const gone = [`<p class="MsoNormal"><span lang="EN-GB">${LABEL}<br>\r\n</span>${a}<o:p></o:p></p>`, `<div class="x_elementToProof"><span>${LABEL}</span><br>${a}</div>`, `<p>${LABEL.replace(/ /g, '&nbsp;')}<br />${a}</p>`, `<p>${a}</p>`];
	for (const block of gone)
		assert.equal(inviteRemove(`<body><p>a</p>${block}<p>b</p></body>`, 'html', URL_, LABELS), '<body><p>a</p><p>b</p></body>', block);
	assert.equal(inviteRemove(`<p>My own words ${a} and more</p>`, 'html', URL_, LABELS), '<p>My own words  and more</p>');
	assert.equal(inviteRemove(`<div>intro<p>${LABEL}<br>${a}</p>end</div>`, 'html', URL_, LABELS), '<div>introend</div>');
	assert.equal(inviteRemove(`${LABEL}<br>${a}`, 'html', URL_, LABELS), `${LABEL}<br>`);
	assert.equal(inviteRemove(`<p>${a} ${a}</p>${a}`, 'html', URL_, LABELS), '', 'all of them');
	const other = '<p>Join the online conversation:<br><a href="https://meet.example.com/unblu/desk?conversation=other">x</a></p>';
	assert.equal(inviteRemove(other, 'html', URL_, LABELS), other);
	assert.equal(inviteRemove(`see ${URL_} please`, 'text', URL_, LABELS), 'see  please');
	assert.equal(inviteRemove(`a\nTwo\nlines\n${URL_}\nb`, 'text', URL_, LABELS), 'a\nb');
});

test('the agent\'s own words and pictures stay where only the link under them is ours', () => {
	const link = (/** @type {string} */ inner, href = escapeHtml(URL_)) => `<a id="x_LPNoLP" href="${href}">${inner}</a>`;
	for (const own of ['old meeting', '<b>old <i>meeting</i></b>', '<img src="logo.png" alt="">', `see ${LABEL}`, 'old<br>meeting', '<v:shape></v:shape>', 'https://bank.example/'])
		for (const [before, behind] of [['<div>From: Mr Meier<p>as in the ', '</p></div>'], ['<p>', '</p>'], ['', ''], [`<p>${LABEL}<br>`, '</p>']])
			assert.equal(inviteRemove(`${before}${link(own)}${behind}`, 'html', URL_, LABELS), `${before}${own}${behind}`, own);
	assert.equal(inviteRemove(`<p>${link(`our room ${escapeHtml(URL_)} again`)}</p>`, 'html', URL_, LABELS), '<p>our room  again</p>', 'the link in them goes');
	assert.equal(inviteRemove(`<p>x ${link('one')} ${link('two')}</p>`, 'html', URL_, LABELS), '<p>x one two</p>');
	assert.equal(inviteRemove(`<p>${LABEL}<br>${link(escapeHtml(URL_))}<img src="logo.png"></p>`, 'html', URL_, LABELS), `<p>${LABEL}<br><img src="logo.png"></p>`);
	const safe = `https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(URL_)}&amp;data=05`;
	assert.equal(inviteRemove(`<p>a</p>${link(safe, safe)}${link('')}${link(' &nbsp;')}${link(`&lt;${escapeHtml(URL_)}&gt;`)}`, 'html', URL_, LABELS), '<p>a</p>', 'what shows nothing but the link is no word');
});

test('huge and broken bodies take no long time', () => {
	const began = Date.now();
	for (const body of ['<p>'.repeat(100_000), '<a '.repeat(100_000), '<'.repeat(300_000), '&'.repeat(300_000), '<!--'.repeat(100_000), '%'.repeat(300_000), '</body'.repeat(50_000), `${'<p>x</p>'.repeat(50_000)}`, '</body >'.repeat(20_000), 'x\n'.repeat(200_000)]) {
		inviteHas(body, URL_);
		inviteAdd(body, 'html', LABEL, URL_);
		inviteRemove(body, 'html', URL_, LABELS);
		inviteRemove(body, 'text', URL_, LABELS);
		inviteForeign(body, ['https://meet.example.com/'], LABELS);
	}
	assert.ok(Date.now() - began < 5000, `${Date.now() - began} ms`);
});

test('a link of ours is known by its beginning, or by the label before it', () => {
	const base = 'https://meet.example.com/unblu/desk?';
	assert.equal(inviteForeign(`<a href="${escapeHtml(URL_)}">x</a>`, ['', base], []), URL_);
	assert.equal(inviteForeign(`see ${base} and https://meet.example.com/other`, [base], LABELS), null);
	assert.equal(inviteForeign('nothing', [base], LABELS), null);
	for (const label of LABELS)
		for (const type of /** @type {const} */ (['html', 'text']))
			assert.equal(inviteForeign(`<p>x</p>${inviteBlock(label, URL_, type)}`, [], LABELS), URL_, `${label} ${type}`);
	assert.equal(inviteForeign(`<p>${LABEL} see you</p><p>${URL_}</p>`, [], LABELS), null);
});

test('the label follows the language', () => {
	const texts = { de: 'D', 'fr-CH': 'F' };
	assert.equal(inviteLabel(texts, 'de-AT', 'x'), 'D');
	assert.equal(inviteLabel(texts, 'FR-ch', 'x'), 'F');
	assert.equal(inviteLabel(texts, 'fr-FR', 'x'), 'x');
	assert.equal(inviteLabel({}, '', 'x'), 'x');
});
