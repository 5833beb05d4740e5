// @ts-check
/* Follows the growing log files of the programs, line by line. */

import fs from 'node:fs';

const LOOK_MS = 60;

export class Tail {
	/** @param {(name: string, line: string) => void} take */
	constructor(take) {
		this.take = take;
		/** @type {Map<string, { name: string, at: number, rest: string }>} */
		this.files = new Map();
		this.timer = setInterval(() => this.look(), LOOK_MS);
		this.timer.unref();
	}

	/** @param {string} name @param {string} file may not be there yet */
	follow(name, file) {
		this.files.set(file, { name, at: 0, rest: '' });
	}

	/** Reads what is new now. */
	look() {
		for (const [file, seen] of this.files) {
			const text = this.read(file, seen);
			if (text === '')
				continue;
			const lines = (seen.rest + text).split('\n');
			seen.rest = lines.pop() ?? '';
			for (const line of lines)
				if (line !== '')
					this.take(seen.name, line);
		}
	}

	/** @param {string} file @param {{ at: number }} seen */
	read(file, seen) {
		let fd;
		try {
			fd = fs.openSync(file, 'r');
		} catch {
			return '';
		}
		try {
			const size = fs.fstatSync(fd).size;
			if (size < seen.at)
				seen.at = 0;
			if (size === seen.at)
				return '';
			const data = Buffer.alloc(Math.min(size - seen.at, 1 << 20));
			const got = fs.readSync(fd, data, 0, data.length, seen.at);
			/* Whole lines only: a cut may fall into the middle of a character. */
			const end = data.subarray(0, got).lastIndexOf(10) + 1;
			seen.at += end;
			return data.toString('utf8', 0, end);
		} finally {
			fs.closeSync(fd);
		}
	}

	stop() {
		this.look();
		clearInterval(this.timer);
	}
}
