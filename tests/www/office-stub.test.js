// @ts-check
/* The stub of Office alone: what Microsoft documents, and each call failing, slow, hanging, missing. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { loadStub } from './stub.js';

/** @param {any} object @param {string} name @param {...any} args @returns {Promise<any>} */
const ask = (object, name, ...args) => new Promise((resolve) => object[name](...args, resolve));

/** @param {any} [given] */
async function item(given) {
	const stub = loadStub(given);
	await stub.Office.onReady();
	return { ...stub, item: stub.Office.context.mailbox.item };
}

test('onReady says where the page is, and the item is there afterwards', async () => {
	const { Office } = loadStub();
	assert.deepEqual({ ...await Office.onReady() }, { host: 'Outlook', platform: 'OfficeOnline' });
	assert.equal(Office.context.mailbox.item.itemType, 'appointment');
	assert.equal(Office.context.requirements.isSetSupported('Mailbox', '1.16'), true);
	assert.equal(Office.context.requirements.isSetSupported('Mailbox', '1.17'), false);
	assert.equal(Office.context.requirements.isSetSupported('Nothing', '1.1'), false);
	assert.equal(loadStub({ context: { itemless: true } }).Office.context.mailbox, undefined, 'nothing before onReady');
});

test('outside of Outlook there is neither host nor context', async () => {
	const { Office } = loadStub({ context: { host: null, platform: null } });
	assert.equal((await Office.onReady()).host, null);
	assert.deepEqual(Object.keys(Office.context), []);
});

test('results come later, with status, value and the caller\u2019s context', async () => {
	const { item: it } = await item();
	let now = true;
	const got = new Promise((resolve) => it.subject.getAsync({ asyncContext: 7 }, (/** @type {any} */ r) => resolve([r.status, r.value, r.asyncContext, now])));
	now = false;
	assert.deepEqual(await got, ['succeeded', 'Portfolio review', 7, false]);
	const { value } = await ask(it.start, 'getAsync');
	assert.equal(value.getTime(), Date.UTC(2031, 4, 14, 8));
});

test('custom properties reach the item with saveAsync only, and at most 2,500 characters of them', async () => {
	const { item: it, mailbox } = await item();
	const { value: props } = await ask(it, 'loadCustomPropertiesAsync');
	props.set('unblu', '{"v":1}');
	assert.deepEqual({ ...mailbox.item.properties }, {});
	assert.equal((await ask(props, 'saveAsync')).status, 'succeeded');
	assert.deepEqual({ ...mailbox.item.properties }, { unblu: '{"v":1}' });
	props.set('unblu', 'x'.repeat(2500));
	assert.equal((await ask(props, 'saveAsync')).status, 'failed');
	assert.deepEqual({ ...mailbox.item.properties }, { unblu: '{"v":1}' });
});

test('a text body refuses HTML, an HTML body is rewritten', async () => {
	const text = await item({ item: { bodyType: 'text', body: 'Dear all' } });
	assert.equal((await ask(text.item.body, 'setAsync', '<b>x</b>', { coercionType: 'html' })).error.name, 'InvalidFormatError');
	assert.equal((await ask(text.item.body, 'setAsync', 'Dear all\nx', { coercionType: 'text' })).status, 'succeeded');
	const html = await item();
	await ask(html.item.body, 'setAsync', '<p id="a">x</p><!-- gone --><script>gone</script>', { coercionType: 'html' });
	assert.equal((await ask(html.item.body, 'getAsync', 'html')).value, '<p id="x_a">x</p>');
	assert.equal((await ask(html.item.body, 'setAsync', 'x'.repeat(1_000_001), { coercionType: 'html' })).error.name, 'DataExceedsMaximumSize');
});

test('notifications have their limits: key 32, text 150, five of them, icon where it belongs', async () => {
	const { item: it } = await item();
	const info = { type: 'informationalMessage', message: 'm', icon: 'Icon.16', persistent: false };
	const add = (/** @type {string} */ key, /** @type {any} */ m = info) => ask(it.notificationMessages, 'addAsync', key, m);
	assert.throws(() => it.notificationMessages.addAsync('k'.repeat(33), info), /key/);
	assert.throws(() => it.notificationMessages.addAsync('k', { ...info, message: 'm'.repeat(151) }), /message/);
	assert.throws(() => it.notificationMessages.addAsync('k', { type: 'errorMessage', message: 'm', persistent: true }), /notification/);
	assert.throws(() => it.notificationMessages.addAsync('k', { type: 'informationalMessage', message: 'm', persistent: true }), /notification/);
	for (let i = 0; i < 5; i++)
		assert.equal((await add(`k${i}`, { ...info, message: 'm'.repeat(150) })).status, 'succeeded');
	assert.equal((await add('k5')).status, 'failed');
	assert.equal((await add('k0')).error.name, 'DuplicateNotificationKey');
	assert.equal((await ask(it.notificationMessages, 'replaceAsync', 'nobody', info)).status, 'failed', 'a sixth');
	assert.equal((await ask(it.notificationMessages, 'getAllAsync')).value.length, 5);
	await ask(it.notificationMessages, 'removeAsync', 'k0');
	assert.equal((await ask(it.notificationMessages, 'replaceAsync', 'nobody', info)).status, 'succeeded', 'it is added');
});

test('an item that was never saved has no id, one in the own calendar no shared properties', async () => {
	const { item: it } = await item();
	assert.equal((await ask(it, 'getItemIdAsync')).error.name, 'ItemNotSaved');
	assert.equal((await ask(it, 'getSharedPropertiesAsync')).status, 'failed');
	assert.equal((await ask(it.recurrence, 'getAsync')).value, null);
	const { item: other } = await item({ item: { itemId: 'AAMk/+', shared: { owner: 'boss@x', delegatePermissions: 63 } } });
	assert.equal((await ask(other, 'getItemIdAsync')).value, 'AAMk/+');
	assert.equal((await ask(other, 'getSharedPropertiesAsync')).value.owner, 'boss@x');
});

