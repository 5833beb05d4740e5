// @ts-check
/* The pane without a browser: what it shows for what it knows, its actions, its colours and its texts. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Desk } from '../../www/js/pane-desk.js';
import { Pane } from '../../www/js/pane.js';
import { paneView } from '../../www/js/pane-view.js';
import { contrast, luminance, parseColour, readTheme } from '../../www/js/theme.js';

/** @typedef {import('../../www/js/pane-view.js').Facts} Facts */

const LINK = { conversationId: 'c', url: 'https://u.example/c', announced: true };
/** @type {import('../../www/js/pane-view.js').EventFacts} */
const EVENT = { kind: 'single', shared: null, link: LINK, inBody: true, unread: false, foreign: false, newer: false, start: Date.UTC(2031, 4, 14, 8) };
/** @type {import('../../www/js/pane-view.js').SyncFacts} */
const SYNC = { state: 'linked', topic: 'T', start: '2031-05-14T08:00:00Z', syncedAt: null, lastError: null };
/** @param {Partial<Facts>} [more] @returns {Facts} */
const facts = (more) => ({
	place: 'ready', config: { syncServerEnabled: true, supportUrl: '' }, configProblem: null, event: EVENT, session: { state: 'in', account: 'a' },
	busy: null, done: null, asking: false, sync: SYNC, syncProblem: null, problem: null, ...more,
});
/** @param {Partial<import('../../www/js/pane-view.js').EventFacts>} more */
const event = (more) => ({ event: { ...EVENT, ...more } });
/** @param {Partial<import('../../www/js/pane-view.js').SyncFacts>} more */
const sync = (more) => ({ sync: { ...SYNC, ...more } });

