// @ts-check
/* office-host.js - with office-dialog.js the only file that knows the global `Office`: start, and facts about the host. */

import { AddinError } from './errors.js';

const READY_MS = 15_000;

/** @typedef {{ language: string, email: string, platform: string, version: string, inOutlook: boolean }} HostFacts */

/** @returns {any} */
export function office() {
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