test('adding a place leaves rooms alone, setting the location does not', async () => {
	const { item: it, mailbox } = await item({ item: { location: 'Room 1', places: [{ id: 'room1@x', displayName: 'Room 1', type: 'room' }] } });
	await ask(it.enhancedLocation, 'addAsync', [{ id: 'https://u/1', type: 'custom' }]);
	assert.equal(mailbox.item.location, 'Room 1; https://u/1');
	await ask(it.location, 'setAsync', 'https://u/1');
	assert.equal(mailbox.item.places.length, 1);
});

test('each call can fail, a number of times, late, after being carried out, or be missing', async () => {
	const { item: it, mailbox } = await item({ faults: { 'subject.getAsync': { fail: { code: 5, name: 'Own', message: 'told' }, times: 1 }, 'body.prependAsync': { missing: true }, enhancedLocation: { missing: true }, 'start.getAsync': { throws: true }, 'location.setAsync': { fail: {}, done: true } } });
	assert.deepEqual({ ...(await ask(it.subject, 'getAsync')).error }, { code: 5, name: 'Own', message: 'told' });
	assert.equal((await ask(it.subject, 'getAsync')).status, 'succeeded');
	assert.equal(it.body.prependAsync, undefined);
	assert.equal(it.enhancedLocation, undefined);
	assert.throws(() => it.start.getAsync(() => {}), /has thrown/);
	assert.equal((await ask(it.location, 'setAsync', 'kept')).status, 'failed');
	assert.equal(mailbox.item.location, 'kept');
	mailbox.faults['end.getAsync'] = { delay: 30 };
	const before = Date.now();
	await ask(it.end, 'getAsync');
	assert.ok(Date.now() - before >= 29);
	mailbox.faults['end.getAsync'] = { hang: true };
	it.end.getAsync(() => assert.fail('it hangs'));
	assert.deepEqual([...mailbox.calls].map((c) => c.name), ['subject.getAsync', 'subject.getAsync', 'location.setAsync', 'end.getAsync', 'end.getAsync']);
});

test('a function command is pressed, and completing twice is noticed', async () => {
	const { Office, officeStub } = loadStub();
	Office.onReady();
	Office.actions.associate('go', (/** @type {any} */ event) => event.completed({ a: 1 }));
	assert.deepEqual({ ...await officeStub.run('go') }, { a: 1 });
	assert.equal(officeStub.completedTwice, false);
	Office.actions.associate('twice', (/** @type {any} */ event) => { event.completed(); event.completed(); });
	await officeStub.run('twice');
	assert.equal(officeStub.completedTwice, true);
	await assert.rejects(officeStub.run('absent', 20), /no command absent/);
	const silent = loadStub({});
	silent.Office.actions.associate('quiet', () => assert.fail('pressed'));
	await assert.rejects(silent.officeStub.run('quiet', 20), /nobody has asked/);
});

test('a dialog tells messages and its closing, and there is one at a time', async () => {
	/** @type {any} */
	let tell;
	const { Office, mailbox } = await item();
	mailbox.dialog = (/** @type {string} */ _url, /** @type {any} */ _options, /** @type {any} */ t) => { tell = t; return { close() {} }; };
	const { ui } = Office.context;
	const { value: dialog } = await ask(ui, 'displayDialogAsync', 'https://x/auth.html', { height: 60, width: 30 });
	assert.equal((await ask(ui, 'displayDialogAsync', 'https://x/auth.html', {})).error.code, 12007);
	/** @type {any[]} */
	const heard = [];
	dialog.addEventHandler(Office.EventType.DialogMessageReceived, (/** @type {any} */ e) => heard.push(e.message));
	dialog.addEventHandler(Office.EventType.DialogEventReceived, (/** @type {any} */ e) => heard.push(e.error));
	tell({ message: 'm', origin: 'https://x' });
	tell({ error: 12006 });
	assert.deepEqual(heard, ['m', 12006]);
	mailbox.faults['ui.displayDialogAsync'] = { fail: { code: 12011, message: 'blocked' } };
	assert.equal((await ask(ui, 'displayDialogAsync', 'https://x/auth.html', {})).error.code, 12011);
});

test('the theme changes while the pane is open', async () => {
	const { Office, officeStub } = await item();
	/** @type {any[]} */
	const seen = [];
	await ask(Office.context.mailbox, 'addHandlerAsync', Office.EventType.OfficeThemeChanged, (/** @type {any} */ e) => seen.push(e.officeTheme.bodyBackgroundColor));
	officeStub.theme({ bodyBackgroundColor: '#111111' });
	assert.deepEqual(seen, ['#111111']);
	assert.equal(Office.context.officeTheme.bodyBackgroundColor, '#111111');
});

test('MSAL finds a bridge to the host and is answered over it', async () => {
	const { scope } = loadStub({ token: async (/** @type {any} */ request) => ({ success: true, method: request.method }) });
	const heard = new Promise((resolve) => scope.nestedAppAuthBridge.addEventListener('message', resolve));
	scope.nestedAppAuthBridge.postMessage(JSON.stringify({ messageType: 'NestedAppAuthRequest', method: 'GetToken', requestId: 'r' }));
	assert.deepEqual(JSON.parse(/** @type {string} */ (await heard)), { messageType: 'NestedAppAuthResponse', requestId: 'r', success: true, method: 'GetToken' });
});
