// @ts-check
/* office-pane.js - what only the pane asks of Office: its colours, and its name and version. */

import { hostMailbox, office } from './outlook.js';

/** The host's four colours, or null. @returns {Record<string, string> | null} */
export function hostTheme() {
	return office()?.context?.officeTheme ?? null;
}

/** Some hosts refuse by throwing what they do not know. @param {string} type @param {(arg: any) => void} handler */
function listen(type, handler) {
	try {
		hostMailbox()?.addHandlerAsync?.(type, handler, () => undefined);
	} catch {
		/* this Outlook has no such event */
	}
}

/** @param {(theme: Record<string, string>) => void} changed */
export function hostOnTheme(changed) {
	listen(office()?.EventType?.OfficeThemeChanged ?? 'officeThemeChanged', (arg) => changed(arg?.officeTheme ?? hostTheme() ?? {}));
}

/** Another item, or none, is in view: where a pane stays open then. @param {() => void} changed */
export function hostOnItem(changed) {
	listen(office()?.EventType?.ItemChanged ?? 'olkItemSelectedChanged', () => changed());
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
