// @ts-check
/* The driver behind scripts/demo: starts everything, plays the story, stays up or stops. */

import { parseArgs } from 'node:util';
import { Demo } from './demo.js';
import { untilSignal } from './signals.js';
import { Story } from './story.js';
import { Teller } from './teller.js';

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' }, check: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } } });
const teller = new Teller({ write: (text) => process.stdout.write(text), colour: process.stdout.isTTY === true && process.env.NO_COLOR === undefined });
const wanted = Number(values.port);

/** Until somebody ends us, or the product ends by itself. @param {Demo} demo */
async function forever(demo) {
	const ends = [demo.running.fcgi, demo.running.nginx].map(async (program) => {
		const exit = await program?.ended;
		throw new Error(`${program?.name} has ended by itself: ${JSON.stringify(exit)}`);
	});
	await Promise.race([untilSignal(), ...ends]);
	/* They end now because we say so. */
	ends.forEach((end) => end.catch(() => {}));
}

/** @param {Demo} demo */
function welcome(demo) {
	const url = `http://127.0.0.1:${demo.front.port}/demo/`;
	teller.line(`\nOpen ${teller.paint('1;4', url)}`);
	teller.line('Make an event, press "Unblu Conversation", drag the event and see the conversation follow. Ctrl-C ends the demo.');
	if (values.keep)
		teller.line(`Store, logs and rendered files: ${demo.running.dir}`);
}

async function main() {
	const demo = await Demo.start({ port: wanted, strict: wanted !== 8080 });
	try {
		if (demo.front.port !== wanted)
			teller.line(`port ${wanted} is busy, the demo is at ${demo.front.port}`);
		await new Story(demo, teller).play();
		if (!values.check) {
			welcome(demo);
			demo.shown.startCron();
			await forever(demo);
			teller.line('\nstopping');
		}
		if (teller.wrong.length === 0)
			await teller.chapter('The end', () => ending(demo));
		else
			await demo.abandon();
	} catch (e) {
		await demo.abandon();
		throw e;
	}
	teller.line(`\n${teller.steps - teller.wrong.length} of ${teller.steps} steps as they must be${teller.wrong.length > 0 ? `; wrong: ${teller.wrong.join(', ')}` : ''}`);
	return teller.wrong.length === 0 ? 0 : 1;
}

/** @param {Demo} demo */
async function ending(demo) {
	await teller.step('stopped in order', async () => {
		demo.running.expectErrors = true;
		await demo.stop();
		return `exit status of outlook-addin-fcgi ${demo.running.fcgi?.exit?.code}, of nginx ${demo.running.nginx?.exit?.code}; secrets in store, logs and answers: 0`;
	});
}

main().then((code) => process.exit(code), (e) => {
	process.stderr.write(`demo: ${e?.message ?? e}\n`);
	process.exit(1);
});
