// @ts-check
/* Real pages in real Chromium: the site, the simulators, and one click on the ribbon's button in an appointment of the stub. */

import { Chromium } from '../demo/chromium.js';
import { startSimulators } from '../sim/index.js';
import { Site } from './site.js';

/** A page in a frame of a browser that lets such pages store nothing, and know nothing of each other. */
export const STORES_NOTHING = `for (const name of ['localStorage', 'sessionStorage'])
	Object.defineProperty(globalThis, name, { get() { throw new DOMException('denied', 'SecurityError'); } });
globalThis.BroadcastChannel = class { constructor() { throw new DOMException('denied', 'SecurityError'); } };
navigator.locks.request = () => Promise.reject(new DOMException('denied', 'SecurityError'));`;
export const FUNCTION = 'addUnbluConversation';
export const ANNA = 'anna@alpinebank.example';

/** What the host answers MSAL's nested requests, in the page. @param {any} g tokens and account; `silent: false`: a person is needed first; `fail`: an error instead; `popup`: how long a person takes { ms, of which the clock says more: ahead }, or { hold } until globalThis.letIn(); globalThis.bridgeNow: what is otherwise from now on */
function bridgeText(g) {
	return `function nested(request) { return new Promise((resolve) => setTimeout(() => {
		const g = { ...${JSON.stringify(g)}, ...globalThis.bridgeNow };
		globalThis.bridgeCalls = [...(globalThis.bridgeCalls ?? []), request.method];
		const popup = request.method === 'GetTokenPopup' ? g.popup : undefined;
		if (popup !== undefined && !request.waited) {
			if (popup.hold) {
				globalThis.letIn = () => resolve(nested({ ...request, waited: true }));
				return;
			}
			jump(popup.ahead);
			setTimeout(() => resolve(nested({ ...request, waited: true })), popup.ms);
			return;
		}
		const account = { homeAccountId: g.oid + '.' + g.tid, environment: 'login.microsoftonline.com', tenantId: g.tid };
		if (request.method === 'GetInitContext')
			resolve({ success: true, initContext: { sdkName: 'host', sdkVersion: '1', capabilities: {}, accountContext: account } });
		else if (g.fail || g.silent === false && request.method === 'GetToken')
			resolve({ success: false, error: g.fail ?? { status: 'USER_INTERACTION_REQUIRED', code: 'interaction_required', subError: '', description: 'x' } });
		else
			resolve({ success: true, token: { access_token: g.access, expires_in: 3599, id_token: g.id, scope: request.tokenParams.scope, properties: null }, account: { ...account, username: g.upn, localAccountId: g.oid, name: g.name, idToken: g.id } });
	}, ${g.delay ?? 0})); }`;
}

export class Click {
	/** @param {any} t @param {{ args?: (sim: any) => Promise<string[]>, config?: any }} [options] */
	static async start(t, options = {}) {
		const sim = await startSimulators({ seed: 7 });
		t.after(() => sim.close());
		const site = await Site.start();
		t.after(() => site.stop());
		const browser = await Chromium.start({ args: await options.args?.(sim) ?? [] });
		t.after(() => browser.stop());
		await browser.send('Page.setLifecycleEventsEnabled', { enabled: true });
		return new Click(sim, site, browser);
	}

	/** @param {any} sim @param {Site} site @param {Chromium} browser */
	constructor(sim, site, browser) {
		this.sim = sim;
		this.site = site;
		this.browser = browser;
		this.script = '';
	}

	/** Back to the start. @param {any} [config] */
	async reset(config = {}) {
		this.sim.reset();
		this.site.reset();
		this.browser.complaints.length = 0;
		for (const route of ['GET authenticator/getCurrentPerson', 'POST conversations/create'])
			delete this.site.answers[route];
		this.site.connect = [this.sim.urls.unblu, 'https://login.microsoftonline.com'];
		Object.assign(/** @type {any} */ (this.site.config), { clientId: this.sim.directory.clientId, apiScopes: [`${this.sim.directory.clientId}/.default`], unbluApiUrl: this.sim.urls.rest, allowInsecureLinks: true, fallbackTopic: 'Meeting', ...config });
		await this.browser.open('about:blank');
	}

	/** @param {any} [want] */
	async nested(want = {}) {
		const user = this.sim.directory.anyUser(ANNA);
		const mint = async (/** @type {any} */ more) => (await this.sim.control('POST', '/control/mint', { oid: user.oid, ...more })).token;
		return { oid: user.oid, tid: user.tenant, upn: user.upn, name: user.name, access: await mint({}), id: await mint({ claims: { scp: null, azp: null } }), ...want };
	}

	/**
	 * Opens commands.html with this appointment and presses the button.
	 * @param {{ item?: any, context?: any, faults?: any, bridge?: any, before?: string, twice?: boolean }} [given] bridge null: this host has none
	 */
	async press({ item = {}, context = {}, faults = {}, bridge, before = '', twice = false } = {}) {
		const nested = bridge === null ? 'undefined' : bridgeText(bridge ?? await this.nested());
		const stub = `globalThis.officeStub = { item: ${JSON.stringify(item)}, context: ${JSON.stringify(context)}, faults: ${JSON.stringify(faults)}, token: ${nested} };${before}`;
		await this.preload(stub);
		await this.browser.open(`${this.site.url}/commands.html`);
		await this.browser.until('typeof officeStub?.run === "function" && document.readyState === "complete"');
		const run = `officeStub.run(${JSON.stringify(FUNCTION)})`;
		await this.browser.value(twice ? `Promise.all([${run}, ${run}])` : run);
		return this.seen();
	}

	/** @param {string} source */
	async preload(source) {
		if (this.script !== '')
			await this.browser.send('Page.removeScriptToEvaluateOnNewDocument', { identifier: this.script });
		this.script = (await this.browser.send('Page.addScriptToEvaluateOnNewDocument', { source: `if (location.pathname.endsWith('/commands.html')) { ${source} }` })).identifier;
	}

	/** What stands in the appointment, and what the page asked of its host. */
	seen() {
		return this.browser.value('(() => { const kept = (name) => { try { return { ...globalThis[name] }; } catch { return null; } }; return { item: officeStub.mailbox.item, bridge: globalThis.bridgeCalls ?? [], twice: officeStub.completedTwice, most: officeStub.mailbox.mostAtOnce, calls: officeStub.mailbox.calls.map((c) => c.name), local: kept("localStorage"), session: kept("sessionStorage") }; })()');
	}

	conversations() {
		return [...this.sim.conversations.byId.values()];
	}
}