/** @type {[string, Partial<Facts>, string, string[]][]} sentence, facts, state, actions */
const CASES = [
	['a page that is loading offers nothing', { place: 'loading' }, 'loading', []],
	['outside of Outlook nothing can be done', { place: 'outside', config: null }, 'outside', []],
	['a wrong configuration comes before a missing item', { place: 'no-item', config: null, configProblem: { code: 'config-wrong' } }, 'config', ['reload']],
	['an Outlook that does not answer is another matter than none', { place: 'no-office', config: null }, 'no-office', ['restart']],
	['an event that is only read is not changed', { place: 'read-only', event: null }, 'read-only', []],
	['without an item there is nothing to do', { place: 'no-item', event: null }, 'no-item', []],
	['an event without a conversation offers one', event({ link: null }), 'none', ['create']],
	['who is not signed in is told that he will be asked', { ...event({ link: null }), session: { state: 'needed', account: '' } }, 'sign-in', ['create']],
	['an event with its link is in order', {}, 'linked', ['refresh', 'remove']],
	['a missing link is repaired first', event({ inBody: false }), 'missing', ['repair', 'remove']],
	['a copy gets a conversation of its own', event({ foreign: true }), 'copied', ['create-new', 'same']],
	['what was made and not kept is kept with the next attempt', event({ link: null, unkept: true }), 'unkept', ['create']],
	['a link without a property can only be replaced', event({ link: null, foreign: true }), 'copied', ['create-new']],
	['what may be a copy gives up its link only, or says that it is none', { problem: { code: 'maybe-copy', retry: 'remove' } }, 'error', ['remove-only', 'same', 'dismiss']],
	['one date of a series is not touched', event({ kind: 'occurrence' }), 'occurrence', []],
	['without rights nothing is offered', event({ shared: { owner: 'o', canWrite: false } }), 'no-rights', []],
	['a delegate may do everything', event({ shared: { owner: 'o', canWrite: true } }), 'linked', ['refresh', 'remove']],
	['what a later version wrote is left alone', event({ newer: true }), 'newer', []],
	['after signing out one can sign in', { session: { state: 'out', account: '' } }, 'signed-out', ['sign-in']],
	['a paused server is said', sync({ writes: 'paused' }), 'paused', ['refresh', 'remove']],
	['a mailbox that is not followed comes before the state of the link', sync({ state: 'unconfirmed', mailbox: { state: 'parked', reason: 'r' } }), 'not-followed', ['refresh', 'remove']],
	['a series whose conversation was ended early is said', { ...sync({ state: 'ended-early' }), ...event({ kind: 'series' }) }, 'ended-early', ['create-new', 'refresh', 'remove']],
	['an ended conversation is replaced by another', sync({ state: 'ended' }), 'ended', ['create-new', 'refresh', 'remove']],
	['what the server leaves alone can be replaced too', sync({ state: 'foreign' }), 'foreign', ['create-new', 'refresh', 'remove']],
	['an event that the server does not find is saved, not given another conversation', sync({ state: 'gone' }), 'gone', ['refresh', 'remove']],
	['another time in Unblu is named, and a copy can have its own conversation', event({ start: Date.UTC(2031, 4, 15, 8) }), 'linked', ['create-new', 'refresh', 'remove']],
	['a series has the time of its next date, which is no difference', event({ kind: 'series', start: Date.UTC(2031, 4, 7, 8) }), 'linked', ['refresh', 'remove']],
	['a deleted conversation is made anew', sync({ state: 'deleted' }), 'deleted', ['create-new', 'refresh', 'remove']],
	['what is gone in Unblu is made anew, whether its link stands there or not', { ...event({ gone: true, inBody: false }), sync: null, config: { syncServerEnabled: false, supportUrl: '' } }, 'deleted', ['create-new', 'remove']],
	['work can only be cancelled', { busy: 'create' }, 'busy-create', ['cancel']],
	['a failure offers to try again, and the way back', { problem: { code: 'network', retry: 'create' } }, 'error', ['retry', 'dismiss']],
	['a refused removal offers to take out the link only', { problem: { code: 'remove-refused', retry: 'remove' } }, 'error', ['remove-only', 'dismiss']],
	['what was taken out only is not called removed', { ...event({ link: null }), done: 'unlinked' }, 'unlinked', ['create']],
	['a link that could not be written is missing, also when nobody can read', { ...event({ unread: true }), done: 'body-failed' }, 'missing', ['repair', 'remove']],
	['a link that is seen there is not missing', { done: 'body-failed' }, 'linked', ['refresh', 'remove']],
	['what Outlook did not keep is created again, not taken for a copy', { ...event({ link: null, foreign: true }), done: 'created-unkept' }, 'unkept', ['create']],
	['where nothing is left to remove there is only the way back', { problem: { code: 'nothing-linked', retry: 'remove' } }, 'error', ['dismiss']],
	['what is gone in Unblu is made anew', { problem: { code: 'conversation-gone', retry: 'repair' } }, 'error', ['create-new', 'dismiss']],
];

for (const [sentence, given, state, actions] of CASES)
	test(sentence, () => {
		const seen = paneView(facts(given));
		assert.deepEqual([seen.state, seen.actions.map((a) => a.id)], [state, actions]);
		assert.ok(seen.actions.filter((a) => a.main).length <= 1, 'one main action at most');
	});

test('a cancelled sign-in is no error in red', () => {
	assert.equal(paneView(facts({ problem: { code: 'signin-cancelled', retry: 'create' } })).tone, 'warn');
	assert.equal(paneView(facts({ problem: { code: 'signin-cancelled', retry: 'create', detail: 'user_canceled' } })).problem, null, 'nor a matter for support');
	assert.equal(paneView(facts({ problem: { code: 'network', retry: 'create' } })).tone, 'bad');
});

