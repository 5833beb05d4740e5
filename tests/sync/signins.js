// @ts-check
/* What the stories of signing in have in common. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Bench, until } from './harness.js';

/** Replaced as careful tools do it. @param {string} file @param {string} text */
export function put(file, text) {
	fs.rmSync(`${file}.new`, { force: true });
	fs.writeFileSync(`${file}.new`, text, { mode: 0o400 });
	fs.renameSync(`${file}.new`, file);
}

/** A bench whose configuration and environment may still be changed. @param {any} t @param {(b: Bench) => any} change what config differs in @param {any} [options] */
export async function bench(t, change, options = {}) {
	const b = await Bench.start(t, { start: false, ...options });
	const file = path.join(b.dir, 'addin.json');
	const config = { ...JSON.parse(fs.readFileSync(file, 'utf8')), ...change(b) };
	fs.writeFileSync(file, JSON.stringify(config));
	return b;
}

/** @param {Bench} b @param {string} reason @param {RegExp} text */
export function degraded(b, reason, text) {
	return until(`${reason} is degraded: ${text}`, async () => text.test((await b.dump()).facts[`degraded:${reason}`] ?? ''));
}

/** @param {Bench} b @param {string} reason */
export function recovered(b, reason) {
	return until(`${reason} is in order`, async () => !(`degraded:${reason}` in (await b.dump()).facts));
}

/** @param {Bench} b @param {RegExp} text @returns {any[]} */
export function warnings(b, text) {
	return b.lines().filter((l) => (l.level === 'warning' || l.level === 'error') && text.test(JSON.stringify(l)));
}

/** Nothing was given up, nothing deleted. @param {Bench} b */
export async function nothingLost(b) {
	assert.equal((await b.dump()).dead.length, 0);
	assert.ok((await b.control('GET', '/control/conversations')).every((/** @type {any} */ c) => !c.deleted));
}
