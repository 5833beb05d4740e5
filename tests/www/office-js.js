// @ts-check
/*
 * The add-in's pages with Microsoft's own office.js (package @microsoft/office-js) in Chromium: every https request is
 * answered here, office.js at its real address, the pages at an https one, which office.js demands. MicrosoftAjax.js is in no
 * package; what office.js takes of it is a few names. Everything else that office.js asks for does not exist.
 */

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Chromium } from '../demo/chromium.js';
import { Site } from './site.js';

const HERE = path.dirname(fileURLToPath(import.meta.url));
export const DIST = path.resolve(HERE, '../../node_modules/@microsoft/office-js/dist');
const CDN = 'https://appsforoffice.microsoft.com';
export const ORIGIN = 'https://addin.example.com';
const LOGIN = 'https://login.microsoftonline.com';
const part = (/** @type {any} */ o) => Buffer.from(JSON.stringify(o)).toString('base64url');
const AJAX = `(() => {
	globalThis.Type = { registerNamespace: (name) => { globalThis[name] ??= {}; }, registerClass() {} };
	globalThis.Sys = { Debug: { trace() {} }, StringBuilder: class {}, Serialization: { JavaScriptSerializer: { serialize: JSON.stringify, deserialize: JSON.parse } } };
	Function.prototype.registerClass = function () { return this; };
	Function._validateParams = () => null;
	Function.createDelegate = (object, f) => f.bind(object);
	String.format = (text, ...values) => text.replace(/\\{(\\d+)\\}/g, (whole, i) => values[i] ?? whole);
	for (const name of ['argument', 'argumentNull', 'argumentOutOfRange', 'argumentType', 'argumentUndefined', 'invalidOperation', 'parameterCount'])
		Error[name] = (...words) => Object.assign(new Error(words.join(' ')), { name: 'Sys.' + name });
})();`;

