// @ts-check
/* msal-port.js - the one file that knows MSAL (vendor/msal-browser.min.js, global `msal`) and its nested bridge. */

import { AddinError } from './errors.js';

/**
 * @typedef {{ accessToken: string, expiresAt: number, tenantId: string, objectId: string, username: string, name: string }} Token
 * @typedef {object} Nested
 * @property {(force: boolean) => Promise<Token>} silent
 * @property {() => Promise<Token>} popup shown by the host, no browser window of ours
 */

const MICROSOFT = /(^|\.)(login\.microsoftonline\.com|login\.microsoft\.com|login\.windows\.net|login\.microsoftonline\.us|login\.partner\.microsoftonline\.cn|login\.chinacloudapi\.cn)$/;
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
			throw new AddinError('signin-missing', { said: 'vendor/msal-browser.min.js is not there' });
		await sleep(20);
	}
	return library();
}

/** @param {import('./config.js').Config} config @param {Record<string, any>} auth */
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
		throw new AddinError('signin-failed', { said: 'no access token was given' });
	const { account } = result;
	return {
		accessToken: result.accessToken, expiresAt: Number(result.expiresOn ?? 0), tenantId: String(result.tenantId || account?.tenantId || '').toLowerCase(),
		objectId: String(account?.localAccountId ?? '').toLowerCase(), username: String(account?.username ?? ''), name: String(account?.name ?? ''),
	};
}

/** Whether the host offers its bridge at all. */
export function nestedIsOffered() {
	return /** @type {any} */ (globalThis).nestedAppAuthBridge !== undefined;
}

/**
 * Nested app authentication.
 * @param {import('./config.js').Config} config @param {{ sleep: (ms: number) => Promise<void> }} env @returns {Promise<Nested>}
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
		popup: () => app.acquireTokenPopup({ scopes }).then(tokenOf),
	};
}
