// @ts-check
/* Signing keys of Entra, the key documents, and user tokens for our own API (graph.md section 3). */

import { createHash, createHmac, createPublicKey, generateKeyPair, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { selfSigned } from './certificate.js';

const makePair = promisify(generateKeyPair);
/** Making a key takes a fifth of a second; the simulators of one process share them, in the order of their use. @type {Promise<{ publicKey: import('node:crypto').KeyObject, privateKey: import('node:crypto').KeyObject }>[]} */
const pairs = [];
const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

/** @typedef {{ kid: string, publicKey: import('node:crypto').KeyObject, privateKey: import('node:crypto').KeyObject, published: boolean, personal: boolean, jwk: any, cert: string }} SigningKey */

export class Keys {
	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
		/** @type {SigningKey[]} */
		this.keys = [];
		/** @type {SigningKey | null} */
		this.signer = null;
		this.made = 0;
	}

	/** Two keys for every tenant and one of the personal accounts, as the real document mixes them. */
	async start() {
		const [first, personal] = await Promise.all([this.make(), this.make()]);
		personal.personal = true;
		this.keys = [first, personal];
		this.signer = first;
	}

	/** @returns {Promise<SigningKey>} */
	async make() {
		const pair = await (pairs[this.made++] ??= makePair('rsa', { modulusLength: 2048 }));
		const der = selfSigned(pair, this.sim.rng.bytes(8), this.sim.clock.now());
		const kid = createHash('sha1').update(der).digest('base64url');
		return { kid, ...pair, published: true, personal: false, jwk: pair.publicKey.export({ format: 'jwk' }), cert: der.toString('base64') };
	}

	/**
	 * A new key; it signs from now on unless `sign` is false. The old ones stay published unless
	 * `retire`; with `publish` false the new one is not in the document yet.
	 * @param {{ retire?: boolean, publish?: boolean, sign?: boolean }} [how]
	 */
	async rotate(how = {}) {
		const fresh = await this.make();
		fresh.published = how.publish ?? true;
		if (how.retire)
			this.keys = this.keys.filter((k) => k.personal);
		this.keys.push(fresh);
		if (how.sign !== false)
			this.signer = fresh;
		return this.describe();
	}

	/** @param {string} kid @param {boolean} published */
	publish(kid, published) {
		const key = this.keys.find((k) => k.kid === kid);
		if (key === undefined)
			throw new RangeError(`no key ${kid}`);
		key.published = published;
	}

	describe() {
		return this.keys.map((k) => ({ kid: k.kid, published: k.published, personal: k.personal, signs: k === this.signer }));
	}

	/** @param {string} login @param {boolean} v2 */
	document(login, v2) {
		return {
			keys: this.keys.filter((k) => k.published).map((k) => ({
				kty: 'RSA', use: 'sig', kid: k.kid, x5t: k.kid, n: k.jwk.n, e: k.jwk.e, x5c: [k.cert],
				...(v2 ? { issuer: `${login}/${k.personal ? PERSONAL_TENANT : '{tenantid}'}/v2.0` } : {}),
			})),
		};
	}

	/**
	 * A user token for our API, or a deliberately wrong one.
	 * @param {any} want tenant, oid, ver, aud, scp, client, expiresIn, notBefore, claims (merged last; null removes), header, alg, kid, tamper, personalKey, appOnly
	 */
	mint(want) {
		const { sim } = this;
		const user = sim.directory.anyUser(want.oid ?? want.upn ?? '') ?? null;
		const tid = want.tenant ?? user?.tenant ?? [...sim.directory.tenants.keys()][0];
		const key = want.personalKey ? this.keys.find((k) => k.personal) : want.kid === undefined ? this.signer : this.keys.find((k) => k.kid === want.kid) ?? this.signer;
		if (!key)
			throw new RangeError('no signing key');
		const header = { typ: 'JWT', alg: want.alg ?? 'RS256', kid: want.kid ?? key.kid, ...(want.ver === '1.0' ? { x5t: key.kid } : {}), ...want.header };
		const claims = dropNulls({ ...this.claims(want, tid, user), ...want.claims });
		const input = `${b64(header)}.${b64(claims)}`;
		let signature = signWith(header.alg, input, key);
		if (want.tamper)
			signature = Buffer.from(signature.map((b, i) => i === 5 ? b ^ 1 : b));
		return { token: `${input}.${signature.toString('base64url')}`, header, claims };
	}

	/** @param {any} want @param {string} tid @param {any} user */
	claims(want, tid, user) {
		const { sim } = this;
		const v1 = want.ver === '1.0';
		const now = Math.floor(sim.clock.now() / 1000);
		const client = want.client ?? sim.directory.clientId;
		const oid = want.oid ?? user?.oid ?? sim.rng.guid();
		const name = want.upn ?? user?.upn ?? `user@${tid}.example`;
		return {
			aud: want.aud ?? (v1 ? `api://${client}` : client),
			iss: want.iss ?? (v1 ? `https://sts.windows.net/${tid}/` : `${sim.urls.entra}/${tid}/v2.0`),
			iat: now - 5, nbf: now + (want.notBefore ?? -5), exp: now + (want.expiresIn ?? 3900),
			...(v1 ? { appid: client, appidacr: '0', upn: name, unique_name: name } : { azp: client, azpacr: '0', preferred_username: name }),
			...(want.appOnly ? { roles: ['access_as_app'], idtyp: 'app' } : { scp: want.scp ?? 'access_as_user', name: want.name ?? user?.name ?? name }),
			oid, sub: want.appOnly ? oid : b64hash(`${oid}/${client}`), tid, uti: sim.rng.text(22), ver: v1 ? '1.0' : '2.0',
		};
	}

	/** Claims of a genuine token of ours, or null. @param {string} token */
	verify(token) {
		const parts = token.split('.');
		if (parts.length !== 3)
			return null;
		try {
			const header = JSON.parse(Buffer.from(parts[0], 'base64url').toString('utf8'));
			const key = this.keys.find((k) => k.kid === header.kid);
			if (header.alg !== 'RS256' || key === undefined || !verify('sha256', Buffer.from(`${parts[0]}.${parts[1]}`), key.publicKey, Buffer.from(parts[2], 'base64url')))
				return null;
			return JSON.parse(Buffer.from(parts[1], 'base64url').toString('utf8'));
		} catch {
			return null;
		}
	}
}

/** @param {any} value */
function b64(value) {
	return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

/** @param {string} text */
function b64hash(text) {
	return createHash('sha256').update(text).digest('base64url');
}

/** @param {any} object */
function dropNulls(object) {
	return Object.fromEntries(Object.entries(object).filter(([, v]) => v !== null));
}

/** @param {string} alg @param {string} input @param {SigningKey} key @returns {Buffer} */
function signWith(alg, input, key) {
	if (alg === 'none')
		return Buffer.alloc(0);
	if (alg === 'HS256') {
		/* The classic confusion: the public key as the shared secret. */
		const pem = createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' });
		return createHmac('sha256', pem).update(input).digest();
	}
	return sign(alg === 'RS384' ? 'sha384' : alg === 'RS512' ? 'sha512' : 'sha256', Buffer.from(input), key.privateKey);
}
