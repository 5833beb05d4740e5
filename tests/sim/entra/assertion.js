// @ts-check
/*
 * Client assertions (graph.md 2.4, 2.5): of a registered certificate, PS256 with x5t#S256 or the older RS256
 * with x5t; or of a federated issuer, one credential per exact issuer, subject and audience.
 */

import { X509Certificate, constants, createHash, createPublicKey, verify } from 'node:crypto';
import { aadError } from './errors.js';

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SKEW_S = 300;
const LIFE_MAX_S = 24 * 3600;

/** @typedef {{ header: any, claims: any, input: Buffer, signature: Buffer }} Assertion */

/** @param {string} text @returns {Assertion | null} */
function parse(text) {
	const parts = text.split('.');
	if (parts.length !== 3 || parts.some((p) => !/^[A-Za-z0-9_-]+$/.test(p)))
		return null;
	try {
		const [header, claims] = parts.slice(0, 2).map((p) => JSON.parse(Buffer.from(p, 'base64url').toString('utf8')));
		return { header, claims, input: Buffer.from(`${parts[0]}.${parts[1]}`), signature: Buffer.from(parts[2], 'base64url') };
	} catch {
		return null;
	}
}

/** @param {X509Certificate} cert @param {string} digest */
function thumbprint(cert, digest) {
	return createHash(digest).update(cert.raw).digest('base64url');
}

/** @param {Assertion} a @param {import('node:crypto').KeyObject} key */
function isSigned(a, key) {
	if (a.header.alg === 'PS256')
		return verify('sha256', a.input, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, a.signature);
	return a.header.alg === 'RS256' && verify('sha256', a.input, key, a.signature);
}

/** @param {any} sim @param {any} ctx @param {any} claims */
function timeFault(sim, ctx, claims) {
	const now = sim.clock.now() / 1000;
	const { nbf = now, exp } = claims;
	if (nbf <= now + SKEW_S && exp > now - SKEW_S && exp - nbf <= LIFE_MAX_S)
		return null;
	const text = (/** @type {number} */ s) => Number.isFinite(s) ? new Date(s * 1000).toISOString() : 'none';
	return aadError(sim, ctx, 700024, { now: text(now), from: text(nbf), until: text(exp) });
}

/** @param {any} sim @param {any} ctx @param {any} tenant @param {Assertion} a @param {string} name tenant as in the path */
function certificateFault(sim, ctx, tenant, a, name) {
	const client = tenant.app.clientId;
	const known = tenant.app.certificates.map((/** @type {string} */ pem) => new X509Certificate(pem));
	const cert = known.find((/** @type {X509Certificate} */ c) => a.header['x5t#S256'] === thumbprint(c, 'sha256') || a.header.x5t === thumbprint(c, 'sha1'));
	if (cert === undefined)
		return aadError(sim, ctx, 700027, { client, reason: 'The key was not found.' });
	if (Date.parse(cert.validTo) <= sim.clock.now())
		return aadError(sim, ctx, 700027, { client, reason: 'The key used is expired.' });
	if (!isSigned(a, cert.publicKey))
		return aadError(sim, ctx, 700027, { client, reason: 'Client assertion contains an invalid signature.' });
	if (a.claims.aud !== `${sim.urls.entra}/${name}/oauth2/v2.0/token`)
		return aadError(sim, ctx, 50027, { reason: 'Invalid audience.' });
	if (a.claims.iss !== client || a.claims.sub !== client || typeof a.claims.jti !== 'string' || a.claims.jti === '')
		return aadError(sim, ctx, 50027, { reason: 'iss, sub or jti is wrong or missing.' });
	return timeFault(sim, ctx, a.claims);
}

/** @param {any} sim @param {any} ctx @param {any} tenant @param {Assertion} a */
function federatedFault(sim, ctx, tenant, a) {
	const { iss, sub, aud } = a.claims;
	const audiences = Array.isArray(aud) ? aud : [aud];
	let left = tenant.app.federated.filter((/** @type {any} */ f) => f.issuer === iss);
	if (left.length === 0)
		return aadError(sim, ctx, 700211, { issuer: iss });
	left = left.filter((/** @type {any} */ f) => f.subject === sub);
	if (left.length === 0)
		return aadError(sim, ctx, 700213, { subject: sub });
	left = left.filter((/** @type {any} */ f) => audiences.includes(f.audience));
	if (left.length === 0)
		return aadError(sim, ctx, 700212, { audience: aud });
	if (!isSigned(a, createPublicKey(left[0].publicKey)))
		return aadError(sim, ctx, 700027, { client: tenant.app.clientId, reason: 'Client assertion contains an invalid signature.' });
	return timeFault(sim, ctx, a.claims);
}

/**
 * What is wrong with it, or null.
 * @param {any} sim @param {any} ctx @param {any} tenant @param {Map<string, string>} form @param {string} name tenant as in the path
 */
export function assertionFault(sim, ctx, tenant, form, name) {
	if (form.get('client_assertion_type') !== TYPE)
		return aadError(sim, ctx, 900144, { parameter: 'client_assertion_type' });
	const a = parse(form.get('client_assertion') ?? '');
	if (a === null)
		return aadError(sim, ctx, 50027, { reason: 'No JWS in compact form.' });
	sim.tokens.noteAssertion(a);
	return a.claims.iss === tenant.app.clientId || a.header['x5t#S256'] !== undefined
		? certificateFault(sim, ctx, tenant, a, name) : federatedFault(sim, ctx, tenant, a);
}
