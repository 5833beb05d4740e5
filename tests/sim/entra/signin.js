// @ts-check
/*
 * A person's sign-in in the browser: authorization code with PKCE for a single-page application, as MSAL uses it
 * (office-addin.md sections 7 and 8c). Who signs in, and what they answer, is settings.entra.signIn.
 */

import { createHash } from 'node:crypto';
import { aadError } from './errors.js';

const CODE_MS = 600_000;
const REFRESH_MS = 86_400_000;

/** @typedef {{ user: any, client: string, redirectUri: string, challenge: string, nonce: string | null, scope: string, until: number }} Code */

/** @param {any} value */
const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Codes and refresh tokens that were given. */
export class SignIns {
	constructor() {
		/** @type {Map<string, Code>} */
		this.codes = new Map();
		/** @type {Map<string, { user: any, scope: string, until: number }>} */
		this.refresh = new Map();
	}
}

/** @param {string} title @param {string} text */
function page(title, text) {
	return { status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8', 'X-Frame-Options': 'DENY' }, body: `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1><p>${text}</p></body></html>` };
}

/** Entra shows what it can not send back. @param {string} code @param {string} text */
function errorPage(code, text) {
	return { ...page('Sign in to your account', `AADSTS${code}: ${text}`), status: 400 };
}

/** @param {any} sim @param {any} ctx */
function whoIsIt(sim, ctx) {
	const { user } = sim.settings.entra.signIn;
	return sim.directory.anyUser(user ?? ctx.query.get('login_hint') ?? '') ?? [...sim.directory.users.values()][0];
}

/** What is wrong with the request, for which no answer goes to redirect_uri. @param {any} sim @param {any} ctx */
function unanswerable(sim, ctx) {
	const client = ctx.query.get('client_id') ?? '';
	const uri = ctx.query.get('redirect_uri') ?? '';
	const { redirectUris } = sim.settings.entra.signIn;
	if (client.toLowerCase() !== sim.directory.clientId.toLowerCase())
		return errorPage('700016', `Application with identifier '${client.replace(/[^\w-]/g, '')}' was not found in the directory.`);
	if (redirectUris !== null && !redirectUris.includes(uri) || !/^https?:\/\//.test(uri))
		return errorPage('50011', 'The redirect URI specified in the request does not match the redirect URIs configured for the application.');
	return null;
}

/** GET /{tenant}/oauth2/v2.0/authorize @param {any} sim @param {any} ctx */
export function authorize(sim, ctx) {
	const wrong = unanswerable(sim, ctx);
	if (wrong !== null)
		return wrong;
	const q = ctx.query;
	const state = q.get('state') ?? '';
	const { answer } = sim.settings.entra.signIn;
	if (answer === 'page')
		return page('Sign in to your account', 'Enter password');
	if (q.get('response_type') !== 'code' || q.get('code_challenge_method') !== 'S256' || !q.get('code_challenge'))
		return back(ctx, { error: 'invalid_request', error_description: 'AADSTS9002325: Proof Key for Code Exchange is required for cross-origin authorization code redemption.', state });
	const refusals = /** @type {Record<string, string[]>} */ ({
		cancel: ['access_denied', 'AADSTS65004: User declined to consent to access the app.'], consent: ['consent_required', 'AADSTS65001: The user or administrator has not consented to use the application.'],
		conditional: ['interaction_required', 'AADSTS53003: Access has been blocked by Conditional Access policies.'],
	});
	if (answer in refusals)
		return back(ctx, { error: refusals[answer][0], error_description: refusals[answer][1], state });
	const code = `1.${sim.rng.text(120)}`;
	sim.signIns.codes.set(code, { user: whoIsIt(sim, ctx), client: q.get('client_id'), redirectUri: q.get('redirect_uri'), challenge: q.get('code_challenge'), nonce: q.get('nonce'), scope: q.get('scope') ?? '', until: sim.clock.now() + CODE_MS });
	const user = whoIsIt(sim, ctx);
	return back(ctx, { code, client_info: b64({ uid: user.oid, utid: user.tenant }), state, session_state: sim.rng.guid() });
}

/** @param {any} ctx @param {Record<string, string>} values */
function back(ctx, values) {
	const mark = ctx.query.get('response_mode') === 'query' ? '?' : '#';
	return { status: 302, headers: { Location: `${ctx.query.get('redirect_uri')}${mark}${new URLSearchParams(values)}`, 'Cache-Control': 'no-store' } };
}

/** @param {any} sim @param {any} ctx @param {Map<string, string>} form */
function redeemCode(sim, ctx, form) {
	const code = sim.signIns.codes.get(form.get('code') ?? '');
	sim.signIns.codes.delete(form.get('code') ?? '');
	if (code === undefined || code.until < sim.clock.now())
		return aadError(sim, ctx, 70008);
	const given = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
	if (given !== code.challenge)
		return aadError(sim, ctx, 501481);
	if (form.get('redirect_uri') !== code.redirectUri)
		return aadError(sim, ctx, 500112);
	return grant(sim, ctx, code.user, code.scope, code.nonce);
}

/** @param {any} sim @param {any} ctx @param {any} user @param {string} scope @param {string | null} nonce */
function grant(sim, ctx, user, scope, nonce) {
	ctx.tenant = user.tenant;
	const refreshToken = `1.${sim.rng.text(400)}`;
	sim.signIns.refresh.set(refreshToken, { user, scope, until: sim.clock.now() + REFRESH_MS });
	const life = sim.settings.entra.expiresIn ?? 3599;
	const access = sim.keys.mint({ oid: user.oid, expiresIn: life });
	const id = sim.keys.mint({ oid: user.oid, claims: { nonce, scp: null, azp: null, azpacr: null, preferred_username: user.upn, name: user.name } });
	return {
		status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store, no-cache', Pragma: 'no-cache' },
		body: { token_type: 'Bearer', scope, expires_in: life, ext_expires_in: life, access_token: access.token, refresh_token: refreshToken, id_token: id.token, client_info: b64({ uid: user.oid, utid: user.tenant }) },
	};
}

/** The grants of a browser at the token endpoint; null: not one of them. @param {any} sim @param {any} ctx @param {Map<string, string> | null} form */
export function userGrant(sim, ctx, form) {
	const type = form?.get('grant_type');
	if (form === null || type !== 'authorization_code' && type !== 'refresh_token')
		return null;
	if ((form.get('client_id') ?? '').toLowerCase() !== sim.directory.clientId.toLowerCase())
		return aadError(sim, ctx, 700016, { client: form.get('client_id'), directory: '' });
	/* A single-page application's codes are redeemed cross-origin only. */
	if (ctx.headers.origin === undefined)
		return aadError(sim, ctx, 9002327);
	if (type === 'authorization_code')
		return redeemCode(sim, ctx, form);
	const held = sim.signIns.refresh.get(form.get('refresh_token') ?? '');
	if (held === undefined || held.until < sim.clock.now())
		return aadError(sim, ctx, 700084);
	return grant(sim, ctx, held.user, held.scope, null);
}
