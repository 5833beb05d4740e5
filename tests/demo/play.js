// @ts-check
/* Plays the story from the start of everything to its end, and tells it on stdout. */

import { Stack } from '../lib/stack.js';
import { Demo } from './demo.js';
import { Story } from './story.js';
import { Teller } from './teller.js';

/** @typedef {(demo: Demo, teller: Teller) => Promise<void>} Stay what is done between the story and the end */

/**
 * @param {{ port: number, strict?: boolean, kind?: typeof Stack, stay?: Stay }} how as Demo.start() takes it
 * @returns {Promise<number>} exit status: 0 when every step was as it must be
 */
export async function play({ stay, ...how }) {
	const teller = new Teller({ write: (text) => process.stdout.write(text), colour: process.stdout.isTTY === true && process.env.NO_COLOR === undefined });
	const demo = await Demo.start(how);
	try {
		if (how.port !== 0 && demo.front.port !== how.port)
			teller.line(`port ${how.port} is busy, the demo is at ${demo.front.port}`);
		await new Story(demo, teller).play();
		await stay?.(demo, teller);
		if (teller.wrong.length === 0)
			await teller.chapter('The end', () => ending(demo, teller));
		else
			await demo.abandon();
	} catch (e) {
		await demo.abandon();
		throw e;
	}
	teller.line(`\n${teller.steps - teller.wrong.length} of ${teller.steps} steps as they must be${teller.wrong.length > 0 ? `; wrong: ${teller.wrong.join(', ')}` : ''}`);
	return teller.wrong.length === 0 ? 0 : 1;
}

/** Ends the process with the outcome. @param {Promise<number>} played */
export function leaveWith(played) {
	played.then((code) => process.exit(code), (e) => {
		process.stderr.write(`demo: ${e?.message ?? e}\n`);
		process.exit(1);
	});
}

/** @param {Demo} demo @param {Teller} teller */
async function ending(demo, teller) {
	await teller.step('stopped in order', async () => {
		demo.running.expectErrors = true;
		await demo.stop();
		return `exit status of outlook-addin-fcgi ${demo.running.fcgi?.exit?.code}, of nginx ${demo.running.nginx?.exit?.code}; secrets in store, logs and answers: 0`;
	});
}
