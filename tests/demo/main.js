// @ts-check
/* The driver behind scripts/demo: plays the story, then stays up or stops. */

import { parseArgs } from 'node:util';
import { leaveWith, play } from './play.js';
import { untilSignal } from './signals.js';

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' }, check: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } } });
const wanted = Number(values.port);

/** @typedef {import('./demo.js').Demo} Demo */

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

/** @param {Demo} demo @param {import('./teller.js').Teller} teller */
async function stay(demo, teller) {
	teller.line(`\nOpen ${teller.paint('1;4', `http://127.0.0.1:${demo.front.port}/demo/`)}`);
	teller.line('Make an event, press "Unblu Conversation", drag the event and see the conversation follow. Ctrl-C ends the demo.');
	if (values.keep)
		teller.line(`Store, logs and rendered files: ${demo.running.dir}`);
	demo.shown.startCron();
	await forever(demo);
	teller.line('\nstopping');
}

leaveWith(play({ port: wanted, strict: wanted !== 8080, stay: values.check ? undefined : stay }));
