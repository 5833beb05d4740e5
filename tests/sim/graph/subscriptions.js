// @ts-check
/* /subscriptions: create with the synchronous handshake, list, renew, reauthorize, delete, expire (graph.md section 4). */

import { pathDecode } from '../lib/form.js';
import { extensionError, graphError } from './errors.js';
import { handshake } from './handshake.js';
import { parsePrefer } from './view.js';

const MINUTE = 60_000;
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
const CHANGE_TYPES = ['created', 'updated', 'deleted'];
const BAD_PAYLOAD = 'Could not process subscription creation payload. Are all property names spelled and camelCased properly? Also are the DateTimeOffest properties in a valid internet Date and Time format?';

/**
 * @typedef {object} Subscription
 * @property {string} id @property {string} tenant @property {string} oid whose mailbox
 * @property {string} resource as it was asked for @property {string | null} calendarId null: the default calendar
 * @property {string[]} changeTypes @property {string} changeType @property {string} notificationUrl @property {string | null} lifecycleNotificationUrl
 * @property {string | null} clientState @property {boolean} immutable @property {string} applicationId @property {string} creatorId
 * @property {string} latestSupportedTlsVersion @property {number} createdAt @property {number} expiresAt @property {number} renewals
 * @property {number} authorizedAt @property {() => void} stopExpiry @property {string} key
 */

export class Subscriptions {
	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
		/** @type {Map<string, Subscription>} */
		this.byId = new Map();
		/** @type {Map<string, Set<Subscription>>} by mailbox */
		this.byMailbox = new Map();
		/** @type {Map<string, Subscription>} by application, change types and resource: the 409 rule */
		this.byKey = new Map();
		/** @type {Map<string, any>} what happened to those that are gone */
		this.gone = new Map();
		this.counts = { created: 0, renewed: 0, reauthorized: 0, deleted: 0, expired: 0, removed: 0, conflicts: 0 };
	}

	/** @param {Subscription} sub */
	add(sub) {
		this.byId.set(sub.id, sub);
		this.byKey.set(sub.key, sub);
		let set = this.byMailbox.get(sub.oid);
		if (set === undefined) {
			set = new Set();
			this.byMailbox.set(sub.oid, set);
		}
		set.add(sub);
		this.schedule(sub);
		this.counts.created++;
		this.tell('created', sub);
	}

	/** @param {Subscription} sub */
	schedule(sub) {
		sub.stopExpiry();
		sub.stopExpiry = this.sim.clock.at(sub.expiresAt, () => this.remove(sub, 'expired'));
		this.sim.lifecycle?.watch(sub);
	}

	/** @param {Subscription} sub @param {'deleted' | 'expired' | 'removed'} why */
	remove(sub, why) {
		if (!this.byId.delete(sub.id))
			return;
		sub.stopExpiry();
		if (this.byKey.get(sub.key) === sub)
			this.byKey.delete(sub.key);
		this.byMailbox.get(sub.oid)?.delete(sub);
		this.gone.set(sub.id, { ...describeSubscription(sub), gone: why, at: this.sim.clock.iso() });
		this.counts[why]++;
		this.tell(why, sub);
	}

	/** @param {string} what @param {Subscription} sub */
	tell(what, sub) {
		this.sim.journal.emit('subscription', { what, ...describeSubscription(sub) });
	}

	/** @param {Subscription} sub @param {number} expiresAt */
	renew(sub, expiresAt) {
		sub.expiresAt = expiresAt;
		sub.renewals++;
		sub.authorizedAt = this.sim.clock.now();
		this.counts.renewed++;
		this.schedule(sub);
		this.tell('renewed', sub);
	}
}

/** @param {Subscription} sub */
export function describeSubscription(sub) {
	const { stopExpiry, key, changeTypes, expiresAt, createdAt, authorizedAt, ...rest } = sub;
	return { ...rest, expirationDateTime: new Date(expiresAt).toISOString(), createdAt: new Date(createdAt).toISOString(), authorizedAt: new Date(authorizedAt).toISOString() };
}

/** @param {number} ms */
function expiryText(ms) {
	const text = new Date(ms).toISOString();
	return ms % 1000 === 0 ? text.replace('.000Z', 'Z') : text.replace('Z', '0000Z');
}

