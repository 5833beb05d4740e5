// @ts-check
/* session-dialog.js - signing in through Office's dialog with auth.html; loaded only where the host has no sign-in of its own. */

import { tokenOf } from './session.js';
import { hostDialog } from './office-dialog.js';
import { signinFault } from './session-fault.js';

/** Only the answer to this dialog's own question. @param {string} message @param {string} nonce */
function answerOf(message, nonce) {
	let m;
	try {
		m = JSON.parse(message);
	} catch {
		return undefined;
	}
	return typeof m === 'object' && m !== null && m.v === 1 && m.nonce === nonce ? m : undefined;
}

/**
 * @param {{ authUrl: string, nonce: string, select: boolean, hint: string, signal: AbortSignal }} how select: asks which account
 * @returns {Promise<import('./session.js').Token>}
 */
export async function signInByDialog({ authUrl, nonce, select, hint, signal }) {
	const url = new URL(authUrl);
	url.searchParams.set('start', '1');
	url.searchParams.set('nonce', nonce);
	if (select)
		url.searchParams.set('select', '1');
	else if (hint !== '')
		url.searchParams.set('hint', hint);
	const m = await hostDialog(url.href, (message) => answerOf(message, nonce), signal);
	if (m.error !== undefined)
		throw signinFault(m.error);
	return tokenOf(m);
}
