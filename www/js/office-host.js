// @ts-check
/* office-host.js - the one file that knows the global `Office`: start, facts about the host, the dialog. */

import { AddinError } from './errors.js';

const READY_MS = 15_000;

/** @typedef {{ language: string, email: string, platform: string, version: string, inOutlook: boolean }} HostFacts */

/** @returns {any} */
function office() {
	return /** @type {any} */ (globalThis).Office;
}

/** Resolves when Office is ready; AddinError `no-office` when it never is. */
export async function hostReady() {
	if (typeof office()?.onReady !== 'function')
		throw new AddinError('no-office', { said: 'office.js is not there' });
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	try {
		return await Promise.race([office().onReady(), new Promise((_, reject) => {
			timer = setTimeout(() => reject(new AddinError('no-office', { said: 'office.js does not get ready' })), READY_MS);
		})]);
	} finally {
		clearTimeout(timer);
	}
}

/** @returns {HostFacts} */
export function hostFacts() {
	const context = office()?.context ?? {};
	const diagnostics = context.mailbox?.diagnostics ?? context.diagnostics ?? {};
	return {
		language: String(context.displayLanguage ?? globalThis.navigator?.language ?? 'en'), email: String(context.mailbox?.userProfile?.emailAddress ?? ''),
		platform: String(diagnostics.hostName ?? context.platform ?? ''), version: String(diagnostics.hostVersion ?? ''), inOutlook: context.mailbox !== undefined && context.mailbox !== null,
	};
}

/** The event that is edited, or null. @returns {any} */
export function hostItem() {
	return office()?.context?.mailbox?.item ?? null;
}

/** @returns {any} */
export function hostMailbox() {
	return office()?.context?.mailbox;
}

/** @param {string} set @param {string} version */
export function hostSupports(set, version) {
	try {
		return office()?.context?.requirements?.isSetSupported?.(set, version) === true;
	} catch {
		return false;
	}
}

/** The host's four colours, or null. @returns {Record<string, string> | null} */
export function hostTheme() {
	return office()?.context?.officeTheme ?? null;
}

/** @param {(theme: Record<string, string>) => void} changed */
export function hostOnTheme(changed) {
	const type = office()?.EventType?.OfficeThemeChanged ?? 'officeThemeChanged';
	hostMailbox()?.addHandlerAsync?.(type, (/** @type {any} */ arg) => changed(arg?.officeTheme ?? hostTheme() ?? {}), () => undefined);
}

/** @param {string} name of the function in the manifest @param {(event: any) => void} run */
export function hostAssociate(name, run) {
	office()?.actions?.associate?.(name, run);
}

/** From a dialog to the page that opened it. @param {string} message @param {string} origin of that page */
export function hostMessageParent(message, origin) {
	const { ui } = office().context;
	if (hostSupports('DialogOrigin', '1.1'))
		ui.messageParent(message, { targetOrigin: origin });
	else
		ui.messageParent(message);
}

/** What Outlook's code for a dialog that does not open means. @param {number | undefined} number @returns {string} */
function dialogFault(number) {
	return number === 12007 ? 'dialog-open' : number === 12009 || number === 12011 ? 'popup-blocked' : 'dialog-failed';
}

/**
 * Opens a page of ours as Office's dialog and waits for the message that `accept` takes (returns something other than
 * undefined). AddinError: popup-blocked, dialog-open, dialog-failed, signin-cancelled (closed by the user).
 * @template T
 * @param {string} url absolute, of our own origin
 * @param {(message: string) => T | undefined} accept
 * @param {AbortSignal} [signal] closes it
 * @returns {Promise<T>}
 */
export function hostDialog(url, accept, signal) {
	return new Promise((resolve, reject) => {
		const ui = office()?.context?.ui;
		if (typeof ui?.displayDialogAsync !== 'function') {
			reject(new AddinError('dialog-failed', { said: 'this Outlook has no dialogs' }));
			return;
		}
		/** @type {any} */
		let dialog;
		const close = () => {
			try {
				dialog?.close();
			} catch {
				/* it is closed */
			}
		};
		signal?.addEventListener('abort', () => {
			close();
			reject(new AddinError('timeout', { said: 'the dialog was open for too long' }));
		}, { once: true });
		try {
			ui.displayDialogAsync(url, { height: 60, width: 30 }, (/** @type {any} */ result) => {
				if (result?.status !== 'succeeded') {
					reject(new AddinError(dialogFault(result?.error?.code), { said: result?.error?.message, reference: String(result?.error?.code ?? '') }));
					return;
				}
				dialog = result.value;
				if (signal?.aborted) {
					close();
					return;
				}
				dialog.addEventHandler(office().EventType?.DialogMessageReceived ?? 'dialogMessageReceived', (/** @type {any} */ arg) => {
					/* Hosts before DialogOrigin 1.1 name no origin; the nonce in the message remains. */
					if (arg?.origin !== undefined && arg.origin !== location.origin || typeof arg?.message !== 'string')
						return;
					const value = accept(arg.message);
					if (value === undefined)
						return;
					close();
					resolve(value);
				});
				dialog.addEventHandler(office().EventType?.DialogEventReceived ?? 'dialogEventReceived', (/** @type {any} */ arg) => {
					if (arg?.error === 12006)
						reject(new AddinError('signin-cancelled'));
					else
						reject(new AddinError('dialog-failed', { said: `dialog event ${String(arg?.error)}`, reference: String(arg?.error ?? '') }));
				});
			});
		} catch (e) {
			reject(new AddinError('dialog-failed', { said: /** @type {Error} */ (e)?.message }));
		}
	});
}
