// @ts-check
/* Notifications in great number, sent by a process of its own: tests/bench/storm-sender.js. */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { SOURCE_ROOT } from './build.js';

/**
 * Posts the bodies at an even pace. Resolves to the sender's figures.
 * @param {string} dir for its input, removed afterwards
 * @param {{ port: number, path: string, seconds: number, connections: number, bodies: string[] }} job
 * @returns {Promise<{ requests: number, seconds: number, statuses: Record<string, number>, p50: number, p99: number, p999: number, max: number }>}
 */
export function sendStorm(dir, job) {
	const file = path.join(dir, 'storm.json');
	fs.writeFileSync(file, JSON.stringify(job));
	const child = spawn(process.execPath, [path.join(SOURCE_ROOT, 'tests/bench/storm-sender.js'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
	let out = '';
	child.stdout.on('data', (data) => {
		out += data;
	});
	return new Promise((resolve, reject) => child.once('exit', (code) => {
		fs.rmSync(file);
		if (code === 0)
			resolve(JSON.parse(out));
		else
			reject(new Error(`the sender ended with ${code}`));
	}));
}
