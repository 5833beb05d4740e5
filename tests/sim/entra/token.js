// @ts-check
/* POST /{tenant}/oauth2/v2.0/token, client credentials with a secret or an assertion (graph.md section 2). */

import { basicClient, formParse } from '../lib/form.js';
import { assertionFault } from './assertion.js';
import { aadError } from './errors.js';
import { userGrant } from './signin.js';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The app tokens that Graph accepts: opaque to clients, a map to us. */
export class TokenStore {
	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
		/** @type {Map<string, { token: string, tenant: string, client: string, roles: string[], issuedAt: number, expiresAt: number }>} */
		this.tokens = new Map();
		this.issued = 0;
		/** Header and claims of the client assertions seen, the newest last. @type {{ header: any, claims: any }[]} */
		this.assertions = [];
	}

	/** @param {{ header: any, claims: any }} a */
	noteAssertion({ header, claims }) {
		this.assertions.push({ header, claims });
		if (this.assertions.length > 100)
			this.assertions.shift();
	}

	/** @param {any} tenant */
	issue(tenant) {
		const { settings, clock, rng } = this.sim;
		const life = settings.entra.expiresIn ?? rng.int(3599, 5399);
		const now = clock.now();
		const head = Buffer.from('{"typ":"JWT","nonce":"' + rng.text(43) + '","alg":"RS256","x5t":"opaque","kid":"opaque"}').toString('base64url');
		const token = { token: `${head}.${rng.text(600)}.${rng.text(342)}`, tenant: tenant.id, client: tenant.app.clientId, roles: tenant.app.roles, issuedAt: now, expiresAt: now + life * 1000 };
		if (this.tokens.size > 5000)
			this.prune(now);
		this.tokens.set(token.token, token);
		this.issued++;
		return { ...token, life };
	}

	/** @param {number} now */
	prune(now) {
		for (const [key, token] of this.tokens)
			if (token.expiresAt < now - 3600_000)
				this.tokens.delete(key);
	}

	/** All tokens of a tenant (or all) stop being accepted. @param {string} [tenant] */
	revoke(tenant) {
		for (const [key, token] of this.tokens)
			if (tenant === undefined || token.tenant === tenant)
				this.tokens.delete(key);
	}
}

/** @param {any} sim @param {any} ctx @param {string} name tenant as in the path */
export function tokenEndpoint(sim, ctx, name) {
	const type = (ctx.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
	const form = type === 'application/x-www-form-urlencoded' ? formParse(ctx.body.toString('utf8')) : null;
	const grant = form?.get('grant_type');
	if (form === null || !grant)
		return aadError(sim, ctx, 900144, { parameter: 'grant_type' });
	const ofUser = userGrant(sim, ctx, form);
	if (ofUser !== null)
		return ofUser;
	if (grant !== 'client_credentials')
		return aadError(sim, ctx, 70003, { grant });
	if (['common', 'consumers', 'organizations'].includes(name.toLowerCase()))
		return aadError(sim, ctx, 9001023);
	const tenant = sim.directory.tenant(name);
	if (tenant === undefined)
		return aadError(sim, ctx, 90002, { tenant: name });
	ctx.tenant = tenant.id;
	if (tenant.throttled)
		return aadError(sim, ctx, 90055);
	const basic = basicClient(ctx.headers.authorization);
	const client = basic?.id ?? form.get('client_id');
	const secret = basic?.secret ?? form.get('client_secret');
	if (!client)
		return aadError(sim, ctx, 900144, { parameter: 'client_id' });
	const directory = tenant.name;
	if (!GUID.test(client) || client.toLowerCase() !== tenant.app.clientId.toLowerCase() || !tenant.app.consented)
		return aadError(sim, ctx, 700016, { client, directory });
	const scopeFault = checkScope(sim, ctx, form.get('scope'), directory);
	if (scopeFault !== null)
		return scopeFault;
	const fault = form.has('client_assertion') ? assertionFault(sim, ctx, tenant, form, name) : checkSecret(sim, ctx, tenant, secret);
	return fault ?? success(sim, tenant);
}

/** @param {any} sim @param {any} ctx @param {string | undefined} scope @param {string} directory */
function checkScope(sim, ctx, scope, directory) {
	if (!scope)
		return aadError(sim, ctx, 900144, { parameter: 'scope' });
	const scopes = scope.split(' ').filter((s) => s !== '');
	if (scopes.length > 1)
		return aadError(sim, ctx, 700022);
	if (!scopes[0].endsWith('/.default'))
		return aadError(sim, ctx, 70011, { scope });
	const resource = scopes[0].slice(0, -'/.default'.length).replace(/\/$/, '');
	const ours = [sim.urls.graph, 'https://graph.microsoft.com', '00000003-0000-0000-c000-000000000000'];
	return ours.includes(resource) ? null : aadError(sim, ctx, 500011, { resource, directory });
}

/** @param {any} sim @param {any} ctx @param {any} tenant @param {string | undefined} secret */
function checkSecret(sim, ctx, tenant, secret) {
	const client = tenant.app.clientId;
	if (!secret)
		return aadError(sim, ctx, 7000218);
	const found = tenant.app.secrets.find((/** @type {any} */ s) => s.value === secret);
	if (found === undefined)
		return aadError(sim, ctx, 7000215, { client });
	if (found.expiresAt !== undefined && found.expiresAt !== null && found.expiresAt <= sim.clock.now())
		return aadError(sim, ctx, 7000222, { client });
	return null;
}

/** @param {any} sim @param {any} tenant */
function success(sim, tenant) {
	const { token, life } = sim.tokens.issue(tenant);
	return {
		status: 200,
		headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store, no-cache', Pragma: 'no-cache' },
		body: { token_type: 'Bearer', expires_in: life, ext_expires_in: life, access_token: token },
	};
}