/** @param {any} sim @param {Subscription} sub @param {boolean} withState only the answer to a create shows clientState */
function view(sim, sub, withState) {
	return {
		id: sub.id, resource: sub.resource, applicationId: sub.applicationId, changeType: sub.changeType, clientState: withState ? sub.clientState : null,
		notificationUrl: sub.notificationUrl, notificationQueryOptions: null, lifecycleNotificationUrl: sub.lifecycleNotificationUrl,
		expirationDateTime: expiryText(sub.expiresAt), creatorId: sub.creatorId, includeResourceData: null, latestSupportedTlsVersion: sub.latestSupportedTlsVersion,
		encryptionCertificate: null, encryptionCertificateId: null, notificationUrlAppId: null,
	};
}

/** @param {any} sim @param {number} status @param {any} sub @param {boolean} [withState] */
function entity(sim, status, sub, withState = false) {
	return { status, headers: { 'Content-Type': 'application/json' }, body: { '@odata.context': `${sim.urls.graph}/v1.0/$metadata#subscriptions/$entity`, ...view(sim, sub, withState) } };
}

/** users/{id}/events and its relatives; null for anything else. @param {string} text */
export function parseResource(text) {
	const m = /^\/?users(?:\/([^/]+)|\('([^']+)'\))(?:\/calendars\/([^/]+)|\/calendar)?\/events\/?$/i.exec(text);
	return m === null ? null : { user: pathDecode(m[1] ?? m[2]), calendar: m[3] === undefined ? null : pathDecode(m[3]) };
}

/** The granted expiry, or an error reply. @param {any} sim @param {any} ctx @param {any} text @returns {number | { status: number }} */
function grantExpiry(sim, ctx, text) {
	if (typeof text !== 'string' || !RFC3339.test(text))
		return graphError(sim, ctx, 400, 'InvalidRequest', BAD_PAYLOAD);
	const asked = Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
	if (Number.isNaN(asked))
		return graphError(sim, ctx, 400, 'InvalidRequest', BAD_PAYLOAD);
	const { maxMinutes, floorMinutes, beyondMax } = sim.settings.graph.expiry;
	const now = sim.clock.now();
	if (asked <= now)
		return graphError(sim, ctx, 400, 'InvalidRequest', 'Subscription expiration can only be a date and time in the future.');
	/* Client and server clocks differ a little; a minute of the rule's own unit is forgiven. */
	if (asked > now + (maxMinutes + 1) * MINUTE) {
		if (beyondMax === 'reject')
			return graphError(sim, ctx, 400, 'InvalidRequest', `Subscription expiration can only be ${maxMinutes} minutes in the future.`);
		return now + maxMinutes * MINUTE;
	}
	return Math.max(asked, Math.ceil((now + floorMinutes * MINUTE) / 1000) * 1000);
}

/** @param {any} ctx */
export function jsonBody(ctx) {
	try {
		const value = JSON.parse(ctx.body.toString('utf8'));
		return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
	} catch {
		return null;
	}
}

/** @param {any} body @returns {string[] | null} */
function changeTypesOf(body) {
	if (typeof body.changeType !== 'string')
		return null;
	const list = body.changeType.split(',').map((/** @type {string} */ s) => s.trim().toLowerCase());
	return list.length > 0 && list.every((/** @type {string} */ t) => CHANGE_TYPES.includes(t)) ? list : null;
}

/** @param {any} value */
function isWebUrl(value) {
	return typeof value === 'string' && /^https?:\/\/[^/]+/i.test(value);
}

/** @param {any} sim @param {any} ctx */
export async function createSubscription(sim, ctx) {
	const body = ctx.json;
	const changeTypes = body === null ? null : changeTypesOf(body);
	const lifecycleUrl = body?.lifecycleNotificationUrl ?? null;
	if (body === null || changeTypes === null || typeof body.resource !== 'string' || !isWebUrl(body.notificationUrl) || lifecycleUrl !== null && !isWebUrl(lifecycleUrl))
		return graphError(sim, ctx, 400, 'InvalidRequest', BAD_PAYLOAD);
	if (typeof body.clientState === 'string' && body.clientState.length > 128)
		return graphError(sim, ctx, 400, 'InvalidRequest', 'Subscription client state must be at most 128 characters.');
	const resource = parseResource(body.resource);
	if (resource === null)
		return graphError(sim, ctx, 400, 'InvalidRequest', `Resource '${body.resource}' is not supported by this simulator or by Graph.`);
	const early = grantExpiry(sim, ctx, body.expirationDateTime);
	if (typeof early !== 'number')
		return early;
	/* The handshake comes first: before permissions, before the conflict rule. */
	const failed = await handshake(sim, ctx, body.notificationUrl, lifecycleUrl);
	if (failed !== null)
		return failed;
	return admit(sim, ctx, body, changeTypes, resource);
}

