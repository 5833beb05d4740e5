// @ts-check
/* Auth Gateway and Unblu's REST interface on one listener; the prefix /gateway is optional. */

import { pathDecode } from '../lib/form.js';
import { textOf } from '../lib/rng.js';
import { conversationData, historyData } from './view.js';
import { UnbluError, unbluError } from './errors.js';
import { oauthError } from './gateway.js';
import { roleIsAtLeast } from './people.js';
import { searchAgents, searchConversations } from './search.js';

const REST = /^\/app\/rest\/v4\//;
const PRODUCT_VERSION = '8.9.2';

/** @param {any} sim @returns {import('../lib/listener.js').Service} */
export function unbluService(sim) {
	return {
		name: 'unblu',
		latency: () => sim.settings.unblu.latencyMs,
		error: (ctx, status, code, message) => (ctx.op === 'token' || ctx.op === 'discovery' ? oauthError(ctx, status, code ?? (status >= 500 ? 'server_error' : 'temporarily_unavailable'), message ?? '') : unbluError(ctx, status, code, message)),
		decorate: (ctx, reply) => cors(sim, ctx, reply),
		resolve: (ctx) => resolve(sim, ctx),
	};
}

/** @param {any} sim @param {any} ctx @param {any} reply */
function cors(sim, ctx, reply) {
	const { origin } = ctx.headers;
	if (origin === undefined || !sim.settings.unblu.cors)
		return;
	reply.headers = { ...reply.headers, 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' };
	if (ctx.op === 'preflight')
		Object.assign(reply.headers, {
			'Access-Control-Allow-Methods': 'GET, POST, DELETE, OPTIONS', 'Access-Control-Allow-Headers': String(ctx.headers['access-control-request-headers'] ?? 'authorization, content-type'), 'Access-Control-Max-Age': '600',
		});
}

/** @param {any} sim @param {any} ctx @returns {import('../lib/listener.js').Route} */
function resolve(sim, ctx) {
	const path = ctx.path.replace(/^\/gateway(?=\/)/, '');
	if (ctx.method === 'OPTIONS')
		return { op: 'preflight', spec: null, run: () => ({ status: sim.settings.unblu.cors ? 204 : 405 }) };
	if (path === '/oauth2/token' && ctx.method === 'POST')
		return { op: 'token', spec: 'POST /oauth2/token', run: () => sim.gateway.token(ctx) };
	if (path === '/.well-known/openid-configuration' && ctx.method === 'GET')
		return { op: 'discovery', spec: 'GET /.well-known/openid-configuration', run: () => discovery(sim) };
	if (REST.test(path)) {
		const rest = restRoute(sim, ctx, path.replace(REST, ''));
		if (rest !== null)
			return rest;
	}
	/* A wrong base path: 404 with an empty body. */
	return { op: 'unknown', spec: null, run: () => ({ status: 404 }) };
}

/** @param {any} sim */
function discovery(sim) {
	if (!sim.settings.gateway.discovery)
		return { status: 404 };
	const base = sim.urls.gateway;
	return { status: 200, body: { issuer: base, token_endpoint: `${base}/oauth2/token`, grant_types_supported: ['client_credentials'], token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'], response_types_supported: [] } };
}

/**
 * method, pattern, operation, specification key, least role, handler (its arguments: sim, ctx, parsed body, path match).
 * @type {[string, RegExp, string, string, string, (sim: any, ctx: any, body: any, m: string[]) => any][]}
 */
const OPERATIONS = [
	['GET', /^conversations\/([^/]+)\/read$/, 'read', '/conversations/{conversationId}/read', 'REGISTERED_USER', (sim, ctx, _, m) => withConversation(sim, ctx, m[1], (c) => sim.conversations.mayRead(ctx.identity, c))],
	['POST', /^conversations\/([^/]+)\/setTopic$/, 'setTopic', '/conversations/{conversationId}/setTopic', 'REGISTERED_USER', (sim, ctx, body, m) => withConversation(sim, ctx, m[1], (c) => sim.conversations.setTopic(ctx, c, body.topic))],
	['POST', /^conversations\/([^/]+)\/setScheduledTimestamp$/, 'setScheduledTimestamp', '/conversations/{conversationId}/setScheduledTimestamp', 'REGISTERED_USER', (sim, ctx, body, m) => withConversation(sim, ctx, m[1], (c) => sim.conversations.setScheduledTimestamp(ctx, c, body.scheduledTimestamp))],
	['GET', /^conversationhistory\/([^/]+)\/read$/, 'history', '/conversationhistory/{conversationId}/read', 'REGISTERED_USER', (sim, ctx, _, m) => history(sim, ctx, m[1])],
	['DELETE', /^conversations\/([^/]+)\/delete$/, 'delete', '/conversations/{conversationId}/delete', 'REGISTERED_USER', (sim, ctx, _, m) => {
		sim.conversations.delete(ctx, sim.conversations.get(m[1]));
		return { status: 204 };
	}],
	['POST', /^conversations\/([^/]+)\/end$/, 'end', '/conversations/{conversationId}/end', 'REGISTERED_USER', (sim, ctx, body, m) => withConversation(sim, ctx, m[1], (c) => sim.conversations.end(ctx, c, body))],
	['POST', /^conversations\/([^/]+)\/updateMetadata$/, 'updateMetadata', '/conversations/{conversationId}/updateMetadata', 'ADMIN', (sim, ctx, body, m) => withConversation(sim, ctx, m[1], (c) => sim.conversations.updateMetadata(ctx, c, body))],
	['POST', /^conversations\/create$/, 'create', '/conversations/create', 'REGISTERED_USER', (sim, ctx, body) => ok(conversationData(sim, sim.conversations.create(ctx, body), ctx.query.get('expand')))],
	['POST', /^conversations\/search$/, 'search', '/conversations/search', 'REGISTERED_USER', search],
	['GET', /^conversations\/getBySourceIdAndChannelId$/, 'getBySource', '/conversations/getBySourceIdAndChannelId', 'REGISTERED_USER', getBySource],
	['GET', /^global\/ping$/, 'ping', '/global/ping', 'ANONYMOUS_USER', (sim, ctx) => (sim.settings.unblu.ready ? ok({ $_type: 'GlobalPingResponse', status: 'READY' }) : unbluError(ctx, 503))],
	['GET', /^global\/productVersion$/, 'productVersion', '/global/productVersion', 'REGISTERED_USER', () => ok({ $_type: 'ProductVersion', productVersion: PRODUCT_VERSION, productGuid: 'sim', buildTimestamp: 1729728000000 })],
	['GET', /^authenticator\/getCurrentPerson$/, 'getCurrentPerson', '/authenticator/getCurrentPerson', 'ANONYMOUS_USER', currentPerson],
	['POST', /^authenticator\/login$/, 'login', '/authenticator/login', 'ANONYMOUS_USER', (sim, _, body) => sim.gateway.login(body)],
	['GET', /^users\/getByUsername$/, 'getByUsername', '/users/getByUsername', 'REGISTERED_USER', (sim, ctx) => found(sim.people.byUsername.get((ctx.query.get('username') ?? '').toLowerCase()), 'User', (p) => sim.people.userData(p))],
	['GET', /^persons\/getBySource$/, 'getPersonBySource', '/persons/getBySource', 'REGISTERED_USER', personBySource],
	['POST', /^persons\/searchAgents$/, 'searchAgents', '/persons/searchAgents', 'REGISTERED_USER', (sim, _, body) => {
		const page = searchAgents(sim, body);
		return ok({ $_type: 'PersonResult', hasMoreItems: page.hasMoreItems, nextOffset: page.nextOffset, items: page.items.map((p) => sim.people.personData(p)) });
	}],
	['GET', /^conversationtemplates\/getDefaultTemplateByEngagementType$/, 'getDefaultTemplate', '/conversationtemplates/getDefaultTemplateByEngagementType', 'REGISTERED_USER', (sim, ctx) => template(sim, ctx.query.get('initialEngagementType') ?? 'SCHEDULED_CONVERSATION')],
];

/** @param {any} body */
function ok(body) {
	return { status: 200, headers: { 'Content-Type': 'application/json;charset=UTF-8' }, body };
}

/** @param {any} sim @param {any} ctx @param {string} tail @returns {import('../lib/listener.js').Route | null} */
function restRoute(sim, ctx, tail) {
	for (const [method, re, op, spec, role, run] of OPERATIONS) {
		const m = method === ctx.method ? re.exec(tail) : null;
		if (m === null)
			continue;
		const args = m.map(pathDecode);
		if (spec.includes('{conversationId}'))
			ctx.conversation = args[1];
		return { op, spec: `${method} ${spec}`, run: () => guarded(sim, ctx, role, (body) => run(sim, ctx, body, args)) };
	}
	return null;
}

/** Who it is, whether the role suffices, the body; then the operation. @param {any} sim @param {any} ctx @param {string} role @param {(body: any) => any} run */
function guarded(sim, ctx, role, run) {
	ctx.identity = sim.gateway.identify(ctx) ?? (role === 'ANONYMOUS_USER' ? { kind: 'none', role: 'ANONYMOUS_USER', person: null, label: 'anonymous' } : null);
	if (ctx.identity === null)
		return unauthorized(sim, ctx);
	if (!roleIsAtLeast(ctx.identity.role, role))
		return unbluError(ctx, 403, 'role', `Role ${role} is required`);
	try {
		return run(bodyOf(ctx));
	} catch (e) {
		if (e instanceof UnbluError)
			return unbluError(ctx, e.status, undefined, e.message);
		throw e;
	}
}

/** @param {any} sim @param {any} ctx */
function unauthorized(sim, ctx) {
	switch (sim.settings.gateway.unauthorized) {
	case 'redirect':
		return { status: 302, headers: { Location: `${sim.urls.gateway}/login?return=${encodeURIComponent(ctx.path)}` }, unchecked: true };
	case 'html':
		return { status: 200, headers: { 'Content-Type': 'text/html;charset=UTF-8' }, body: '<!DOCTYPE html><html><head><title>Login</title></head><body><form></form></body></html>', unchecked: true };
	default: {
		const reply = unbluError(ctx, 401, 'unauthorized', 'Authentication required');
		return { ...reply, headers: { ...reply.headers, 'WWW-Authenticate': 'Bearer' } };
	}
	}
}

/** @param {any} ctx */
function bodyOf(ctx) {
	if (ctx.method !== 'POST')
		return null;
	try {
		const body = JSON.parse(ctx.body.toString('utf8'));
		if (typeof body === 'object' && body !== null && !Array.isArray(body))
			return body;
	} catch {
		/* answered below */
	}
	throw new UnbluError('invalid', 'The request body is not a JSON object');
}

/** @param {any} sim @param {any} ctx @param {string} id @param {(c: any) => void} act */
function withConversation(sim, ctx, id, act) {
	const c = sim.conversations.get(id);
	act(c);
	return ok(conversationData(sim, c, ctx.query.get('expand')));
}

/** @param {any} sim @param {any} ctx @param {string} id */
function history(sim, ctx, id) {
	const c = sim.conversations.get(id);
	sim.conversations.mayRead(ctx.identity, c);
	if (sim.settings.unblu.history === 'missing' || sim.settings.unblu.history === 'ended-only' && c.state !== 'ENDED')
		throw new UnbluError('notFound', `Conversation history with id '${id}' not found`);
	return ok(historyData(sim, c));
}

/** @param {any} sim @param {any} ctx @param {any} body */
function search(sim, ctx, body) {
	const me = ctx.identity;
	const page = searchConversations(sim, body, (c) => roleIsAtLeast(me.role, 'SUPERVISOR') || sim.conversations.participation(me, c) !== undefined);
	return ok({ $_type: 'ConversationResult', hasMoreItems: page.hasMoreItems, nextOffset: page.nextOffset, items: page.items.map((c) => conversationData(sim, c, ctx.query.get('expand'))) });
}

/** @param {any} sim @param {any} ctx */
function getBySource(sim, ctx) {
	const c = sim.conversations.bySource.get(ctx.query.get('sourceId') ?? '');
	if (c === undefined || ctx.query.has('externalMessengerChannelId') && ctx.query.get('externalMessengerChannelId') !== '')
		throw new UnbluError('notFound', `Conversation with sourceId '${ctx.query.get('sourceId')}' not found`);
	ctx.conversation = c.id;
	sim.conversations.mayRead(ctx.identity, c);
	return ok(conversationData(sim, c, ctx.query.get('expand')));
}

/** @param {any} sim @param {any} ctx */
function currentPerson(sim, ctx) {
	if (ctx.identity.person === null)
		throw new UnbluError('forbidden', 'There is no person for this authentication');
	return ok(sim.people.personData(ctx.identity.person));
}

/** @param {any} sim @param {any} ctx */
function personBySource(sim, ctx) {
	const id = ctx.query.get('sourceId') ?? '';
	const person = ctx.query.get('personSource') === 'USER_DB' ? sim.people.byUserId.get(id) : [...sim.people.persons.values()].find((p) => p.personSource === 'VIRTUAL' && p.sourceId === id);
	return found(person, 'Person', (p) => sim.people.personData(p));
}

/** @param {any} item @param {string} what @param {(item: any) => any} view */
function found(item, what, view) {
	if (item === undefined)
		throw new UnbluError('notFound', `${what} not found`);
	return ok(view(item));
}

/** @param {any} sim @param {string} type */
function template(sim, type) {
	return ok({
		$_type: 'ConversationTemplate', id: textOf(`template:${type}`, 22), creationTimestamp: 1700000000000, modificationTimestamp: 1700000000000, version: 1, accountId: sim.people.accountId, name: type,
		description: null, defaultTemplate: true, conversationVisibility: 'PRIVATE', initialEngagementType: type, translations: {}, inheritConfigurationAndTexts: true, configuration: null, text: null, metadata: null,
	});
}
