// @ts-check
/*
 * session.js - who is signed in, and tokens. The host's nested sign-in first, Office's dialog with auth.html otherwise.
 * Tokens stay in memory and, from the dialog, in sessionStorage.
 */

import { AddinError } from './errors.js';

/** @typedef {import('./msal-port.js').Token} Token */

/**
 * @typedef {object} Session
 * @property {(how?: { interactive?: boolean, force?: boolean }) => Promise<Token>} token a valid one; without interactive AddinError `signin-needed` when a person is needed. AddinError `tenant` for a foreign organisation
 * @property {() => Promise<void>} signOut forgets tokens here; the next sign-in asks which account
 * @property {() => { signedIn: boolean, signedOut: boolean, username: string, way: 'nested' | 'dialog' | 'none' }} state
 */

const TOKEN = 'unblu.token';
const WAY = 'unblu.way';
const SIGNED_OUT = 'unblu.signedOut';
const EARLY_MS = 60_000;
const SILENT_MS = 8000;

/** Storage that may be missing or refuse. @param {() => Storage} get @returns {{ get(key: string): string | null, set(key: string, value: string | null): void }} */
export function safeStorage(get) {
	return {
		get(key) {
			try {
				return get().getItem(key);
			} catch {
				return null;
			}
		},
		set(key, value) {
			try {
				if (value === null)
					get().removeItem(key);
				else
					get().setItem(key, value);
			} catch {
				/* not kept */
			}
		},
	};
}

/** The claims of a JWT, unverified; null for an opaque token. @param {string} token @returns {any} */
export function claimsOf(token) {
	try {
		const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
		return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
	} catch {
		return null;
	}
}

/** @param {any} e */
const needsPerson = (e) => e?.name === 'InteractionRequiredAuthError' || /interaction_required|login_required|consent_required/.test(String(e?.errorCode ?? ''));

/** @param {unknown} e @returns {Promise<AddinError>} */
async function faultOf(e) {
	return e instanceof AddinError ? e : (await import('./session-fault.js')).signinFault(e);
}

/** Faults that another way of signing in would meet again. */
const FINAL = ['signin-cancelled', 'signin-consent', 'signin-conditional', 'tenant', 'timeout'];

/**
 * @param {object} env
 * @param {import('./config.js').Config} env.config
 * @param {() => boolean} env.nestedIsPossible
 * @param {() => Promise<import('./msal-port.js').Nested>} env.nested
 * @param {AbortSignal} env.signal closes an open dialog
 * @param {string} env.authUrl absolute address of auth.html
 * @param {string} env.hint mail address
 * @param {ReturnType<typeof safeStorage>} env.storage sessionStorage
 * @param {() => number} env.now
 * @param {() => string} env.uuid
 * @param {(ms: number) => Promise<void>} env.sleep
 * @param {import('./log.js').Log} env.log
 * @returns {Session}
 */
export function createSession({ config, nestedIsPossible, nested, signal, authUrl, hint, storage, now, uuid, sleep, log }) {
	/** @type {Token | null} */
	let held = storedToken();
	/** @type {Promise<import('./msal-port.js').Nested> | null} */
	let nestedApp = null;
	/** @type {{ interactive: boolean, force: boolean, promise: Promise<Token> } | null} */
	let running = null;

	function storedToken() {
		try {
			const t = JSON.parse(storage.get(TOKEN) ?? 'null');
			return t !== null && typeof t.accessToken === 'string' && t.clientId === config.clientId ? t : null;
		} catch {
			return null;
		}
	}

	const dialogOnly = () => storage.get(WAY) === 'dialog' || !nestedIsPossible();
	/** @param {Token | null} t @returns {t is Token} */
	const isFresh = (t) => t !== null && t.expiresAt - EARLY_MS > now();

	/** @param {Token} token */
	function checkTenant(token) {
		const tenant = String(claimsOf(token.accessToken)?.tid ?? token.tenantId).toLowerCase();
		if (config.tenantIds.length > 0 && !config.tenantIds.includes(tenant))
			throw new AddinError('tenant', { said: `tenant ${tenant}`, params: { tenant } });
	}

	/** @param {boolean} interactive @param {boolean} force @returns {Promise<Token>} */
	async function byNested(interactive, force) {
		nestedApp ??= nested();
		const app = await nestedApp.catch((e) => {
			nestedApp = null;
			throw e;
		});
		try {
			return await Promise.race([app.silent(force), sleep(SILENT_MS).then(() => {
				throw new AddinError('nested-silent', { said: 'no answer in time' });
			})]);
		} catch (e) {
			if (!needsPerson(e))
				throw e;
			if (!interactive)
				throw new AddinError('signin-needed');
			return app.popup();
		}
	}

	/** @returns {Promise<Token>} */
	async function byDialog() {
		const { signInByDialog } = await import('./session-dialog.js');
		const signedOut = storage.get(SIGNED_OUT) !== null;
		return signInByDialog({ authUrl, nonce: uuid(), select: signedOut, hint: signedOut ? '' : hint, signal });
	}

	/** @param {boolean} interactive @param {boolean} force @returns {Promise<Token>} */
	async function acquire(interactive, force) {
		if (storage.get(SIGNED_OUT) !== null && !interactive)
			throw new AddinError('signin-needed');
		if (!force && isFresh(held))
			return held;
		if (!dialogOnly())
			try {
				return keep(await byNested(interactive, force), 'nested');
			} catch (e) {
				const fault = await faultOf(e);
				log.add('nested', { code: fault.code, said: fault.details.said });
				if (fault.code === 'signin-needed' || FINAL.includes(fault.code))
					throw fault;
				storage.set(WAY, 'dialog');
			}
		if (!interactive)
			throw new AddinError('signin-needed');
		return keep(await byDialog(), 'dialog');
	}

	/** @param {Token} token @param {'nested' | 'dialog'} way */
	function keep(token, way) {
		checkTenant(token);
		held = token;
		storage.set(SIGNED_OUT, null);
		/* Nested tokens stay with the host, which has its own cache. */
		if (way === 'dialog')
			storage.set(TOKEN, JSON.stringify({ ...token, clientId: config.clientId }));
		log.add('signed-in', { way });
		return token;
	}

	return {
		async token({ interactive = false, force = false } = {}) {
			if (running !== null && (running.interactive || !interactive) && (running.force || !force))
				return running.promise;
			if (running !== null)
				await running.promise.catch(() => undefined);
			const promise = acquire(interactive, force);
			const mine = { interactive, force, promise };
			running = mine;
			try {
				return await promise;
			} catch (e) {
				throw await faultOf(e);
			} finally {
				if (running === mine)
					running = null;
			}
		},
		async signOut() {
			held = null;
			nestedApp = null;
			storage.set(TOKEN, null);
			storage.set(SIGNED_OUT, '1');
			log.add('signed-out');
		},
		state: () => ({ signedIn: isFresh(held), signedOut: storage.get(SIGNED_OUT) !== null, username: held?.username ?? '', way: held === null ? 'none' : dialogOnly() ? 'dialog' : 'nested' }),
	};
}
