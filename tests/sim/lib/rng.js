// @ts-check
/* Seeded randomness: the same seed and the same calls give the same run. */

import { createHash } from 'node:crypto';

export class Rng {
	/** @param {number} seed */
	constructor(seed) {
		this.seed = seed >>> 0;
		this.state = this.seed;
	}

	/** A number in [0, 1): mulberry32. */
	next() {
		this.state = (this.state + 0x6d2b79f5) >>> 0;
		let t = this.state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	}

	/** An integer in [min, max]. @param {number} min @param {number} max */
	int(min, max) {
		return min + Math.floor(this.next() * (max - min + 1));
	}

	/** @param {number} probability */
	chance(probability) {
		return this.next() < probability;
	}

	/** @template T @param {readonly T[]} list @returns {T} */
	pick(list) {
		return list[this.int(0, list.length - 1)];
	}

	/** A shuffled copy. @template T @param {readonly T[]} list @returns {T[]} */
	shuffle(list) {
		const out = [...list];
		for (let i = out.length - 1; i > 0; i--) {
			const j = this.int(0, i);
			[out[i], out[j]] = [out[j], out[i]];
		}
		return out;
	}

	/** A value of a range: a number stands for itself, [min, max] is drawn. @param {number | [number, number]} range */
	range(range) {
		return Array.isArray(range) ? this.int(range[0], range[1]) : range;
	}

	/** @param {number} n */
	bytes(n) {
		const out = Buffer.alloc(n);
		for (let i = 0; i < n; i++)
			out[i] = this.int(0, 255);
		return out;
	}

	guid() {
		const b = this.bytes(16);
		b[6] = (b[6] & 0x0f) | 0x40;
		b[8] = (b[8] & 0x3f) | 0x80;
		const h = b.toString('hex');
		return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
	}

	/** n characters of the base64url alphabet. @param {number} n */
	text(n) {
		return this.bytes(Math.ceil(n * 3 / 4)).toString('base64url').slice(0, n);
	}
}

/** A stable GUID made from a name. @param {string} name */
export function guidOf(name) {
	const h = createHash('sha256').update(name).digest('hex');
	return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20, 32)}`;
}

/** Stable base64url text made from a name. @param {string} name @param {number} n */
export function textOf(name, n) {
	let out = '';
	for (let i = 0; out.length < n; i++)
		out += createHash('sha256').update(`${i}:${name}`).digest('base64url');
	return out.slice(0, n);
}
