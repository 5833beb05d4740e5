// @ts-check
/* The one-click flow over the stub of Office and the simulators: what is true after each way it can go. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { AddinError } from '../../www/js/errors.js';
import { flowClick } from '../../www/js/flow.js';
import { bench, count, property, simulators } from './bench.js';

const WORDS = '<html><head></head><body><p>Dear Mr Meier, <b>as agreed</b>.</p></body></html>';

/** @param {any} b the link of the only conversation */
function linkOf(b) {
	const [c] = b.conversations();
	return `${c === undefined ? '' : c.id}`;
}

test('a click', async (t) => {
	const sim = await simulators(t);
	const fresh = async (/** @type {any} */ given = {}) => {
		sim.reset();
		return bench(sim, given);
	};

	await t.test('makes a conversation, keeps it with the event, puts the link at the end of the text and into the empty location', async () => {
		const b = await fresh({ stub: { item: { body: WORDS } } });
		const out = await flowClick(b.ports);
		assert.deepEqual([out.kind, out.code], ['success', 'created']);
		const [c] = b.conversations();
		assert.equal(b.conversations().length, 1);
		assert.equal(c.topic, 'Portfolio review');
		assert.equal(c.scheduledTimestamp, Date.UTC(2031, 4, 14, 8));
		assert.equal(c.initialEngagementType, 'SCHEDULED_CONVERSATION');
		const kept = property(b.far);
		assert.equal(kept.v, 1);
		assert.equal(kept.conversationId, c.id);
		assert.equal(kept.sourceId, c.sourceId);
		assert.match(kept.sourceId, /^outlook-addin:[0-9a-f-]{36}$/);
		assert.equal('announced' in kept, false);
		assert.equal('unbluPending' in b.far.item.properties, false);
		assert.ok(b.far.item.body.startsWith('<html><head></head><body><p>Dear Mr Meier, <b>as agreed</b>.</p><p>'));
		assert.ok(b.far.item.body.endsWith('</a></p></body></html>'));
		assert.equal(b.far.item.location, kept.url);
		assert.equal(b.far.mostAtOnce, 1);
		assert.deepEqual(b.links.calls, [{ method: 'PUT', id: c.id, body: { v: 1, sourceId: c.sourceId, topic: 'Portfolio review', start: '2031-05-14T08:00:00.000Z', mailbox: 'own', timeZone: 'Europe/Zurich' } }]);
	});

	await t.test('asks Unblu for the configured template, and says whose conversation it is', async () => {
		const b = await fresh({ config: { conversationTemplateId: 'template_1' } });
		await flowClick(b.ports);
		const [c] = b.conversations();
		assert.deepEqual([c.templateId, Object.fromEntries(c.metadata)], ['template_1', { 'outlookAddin.schema': '1', 'outlookAddin.requestId': 'abcd1234' }]);
		const none = await fresh();
		await flowClick(none.ports);
		assert.match(none.conversations()[0].templateId, /^.{22}$/, 'Unblu\'s own where none is configured');
	});

	await t.test('sends no cookies, and knows what is no agent and no scheduled conversation', async () => {
		const how = /** @type {any[]} */ ([]);
		for (const [path, change, code] of /** @type {[string, any, string][]} */ ([['', {}, 'created'], ['getCurrentPerson', { personType: 'VISITOR' }, 'not-an-agent'], ['create', { initialEngagementType: 'CHAT_REQUEST' }, 'gateway-answer']])) {
			const b = await fresh({
				fetch: async (/** @type {string} */ url, /** @type {any} */ options) => {
					how.push(options);
					const reply = await fetch(url, options);
					return path !== '' && url.split('?')[0].endsWith(`/${path}`) ? Response.json({ ...await reply.json(), ...change }) : reply;
				},
			});
			assert.equal((await flowClick(b.ports)).code, code);
			assert.equal(b.far.item.body === '', path !== '');
		}
		assert.ok(how.length >= 5);
		assert.deepEqual([...new Set(how.map((o) => `${o.credentials} ${o.redirect} ${o.cache} ${o.referrerPolicy}`))], ['omit manual no-store no-referrer']);
	});

	await t.test('again changes nothing, also in a form that was opened anew', async () => {
		const b = await fresh();
		await flowClick(b.ports);
		const before = JSON.stringify(b.far.item);
		assert.equal((await flowClick(b.ports)).code, 'already');
		const later = await bench(sim, { mailbox: b.far });
		assert.equal((await flowClick(later.ports)).code, 'already');
		assert.equal(JSON.stringify(b.far.item), before);
		assert.equal(b.conversations().length, 1);
		assert.equal(b.links.calls.length + later.links.calls.length, 1);
	});

	await t.test('where the agent has deleted the link puts it back, without another conversation', async () => {
		const b = await fresh();
		await flowClick(b.ports);
		b.far.item.body = WORDS;
		b.far.item.location = 'Room 7';
		const out = await flowClick(b.ports);
		assert.equal(out.code, 'repaired');
		assert.equal(count(b.far.item.body, `href="${property(b.far).url}`.slice(0, 40)), 1);
		assert.equal(b.far.item.location, 'Room 7');
		assert.equal(b.conversations().length, 1);
	});

	await t.test('works without the server and then never calls it', async () => {
		const b = await fresh({ config: { syncServerEnabled: false } });
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.equal(b.links.calls.length, 0);
		assert.equal('announced' in property(b.far), false);
	});

	await t.test('that the server does not accept says so, and the next click announces', async () => {
		const b = await fresh();
		b.links.next = [503, 0, 503];
		assert.equal((await flowClick(b.ports)).code, 'created-unannounced');
		assert.equal(property(b.far).announced, false);
		assert.deepEqual(b.slept, [5000, 5000]);
		b.links.next = [503, 503, 503];
		assert.equal((await flowClick(b.ports)).code, 'already-unannounced');
		const out = await flowClick(b.ports);
		assert.equal(out.code, 'already');
		assert.equal('announced' in property(b.far), false);
		assert.equal(b.links.known.size, 1);
	});

	await t.test('in a text body writes text', async () => {
		const b = await fresh({ stub: { item: { bodyType: 'text', body: 'Dear Mr Meier\r\n1 < 2 & 3' } } });
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.equal(b.far.item.body, `Dear Mr Meier\r\n1 < 2 & 3\r\n\r\nJoin the online conversation:\r\n${property(b.far).url}\r\n`);
	});

	await t.test('never replaces a room or any other location', async () => {
		const b = await fresh({ stub: { item: { location: 'Room 7' } } });
		await flowClick(b.ports);
		assert.equal(b.far.item.location, 'Room 7');
	});

	await t.test('puts no link into the location that does not fit, nor a body that Outlook does not take', async () => {
		const b = await fresh({ stub: { item: { body: WORDS } } });
		await sim.control('POST', '/control/settings', { unblu: { publicLinkBase: `https://meet.example.com/${'x'.repeat(255)}?c=` } });
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.equal(b.far.item.location, '');
		assert.equal(b.far.calls.some((/** @type {any} */ c) => c.name === 'location.setAsync'), false);
		const large = await fresh({ stub: { item: { body: `<html><body>${'x'.repeat(999_900)}</body></html>` } } });
		assert.equal((await flowClick(large.ports)).code, 'created');
		assert.equal(large.far.calls.some((/** @type {any} */ c) => c.name === 'body.setAsync'), false);
		assert.equal(count(large.far.item.body, '</a>'), 1, 'in front of what can not be replaced');
		const room = await fresh({ stub: { item: { body: 'x'.repeat(990_000) } } });
		await flowClick(room.ports);
		assert.ok(room.far.item.body.endsWith('</a></p>'));
	});

	await t.test('on one date of a series refuses and touches nothing', async () => {
		const b = await fresh({ stub: { item: { seriesId: 'AAseries', recurrence: {} } } });
		const before = JSON.stringify(b.far.item);
		assert.equal((await flowClick(b.ports)).code, 'occurrence');
		assert.equal(JSON.stringify(b.far.item), before);
		assert.equal(b.conversations().length, 0);
	});

	await t.test('on a series makes one for all of it, also when its first date is over', async () => {
		const now = Date.UTC(2031, 5, 1, 12);
		const b = await fresh({ now: () => now, stub: { item: { recurrence: { seriesTime: { getEndDate: () => null } } } } });
		assert.equal((await flowClick(b.ports)).code, 'created-series');
		const [c] = b.conversations();
		assert.ok(c.scheduledTimestamp > now && c.scheduledTimestamp - now <= 86_400_000);
		assert.equal(c.scheduledTimestamp % 86_400_000, 8 * 3_600_000);
		const over = await fresh({ now: () => now, stub: { item: { recurrence: { seriesTime: { getEndDate: () => '2031-05-20' } } } } });
		assert.equal((await flowClick(over.ports)).code, 'past');
	});

	await t.test('on an event that is over, ends before it begins or at once explains and makes nothing', async () => {
		const start = Date.UTC(2031, 4, 14, 8);
		for (const [item, code] of /** @type {[any, string][]} */ ([[{ start: Date.UTC(2030, 0, 1), end: Date.UTC(2030, 0, 2) }, 'past'], [{ start, end: start - 1 }, 'times-inverted'], [{ start, end: start }, 'times-inverted']])) {
			const b = await fresh({ stub: { item } });
			const out = await flowClick(b.ports);
			assert.deepEqual([out.kind, out.code], ['error', code]);
			assert.equal(b.conversations().length, 0);
			assert.equal(b.far.item.body, '');
		}
	});

	await t.test('in another one\'s calendar says for whom and announces a shared mailbox', async () => {
		const b = await fresh({ stub: { item: { itemId: 'AA/1=', shared: { owner: 'boss@alpinebank.example', targetMailbox: 'boss@alpinebank.example', delegatePermissions: 2 } } } });
		const out = await flowClick(b.ports);
		assert.deepEqual([out.code, out.params], ['created-shared', { owner: 'boss@alpinebank.example' }]);
		assert.equal(b.links.calls[0].body.mailbox, 'shared');
		assert.equal('eventId' in b.links.calls[0].body, false, 'the agent\'s own mailbox has no such event');
		assert.equal(property(b.far).mailbox, 'shared');
	});

	await t.test('in another one\'s calendar needs one of the rights to write', async () => {
		for (const [permissions, code] of /** @type {[number | undefined, string][]} */ ([[1, 'shared-no-rights'], [1 | 4 | 8, 'shared-no-rights'], [2, 'created-shared'], [16, 'created-shared'], [32, 'created-shared'], [undefined, 'created-shared']])) {
			const b = await fresh({ stub: { item: { shared: { owner: 'boss@alpinebank.example', delegatePermissions: permissions } } } });
			assert.equal((await flowClick(b.ports)).code, code, String(permissions));
		}
	});

	await t.test('in a mailbox that is the agent\'s own, whatever its letters, is none in another one\'s; silence is not either', async () => {
		const own = await fresh({ stub: { item: { shared: { owner: 'Anna.Keller@AlpineBank.example', delegatePermissions: 1 } } } });
		assert.equal((await flowClick(own.ports)).code, 'created');
		assert.equal('mailbox' in property(own.far), false);
		const silent = await fresh({ stub: { faults: { 'item.getSharedPropertiesAsync': { hang: true } } } });
		assert.deepEqual(await silent.ports.item.sharing(), { kind: 'unknown' });
		assert.equal((await flowClick(silent.ports)).code, 'created');
		assert.equal(property(silent.far).mailbox, 'shared', 'a server that is wrong about it would take the event for deleted');
		const refused = await fresh({ stub: { faults: { 'item.getSharedPropertiesAsync': { fail: {} } } } });
		assert.deepEqual(await refused.ports.item.sharing(), { kind: 'own' });
	});

	await t.test('in another one\'s calendar without the right to write refuses', async () => {
		const b = await fresh({ stub: { item: { shared: { owner: 'boss@alpinebank.example', targetMailbox: 'boss@alpinebank.example', delegatePermissions: 1 } } } });
		const out = await flowClick(b.ports);
		assert.deepEqual([out.kind, out.code], ['error', 'shared-no-rights']);
		assert.equal(b.conversations().length, 0);
	});

	await t.test('takes the fallback for a subject that nobody sees, one line of the others, and no more than is allowed', async () => {
		for (const [subject, topic] of [['', 'Meeting'], [' \u200b\u00a0\t', 'Meeting'], ['a\r\nb\u0007c', 'a b c'], ['\ud83d\ude00'.repeat(300), '\ud83d\ude00'.repeat(250)], ['x\ud800y', 'x\ufffdy']]) {
			const b = await fresh({ stub: { item: { subject } } });
			await flowClick(b.ports);
			assert.equal(b.conversations()[0].topic, topic, JSON.stringify(subject));
		}
	});

	await t.test('whose answer is lost finds the conversation by its sourceId: no twin', async () => {
		const b = await fresh();
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'lost', count: 1 });
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.equal(sim.conversations.counts.create, 1);
		assert.equal(property(b.far).conversationId, linkOf(b));
	});

	await t.test('whose request was lost is made again with the same sourceId', async () => {
		const b = await fresh();
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'reset', count: 1 });
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.equal(b.conversations().length, 1);
	});

	await t.test('after which nothing was to be reached keeps its sourceId, and the next one finds the conversation', async () => {
		for (const remember of ['property', 'session', 'memory']) {
			const b = await fresh({ stub: { faults: remember === 'property' ? {} : { 'customProperties.saveAsync': { fail: {}, times: 1 }, ...(remember === 'memory' ? { sessionData: { missing: true } } : {}) } } });
			await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'lost', count: 1 });
			await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getBySource', kind: 'reset' });
			const out = await flowClick(b.ports);
			assert.deepEqual([out.kind, out.code], ['error', 'network'], remember);
			assert.equal(b.far.item.body, '');
			await sim.control('DELETE', '/control/faults');
			const later = await bench(sim, { mailbox: b.far, memory: b.memory });
			assert.equal((await flowClick(later.ports)).code, 'created', remember);
			assert.equal(sim.conversations.counts.create, 1, remember);
			assert.equal(b.memory.map.size + Object.keys(b.far.item.session).length, 0, `${remember}: nothing is left`);
		}
	});

	await t.test('whose sourceId is taken by an attempt that can not be looked for keeps it: no twin', async () => {
		const b = await fresh();
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'lost', count: 1 });
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getBySource', kind: 'reset' });
		await flowClick(b.ports);
		/* Refused this time, as taken, and still nothing to be seen of it. */
		assert.equal((await flowClick(b.ports)).code, 'network');
		assert.ok(b.far.item.properties.unbluPending);
		await sim.control('DELETE', '/control/faults');
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.equal(b.conversations().length, 1);
	});

	await t.test('that finds an earlier attempt brings topic and time up to date', async () => {
		const b = await fresh();
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'lost', count: 1 });
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getBySource', kind: 'reset' });
		await flowClick(b.ports);
		await sim.control('DELETE', '/control/faults');
		b.far.item.subject = 'Renamed';
		b.far.item.start += 3_600_000;
		b.far.item.end += 3_600_000;
		await flowClick(b.ports);
		const [c] = b.conversations();
		assert.deepEqual([c.topic, c.scheduledTimestamp, b.conversations().length], ['Renamed', b.far.item.start, 1]);
	});

	await t.test('that Unblu refuses leaves the event as it was, and the sourceId is not used for another event', async () => {
		const b = await fresh({ config: { topicMaxChars: 500 }, stub: { item: { subject: 'x'.repeat(255), body: WORDS } } });
		await sim.control('POST', '/control/settings', { unblu: { topicMaxChars: 100 } });
		const out = await flowClick(b.ports);
		assert.equal(out.code, 'gateway-refused');
		assert.match(String(out.params?.said), /topic/);
		assert.equal(b.far.item.body, WORDS);
		assert.equal(JSON.stringify(b.far.item.properties), '{}');
	});

	await t.test('that gives no public link, or one that is not allowed, takes the conversation away again', async () => {
		const b = await fresh();
		await sim.control('POST', '/control/settings', { unblu: { publicLink: false } });
		assert.equal((await flowClick(b.ports)).code, 'no-public-link');
		const http = await fresh({ config: { allowInsecureLinks: false } });
		assert.equal((await flowClick(http.ports)).code, 'link-not-accepted');
		for (const x of [b, http]) {
			assert.equal(x.conversations().length, 0);
			assert.equal(x.far.item.body, '');
			assert.equal(JSON.stringify(x.far.item.properties), '{}');
			assert.equal(x.links.calls.length, 0);
		}
	});

	await t.test('that gives no link and can not take the conversation away either says so, and the next one makes no other', async () => {
		const b = await fresh();
		await sim.control('POST', '/control/settings', { unblu: { publicLink: false } });
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'delete', kind: 'status', status: 503 });
		assert.equal((await flowClick(b.ports)).code, 'useless-left');
		assert.ok(b.far.item.properties.unbluPending, 'it is not forgotten');
		await sim.control('DELETE', '/control/faults');
		await sim.control('POST', '/control/settings', { unblu: { publicLink: true } });
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.equal(b.conversations().length, 1);
	});

	await t.test('that is to put a link back which Unblu no longer gives does not say that anything was removed', async () => {
		const b = await fresh();
		await flowClick(b.ports);
		const { url, ...rest } = property(b.far);
		Object.assign(b.far.item, { body: '', properties: { unblu: JSON.stringify(rest) } });
		await sim.control('POST', '/control/settings', { unblu: { publicLink: false } });
		assert.equal((await flowClick(b.ports)).code, 'link-withheld');
		assert.equal(b.conversations().length, 1);
	});

	await t.test('without a person of Unblu, without rights, at a wrong address: each has its own words', async () => {
		const answers = /** @type {[any, string][]} */ ([
			[{ kind: 'status', status: 401 }, 'gateway-unauthorized'], [{ kind: 'status', status: 403 }, 'gateway-forbidden'], [{ kind: 'status', status: 503 }, 'gateway-down'], [{ kind: 'html' }, 'gateway-login'],
			[{ kind: 'redirect' }, 'gateway-login'], [{ kind: 'garbage' }, 'gateway-answer'], [{ kind: 'empty' }, 'gateway-answer'], [{ kind: 'reset' }, 'network'], [{ kind: 'throttle', retryAfter: 3600 }, 'gateway-busy'],
		]);
		for (const [fault, code] of answers) {
			const b = await fresh();
			await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getCurrentPerson', ...fault });
			const out = await flowClick(b.ports);
			assert.deepEqual([out.kind, out.code], ['error', code], JSON.stringify(fault));
			assert.equal(b.far.item.body, '');
			assert.equal('unbluPending' in b.far.item.properties, false, JSON.stringify(fault));
		}
		const b = await fresh({ config: { unbluApiUrl: `${sim.urls.gateway}/wrong` } });
		assert.equal((await flowClick(b.ports)).code, 'gateway-path');
	});

	await t.test('waits out one 429 and renews a refused token once', async () => {
		const b = await fresh();
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'throttle', retryAfter: 2, count: 1, punish: false });
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getCurrentPerson', kind: 'status', status: 401, count: 1 });
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.deepEqual(b.slept.filter((ms) => ms > 0), [2000]);
	});

	await t.test('asks for a sign-in only when everything else is right; a cancelled one is calm', async () => {
		const b = await fresh();
		b.signed.silent = false;
		b.signed.fault = new AddinError('signin-cancelled');
		assert.deepEqual(await flowClick(b.ports).then((o) => [o.kind, o.code]), ['info', 'signin-cancelled']);
		assert.equal(b.conversations().length, 0);
		b.signed.fault = null;
		assert.equal((await flowClick(b.ports)).code, 'created');
		const past = await fresh({ stub: { item: { start: 1, end: 2 } } });
		past.signed.silent = false;
		await flowClick(past.ports);
		assert.equal(past.signed.asked.some((/** @type {any} */ how) => how.interactive), false);
	});

	await t.test('on an event that has its conversation does not ask Unblu who the agent is', async () => {
		const b = await fresh();
		await flowClick(b.ports);
		const asked = async () => (await sim.control('GET', '/control/log?op=getCurrentPerson')).length;
		assert.equal(await asked(), 1);
		await flowClick(b.ports);
		assert.equal(await asked(), 1);
	});

	await t.test('on an event that is refused is told that, at once, whatever comes of asking who the agent is meanwhile', async () => {
		const boss = { owner: 'boss@alpinebank.example', targetMailbox: 'boss@alpinebank.example', delegatePermissions: 1 };
		for (const [item, code] of /** @type {[any, string][]} */ ([[{ seriesId: 'AAseries' }, 'occurrence'], [{ shared: boss }, 'shared-no-rights'], [{ start: 1, end: 2 }, 'past'], [{ end: 1 }, 'times-inverted']]))
			for (const how of /** @type {const} */ (['known', 'refused', 'lost', 'never'])) {
				let asked = 0;
				const b = await fresh({ stub: { item: { body: WORDS, ...item } }, fetch: async (/** @type {string} */ url, /** @type {any} */ options) => {
					asked++;
					assert.match(url, /\/getCurrentPerson$/, 'nothing else is asked');
					return how === 'known' ? fetch(url, options) : how === 'refused' ? new Response('', { status: 401 }) : how === 'lost' ? Promise.reject(new TypeError('no connection')) : new Promise(() => {});
				} });
				const before = JSON.stringify(b.far.item);
				const out = await flowClick(b.ports);
				assert.deepEqual([out.kind, out.code], ['error', code], `${code}, ${how}`);
				/* What is learnt after that is nobody's any more: no failure of the page, no window, no conversation. */
				await new Promise(setImmediate);
				assert.ok(asked >= 1, 'it was asked early');
				assert.deepEqual([JSON.stringify(b.far.item), b.conversations().length, b.signed.asked.filter((/** @type {any} */ h) => h.interactive).length], [before, 0, 0], `${code}, ${how}`);
			}
	});

	await t.test('on an event that is only read says so, whatever stands in it', async () => {
		for (const body of ['', '<p>Join the online conversation:<br>https://meet.example.com/unblu/desk?conversation=x</p>']) {
			const b = await fresh({ stub: { item: { body }, faults: { 'subject.getAsync': { missing: true } } } });
			assert.deepEqual(await flowClick(b.ports).then((o) => [o.kind, o.code]), ['error', 'read-only']);
			assert.equal(b.far.item.body, body);
		}
	});

	await t.test('does not touch a property of a later version', async () => {
		const b = await fresh({ stub: { item: { properties: { unblu: '{"v":2,"x":1}', other: 'kept' } } } });
		assert.equal((await flowClick(b.ports)).code, 'newer');
		assert.equal(JSON.stringify(b.far.item.properties), JSON.stringify({ unblu: '{"v":2,"x":1}', other: 'kept' }));
	});

	await t.test('that is over before it is through writes nothing more, and the next one goes on', async () => {
		const b = await fresh();
		b.stop();
		assert.equal((await flowClick(b.ports)).code, 'timeout');
		assert.equal(b.far.item.body, '');
		assert.equal(b.conversations().length, 0);
		/* While Unblu makes it: what is answered then finds nobody, and nothing is written beside the next click. */
		const late = await fresh({ fetch: async (/** @type {string} */ url, /** @type {any} */ options) => {
			if (url.endsWith('/create'))
				late.stop();
			return fetch(url, options);
		} });
		await flowClick(late.ports);
		assert.deepEqual([late.far.item.body, Object.keys(late.far.item.properties), late.conversations().length], ['', ['unbluPending'], 1]);
		const next = await bench(sim, { mailbox: late.far, links: late.links });
		assert.equal((await flowClick(next.ports)).code, 'created');
		assert.equal(next.conversations().length, 1);
	});
});