/** @param {any} sim @param {any} ctx @param {any} body @param {string[]} changeTypes @param {{ user: string, calendar: string | null }} resource */
function admit(sim, ctx, body, changeTypes, resource) {
	const tenant = sim.directory.tenants.get(ctx.tenant);
	const user = sim.directory.user(tenant, resource.user);
	if (user === undefined)
		return graphError(sim, ctx, 404, 'ExtensionError', `Operation: Create; Exception: [Status Code: NotFound; Reason: The requested user '${resource.user}@${tenant.id}' is invalid.]`);
	const allowed = ctx.auth.roles.some((/** @type {string} */ r) => r.startsWith('Calendars.Read'));
	const refused = allowed ? extensionError(sim, ctx, user, 'Create') : graphError(sim, ctx, 403, 'ExtensionError', 'Operation: Create; Exception: [Status Code: Forbidden; Reason: Forbidden]');
	if (refused !== null)
		return refused;
	const box = sim.calendars.box(user);
	if (resource.calendar !== null && !box.calendars.has(resource.calendar))
		return graphError(sim, ctx, 404, 'ExtensionError', 'Operation: Create; Exception: [Status Code: NotFound; Reason: Not Found]');
	const expiresAt = /** @type {number} */ (grantExpiry(sim, ctx, body.expirationDateTime));
	const types = [...changeTypes].sort().join(',');
	const key = `${tenant.app.clientId}|${types}|${user.oid}|${resource.calendar ?? ''}`;
	const other = sim.subscriptions.byKey.get(key);
	if (other !== undefined && sim.settings.graph.conflictRule) {
		sim.subscriptions.counts.conflicts++;
		return graphError(sim, ctx, 409, 'Conflict', `Subscription Id ${other.id} already exists for the requested combination`);
	}
	/** @type {Subscription} */
	const sub = {
		id: sim.rng.guid(), tenant: tenant.id, oid: user.oid, resource: body.resource, calendarId: resource.calendar, changeTypes, changeType: body.changeType,
		notificationUrl: body.notificationUrl, lifecycleNotificationUrl: body.lifecycleNotificationUrl ?? null, clientState: body.clientState ?? null,
		immutable: parsePrefer(ctx.headers.prefer).immutable, applicationId: tenant.app.clientId, creatorId: tenant.app.servicePrincipalId,
		latestSupportedTlsVersion: body.latestSupportedTlsVersion ?? 'v1_2', createdAt: sim.clock.now(), expiresAt, renewals: 0, authorizedAt: sim.clock.now(), stopExpiry: () => {}, key,
	};
	ctx.subscription = sub.id;
	sim.subscriptions.add(sub);
	const reply = entity(sim, 201, sub, true);
	return sub.immutable ? { ...reply, headers: { ...reply.headers, 'Preference-Applied': 'IdType="ImmutableId"' } } : reply;
}

/** The subscription of the path, if the token's tenant and application own it. @param {any} sim @param {any} ctx @param {string} id @returns {Subscription | null} */
export function ownSubscription(sim, ctx, id) {
	const sub = sim.subscriptions.byId.get(id.toLowerCase());
	return sub !== undefined && sub.tenant === ctx.tenant && sub.applicationId === ctx.auth?.client && sub.expiresAt > sim.clock.now() ? sub : null;
}

/** @param {any} sim @param {any} ctx */
function notFound(sim, ctx) {
	return graphError(sim, ctx, 404, 'ResourceNotFound', 'The object was not found.');
}

/** @param {any} sim @param {any} ctx @param {string} id */
export function getSubscription(sim, ctx, id) {
	const sub = ownSubscription(sim, ctx, id);
	if (sub === null)
		return notFound(sim, ctx);
	if (sim.directory.users.get(sub.oid)?.state === 'deleted')
		return graphError(sim, ctx, 404, 'ExtensionError', 'There was an error processing a storage extension.');
	return entity(sim, 200, sub);
}

