// @ts-check
/* Ctrl-C and its kin: the first one asks for an orderly end, further ones do not disturb it. */

/** Resolves at the first signal; takes the place of the harness' handlers, which would leave at once. @returns {Promise<void>} */
export function untilSignal() {
	return new Promise((resolve) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
			process.removeAllListeners(signal);
			process.on(signal, () => resolve());
		}
	});
}
