// @ts-check
/* Where the programs and the data files are, and who shall run them. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const SOURCE_ROOT = process.env.TOP_SRCDIR ?? path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

const PROGRAMS = { fcgi: 'fcgi/outlook-addin-fcgi', renew: 'cronjob/outlook-addin-renew', ctl: 'ctl/outlook-addinctl' };
/** nobody: harmless, exists everywhere. */
const NOBODY = { uid: 65534, gid: 65534 };

/** @typedef {{ fcgi: string, renew: string, ctl: string }} Programs */

/** @returns {string} the build tree: TOP_BUILDDIR, else build/ in the checkout, else the checkout */
export function buildFolder() {
	if (process.env.TOP_BUILDDIR)
		return process.env.TOP_BUILDDIR;
	const own = path.join(SOURCE_ROOT, 'build');
	return fs.existsSync(path.join(own, PROGRAMS.fcgi)) ? own : SOURCE_ROOT;
}

/**
 * Called hundreds of times by one test; it need not be the build that is tested, whose sanitizers
 * take longer to start and end than it to answer.
 * @returns {string} the program that writes and reads the store as web and sync would
 */
export function storeTool() {
	return path.join(process.env.TOP_TOOLDIR ?? buildFolder(), 'tests/sync/storetool');
}

/** @returns {Programs} */
export function findPrograms() {
	const folder = buildFolder();
	const found = Object.entries(PROGRAMS).map(([name, file]) => {
		const full = path.resolve(folder, file);
		if (!fs.existsSync(full))
			throw new Error(`${full} is not built (set TOP_BUILDDIR to the build tree)`);
		return [name, full];
	});
	return Object.fromEntries(found);
}

/** @returns {string} the templates and static files, as they would be installed */
export function dataFolder() {
	const folder = process.env.OUTLOOK_ADDIN_DATADIR ?? path.resolve(buildFolder(), 'share/outlook-addin');
	if (!fs.existsSync(folder))
		throw new Error(`${folder} is not there: run make`);
	return folder;
}

/** Whether a sanitizer is in the programs: it has no patience with libfaketime. @returns {boolean} */
export function hasSanitizer() {
	return /__[at]san_init/.test(fs.readFileSync(path.join(buildFolder(), PROGRAMS.fcgi), 'latin1'));
}

/** Was the tree configured with --enable-test-hooks? */
export function hasTestHooks() {
	const file = path.join(buildFolder(), 'config.h');
	return fs.existsSync(file) && /^#define ENABLE_TEST_HOOKS 1/m.test(fs.readFileSync(file, 'utf8'));
}

/** The account of the programs: ours, or nobody when we are root. */
export function serviceAccount() {
	return process.getuid?.() === 0 ? NOBODY : null;
}

/** May everybody pass through all folders down to file and run it? @param {string} file */
function reachable(file) {
	for (let at = path.resolve(file); ; at = path.dirname(at)) {
		if ((fs.statSync(at).mode & 0o001) === 0)
			return false;
		if (at === '/')
			return true;
	}
}

/**
 * A folder of our own under the system's temporary folder, which the service account can use.
 * @param {string} name
 */
export function makeFolder(name) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), `oa-${name}-`));
	giveAway(dir);
	fs.chmodSync(dir, 0o755);
	return dir;
}

/** @param {string} file */
export function giveAway(file) {
	const account = serviceAccount();
	if (account !== null)
		fs.chownSync(file, account.uid, account.gid);
}

/**
 * Programs that the service account can run: those of the build, or copies in dir when the build lies in
 * a private folder; the same for the data files.
 * @param {string} dir @returns {Programs & { data: string }}
 */
export function usableParts(dir) {
	const programs = findPrograms();
	const data = dataFolder();
	if (serviceAccount() === null || (reachable(programs.fcgi) && reachable(data)))
		return { ...programs, data };
	const bin = path.join(dir, 'parts');
	fs.mkdirSync(bin, { mode: 0o755 });
	/** @type {any} */
	const out = { data: bin };
	for (const [name, file] of Object.entries(programs)) {
		out[name] = path.join(bin, path.basename(file));
		fs.copyFileSync(file, out[name]);
		fs.chmodSync(out[name], 0o755);
	}
	for (const folder of ['www', 'nginx'])
		fs.cpSync(path.join(data, folder), path.join(bin, folder), { recursive: true });
	return out;
}
