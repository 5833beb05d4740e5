// @ts-check
/* Event ids: base64url text, case-sensitive, one regular and one immutable per item (graph.md 6, 6.2). */

/* Every id holds one of `-_` and letters near its end, so that a twin of it can be made. */
const ENDINGS = ['Y_g', 'q-Z', 'W_x', 'b-K'];
const REST_PREFIX = 'AAMkAGI2TG93AAA';
const IMMUTABLE_PREFIX = 'AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A';

/** @param {import('../lib/rng.js').Rng} rng */
export function newRestId(rng) {
	return `${REST_PREFIX}${rng.text(100)}${rng.pick(ENDINGS)}AAA=`;
}

/** @param {import('../lib/rng.js').Rng} rng */
export function newImmutableId(rng) {
	return `${IMMUTABLE_PREFIX}${rng.text(28)}${rng.pick(ENDINGS)}AA`;
}

/** An id that differs only in `-` against `_`, or only in the case of one letter. @param {string} id @param {'dash' | 'case'} how */
export function twinOf(id, how) {
	const chars = [...id];
	for (let i = chars.length - 1; i > 8; i--) {
		const c = chars[i];
		if (how === 'dash' && (c === '-' || c === '_')) {
			chars[i] = c === '-' ? '_' : '-';
			return chars.join('');
		}
		if (how === 'case' && /[A-Za-z]/.test(c)) {
			chars[i] = c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase();
			return chars.join('');
		}
	}
	throw new RangeError('no twin of this id');
}

/** @param {string} id */
export function idIsWellFormed(id) {
	return id.length >= 20 && /^AA[A-Za-z0-9_=-]+$/.test(id);
}
