// @ts-check
/* Waiting by condition, never by a fixed sleep. */

/** @param {number} ms @returns {Promise<void>} */
export function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Calls fn until it gives something that is neither false, undefined nor null, and returns that.
 * An exception of fn counts as "not yet"; the last one is told when time is up.
 * @template T
 * @param {() => T | Promise<T>} fn
 * @param {number} ms the limit, real milliseconds
 * @param {string} what "the conversation is renamed": for the message
 * @returns {Promise<NonNullable<T>>}
 */
export async function waitFor(fn, ms, what) {
	const end = performance.now() + ms;
	let step = 5;
	let last = '';
	for (;;) {
		try {
			const found = await fn();
			if (found !== undefined && found !== null && found !== false)
				return /** @type {NonNullable<T>} */ (found);
			last = '';
		} catch (e) {
			last = ` (last: ${e instanceof Error ? e.message : String(e)})`;
		}
		if (performance.now() >= end)
			throw new Error(`not within ${ms} ms: ${what}${last}`);
		await pause(step);
		step = Math.min(step * 1.5, 100);
	}
}

/**
 * The opposite: fails as soon as fn gives true within ms.
 * @param {() => boolean | Promise<boolean>} fn @param {number} ms @param {string} what
 */
export async function neverWithin(fn, ms, what) {
	const end = performance.now() + ms;
	while (performance.now() < end) {
		if (await fn())
			throw new Error(`must not happen: ${what}`);
		await pause(20);
	}
}
