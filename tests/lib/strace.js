// @ts-check
/* strace as a witness (what was written and synced before what was answered) and as a saboteur. */

import fs from 'node:fs';
import { serviceAccount } from './build.js';
import { Program } from './program.js';
import { waitFor } from './wait.js';

/** Runs the tree under strace from its first breath. @param {string} out @param {string[]} options @returns {string[]} for Stack's wrap */
export function traceFromStart(out, options) {
	return ['strace', '-f', '-qq', '-o', out, ...serviceAccount() === null ? [] : ['-u', 'nobody'], ...options];
}

/**
 * Attaches to a running process and its threads; resolves once it does. stop() lets it go unharmed.
 * @param {number} pid @param {string} dir @param {string} out @param {string[]} options
 */
export async function attach(pid, dir, out, options) {
	const program = new Program(`strace-${pid}-${out.replace(/.*\//, '')}`, ['strace', '-f', '-p', String(pid), '-o', out, ...options], { dir, env: { PATH: process.env.PATH ?? '' } });
	await waitFor(() => {
		if (program.exit !== null)
			throw new Error(`strace ended: ${program.stderr}`);
		return fs.readdirSync(`/proc/${pid}/task`).every((t) => !/^TracerPid:\t0$/m.test(fs.readFileSync(`/proc/${pid}/task/${t}/status`, 'utf8')));
	}, 10_000, `strace is attached to ${pid}`);
	return program;
}

/**
 * @typedef {object} Call
 * @property {number} pid
 * @property {string} name
 * @property {string} args as printed
 * @property {number} begin line number at which it was entered
 * @property {number} end line number at which it returned
 * @property {number} result
 */

/** @param {string} text of an strace -f -o file @returns {Call[]} in order of return */
export function parseCalls(text) {
	/** @type {Call[]} */
	const out = [];
	/** @type {Map<number, { name: string, args: string, begin: number }>} */
	const open = new Map();
	text.split('\n').forEach((line, at) => {
		const head = /^(\d+)\s+(.*)$/s.exec(line);
		if (head === null)
			return;
		const pid = Number(head[1]);
		const rest = head[2];
		const resumed = /^<\.\.\. (\w+) resumed>(.*)$/s.exec(rest);
		const started = /^(\w+)\((.*) <unfinished \.\.\.>$/s.exec(rest);
		const whole = /^(\w+)\((.*)$/s.exec(rest);
		if (resumed !== null) {
			const before = open.get(pid);
			open.delete(pid);
			if (before !== undefined)
				out.push({ pid, ...before, args: before.args + resumed[2], end: at, result: resultOf(resumed[2]) });
		} else if (started !== null) {
			open.set(pid, { name: started[1], args: started[2], begin: at });
		} else if (whole !== null) {
			out.push({ pid, name: whole[1], args: whole[2], begin: at, end: at, result: resultOf(whole[2]) });
		}
	});
	return out;
}

/** @param {string} text */
function resultOf(text) {
	const found = /\) *= (-?\d+)(?!.*\) *= )/s.exec(text);
	return found === null ? NaN : Number(found[1]);
}

/** "15<UNIX-STREAM:[1->2]>, ..." -> "15"; null when the first argument is no descriptor. @param {Call} call */
export function descriptor(call) {
	return /^(\d+)/.exec(call.args)?.[1] ?? null;
}

/**
 * For each event id that was answered 202: was its row written and synced before the answer was?
 * @param {Call[]} calls of web @param {string[]} ids @param {string} wal name of the WAL file
 * @returns {{ checked: number, answered: number, wrong: string[] }}
 */
export function auditAnswers(calls, ids, wal) {
	/** @type {Map<string, string>} descriptor -> id of the request that came in last */
	const asked = new Map();
	/** @type {Map<string, number>} id -> end of the first write that carried it */
	const written = new Map();
	const syncs = calls.filter((c) => ['fdatasync', 'fsync'].includes(c.name) && c.args.includes(wal) && c.result === 0);
	/** @type {string[]} */
	const wrong = [];
	let checked = 0;
	let answered = 0;
	for (const call of calls) {
		const fd = descriptor(call);
		if (fd === null)
			continue;
		if (/^(read|readv|recvfrom|recvmsg)$/.test(call.name)) {
			const id = ids.find((i) => call.args.includes(i));
			if (id !== undefined)
				asked.set(fd, id);
		} else if (/^p?writev?(64)?$/.test(call.name) && call.args.includes(wal)) {
			for (const id of ids)
				if (!written.has(id) && call.args.includes(id))
					written.set(id, call.end);
		} else if (/^(write|writev|sendto|sendmsg)$/.test(call.name) && call.args.includes('Status: 202')) {
			answered++;
			const id = asked.get(fd);
			if (id === undefined)
				continue;
			checked++;
			const row = written.get(id);
			if (row === undefined)
				wrong.push(`${id}: answered 202 in line ${call.begin}, its row was never written before`);
			else if (!syncs.some((s) => s.begin >= row && s.end <= call.begin))
				wrong.push(`${id}: row written in line ${row}, answered in line ${call.begin}, no sync between`);
		}
	}
	return { checked, answered, wrong };
}