/** @param {any} sim @param {any} ctx */
export function listSubscriptions(sim, ctx) {
	const { subscriptionPageSize: size, subscriptionList: mode } = sim.settings.graph;
	const skipText = ctx.query.get('$skiptoken');
	for (const name of ctx.query.keys())
		if (name !== '$skiptoken')
			return graphError(sim, ctx, 400, 'BadRequest', `Query option '${name}' is not supported.`);
	const skip = skipText === null ? 0 : Number(Buffer.from(skipText, 'base64url').toString('utf8'));
	if (!Number.isInteger(skip))
		return graphError(sim, ctx, 400, 'BadRequest', 'Invalid skip token.');
	const own = mode === 'empty' ? [] : [...sim.subscriptions.byId.values()].filter((s) => s.tenant === ctx.tenant && s.applicationId === ctx.auth.client);
	/** @type {any} */
	const body = { '@odata.context': `${sim.urls.graph}/v1.0/$metadata#subscriptions`, value: own.slice(skip, skip + size).map((s) => view(sim, s, false)) };
	if (mode === 'stale')
		body.value.push(...[...sim.subscriptions.gone.values()].filter((s) => s.tenant === ctx.tenant).slice(-5).map((s) => view(sim, { ...s, expiresAt: Date.parse(s.expirationDateTime) }, false)));
	if (skip + size < own.length)
		body['@odata.nextLink'] = `${sim.urls.graph}/v1.0/subscriptions?$skiptoken=${Buffer.from(String(skip + size)).toString('base64url')}`;
	return { status: 200, headers: { 'Content-Type': 'application/json' }, body };
}

/** @param {any} sim @param {any} ctx @param {string} id */
export async function patchSubscription(sim, ctx, id) {
	const sub = ownSubscription(sim, ctx, id);
	if (sub === null)
		return notFound(sim, ctx);
	const body = ctx.json;
	if (body === null || body.expirationDateTime === undefined && body.notificationUrl === undefined)
		return graphError(sim, ctx, 400, 'InvalidRequest', 'The request body must hold expirationDateTime.');
	if (body.lifecycleNotificationUrl !== undefined && body.lifecycleNotificationUrl !== sub.lifecycleNotificationUrl)
		return graphError(sim, ctx, 400, 'InvalidRequest', 'lifecycleNotificationUrl can not be changed.');
	const expiresAt = body.expirationDateTime === undefined ? sub.expiresAt : grantExpiry(sim, ctx, body.expirationDateTime);
	if (typeof expiresAt !== 'number')
		return expiresAt;
	if (sim.settings.graph.handshake.onRenew || body.notificationUrl !== undefined && body.notificationUrl !== sub.notificationUrl) {
		const failed = await handshake(sim, ctx, body.notificationUrl ?? sub.notificationUrl, null);
		if (failed !== null)
			return failed;
	}
	const refused = extensionError(sim, ctx, sim.directory.users.get(sub.oid), 'Update');
	if (refused !== null)
		return refused;
	sub.notificationUrl = body.notificationUrl ?? sub.notificationUrl;
	sim.subscriptions.renew(sub, expiresAt);
	return entity(sim, 200, sub);
}

/** @param {any} sim @param {any} ctx @param {string} id */
export function reauthorizeSubscription(sim, ctx, id) {
	const sub = ownSubscription(sim, ctx, id);
	if (sub === null)
		return notFound(sim, ctx);
	const refused = extensionError(sim, ctx, sim.directory.users.get(sub.oid), 'Update');
	if (refused !== null)
		return refused;
	sub.authorizedAt = sim.clock.now();
	sim.subscriptions.counts.reauthorized++;
	sim.subscriptions.schedule(sub);
	return { status: 204 };
}

/** @param {any} sim @param {any} ctx @param {string} id */
export function deleteSubscription(sim, ctx, id) {
	const sub = ownSubscription(sim, ctx, id);
	if (sub === null)
		return notFound(sim, ctx);
	const user = sim.directory.users.get(sub.oid);
	if (user?.state === 'deleted')
		return extensionError(sim, ctx, user, 'Delete');
	sim.subscriptions.remove(sub, 'deleted');
	return { status: 204 };
}
