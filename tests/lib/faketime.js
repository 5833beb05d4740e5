// @ts-check
/* The clock of the programs under test: libfaketime, one shared file that says how far ahead they are. */

import fs from 'node:fs';
import path from 'node:path';

/** Where Debian puts it, any architecture. @returns {string | null} */
export function libfaketime() {
	const named = process.env.LIBFAKETIME;
	if (named !== undefined)
		return named;
	for (const folder of fs.readdirSync('/usr/lib')) {
		const file = path.join('/usr/lib', folder, 'faketime', 'libfaketime.so.1');
		if (fs.existsSync(file))
			return file;
	}
	return null;
}

/** The semaphores of processes that were killed: another one with the same id would wait for ever. */
function sweep() {
	for (const name of fs.existsSync('/dev/shm') ? fs.readdirSync('/dev/shm') : []) {
		const pid = /^(?:sem\.)?faketime_(?:sem|shm)_(\d+)$/.exec(name)?.[1];
		try {
			if (pid !== undefined && !fs.existsSync(`/proc/${pid}`))
				fs.unlinkSync(`/dev/shm/${name}`);
		} catch {
			/* Somebody else's, or gone already. */
		}
	}
}

export class FakeClock {
	/** @param {string} dir @param {number} [factor] the programs' time passes so much faster, waits too */
	constructor(dir, factor = 1) {
		this.factor = factor;
		sweep();
		this.file = path.join(dir, 'faketime');
		this.offsetMs = 0;
		this.fd = fs.openSync(this.file, 'w', 0o644);
		this.set(0);
	}

	/** Same file, same length, one write: a reader sees the old or the new text. @param {number} offsetMs */
	set(offsetMs) {
		this.offsetMs = offsetMs;
		fs.writeSync(this.fd, `${offsetMs < 0 ? '-' : '+'}${(Math.abs(offsetMs) / 1000).toFixed(3).padStart(16, '0')}${this.factor === 1 ? '' : ` x${this.factor}`}\n`, 0);
	}

	close() {
		fs.closeSync(this.fd);
	}

	/** @returns {Record<string, string>} */
	get env() {
		const library = libfaketime();
		if (library === null)
			throw new Error('libfaketime is not installed (package libfaketime)');
		return { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: this.file, FAKETIME_NO_CACHE: '1', ...(this.factor === 1 ? { FAKETIME_DONT_FAKE_MONOTONIC: '1' } : {}) };
	}
}
