// @ts-check
/*
 * The Auth Gateway: an OAuth 2 token endpoint for the server, and the acceptance of Entra user tokens
 * from the browser. It decides who the caller is for Unblu (unblu.md section 8).
 */

import { basicClient, basicPair, formParse } from '../lib/form.js';

/**
 * @typedef {{ kind: 'client' | 'user' | 'basic' | 'session' | 'none', role: string, person: any, label: string }} Identity
 */

export class Gateway {
	/** @param {any} sim @param {{ clientId: string, clientSecret: string }} client */
	constructor(sim, client) {
		this.sim = sim;
		this.client = { ...client };
		/** @type {Map<string, number>} token -> expiry */
		this.tokens = new Map();
		/** @type {Map<string, any>} session cookie -> person */
		this.sessions = new Map();
		/** @type {Map<string, { claims: any }>} verified user tokens: the signature is checked once */
		this.seen = new Map();
		this.issued = 0;
		/** Calls that named an agent, the newest last. @type {{ path: string, agent: string, role: string | null, known: boolean }[]} */
		this.acted = [];
	}

	/** @param {any} ctx */
	token(ctx) {
		const type = (ctx.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
		const form = type === 'application/x-www-form-urlencoded' ? formParse(ctx.body.toString('utf8')) : null;
		const grant = form?.get('grant_type');
		if (form === null || !grant)
			return oauthError(ctx, 400, 'invalid_request', 'grant_type is missing or the body is not form-encoded');
		if (grant !== 'client_credentials')
			return oauthError(ctx, 400, 'unsupported_grant_type', grant);
		const hasHeader = ctx.headers.authorization !== undefined;
		const auth = this.sim.settings.gateway.clientAuth;
		const given = hasHeader ? basicClient(ctx.headers.authorization) : form.has('client_id') ? { id: form.get('client_id'), secret: form.get('client_secret') ?? '' } : null;
		if (hasHeader && form.has('client_secret'))
			return oauthError(ctx, 400, 'invalid_request', 'two ways of client authentication');
		if (auth !== 'both' && (auth === 'basic') !== hasHeader || given === null || given.id !== this.client.clientId || given.secret !== this.client.clientSecret)
			return oauthError(ctx, 401, 'invalid_client', 'client authentication failed');
		return this.issue();
	}

	issue() {
		const { settings, clock, rng } = this.sim;
		const life = settings.gateway.expiresIn;
		const token = `gw.${rng.text(64)}`;
		this.tokens.set(token, clock.now() + (life ?? 3600) * 1000);
		this.issued++;
		return {
			status: 200, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache' },
			body: { access_token: token, token_type: 'Bearer', ...(life === null ? {} : { expires_in: life }) },
		};
	}

	/** Who calls; null: nobody we know. @param {any} ctx @returns {Identity | null} */
	identify(ctx) {
		const header = ctx.headers.authorization;
		if (header === undefined)
			return this.bySession(ctx.headers.cookie);
		const bearer = /^Bearer +(\S+)$/i.exec(header);
		if (bearer === null)
			return this.byPassword(header);
		return bearer[1].startsWith('gw.') ? this.byClientToken(ctx, bearer[1]) : this.byUserToken(bearer[1]);
	}

	/** @param {any} ctx @param {string} token @returns {Identity | null} */
	byClientToken(ctx, token) {
		const expiresAt = this.tokens.get(token);
		if (expiresAt === undefined || expiresAt <= this.sim.clock.now())
			return null;
		const g = this.sim.settings.gateway;
		const actAs = ctx.headers[g.actAsHeader.toLowerCase()];
		if (g.trustActAs && typeof actAs === 'string') {
			const person = this.sim.people.findAgent(actAs);
			this.acted.push({ path: ctx.path, agent: actAs, role: ctx.headers[g.actAsRoleHeader.toLowerCase()] ?? null, known: person !== undefined });
			if (this.acted.length > 1000)
				this.acted.shift();
			return person === undefined ? null : { kind: 'client', role: person.role, person, label: `as ${person.username}` };
		}
		/* A service principal has a role but no person. */
		return { kind: 'client', role: g.role, person: null, label: 'gateway client' };
	}

	/** @param {string} token @returns {Identity | null} */
	byUserToken(token) {
		const { sim } = this;
		let known = this.seen.get(token);
		if (known === undefined) {
			const claims = sim.keys.verify(token);
			if (claims === null)
				return null;
			known = { claims };
			if (this.seen.size > 1000)
				this.seen.clear();
			this.seen.set(token, known);
		}
		const { claims } = known;
		const now = sim.clock.now() / 1000;
		const audiences = [sim.directory.clientId, `api://${sim.directory.clientId}`];
		if (!audiences.includes(claims.aud) || !(claims.exp > now - 300) || !(claims.nbf < now + 300) || !sim.directory.tenants.has(claims.tid) || claims.oid === undefined)
			return null;
		const person = sim.people.byOid.get(claims.oid);
		return person === undefined || person.tenant !== claims.tid ? null : { kind: 'user', role: person.role, person, label: person.username };
	}

	/** @param {string} header @returns {Identity | null} */
	byPassword(header) {
		const pair = basicPair(header);
		const person = pair === null ? undefined : this.sim.people.byUsername.get(pair[0].toLowerCase());
		return person === undefined || pair === null || person.password !== pair[1] ? null : { kind: 'basic', role: person.role, person, label: person.username };
	}

	/** @param {string | undefined} cookie @returns {Identity | null} */
	bySession(cookie) {
		const m = /(?:^|;\s*)unblu-session=([A-Za-z0-9_-]+)/.exec(cookie ?? '');
		const person = m === null ? undefined : this.sessions.get(m[1]);
		return person === undefined ? null : { kind: 'session', role: person.role, person, label: person.username };
	}

	/** @param {any} body */
	login(body) {
		const person = this.sim.people.byUsername.get(String(body?.username ?? '').toLowerCase());
		const success = person !== undefined && person.password === body?.password;
		/** @type {Record<string, string>} */
		const headers = {};
		if (success) {
			const session = this.sim.rng.text(32);
			this.sessions.set(session, person);
			headers['Set-Cookie'] = `unblu-session=${session}; Path=/; HttpOnly`;
		}
		return { status: 200, headers, body: { $_type: 'LoginResult', success } };
	}

	/** Tokens stop being accepted. */
	revoke() {
		this.tokens.clear();
		this.sessions.clear();
	}
}

/** @param {any} ctx @param {number} status @param {string} error @param {string} text */
export function oauthError(ctx, status, error, text) {
	ctx.code = error;
	return {
		status, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...(status === 401 ? { 'WWW-Authenticate': 'Basic realm="gateway"' } : {}) },
		body: { error, error_description: text },
	};
}
