// @ts-check
/*
 * auth.js - the dialog's page, start and return in one. Opened as auth.html?start=1&nonce=...: goes to Entra. Coming back
 * (the answer is in the fragment): gives the token to the page that opened the dialog, and to nobody else.
 */

import { configLoad, i18nLoad, i18nSay } from './load.js';
import { msalLoaded, msalSettings, safeStorage, tokenOf } from './session.js';
import { createNet } from './remote.js';
import { hostMessageParent } from './office-dialog.js';
import { hostFacts, hostReady, hostStart } from './outlook.js';

const NONCE = 'unblu.nonce';
const memory = safeStorage(() => sessionStorage);
const query = new URLSearchParams(location.search);
const net = createNet({ fetch: globalThis.fetch.bind(globalThis) });

/** @param {number} ms @returns {Promise<void>} */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** @param {string} path */
const ours = (path) => new URL(path, location.origin + location.pathname).href;

/** @param {string} key */
async function show(key) {
	const { language } = hostFacts();
	const say = i18nSay(await i18nLoad(net, language, (name) => ours(`strings/more.${name}.json`)));
	const place = document.getElementById('status');
	if (place !== null)
		place.textContent = say(key);
	document.documentElement.lang = language;
}

/** @param {Record<string, unknown>} message */
async function tell(message) {
	await hostReady();
	hostMessageParent(JSON.stringify({ v: 1, ...message }), location.origin);
	/* The dialog is closed from there. If it is still here a moment later, nobody waits for it any more. */
	await sleep(3000);
	await show(message.error === undefined ? 'auth.close' : 'auth.failed');
}

/** @param {any} e of MSAL, or one of ours */
function faultOf(e) {
	return { code: String(e?.errorCode ?? e?.code ?? e?.name ?? ''), message: String(e?.errorMessage ?? e?.message ?? '').slice(0, 500), correlationId: String(e?.correlationId ?? ''), subError: String(e?.subError ?? '') };
}

/** Whether somebody waits: the nonce of this dialog. */
function nonceOf() {
	return query.get('nonce') ?? memory.get(NONCE) ?? '';
}

async function run() {
	const config = await configLoad(net, ours('config.json'));
	const msal = await msalLoaded(sleep);
	const app = new msal.PublicClientApplication(msalSettings(config, { redirectUri: location.origin + location.pathname }));
	await app.initialize();
	const result = await app.handleRedirectPromise({ navigateToLoginRequestUrl: false });
	if (result !== null) {
		const token = tokenOf(result);
		memory.set(NONCE, null);
		await tell({
			nonce: String(result.state ?? ''), accessToken: token.accessToken, expiresOn: token.expiresAt, tenantId: token.tenantId,
			account: { username: token.username },
		});
	} else if (query.get('start') === '1' && nonceOf() !== '') {
		memory.set(NONCE, nonceOf());
		await app.acquireTokenRedirect({
			scopes: config.apiScopes, state: nonceOf(), ...(query.get('hint') ? { loginHint: query.get('hint') } : {}), ...(query.get('select') === '1' ? { prompt: 'select_account' } : {}),
		});
	} else {
		await show('auth.nothing');
	}
}

hostStart();
run().catch((e) => tell({ nonce: nonceOf(), error: faultOf(e) })).catch(() => show('auth.failed'));