test('what the flow says in the end is what the pane says', () => {
	const text = (/** @type {Partial<Facts>} */ given) => paneView(facts(given)).text[0].key;
	for (const done of ['created', 'created-series', 'created-shared', 'created-unannounced'])
		assert.equal(text({ done }), 'pane.created.text');
	assert.equal(text({ done: 'created', ...event({ unread: true }) }), 'pane.linked.unread', 'it may stand in front');
	assert.equal(text({ done: 'already' }), 'done.already');
	assert.equal(text({ done: 'body-failed', ...event({ unread: true }) }), 'error.body-failed');
	assert.deepEqual([text({ done: 'unreadable', ...event({ link: null }) }), text({ done: 'foreign-link', ...event({ link: null, foreign: true }) })], ['done.unreadable', 'pane.copied.text']);
	const title = (/** @type {string} */ code, /** @type {string} */ retry) => paneView(facts({ problem: { code, retry } })).title.key;
	assert.deepEqual([title('body-not-cleared', 'remove'), title('link-not-cleared', 'remove-only'), title('network', 'remove')], ['pane.failed.body-not-cleared', 'pane.failed.remove-only', 'pane.failed.remove']);
});

test('what another attempt makes of one that is in doubt is said for what was done, and only then', () => {
	const texts = (/** @type {string} */ code, /** @type {string} */ retry) => paneView(facts({ problem: { code, retry } })).text.map((t) => t.key);
	for (const code of ['network', 'gateway-down', 'gateway-answer', 'part-missing', 'timeout', 'cancelled', 'unexpected']) {
		for (const [retry, what] of [['create', 'create'], ['create-new', 'create'], ['repair', 'repair'], ['same', 'repair'], ['remove', 'remove']])
			assert.deepEqual(texts(code, retry), [`error.${code}`, `pane.again.${what}`]);
		for (const retry of ['remove-only', 'sign-in', 'reload'])
			assert.deepEqual(texts(code, retry), [`error.${code}`]);
	}
	assert.deepEqual(texts('gateway-forbidden', 'create'), ['error.gateway-forbidden'], 'a refusal leaves no doubt');
});

test('what was done is said also when the event can not be read after it', () => {
	const seen = (/** @type {string} */ done) => paneView(facts({ done, problem: { code: 'outlook', retry: 'reload' } }));
	assert.deepEqual([seen('created').state, seen('created').text.map((t) => t.key)], ['error', ['done.created', 'error.outlook']]);
	assert.deepEqual([seen('created-unkept').state, seen('created-unkept').text.map((t) => t.key)], ['unkept', ['done.created-unkept']]);
});

test('a server that refuses is told from one that does not answer', () => {
	const value = (/** @type {string} */ code) => paneView(facts({ sync: null, syncProblem: { code } })).rows[0].value?.key;
	assert.deepEqual(['server-down', 'network', 'server-refused'].map(value), ['pane.sync.down', 'pane.sync.down', 'pane.sync.refused']);
	for (const code of ['server-off', 'part-missing', 'signin-needed', 'unexpected'])
		assert.equal(value(code), 'pane.sync.unknown', `${code} says neither`);
});

test('the question before removing names the series', () => {
	assert.equal(paneView(facts({ asking: true })).question?.text.key, 'pane.ask.single');
	assert.equal(paneView(facts({ asking: true, ...event({ kind: 'series' }) })).question?.text.key, 'pane.ask.series');
	assert.equal(paneView(facts()).question, null);
});

test('a paused or unfollowed link is never called followed', () => {
	for (const more of [{ writes: 'paused' }, { mailbox: { state: 'parked', reason: null } }, { state: 'ended' }])
		assert.notEqual(paneView(facts(sync(more))).rows[0].value?.key, 'pane.sync.linked');
	assert.equal(paneView(facts()).rows[0].value?.key, 'pane.sync.linked');
});

/** @param {Partial<import('../../www/js/pane.js').Ports>} [more] */
function pane(more) {
	/** @type {string[]} */
	const did = [];
	/** @param {string} name @param {any} value */
	const port = (name, value) => async (/** @type {any} */ arg) => {
		did.push(arg === undefined ? name : `${name} ${JSON.stringify(arg)}`);
		return value;
	};
	/** @type {any} */
	const ports = {
		place: port('place', 'ready'), config: port('config', { syncServerEnabled: false, supportUrl: '' }), inspect: port('inspect', EVENT), create: port('create', 'created'), repair: port('repair', 'repaired'), remove: port('remove', 'removed'),
		account: port('account', { state: 'in', account: 'a' }), signIn: port('signIn', 'b'), signOut: port('signOut', undefined), sync: port('sync', SYNC), problem: (/** @type {any} */ e, /** @type {string} */ retry) => ({ code: e.code ?? 'x', retry }), ...more,
	};
	const made = new Pane(ports, () => {});
	return { pane: made, did };
}

