// @ts-check
/* office-pane.js - what only the pane asks of Office: its colours, and its name and version. */

import { hostMailbox, office } from './outlook.js';

/** The host's four colours, or null. @returns {Record<string, string> | null} */
export function hostTheme() {
	return office()?.context?.officeTheme ?? null;
}

/** @param {(theme: Record<string, string>) => void} changed */
export function hostOnTheme(changed) {
	const type = office()?.EventType?.OfficeThemeChanged ?? 'officeThemeChanged';
	hostMailbox()?.addHandlerAsync?.(type, (/** @type {any} */ arg) => changed(arg?.officeTheme ?? hostTheme() ?? {}), () => undefined);
}

/** Whether the address says that an Office opened the page; office.js reads the same. */
export function hostIsNamed() {
	return /[?&#]_host_Info=/.test(location.href);
}

/** Which Outlook this is, as it says itself. */
export function hostVersion() {
	const context = office()?.context ?? {};
	const diagnostics = context.mailbox?.diagnostics ?? context.diagnostics ?? {};
	return `${diagnostics.hostName ?? context.platform ?? ''} ${diagnostics.hostVersion ?? ''}`;
}
