// @ts-check
/* commands.js - the page behind the ribbon's button: one click, one outcome in the info bar, completed() exactly once. */

import { createApp, sleep } from './app.js';
import { AddinError } from './errors.js';
import { flowClick, outcomeOf } from './flow.js';
import { notice, outcomeText } from './load.js';
import { hostAssociate, hostReady } from './outlook.js';

/** The function's name in the manifest. */
const NAME = 'addUnbluConversation';
/*
 * All of it ends within 50 s, since a phone gives a function one minute: the work, then waiting for texts, then the last word.
 * What a person takes to sign in, perhaps with a second factor and for the first time, does not count: a phone does not
 * count the time in a dialog, and other hosts give a function five minutes.
 */
const LIMIT_MS = 45_000;
const LONGEST_MS = 240_000;
const LOOK_MS = 500;
const TEXTS_MS = 2000;
const LAST_WORD_MS = 2500;

/** @param {import('./app.js').App} app @param {import('./flow.js').Outcome} outcome @param {Promise<string>} text */
async function tell(app, outcome, text) {
	await app.item?.notify(outcome.kind === 'error' ? 'error' : 'info', notice(await text, app.log.requestId));
}

async function run() {
	const begin = Date.now();
	let end = begin + LIMIT_MS;
	let over = false;
	/** @param {string} key @param {Promise<import('./load.js').Say>} texts */
	const show = (key, texts) => void texts.then((say) => (over ? undefined : app.item?.notify('progress', notice(say(key), app.log.requestId))));
	await hostReady();
	const app = createApp((signIn) => {
		const left = end - Date.now();
		end = begin + LONGEST_MS;
		show('progress.sign-in', app.sayAll());
		return signIn().finally(() => {
			end = Math.min(end, Date.now() + left);
			show('progress.creating', app.say);
		});
	});
	if (app.item === null)
		return;
	const late = async () => {
		while (Date.now() < end)
			await sleep(LOOK_MS);
		app.end();
		throw new AddinError('timeout');
	};
	/* What hangs, such as a sign-in that nobody answers, keeps the next click waiting no longer. */
	const outcome = await app.alone(() => {
		/* Not before: an earlier click says what is waited for. */
		show('progress.creating', app.say);
		return Promise.race([flowClick(app.ports()), late()]);
	}).catch(outcomeOf);
	const text = app.say.then((say) => outcomeText(say, outcome, app.sayAll));
	await Promise.race([text, sleep(TEXTS_MS)]);
	over = true;
	await Promise.race([tell(app, outcome, text), sleep(LAST_WORD_MS)]);
}

/** @param {any} event */
function click(event) {
	run().catch((e) => console.error(String(e))).finally(() => event?.completed?.());
}

hostAssociate(NAME, click);