test('loading reads place, configuration, event and account, in that order, and asks nobody', async () => {
	const { pane: p, did } = pane();
	await p.load();
	assert.deepEqual(did, ['place', 'config', 'inspect', 'account']);
	assert.equal(paneView(p.facts).state, 'linked');
});

test('the server is asked only when it is there and somebody is signed in', async () => {
	const on = async () => ({ syncServerEnabled: true, supportUrl: '' });
	const { pane: p, did } = pane({ config: on });
	await p.load();
	clearTimeout(p.timer);
	assert.ok(did.includes('sync "c"'));
	const { pane: q, did: done } = pane({ config: on, account: async () => { throw new Error('nobody'); } });
	await q.load();
	assert.equal(q.facts.session.state, 'needed');
	assert.ok(!done.includes('sync "c"'));
});

test('a failed action keeps its reason, and trying again does the same again', async () => {
	let turns = 0;
	const { pane: p } = pane({ create: async ({ replace }) => {
		assert.equal(replace, true);
		if (turns++ === 0)
			throw Object.assign(new Error('no'), { code: 'network' });
		return 'created';
	} });
	await p.load();
	await p.act('create-new');
	assert.deepEqual([p.facts.problem, p.facts.busy], [{ code: 'network', retry: 'create-new' }, null]);
	await p.act('retry');
	assert.deepEqual([p.facts.problem, turns], [null, 2]);
});

/** @param {number} [longestMs] */
function desk(longestMs) {
	const did = /** @type {string[]} */ ([]);
	let opened = 0;
	const d = new Desk(() => {
		const name = `app${++opened}`;
		let over = false;
		const check = () => {
			if (over)
				throw new Error('over');
		};
		const item = { subject: async () => `${name} subject`, loadProperties: async () => ({ save: async () => void did.push(`${name} saved`) }) };
		return /** @type {any} */ ({ name, ports: () => ({ item, check }), alone: (/** @type {any} */ run) => run(), end: () => {
			over = true;
			did.push(`${name} ended`);
		} });
	}, longestMs);
	return { d, did };
}

test('work that is cancelled or takes too long ends, and what hung no longer reaches the event', async () => {
	for (const longestMs of [undefined, 5]) {
		const { d, did } = desk(longestMs);
		/** @type {(v?: any) => void} */
		let goOn = () => {};
		/** @type {Promise<any>} */
		let late = Promise.resolve();
		const hung = d.flow((ports) => {
			late = (async () => {
				const properties = await ports.item.loadProperties();
				assert.equal(await ports.item.subject(), 'app1 subject');
				await new Promise((resolve) => { goOn = resolve; });
				await assert.rejects(async () => properties.save(), /over/);
				await ports.item.subject();
			})();
			return late;
		});
		setTimeout(() => longestMs ?? d.end(), 1);
		await assert.rejects(hung, { code: longestMs === undefined ? 'cancelled' : 'timeout' });
		goOn();
		await assert.rejects(late, /over/);
		assert.deepEqual(did, ['app1 ended']);
		assert.equal(await d.flow((ports) => ports.item.subject()), 'app2 subject');
		d.end();
		assert.deepEqual(did, ['app1 ended'], 'nothing is in progress');
	}
});

test('Cancel reaches the work, though it is busy', async () => {
	let cancels = 0;
	/** @type {(e: any) => void} */
	let fail = () => {};
	const { pane: p } = pane({ create: () => new Promise((_, reject) => { fail = reject; }), cancel: () => {
		cancels++;
		fail({ code: 'cancelled' });
	} });
	await p.load();
	const acted = p.act('create');
	await new Promise((resolve) => setImmediate(resolve));
	await p.act('cancel');
	await acted;
	assert.deepEqual([cancels, p.facts.busy, p.facts.problem?.code, paneView(p.facts).tone, paneView(p.facts).title.key], [1, null, 'cancelled', 'warn', 'pane.failed.cancelled']);
});

