// @ts-check
/* Notification bodies as Graph sends them, and everything wrong that can be done to one. */

/**
 * @typedef {object} Subscription what a sender knows of it
 * @property {string} id
 * @property {string} clientState
 * @property {string} tenant
 * @property {string} mailbox object id of the owner
 */

/**
 * One item of "value".
 * @param {Subscription} sub @param {string} event @param {Record<string, any>} [change] members to replace; undefined removes
 */
export function item(sub, event, change = {}) {
	const path = `Users/${sub.mailbox}/Events/${event}`;
	return {
		subscriptionId: sub.id,
		subscriptionExpirationDateTime: '2030-01-01T00:00:00.0000000+00:00',
		changeType: 'updated',
		resource: path,
		resourceData: { '@odata.type': '#Microsoft.Graph.Event', '@odata.id': path, '@odata.etag': 'W/"DwAAABYAAAAnfZ8eRq3zT5sO5Y1q7QJvAAB1dZ1e"', id: event },
		clientState: sub.clientState,
		tenantId: sub.tenant,
		...change,
	};
}

/** @param {Subscription} sub @param {string} lifecycleEvent */
export function lifecycleItem(sub, lifecycleEvent) {
	return {
		subscriptionId: sub.id, subscriptionExpirationDateTime: '2030-01-01T00:00:00Z', tenantId: sub.tenant, clientState: sub.clientState,
		resource: `users/${sub.mailbox}/events`, lifecycleEvent,
	};
}

/** @param {any[]} items */
export function body(...items) {
	return JSON.stringify({ value: items });
}

/** An immutable id as long as real ones are. @param {string} name @param {number} [length] */
export function longId(name, length = 120) {
	const text = Buffer.from(name).toString('base64url');
	return `AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A${'Qk'.repeat(length)}`.slice(0, length - text.length) + text;
}
