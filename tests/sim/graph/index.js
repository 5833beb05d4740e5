// @ts-check
/* Microsoft Graph: who may ask, which operation it is, how many ask at once. */

import { pathDecode } from '../lib/form.js';
import { batch } from './batch.js';
import { deltaCalendarView } from './delta.js';
import { graphError, mailboxError } from './errors.js';
import * as events from './events.js';
import * as subs from './subscriptions.js';

/** @param {any} sim @returns {import('../lib/listener.js').Service} */
export function graphService(sim) {
	/** @type {import('../lib/listener.js').Service} */
	const service = {
		name: 'graph',
		latency: () => sim.settings.graph.latencyMs,
		error: (ctx, status, code, message) => graphError(sim, ctx, status, code, message),
		decorate: (ctx, reply) => {
			reply.headers = {
				'request-id': ctx.requestId, 'client-request-id': String(ctx.headers['client-request-id'] ?? ctx.requestId),
				'x-ms-ags-diagnostic': '{"ServerInfo":{"DataCenter":"Simulator","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"SIM"}}',
				'Strict-Transport-Security': 'max-age=31536000', ...reply.headers,
			};
		},
		resolve: (ctx) => {
			authenticate(sim, ctx);
			return route(sim, service, ctx);
		},
		enter: (ctx) => enter(sim, ctx),
		leave: (ctx) => leave(sim, ctx),
	};
	return service;
}

/** Fills ctx.auth and ctx.tenant, or leaves ctx.auth null and says why in ctx.json401. @param {any} sim @param {any} ctx */
function authenticate(sim, ctx) {
	const m = /^Bearer +(\S+)$/i.exec(ctx.headers.authorization ?? '');
	const token = m === null ? undefined : sim.tokens.tokens.get(m[1]);
	ctx.auth = null;
	if (m === null)
		ctx.refusal = 'Access token is empty.';
	else if (token === undefined)
		ctx.refusal = 'CompactToken parsing failed with error code: 80049217';
	else if (token.expiresAt <= sim.clock.now())
		ctx.refusal = 'Access token has expired or is not yet valid.';
	else
		ctx.auth = token;
	if (token !== undefined)
		ctx.tenant = token.tenant;
}