test('what ends an action is known also when something else was learnt meanwhile', async () => {
	for (const [id, name, want] of [['create', 'create', 'created'], ['sign-in', 'signIn', 'b']]) {
		/** @type {Pane} */
		let p;
		const made = pane({ [name]: async () => {
			await null;
			p.set({ sync: SYNC });
			return want;
		}, account: async () => p.facts.session });
		p = made.pane;
		await p.load();
		await p.act(id);
		assert.equal(id === 'create' ? p.facts.done : p.facts.session.account, want);
	}
});

test('an action while another one runs is not begun', async () => {
	/** @type {(v?: any) => void} */
	let end = () => {};
	let runs = 0;
	const { pane: p } = pane({ create: () => { runs++; return new Promise((resolve) => { end = resolve; }); } });
	await p.load();
	const first = p.act('create');
	await p.act('create');
	await p.act('remove-yes');
	assert.equal(runs, 1);
	end('created-series');
	await first;
	assert.equal(p.facts.done, 'created-series');
});

test('a reading that an action overtakes changes nothing, and the action waits for it', async () => {
	/** @type {(v?: any) => void} */
	let end = () => {};
	/** @type {any} */
	let seen = { ...EVENT, link: null };
	let hangs = false;
	const { pane: p, did } = pane({ inspect: () => hangs ? new Promise((resolve) => { end = resolve; }) : Promise.resolve(seen) });
	await p.load();
	hangs = true;
	const reading = p.changed();
	const acted = p.act('create');
	await new Promise((resolve) => setImmediate(resolve));
	assert.equal(did.some((d) => d.startsWith('create')), false, 'not beside the reading');
	hangs = false;
	const stale = { ...EVENT, link: null, foreign: true };
	end(stale);
	seen = EVENT;
	await Promise.all([reading, acted]);
	assert.deepEqual([p.facts.event, p.facts.done], [EVENT, 'created']);
	hangs = true;
	const late = p.changed();
	const before = end;
	hangs = false;
	await p.load();
	before(stale);
	await late;
	assert.equal(p.facts.event, EVENT, 'the later reading counts');
});

test('that the button is at work while the pane reads by itself is no failure', async () => {
	let code = '';
	const { pane: p } = pane({ inspect: async () => {
		if (code !== '')
			throw Object.assign(new Error('no'), { code });
		return EVENT;
	} });
	await p.load();
	code = 'busy';
	await p.changed();
	assert.equal(p.facts.problem, null);
	code = 'outlook';
	await p.changed();
	assert.equal(p.facts.problem?.code, 'outlook');
});

test('a question is about what was asked, also when a reading ends after it', async () => {
	/** @type {(v?: any) => void} */
	let end = () => {};
	let hangs = false;
	const { pane: p } = pane({ inspect: () => hangs ? new Promise((resolve) => { end = resolve; }) : Promise.resolve(EVENT) });
	await p.load();
	hangs = true;
	const reading = p.changed();
	await p.act('remove');
	end({ ...EVENT, link: null });
	await reading;
	assert.deepEqual([p.facts.asking, p.facts.event], [true, EVENT]);
});

test('who signs out while the pane asks stays signed out', async () => {
	for (const name of ['account', 'sync']) {
		/** @type {() => void} */
		let end = () => {};
		let hangs = false;
		const values = /** @type {Record<string, any>} */ ({ account: { state: 'in', account: 'a' }, sync: SYNC });
		const { pane: p } = pane({ config: async () => ({ syncServerEnabled: true, supportUrl: '' }), [name]: () => hangs ? new Promise((resolve) => { end = () => resolve(values[name]); }) : Promise.resolve(values[name]) });
		await p.load();
		hangs = true;
		const look = p.look();
		await new Promise((resolve) => setImmediate(resolve));
		await p.act('sign-out');
		end();
		await look;
		assert.deepEqual([p.facts.session.state, p.facts.sync], ['out', null], name);
		clearTimeout(p.timer);
	}
});

