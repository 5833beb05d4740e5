// @ts-check
/* office-dialog.js - Office's dialog, from the page that opens it and from inside. */

import { AddinError } from './errors.js';
import { hostSupports, office } from './outlook.js';

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
						return reject(new AddinError('signin-cancelled'));
					/* It shows what it can not load, and stays open: the next one would be refused. */
					close();
					reject(new AddinError('dialog-failed', { said: `dialog event ${String(arg?.error)}`, reference: String(arg?.error ?? '') }));
				});
			});
		} catch (e) {
			reject(new AddinError('dialog-failed', { said: /** @type {Error} */ (e)?.message }));
		}
	});
}
