// @ts-check
/*
 * session.js - who is signed in, and tokens. The host's nested sign-in first, Office's dialog with auth.html otherwise.
 * Tokens stay in memory and, from the dialog, in sessionStorage, for this mailbox only. The one file that knows MSAL
 * (vendor/msal-browser.min.js, global `msal`) and its nested bridge.
 */

import { AddinError, partLoaded } from './errors.js';

/**
 * @typedef {object} Session
 * @property {(how?: { interactive?: boolean, force?: boolean }) => Promise<Token>} token a valid one; without interactive AddinError `signin-needed` when a person is needed. AddinError `tenant` for a foreign organisation
 * @property {() => Promise<void>} signOut forgets tokens here; the next sign-in asks a person, and which account where the host can
 * @property {() => boolean} isSignedOut by signOut, and not in again
 */

const TOKEN = 'unblu.token';
const WAY = 'unblu.way';
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
const needsPerson = (e) => e?.name === 'InteractionRequiredAuthError' || /interaction_required|login_required|consent_required/.test(e?.errorCode);

const faults = () => partLoaded(import('./session-fault.js'));

/** @param {unknown} e @returns {Promise<AddinError>} */
async function faultOf(e) {
	return e instanceof AddinError ? e : (await faults()).signinFault(e);
}

/**
 * @param {object} env
 * @param {import('./load.js').Config} env.config
 * @param {() => boolean} env.nestedIsPossible
 * @param {() => Promise<Nested>} env.nested
 * @param {AbortSignal} env.signal closes an open dialog
 * @param {string} env.authUrl absolute address of auth.html
 * @param {string} env.hint mail address
 * @param {ReturnType<typeof safeStorage>} env.storage sessionStorage
 * @param {() => number} env.now
 * @param {() => string} env.uuid
 * @param {(ms: number) => Promise<void>} env.sleep
 * @param {import('./errors.js').Log} env.log
 * @param {<T>(signIn: () => Promise<T>) => Promise<T>} env.person around what a person takes part in
 * @returns {Session}
 */
export function createSession({ config, nestedIsPossible, nested, signal, authUrl, hint, storage, now, uuid, sleep, log, person }) {
	const SIGNED_OUT = `unblu.signedOut ${hint}`;
	/** @type {Token | null} */
	let held = storedToken();
	/** @type {Promise<Nested> | null} */
	let nestedApp = null;
	/** @type {{ interactive: boolean, force: boolean, promise: Promise<Token> } | null} */
	let running = null;

	function storedToken() {
		try {
			const t = JSON.parse(storage.get(TOKEN) ?? 'null');
			return typeof t?.accessToken === 'string' && t.clientId === config.clientId && t.hint === hint ? t : null;
		} catch {
			return null;
		}
	}

	const isSignedOut = () => storage.get(SIGNED_OUT) !== null;
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
			/* Silently it would be the account that was left. */
			if (!isSignedOut())
				return await Promise.race([app.silent(force), sleep(SILENT_MS).then(() => {
					throw new AddinError('nested-silent', { said: 'no answer in time' });
				})]);
		} catch (e) {
			if (!needsPerson(e))
				throw e;
			if (!interactive)
				throw new AddinError('signin-needed');
		}
		return person(() => app.popup(isSignedOut()));
	}

	/** @returns {Promise<Token>} */
	async function byDialog() {
		const { signInByDialog } = await partLoaded(import('./session-dialog.js'));
		return person(() => signInByDialog({ authUrl, nonce: uuid(), select: isSignedOut(), hint, signal }));
	}

	/** @param {boolean} interactive @param {boolean} force @returns {Promise<Token>} */
	async function acquire(interactive, force) {
		if (isSignedOut() && !interactive)
			throw new AddinError('signin-needed');
		if (!force && isFresh(held))
			return held;
		if (!dialogOnly())
			try {
				return keep(await byNested(interactive, force), 'nested');
			} catch (e) {
				const fault = await faultOf(e);
				log.add('nested', { code: fault.code, said: fault.details.said });
				if (fault.code === 'signin-needed' || (await faults()).signinIsFinal(fault))
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
			storage.set(TOKEN, JSON.stringify({ ...token, clientId: config.clientId, hint }));
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
		isSignedOut,
	};
}

/* MSAL. */

/**
 * @typedef {{ accessToken: string, expiresAt: number, tenantId: string, username: string }} Token
 * @typedef {object} Nested
 * @property {(force: boolean) => Promise<Token>} silent
 * @property {(select: boolean) => Promise<Token>} popup shown by the host, no browser window of ours; select: asks which account, where the host can
 */

const MICROSOFT = /(^|\.)login\.(microsoft(online)?\.com|windows\.net|microsoftonline\.us|partner\.microsoftonline\.cn|chinacloudapi\.cn)$/;
const LOAD_MS = 10_000;
const NESTED_MS = 3000;

/** @returns {any} */
function library() {
	return /** @type {any} */ (globalThis).msal;
}

/** Waits for MSAL's script, which loads beside ours. @param {(ms: number) => Promise<void>} sleep @returns {Promise<any>} */
export async function msalLoaded(sleep) {
	for (let waited = 0; library() === undefined; waited += 20) {
		if (waited > LOAD_MS)
			throw new AddinError('part-missing', { said: 'vendor/msal-browser.min.js is not there' });
		await sleep(20);
	}
	return library();
}

/** @param {import('./load.js').Config} config @param {Record<string, any>} auth */
export function msalSettings(config, auth) {
	const { host, hostname } = new URL(config.authority);
	return {
		auth: { clientId: config.clientId, authority: config.authority, ...(MICROSOFT.test(hostname) ? {} : { knownAuthorities: [host] }), ...auth },
		cache: { cacheLocation: 'sessionStorage' },
		system: { loggerOptions: { piiLoggingEnabled: false, loggerCallback: () => undefined } },
	};
}

/** @param {any} result of MSAL @returns {Token} */
export function tokenOf(result) {
	if (typeof result?.accessToken !== 'string' || result.accessToken === '')
		throw new AddinError('signin-failed', { said: 'no access token was given', params: { reference: 'no_token' } });
	const { account } = result;
	return {
		accessToken: result.accessToken, expiresAt: Number(result.expiresOn ?? 0), tenantId: String(result.tenantId || account?.tenantId || '').toLowerCase(),
		username: String(account?.username ?? ''),
	};
}

/** Whether the host offers its bridge at all. */
export function nestedIsOffered() {
	return /** @type {any} */ (globalThis).nestedAppAuthBridge !== undefined;
}

/**
 * Nested app authentication.
 * @param {import('./load.js').Config} config @param {{ sleep: (ms: number) => Promise<void> }} env @returns {Promise<Nested>}
 */
export async function createNested(config, { sleep }) {
	const msal = await msalLoaded(sleep);
	const app = await Promise.race([
		msal.createNestablePublicClientApplication(msalSettings(config, {})),
		sleep(NESTED_MS).then(() => {
			throw new AddinError('nested-silent', { said: 'the host does not answer' });
		}),
	]);
	const scopes = config.apiScopes;
	return {
		silent: (force) => app.acquireTokenSilent({ scopes, ...(force ? { forceRefresh: true } : {}) }).then(tokenOf),
		/* MSAL does not pass on a prompt to the host. */
		popup: (select) => app.acquireTokenPopup({ scopes, extraQueryParameters: select ? { prompt: 'select_account' } : {} }).then(tokenOf),
	};
}