test('that it is no copy is told to the event, and tried again when that fails', async () => {
	let turns = 0;
	const { pane: p } = pane({ same: async () => {
		if (turns++ === 0)
			throw Object.assign(new Error('no'), { code: 'outlook' });
	} });
	await p.load();
	await p.act('same');
	assert.equal(paneView(p.facts).title.key, 'pane.failed.same');
	await p.act('retry');
	assert.deepEqual([p.facts.problem, turns], [null, 2]);
});

test('removing asks first; keeping it asks nobody', async () => {
	const { pane: p, did } = pane();
	await p.load();
	await p.act('remove');
	assert.equal(p.facts.asking, true);
	await p.act('remove-no');
	assert.ok(!did.some((d) => d.startsWith('remove')));
	await p.act('remove');
	await p.act('remove-yes');
	assert.ok(did.includes('remove {"only":false}'));
	assert.equal(p.facts.done, 'removed');
});

test('who takes out the link only tries that again, not to remove the conversation', async () => {
	let turns = 0;
	const { pane: p } = pane({ remove: async ({ only }) => {
		assert.equal(only, true);
		if (turns++ === 0)
			throw Object.assign(new Error('no'), { code: 'link-not-cleared' });
		return 'unlinked';
	} });
	await p.load();
	await p.act('remove-only');
	await p.act('retry');
	assert.deepEqual([p.facts.problem, p.facts.done, turns], [null, 'unlinked', 2]);
});

test('what the button does while the pane is open is seen, but not in the middle of an action', async () => {
	/** @type {any} */
	let seen = { ...EVENT, link: null };
	const { pane: p } = pane({ inspect: async () => seen });
	await p.load();
	assert.equal(paneView(p.facts).state, 'none');
	seen = EVENT;
	await p.changed();
	assert.equal(paneView(p.facts).state, 'linked');
	await p.act('remove');
	seen = { ...EVENT, link: null };
	await p.changed();
	assert.equal(p.facts.event?.link, LINK, 'the question stays about what was asked');
});

test('signing out forgets what the server said, also when it fails', async () => {
	const { pane: p } = pane({ signOut: async () => { throw new Error('no'); } });
	await p.load();
	p.facts.sync = SYNC;
	await p.act('sign-out');
	assert.deepEqual([p.facts.session.state, p.facts.sync, paneView(p.facts).state], ['out', null, 'signed-out']);
	await p.act('sign-in');
	assert.equal(p.facts.session.state, 'in');
});

test('a dark theme is known by its background, and colours that can not be read are left out', () => {
	assert.equal(readTheme({ bodyBackgroundColor: '#1f1f1f', bodyForegroundColor: '#ffffff' })?.mode, 'dark');
	assert.deepEqual(readTheme({ bodyBackgroundColor: '#fff', bodyForegroundColor: '#eeeeee' }), { mode: 'light', colours: { '--ground': '#fff' } });
	assert.deepEqual(readTheme({ bodyBackgroundColor: '#ffffff', bodyForegroundColor: '#242424' })?.colours, { '--ground': '#ffffff', '--ink': '#242424' });
	for (const odd of [null, undefined, {}, { bodyBackgroundColor: 'red' }, { bodyBackgroundColor: '#12' }, { bodyBackgroundColor: 'url(https://x)' }])
		assert.equal(readTheme(/** @type {any} */ (odd)), null);
	assert.deepEqual(parseColour('#0af'), [0, 170, 255]);
	assert.ok(Math.abs(luminance([255, 255, 255]) - 1) < 1e-9);
	assert.equal(Math.round(contrast([0, 0, 0], [255, 255, 255])), 21);
});

const WWW = new URL('../../www/', import.meta.url);
/** @param {string} language @returns {Record<string, string>} */
const table = (language) => JSON.parse(fs.readFileSync(new URL(`strings/pane.${language}.json`, WWW), 'utf8'));

