// @ts-check
/* session-fault.js - what a failed sign-in means for the agent. Pure; loaded only when one has failed. */

import { AddinError } from './errors.js';

const CONSENT = ['65001', '90094', '90093', '90097', '650052', '650053', '650054', '650056', '650057'];
const CONDITIONAL = ['53000', '53001', '53002', '53003', '53004', '53011', '50005', '50097', '50105', '50131', '50158', '530032', '530034', '530035', '530036'];
const CANCELLED = /user_cancel|access_denied|cancell?ed/i;
const NOT_REGISTERED = ['50011', '500113', '9002326', '700016', '7000218'];
const FINAL = ['signin-cancelled', 'signin-consent', 'signin-conditional', 'tenant', 'timeout'];

/** What a failure of MSAL or Entra means for the agent. @param {any} e MSAL's error, or { code, message, correlationId } @returns {AddinError} */
export function signinFault(e) {
	if (e instanceof AddinError)
		return e;
	const code = String(e?.errorCode ?? e?.code ?? '');
	const text = String(e?.errorMessage ?? e?.message ?? '');
	const aad = /AADSTS(\d{5,7})/.exec(text)?.[1] ?? (/^\d{5,7}$/.test(code) ? code : undefined);
	const reference = [aad === undefined ? code : `AADSTS${aad}`, e?.correlationId].filter((x) => typeof x === 'string' && x !== '').join(' ');
	const details = { said: `${code} ${text}`.slice(0, 300), reference, params: { reference } };
	if (aad !== undefined && CONSENT.includes(aad) || /consent_required/.test(code) || e?.subError === 'consent_required')
		return new AddinError('signin-consent', details);
	if (aad !== undefined && CONDITIONAL.includes(aad))
		return new AddinError('signin-conditional', details);
	if (aad !== undefined && NOT_REGISTERED.includes(aad))
		return new AddinError('signin-registration', details);
	if (CANCELLED.test(code) || aad === '65004')
		return new AddinError('signin-cancelled', details);
	if (/network|no_network|endpoints_resolution/i.test(code))
		return new AddinError('signin-network', details);
	return new AddinError('signin-failed', details);
}

/** Whether another way of signing in would meet it again. @param {AddinError} fault */
export function signinIsFinal({ code }) {
	return FINAL.includes(code);
}
