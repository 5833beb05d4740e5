// @ts-check
/*
 * Outlook around the add-in's pages: gives a framed page the event of the open form, carries out its calls,
 * and answers its nested sign-in. The pages are the real ones; only Office is simulated.
 */

import { api } from './api.js';
import { h } from './dom.js';

const COMMAND_MS = 60_000;

/**
 * @typedef {any} Mailbox globalThis.OfficeMailbox, from tests/www/office-mailbox.js
 * @typedef {{ frame: HTMLIFrameElement, run: string | null, done: (error?: string) => void }} Guest
 */

export class Host {
	/** @param {{ user: () => string, calls: (name: string, error?: string) => void }} asks */
	constructor(asks) {
		this.asks = asks;
		/** @type {Mailbox | null} */
		this.mailbox = null;
		/** @type {Guest[]} */
		this.guests = [];
		addEventListener('message', (e) => void this.hear(e));
	}

	/** @param {Mailbox | null} mailbox of the form that is open */
	use(mailbox) {
		this.mailbox = mailbox;
		this.guests = [];
	}

	/** Shows a page of the add-in. @param {HTMLElement} place @param {string} page @param {string} title */
	show(place, page, title) {
		const frame = h('iframe', { src: page, title });
		this.guests.push({ frame, run: null, done: () => {} });
		place.replaceChildren(frame);
		return frame;
	}

	/** @param {HTMLIFrameElement} frame */
	drop(frame) {
		this.guests = this.guests.filter((g) => g.frame !== frame);
		frame.remove();
	}

	/** Runs a function command in a hidden page, as Outlook does; resolves when it has completed. @param {string} page @param {string} name @returns {Promise<void>} */
	run(page, name) {
		return new Promise((resolve, reject) => {
			const frame = h('iframe', { src: page, title: 'Function command', class: 'unseen', 'aria-hidden': 'true', tabindex: '-1' });
			const timer = setTimeout(() => done(`${name} did not complete`), COMMAND_MS);
			const done = (/** @type {string} */ error = '') => {
				clearTimeout(timer);
				this.drop(frame);
				error === '' ? resolve() : reject(new Error(error));
			};
			this.guests.push({ frame, run: name, done });
			document.body.append(frame);
		});
	}

	/** @param {any} theme */
	paint(theme) {
		for (const g of this.guests)
			this.post(g, { officeStub: 'theme', theme });
	}

	/** @param {Guest} guest @param {any} message */
	post(guest, message) {
		guest.frame.contentWindow?.postMessage(message, location.origin);
	}

	/** @param {MessageEvent} e */
	async hear(e) {
		const guest = this.guests.find((g) => g.frame.contentWindow === e.source);
		const { mailbox } = this;
		if (guest === undefined || mailbox === null || e.origin !== location.origin)
			return;
		const m = e.data;
		if (m.officeStub === 'hello')
			this.post(guest, { officeStub: 'context', context: mailbox.snapshot(), run: guest.run });
		else if (m.officeStub === 'completed')
			guest.done(m.error);
		else if (m.officeStub === 'token')
			this.post(guest, { officeStub: 'token', id: m.id, answer: await this.token(m.request) });
		else if (m.officeStub === 'call')
			await this.call(guest, mailbox, m);
	}

	/** @param {Guest} guest @param {Mailbox} mailbox @param {any} m */
	async call(guest, mailbox, m) {
		try {
			const value = await mailbox.call(m.name, m.args);
			this.asks.calls(m.name);
			this.post(guest, { officeStub: 'answer', id: m.id, value });
		} catch (e) {
			const { name, message, code } = /** @type {any} */ (e);
			this.asks.calls(m.name, name);
			this.post(guest, { officeStub: 'answer', id: m.id, error: { name, message, code } });
		}
	}

	/** The host's nested sign-in: the person is signed in to Outlook already. @param {any} request */
	async token(request) {
		const who = await api.token(this.asks.user()).catch(() => null);
		if (who === null)
			return { success: false, error: { status: 'NO_NETWORK', code: 'no_network', description: 'the demo does not answer' } };
		const account = { homeAccountId: `${who.oid}.${who.tenant}`, environment: 'login.windows.net', tenantId: who.tenant };
		if (request.method === 'GetInitContext')
			return { success: true, initContext: { sdkName: 'demo', sdkVersion: '1', capabilities: {}, accountContext: account } };
		const idToken = unsigned({ aud: who.clientId, iss: who.issuer, iat: now(), exp: now() + who.expiresIn, tid: who.tenant, oid: who.oid, sub: who.oid, preferred_username: who.upn, name: who.name, ver: '2.0' });
		return {
			success: true, token: { access_token: who.token, expires_in: who.expiresIn, id_token: idToken, scope: request.tokenParams?.scope ?? '', properties: null },
			account: { ...account, username: who.upn, localAccountId: who.oid, name: who.name, idToken },
		};
	}
}

function now() {
	return Math.floor(Date.now() / 1000);
}

/** @param {any} claims */
function unsigned(claims) {
	const part = (/** @type {any} */ o) => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(o)))).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
	return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
}