test('the tables of all languages have the same keys with the same values to fill in', () => {
	const holes = (/** @type {string} */ text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
	const en = table('en');
	for (const language of ['de', 'fr', 'it']) {
		const other = table(language);
		assert.deepEqual(Object.keys(other).sort(), Object.keys(en).sort(), language);
		for (const [key, text] of Object.entries(other)) {
			assert.deepEqual(holes(text), holes(en[key]), `${language} ${key}`);
			assert.doesNotMatch(text, /[<>]/);
		}
	}
});

test('every text that the pane can ask for is in the table, and none is left over', () => {
	const code = ['pane-view.js', 'pane-dom.js', 'taskpane.js'].map((f) => fs.readFileSync(new URL(`js/${f}`, WWW), 'utf8')).join('\n');
	const en = table('en');
	const named = [...code.matchAll(/'(pane\.[a-z.-]+)'/g)].map((m) => m[1]).filter((key) => !key.endsWith('.js'));
	for (const key of named)
		assert.ok(key in en, key);
	const states = ['loading', 'outside', 'no-office', 'read-only', 'config', 'no-item', 'none', 'sign-in', 'removed', 'unlinked', 'created', 'repaired', 'linked', 'missing', 'copied', 'occurrence', 'no-rights', 'signed-out', 'newer', 'not-followed', 'paused',
		'ended-early', 'ended', 'unconfirmed', 'foreign', 'held', 'gone', 'kept', 'deleted', 'busy-create', 'busy-repair', 'busy-remove', 'busy-sign-in', 'config-missing'];
	const made = [...['create', 'repair', 'remove'].map((a) => `pane.again.${a}`), ...states.flatMap((s) => [`pane.${s}.title`, `pane.${s}.text`]), ...['create', 'create-new', 'repair', 'remove', 'remove-only', 'body-not-cleared', 'cancelled', 'sign-in', 'reload'].map((r) => `pane.failed.${r}`), 'pane.unkept.title',
		...['create', 'create-new', 'repair', 'remove', 'remove-yes', 'remove-no', 'remove-only', 'create-for-copy', 'refresh', 'retry', 'reload', 'restart', 'dismiss', 'sign-in', 'cancel'].map((a) => `pane.do.${a}`), ...['announced', 'linked', 'unheard', 'stopped', 'waits', 'down', 'refused', 'unknown'].map((w) => `pane.sync.${w}`)];
	for (const key of made)
		assert.ok(key in en, key);
	const used = new Set([...made, ...named, 'pane.do.same', 'pane.failed.same']);
	assert.deepEqual(Object.keys(en).filter((k) => k.startsWith('pane.') && !used.has(k)), []);
});

test('the pane puts no data into markup and touches the document in one file', () => {
	for (const name of fs.readdirSync(new URL('js/', WWW)).filter((f) => /^(pane|theme|taskpane)/.test(f))) {
		const text = fs.readFileSync(new URL(`js/${name}`, WWW), 'utf8');
		assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/, name);
		if (name !== 'pane-dom.js')
			assert.doesNotMatch(text, /\bdocument\./, name);
	}
});

test('the page asks ahead for exactly the modules that it loads', () => {
	/** @type {Set<string>} */
	const loaded = new Set();
	const walk = (/** @type {string} */ file) => {
		for (const [, name] of fs.readFileSync(new URL(`js/${file}`, WWW), 'utf8').matchAll(/^(?:import|export)\b[^;]*?\bfrom '\.\/([\w-]+\.js)'/gm))
			if (!loaded.has(name)) {
				loaded.add(name);
				walk(name);
			}
	};
	walk('taskpane.js');
	const ahead = [...fs.readFileSync(new URL('taskpane.html', WWW), 'utf8').matchAll(/rel="modulepreload" href="js\/([\w-]+\.js)"/g)].map((m) => m[1]);
	assert.deepEqual(ahead.sort(), [...loaded].sort());
});
