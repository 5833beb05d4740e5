// @ts-check
/* A listening socket that is kept by somebody else, as systemd keeps that of a socket unit: ./hold-socket. */

import path from 'node:path';
import { serviceAccount, SOURCE_ROOT } from './build.js';
import { waitFor } from './wait.js';

/** What to put before the program. @param {string} socket its path */
export function holdSocket(socket) {
	const { uid, gid } = serviceAccount() ?? { uid: process.getuid?.(), gid: process.getgid?.() };
	return [path.join(SOURCE_ROOT, 'tests/lib/hold-socket'), `${uid}:${gid}`, socket];
}

/** The wait statuses with which the program behind it has ended so far. @param {import('./program.js').Program} holder */
export const endsOf = (holder) => [...holder.stdout.matchAll(/^ended (\d+)$/gm)].map((m) => Number(m[1]));

/** Ends the program behind it, which is started again. @param {import('./program.js').Program} holder @returns {Promise<number>} milliseconds until it had ended, well */
export async function restartHeld(holder) {
	const before = endsOf(holder).length;
	const began = performance.now();
	holder.kill('SIGHUP');
	await waitFor(() => endsOf(holder).length > before, 10_000, 'the program behind the socket has ended');
	const ms = performance.now() - began;
	if (endsOf(holder)[before] !== 0)
		throw new Error(`it ended with ${endsOf(holder)[before]}`);
	return ms;
}
