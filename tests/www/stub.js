// @ts-check
/* The stub of Office as one text, to be served at the configured officeJsUrl or run in node's vm. */

import fs from 'node:fs';
import vm from 'node:vm';

const PARTS = ['office-mailbox.js', 'office-windows.js', 'office-stub.js'];

/** @returns {string} */
export function stubText() {
	return PARTS.map((name) => fs.readFileSync(new URL(name, import.meta.url), 'utf8')).join('\n');
}

/**
 * Office without a browser.
 * @param {any} [given] what globalThis.officeStub is to have: item, context, faults, token ...
 * @returns {{ Office: any, officeStub: any, mailbox: any, scope: any }}
 */
export function loadStub(given = {}) {
	const scope = vm.createContext({ officeStub: given, setTimeout, clearTimeout, setInterval, clearInterval, console });
	vm.runInContext(stubText(), scope, { filename: 'office-stub.js' });
	return { Office: scope.Office, officeStub: scope.officeStub, mailbox: scope.officeStub.mailbox, scope };
}