export class OfficeJs {
	static async start() {
		const site = await Site.start();
		const page = await Chromium.start({ args: ['--disable-popup-blocking'] }).catch(async (e) => {
			await site.stop();
			throw e;
		});
		const made = new OfficeJs(site, page);
		page.told = (m) => {
			if (m.method === 'Fetch.requestPaused')
				void made.serve(m.params, m.sessionId);
			else if (m.method === 'Target.attachedToTarget' && m.params.targetInfo.openerId !== undefined)
				void made.attend(m.params.sessionId);
		};
		await page.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true }, '');
		await made.attend(page.session);
		return made;
	}

	/** @param {Site} site @param {Chromium} page */
	constructor(site, page) {
		this.site = site;
		this.page = page;
		/** Addresses at which office.js gets nothing. @type {RegExp} */
		this.blocked = /^$/;
		/** How long our own scripts take. */
		this.delay = 0;
		/** Of the last sign-in. @type {string | null} */
		this.nonce = null;
		this.reset();
	}

	reset() {
		this.site.reset();
		this.blocked = /^$/;
		this.delay = 0;
		this.site.connect = [LOGIN];
		Object.assign(/** @type {any} */ (this.site.config), { unbluApiUrl: `${ORIGIN}/addin/unblu` });
	}

	/** A page of its own, such as the dialog. @param {string} session */
	async attend(session) {
		await this.page.send('Fetch.enable', { patterns: [{ urlPattern: 'https://*' }] }, session).catch(() => undefined);
		await this.page.send('Runtime.runIfWaitingForDebugger', {}, session).catch(() => undefined);
	}

	/** @param {any} params of Fetch.requestPaused @param {string} session */
	async serve({ requestId, request }, session) {
		const url = new URL(request.url);
		const answer = this.blocked.test(request.url) ? null : url.origin === CDN ? this.cdn(url) : url.origin === 'https://ajax.aspnetcdn.com' ? { type: 'text/javascript', body: AJAX } : url.origin === ORIGIN ? await this.ours(url, request) : url.origin === LOGIN ? this.login(url, request) : null;
		/* The page may be gone. */
		if (answer === null)
			return this.page.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionRefused' }, session).catch(() => undefined);
		const headers = { 'Content-Type': answer.type, 'Access-Control-Allow-Origin': '*', ...answer.headers };
		return this.page.send('Fetch.fulfillRequest', { requestId, responseCode: answer.status ?? 200, responseHeaders: Object.entries(headers).map(([name, value]) => ({ name, value })), body: Buffer.from(answer.body).toString('base64') }, session).catch(() => undefined);
	}

	/** @param {URL} url @returns {any} */
	cdn(url) {
		const file = path.join(DIST, path.normalize(url.pathname.replace('/lib/1/hosted/', '/')));
		return fs.existsSync(file) ? { type: 'text/javascript', body: fs.readFileSync(file) } : null;
	}

	/** @param {URL} url @param {any} request @returns {Promise<any>} */
	async ours(url, request) {
		if (url.pathname === '/host.html')
			return { type: 'text/html', body: `<!doctype html><link rel="icon" href="data:,"><body><script>${['office-mailbox.js', 'office-host.js'].map((f) => fs.readFileSync(path.join(HERE, f), 'utf8')).join('\n')}</script>` };
		if (url.pathname.startsWith('/addin/js/'))
			await new Promise((resolve) => setTimeout(resolve, this.delay));
		const { port, url: base } = this.site;
		const reply = await fetch(`http://127.0.0.1:${port}${url.pathname}`, { method: request.method, body: request.postData }).catch(() => null);
		if (reply === null)
			return null;
		const type = reply.headers.get('Content-Type') ?? '';
		const body = Buffer.from(await reply.arrayBuffer());
		const policy = String(reply.headers.get('Content-Security-Policy')).replaceAll(`http://127.0.0.1:${port}`, CDN);
		return { status: reply.status, type, headers: { 'Content-Security-Policy': policy }, body: type.startsWith('text/html') ? body.toString().replace(`${base}/office.js`, `${CDN}/lib/1/hosted/office.js`) : body };
	}

	/** Entra, as far as a person who is known signs in. @param {URL} url @param {any} request @returns {any} */
	login(url, request) {
		const client = part({ uid: 'o', utid: 't' });
		if (url.pathname.endsWith('/authorize')) {
			this.nonce = url.searchParams.get('nonce');
			return { status: 302, type: 'text/html', body: '', headers: { Location: `${url.searchParams.get('redirect_uri')}#code=c&client_info=${client}&state=${encodeURIComponent(url.searchParams.get('state') ?? '')}` } };
		}
		if (!url.pathname.endsWith('/token') || request.method !== 'POST')
			return null;
		const { clientId } = /** @type {any} */ (this.site.config);
		const claims = { aud: clientId, iss: `${LOGIN}/t/v2.0`, iat: 1, exp: 4102444800, tid: 't', oid: 'o', sub: 's', preferred_username: 'anna.keller@alpinebank.example', name: 'Anna Keller', nonce: this.nonce, ver: '2.0' };
		const token = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2ln`;
		return { type: 'application/json', body: JSON.stringify({ token_type: 'Bearer', scope: `${clientId}/.default openid profile`, expires_in: 3599, access_token: token, id_token: token, client_info: client }) };
	}

	/** A page without Outlook. @param {string} page */
	async outside(page) {
		this.page.complaints.length = 0;
		await this.page.open(`${ORIGIN}/addin/${page}`);
	}

	/** A page in Outlook. @param {string} page @param {any} [item] @param {boolean} [signedIn] somebody was, in this tab, before */
	async inside(page, item = {}, signedIn = true) {
		await this.page.open(`${ORIGIN}/host.html`);
		await this.page.until('globalThis.officeHost !== undefined');
		this.page.complaints.length = 0;
		const token = { accessToken: `${part({})}.${part({ tid: 't' })}.s`, expiresAt: Date.now() + 3_600_000, tenantId: 't', username: 'anna.keller@alpinebank.example', clientId: /** @type {any} */ (this.site.config).clientId, hint: 'anna.keller@alpinebank.example' };
		await this.page.value(`sessionStorage.setItem('unblu.token', ${JSON.stringify(JSON.stringify(signedIn ? token : null))}); Object.assign(officeHost.mailbox.item, ${JSON.stringify(item)}); officeHost.open(${JSON.stringify(page)})`);
	}

	/** Answers office.js, which asks whether a window may open. @param {'Allow' | 'Ignore'} answer */
	async prompt(answer) {
		const button = `frames[0].document.querySelector('#newWindowNotificaiton input[value=${answer}]')`;
		await this.page.until(`${button} !== null`);
		return button;
	}

	/** What the page complained about; office.js sets styles, and reports to its maker, which the policy does not let it. */
	complaints() {
		return this.page.complaints.filter((c) => !/Applying inline style|^Failed to load resource|microsoft\.com\/Collector|oteljs/.test(c));
	}

	async stop() {
		await this.page.stop();
		await this.site.stop();
	}
}