/** @param {any} sim @param {any} ctx */
function enter(sim, ctx) {
	if (ctx.auth === null) {
		const reply = graphError(sim, ctx, 401, 'InvalidAuthenticationToken', ctx.refusal);
		reply.headers = { ...reply.headers, 'WWW-Authenticate': 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"' };
		return reply;
	}
	if (ctx.mailbox === undefined)
		return null;
	const c = sim.journal.mailbox(ctx.mailbox);
	if (ctx.batch === undefined) {
		c.maxExchanges = Math.max(c.maxExchanges, ++c.exchanges);
		ctx.countedExchange = c;
	}
	if (!ctx.outlook)
		return null;
	c.maxConcurrent = Math.max(c.maxConcurrent, ++c.inFlight);
	ctx.countedInFlight = c;
	if (c.inFlight <= sim.settings.graph.concurrencyLimit)
		return null;
	const reply = graphError(sim, ctx, 429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.');
	if (sim.settings.graph.concurrencyRetryAfter !== null)
		reply.headers = { ...reply.headers, 'Retry-After': String(sim.settings.graph.concurrencyRetryAfter) };
	return reply;
}

/** @param {any} sim @param {any} ctx */
function leave(sim, ctx) {
	if (ctx.countedExchange !== undefined)
		ctx.countedExchange.exchanges--;
	if (ctx.countedInFlight !== undefined)
		ctx.countedInFlight.inFlight--;
}

/** @param {any} sim @param {any} service @param {any} ctx @returns {import('../lib/listener.js').Route} */
function route(sim, service, ctx) {
	const parts = ctx.path.split('/');
	if (parts[1] !== 'v1.0')
		return unknown(sim, ctx);
	const head = pathDecode(parts[2] ?? '').toLowerCase();
	if (head === 'subscriptions')
		return subscriptionRoute(sim, ctx, parts.slice(3).map(pathDecode));
	if (head === 'users' && parts.length >= 5)
		return userRoute(sim, ctx, pathDecode(parts[3]), parts.slice(4).join('/'));
	if (head === '$batch' && ctx.method === 'POST' && parts.length === 3)
		return { op: 'batch', spec: 'POST /$batch', run: () => batch(sim, service, ctx) };
	return unknown(sim, ctx);
}

/** @param {any} sim @param {any} ctx @returns {import('../lib/listener.js').Route} */
function unknown(sim, ctx) {
	return { op: 'unknown', spec: null, run: () => graphError(sim, ctx, 400, 'BadRequest', `Resource not found for the segment '${ctx.path.split('/').pop()}'.`) };
}

/** @param {any} sim @param {any} ctx @param {string[]} rest @returns {import('../lib/listener.js').Route} */
function subscriptionRoute(sim, ctx, rest) {
	const [id, verb] = rest;
	if (rest.length === 0 && ctx.method === 'GET')
		return { op: 'listSubscriptions', spec: 'GET /subscriptions', run: () => subs.listSubscriptions(sim, ctx) };
	if (rest.length === 0 && ctx.method === 'POST') {
		ctx.json = subs.jsonBody(ctx);
		const resource = typeof ctx.json?.resource === 'string' ? subs.parseResource(ctx.json.resource) : null;
		const tenant = sim.directory.tenants.get(ctx.tenant);
		ctx.mailbox = resource === null || tenant === undefined ? undefined : sim.directory.user(tenant, resource.user)?.oid;
		return { op: 'createSubscription', spec: 'POST /subscriptions', run: () => subs.createSubscription(sim, ctx) };
	}
	if (id === undefined)
		return unknown(sim, ctx);
	ctx.subscription = id;
	ctx.mailbox = sim.subscriptions.byId.get(id.toLowerCase())?.oid;
	if (rest.length === 2 && verb.toLowerCase() === 'reauthorize' && ctx.method === 'POST')
		return { op: 'reauthorizeSubscription', spec: 'POST /subscriptions/{subscription-id}/reauthorize', run: () => subs.reauthorizeSubscription(sim, ctx, id) };
	if (rest.length !== 1)
		return unknown(sim, ctx);
	switch (ctx.method) {
	case 'GET':
		return { op: 'getSubscription', spec: 'GET /subscriptions/{subscription-id}', run: () => subs.getSubscription(sim, ctx, id) };
	case 'PATCH':
		ctx.json = subs.jsonBody(ctx);
		return { op: 'renewSubscription', spec: 'PATCH /subscriptions/{subscription-id}', run: () => subs.patchSubscription(sim, ctx, id) };
	case 'DELETE':
		return { op: 'deleteSubscription', spec: 'DELETE /subscriptions/{subscription-id}', run: () => /** @type {any} */ (subs.deleteSubscription(sim, ctx, id)) };
	default:
		return unknown(sim, ctx);
	}
}

/**
 * Everything under /users/{id}: op, specification key, handler.
 * @type {[RegExp, string, string, string, (sim: any, ctx: any, m: string[]) => any][]}
 */
const USER_ROUTES = [
	[/^events\/([^/]+)$/i, 'GET', 'getEvent', '/users/{user-id}/events/{event-id}', (sim, ctx, m) => events.getEvent(sim, ctx, m[1])],
	[/^events$/i, 'GET', 'listEvents', '/users/{user-id}/events', (sim, ctx) => events.listEvents(sim, ctx)],
	[/^events\/([^/]+)\/calendar$/i, 'GET', 'getEventCalendar', '/users/{user-id}/events/{event-id}/calendar', (sim, ctx, m) => events.getEventCalendar(sim, ctx, m[1])],
	[/^events\/([^/]+)\/instances$/i, 'GET', 'listInstances', '/users/{user-id}/events/{event-id}/instances', (sim, ctx, m) => events.listInstances(sim, ctx, m[1])],
	[/^calendars$/i, 'GET', 'listCalendars', '/users/{user-id}/calendars', (sim, ctx) => events.listCalendars(sim, ctx)],
	[/^calendar$/i, 'GET', 'getCalendar', '/users/{user-id}/calendar', (sim, ctx) => events.getDefaultCalendar(sim, ctx)],
	[/^calendars\/([^/]+)\/events$/i, 'GET', 'listEvents', '/users/{user-id}/calendars/{calendar-id}/events', (sim, ctx, m) => events.listEvents(sim, ctx, m[1])],
	[/^calendars\/([^/]+)\/calendarView$/i, 'GET', 'listCalendarView', '/users/{user-id}/calendars/{calendar-id}/calendarView', (sim, ctx, m) => events.listCalendarView(sim, ctx, m[1])],
	[/^calendar(?:\/calendarView|View)$/i, 'GET', 'listCalendarView', '/users/{user-id}/calendarView', (sim, ctx) => events.listCalendarView(sim, ctx)],
	[/^calendarView\/delta(?:\(\)|%28%29)?$/i, 'GET', 'delta', '/users/{user-id}/calendarView/delta()', (sim, ctx) => deltaCalendarView(sim, ctx)],
	[/^translateExchangeIds$/i, 'POST', 'translateExchangeIds', '/users/{user-id}/translateExchangeIds', (sim, ctx) => events.translateIds(sim, ctx)],
];

/** @param {any} sim @param {any} ctx @param {string} userId @param {string} tail still percent-encoded @returns {import('../lib/listener.js').Route} */
function userRoute(sim, ctx, userId, tail) {
	const found = USER_ROUTES.find(([re, method]) => method === ctx.method && re.test(tail));
	const tenant = sim.directory.tenants.get(ctx.tenant);
	const user = tenant === undefined ? undefined : sim.directory.user(tenant, userId);
	ctx.mailbox = user?.oid;
	ctx.outlook = true;
	if (found === undefined)
		return unknown(sim, ctx);
	const [re, method, op, spec, run] = found;
	const m = /** @type {RegExpExecArray} */ (re.exec(tail)).map(pathDecode);
	if (op === 'getEvent')
		ctx.event = m[1];
	if (/^calendars\/./i.test(tail))
		ctx.calendar = m[1];
	return { op, spec: `${method} ${spec}`, run: () => asUser(sim, ctx, userId, user, () => run(sim, ctx, m)) };
}

/** @param {any} sim @param {any} ctx @param {string} userId @param {any} user @param {() => any} run */
function asUser(sim, ctx, userId, user, run) {
	if (user === undefined)
		return graphError(sim, ctx, 404, 'ErrorInvalidUser', `The requested user '${userId}' is invalid.`);
	if (!ctx.auth.roles.some((/** @type {string} */ r) => r.startsWith('Calendars.Read')))
		return graphError(sim, ctx, 403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
	const refused = mailboxError(sim, ctx, user);
	if (refused !== null)
		return refused;
	ctx.box = sim.calendars.box(user);
	return run();
}
