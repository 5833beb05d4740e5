// @ts-check
/* Entra ID: token endpoint, discovery documents and keys. */

import { pathDecode } from '../lib/form.js';
import { aadError } from './errors.js';
import { authorize } from './signin.js';
import { tokenEndpoint } from './token.js';

const WELL_KNOWN = '/.well-known/openid-configuration';
const SHARED = ['common', 'organizations', 'consumers'];

/** @param {any} sim @returns {import('../lib/listener.js').Service} */
export function entraService(sim) {
	return {
		name: 'entra',
		latency: () => sim.settings.entra.latencyMs,
		error: (ctx, status, code, message) => {
			if (status === 413 || code === 'simulatorViolation')
				return { status, body: { error: 'server_error', error_description: message ?? 'body too large' } };
			const known = Number(String(code ?? '').replace(/^AADSTS/, ''));
			return aadError(sim, ctx, known || (status === 429 ? 90055 : status === 504 ? 90012 : 90033), {}, status);
		},
		decorate: (ctx, reply) => {
			reply.headers = { 'x-ms-request-id': ctx.requestId, 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains', 'X-Content-Type-Options': 'nosniff', ...(ctx.headers.origin === undefined ? {} : { 'Access-Control-Allow-Origin': '*' }), ...reply.headers };
		},
		resolve: (ctx) => resolve(sim, ctx),
	};
}

/** @param {any} sim @param {any} ctx @returns {import('../lib/listener.js').Route} */
function resolve(sim, ctx) {
	const [, rawName = '', ...rest] = ctx.path.split('/');
	const name = pathDecode(rawName);
	ctx.tenant = sim.directory.tenant(name)?.id;
	const tail = `${ctx.method} /${rest.join('/')}`;
	switch (tail) {
	case 'POST /oauth2/v2.0/token':
		/* The document has the grant of servers only. */
		return { op: 'token', spec: /(^|&)grant_type=(authorization_code|refresh_token)(&|$)/.test(ctx.body.toString('utf8')) ? null : 'POST /{tenant}/oauth2/v2.0/token', run: () => tokenEndpoint(sim, ctx, name) };
	case 'GET /oauth2/v2.0/authorize':
		return { op: 'authorize', spec: null, run: () => authorize(sim, ctx) };
	case `GET /v2.0${WELL_KNOWN}`:
		return { op: 'discovery', spec: `GET /{tenant}/v2.0${WELL_KNOWN}`, run: () => discovery(sim, ctx, name, true) };
	case `GET ${WELL_KNOWN}`:
		return { op: 'discovery', spec: `GET /{tenant}${WELL_KNOWN}`, run: () => discovery(sim, ctx, name, false) };
	case 'GET /discovery/v2.0/keys':
		return { op: 'keys', spec: 'GET /{tenant}/discovery/v2.0/keys', run: () => ({ status: 200, body: sim.keys.document(sim.urls.entra, true) }) };
	case 'GET /discovery/keys':
		return { op: 'keys', spec: 'GET /{tenant}/discovery/keys', run: () => ({ status: 200, body: sim.keys.document(sim.urls.entra, false) }) };
	default:
		return { op: 'unknown', spec: null, run: () => ({ status: 404, headers: { 'Content-Type': 'text/html' }, body: '<html><body>404</body></html>' }) };
	}
}

/** @param {any} sim @param {any} ctx @param {string} name @param {boolean} v2 */
function discovery(sim, ctx, name, v2) {
	const shared = SHARED.includes(name.toLowerCase());
	const tenant = sim.directory.tenant(name);
	if (!shared && tenant === undefined)
		return aadError(sim, ctx, 90002, { tenant: name });
	const login = sim.urls.entra;
	const id = shared ? '{tenantid}' : tenant.id;
	const seg = v2 ? '/v2.0' : '';
	return {
		status: 200,
		body: {
			token_endpoint: `${login}/${name}/oauth2${seg}/token`,
			token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic', 'self_signed_tls_client_auth'],
			jwks_uri: `${login}/${name}/discovery${seg}/keys`,
			response_modes_supported: ['query', 'fragment', 'form_post'],
			subject_types_supported: ['pairwise'],
			id_token_signing_alg_values_supported: ['RS256'],
			response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
			scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
			issuer: v2 ? `${login}/${id}/v2.0` : `https://sts.windows.net/${id}/`,
			authorization_endpoint: `${login}/${name}/oauth2${seg}/authorize`,
			claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'acr', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'at_hash', 'c_hash', 'email'],
			tenant_region_scope: null, cloud_instance_name: 'microsoftonline.com',
		},
	};
}
