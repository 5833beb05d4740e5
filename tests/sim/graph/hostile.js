// @ts-check
/* Posts that Graph would never send, and the few bad ones that it might: for the receiver's tests. */

const KINDS = {
	wrongClientState: (/** @type {any} */ item) => json({ value: [{ ...item, clientState: `x${item.clientState ?? ''}` }] }),
	missingClientState: (/** @type {any} */ { clientState, ...item }) => json({ value: [item] }),
	unknownSubscription: (/** @type {any} */ item) => json({ value: [{ ...item, subscriptionId: '00000000-0000-4000-8000-000000000000' }] }),
	foreignTenant: (/** @type {any} */ item) => json({ value: [{ ...item, tenantId: '00000000-0000-4000-8000-000000000000' }] }),
	otherType: (/** @type {any} */ item) => json({ value: [{ ...item, resourceData: { ...item.resourceData, '@odata.type': '#Microsoft.Graph.Calendar' } }] }),
	noId: (/** @type {any} */ item) => json({ value: [{ ...item, resource: '', resourceData: { '@odata.type': '#Microsoft.Graph.Event' } }] }),
	bothKinds: (/** @type {any} */ item) => json({ value: [{ ...item, lifecycleEvent: 'missed' }] }),
	oneBadOfMany: (/** @type {any} */ item) => json({ value: [item, { ...item, clientState: 'wrong' }, item, 5, null, {}] }),
	missingValue: () => json({}),
	valueNotArray: () => json({ value: {} }),
	empty: () => '',
	truncated: (/** @type {any} */ item) => json({ value: [item] }).slice(0, 60),
	notJson: () => 'hello',
	manyItems: (/** @type {any} */ item, /** @type {any} */ want) => json({ value: Array.from({ length: want.count ?? 10_000 }, () => item) }),
	huge: (/** @type {any} */ item, /** @type {any} */ want) => json({ value: [item], padding: 'x'.repeat(want.bytes ?? 3 * 1024 * 1024) }),
	deep: (/** @type {any} */ _, /** @type {any} */ want) => '{"value":' + '['.repeat(want.depth ?? 10_000) + ']'.repeat(want.depth ?? 10_000) + '}',
	invalidUtf8: (/** @type {any} */ item) => Buffer.concat([Buffer.from('{"value":[{"subscriptionId":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(`${item.subscriptionId}"}]}`)]),
	duplicateKeys: (/** @type {any} */ item) => `{"value":[${json(item).slice(0, -1)},"clientState":"other"}],"value":[${json(item)}]}`,
	loneSurrogate: (/** @type {any} */ item) => json({ value: [item] }).replace('"changeType":"', '"x":"\\ud800","changeType":"'),
};
export const HOSTILE_KINDS = Object.keys(KINDS);

/** @param {any} value */
function json(value) {
	return JSON.stringify(value);
}

/**
 * want: kind, url or subscription, and options of the kind; raw (base64) sends these bytes instead.
 * @param {any} sim @param {any} want
 */
export async function sendHostile(sim, want) {
	const sub = want.subscription === undefined ? [...sim.subscriptions.byId.values()][0] : sim.subscriptions.byId.get(want.subscription);
	const url = want.url ?? sub?.notificationUrl;
	const make = /** @type {any} */ (KINDS)[want.kind];
	if (url === undefined || make === undefined && want.raw === undefined)
		throw new RangeError(`hostile: url or a subscription, and kind: one of ${HOSTILE_KINDS.join(', ')}`);
	const id = want.event ?? 'AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AEoqXCfKk90qHFvkGdLnvEAABqXvY_gAA';
	const path = `Users/${sub?.oid ?? '0'}/Events/${id}`;
	const item = {
		subscriptionId: sub?.id ?? '11111111-0000-4000-8000-000000000000', subscriptionExpirationDateTime: new Date(sub?.expiresAt ?? 0).toISOString(), changeType: 'updated', resource: path,
		resourceData: { '@odata.type': '#Microsoft.Graph.Event', '@odata.id': path, id }, clientState: sub?.clientState ?? null, tenantId: sub?.tenant ?? '00000000-0000-4000-8000-000000000000',
	};
	const body = want.raw !== undefined ? Buffer.from(want.raw, 'base64') : make(item, want);
	const answer = await sim.outbound.send(url, { 'Content-Type': want.contentType ?? 'application/json; charset=utf-8' }, body, want.timeoutMs ?? 10_000, want.method ?? 'POST');
	return { kind: want.kind ?? 'raw', bytes: Buffer.byteLength(body), ...answer };
}
