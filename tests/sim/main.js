// @ts-check
/* node tests/sim/main.js [--port-entra N] [--port-graph N] [--port-unblu N] [--port-control N] [--seed S] [--tenants FILE] [--settings JSON] [--with-parent] */

import fs from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { startSimulators } from './index.js';

const USAGE = 'usage: node main.js [--port-entra N] [--port-graph N] [--port-unblu N] [--port-control N] [--seed S] [--tenants FILE] [--settings JSON] [--validate all|sample|off] [--with-parent]';

/** @param {string} text */
function refuse(text) {
	process.stderr.write(`${text}\n${USAGE}\n`);
	process.exit(2);
}

/** @param {string | undefined} text @param {string} name @param {number} most */
function number(text, name, most) {
	if (text === undefined)
		return undefined;
	if (!/^\d+$/.test(text) || Number(text) > most)
		refuse(`--${name}: not a number from 0 to ${most}: ${text}`);
	return Number(text);
}

/** @param {string | undefined} text @param {string} name */
function json(text, name) {
	if (text === undefined)
		return undefined;
	try {
		return JSON.parse(text);
	} catch (e) {
		return refuse(`--${name}: ${/** @type {Error} */ (e).message}`);
	}
}

/** @returns {import('./index.js').Options & { withParent: boolean }} */
function options() {
	/** @type {any} */
	let v = {};
	try {
		const string = /** @type {const} */ ({ type: 'string' });
		v = parseArgs({
			options: {
				'port-entra': string, 'port-graph': string, 'port-unblu': string, 'port-control': string, seed: string, tenants: string, settings: string, validate: string,
				'with-parent': { type: 'boolean' },
			},
		}).values;
	} catch (e) {
		refuse(/** @type {Error} */ (e).message);
	}
	const settings = { ...json(v.settings, 'settings'), ...(v.validate === undefined ? {} : { validate: v.validate }) };
	let file;
	try {
		file = v.tenants === undefined ? undefined : fs.readFileSync(v.tenants, 'utf8');
	} catch (e) {
		refuse(`--tenants: ${/** @type {Error} */ (e).message}`);
	}
	return {
		ports: {
			entra: number(v['port-entra'], 'port-entra', 65535), graph: number(v['port-graph'], 'port-graph', 65535),
			unblu: number(v['port-unblu'], 'port-unblu', 65535), control: number(v['port-control'], 'port-control', 65535),
		},
		seed: number(v.seed, 'seed', 0xffffffff), tenants: json(file, 'tenants'), settings, withParent: v['with-parent'] === true,
	};
}

const wanted = options();
/** @type {import('./index.js').Simulators} */
let sim;
try {
	sim = await startSimulators(wanted);
} catch (e) {
	process.stderr.write(`simulators: ${/** @type {Error} */ (e).message}\n`);
	process.exit(1);
}
process.stdout.write(`${JSON.stringify({ ...sim.urls, seed: sim.seed, pid: process.pid, validation: sim.checks.message })}\n`);

async function stop() {
	await sim.close();
	process.exit(0);
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (wanted.withParent) {
	process.stdin.on('end', stop);
	process.stdin.on('error', stop);
	process.stdin.resume();
}
