// @ts-check
/* commands.js - the page behind the ribbon's button: one click, one outcome in the info bar, completed() exactly once. */

import { createApp, sleep } from './app.js';
import { AddinError, errorOf } from './errors.js';
import { flowClick, outcomeOf } from './flow.js';
import { notice, outcomeText } from './load.js';
import { hostAssociate, hostReady } from './outlook.js';

/** The function's name in the manifest. */
const NAME = 'addUnbluConversation';
/* All of it ends within 50 s, since a phone gives a function one minute: the work, then waiting for texts, then the last word. */
const LIMIT_MS = 45_000;
const TEXTS_MS = 2000;
const LAST_WORD_MS = 2500;

/** @param {import('./app.js').App} app @param {import('./flow.js').Outcome} outcome @param {Promise<string>} text */
async function tell(app, outcome, text) {
	await app.item?.notify(outcome.kind === 'error' ? 'error' : 'info', notice(await text, app.requestId));
}

/** @param {import('./app.js').App} app @returns {Promise<import('./flow.js').Outcome>} */
async function work(app) {
	app.say.then((say) => app.item?.notify('progress', notice(say('progress.creating')))).catch(() => undefined);
	try {
		return await app.alone(() => flowClick(app.ports()));
	} catch (e) {
		return outcomeOf(e);
	}
}

async function run() {
	const late = sleep(LIMIT_MS).then(() => outcomeOf(new AddinError('timeout')));
	await hostReady();
	const app = createApp();
	if (app.item === null)
		return;
	const outcome = await Promise.race([work(app), late]);
	/* What ends everything would end the loading of the texts too. */
	const text = app.say.then((say) => outcomeText(say, outcome, app.sayAll));
	await Promise.race([text, sleep(TEXTS_MS)]);
	app.end();
	await Promise.race([tell(app, outcome, text), sleep(LAST_WORD_MS)]);
}

/** @param {any} event */
function click(event) {
	run().catch((e) => console.error(errorOf(e).message)).finally(() => event?.completed?.());
}

hostAssociate(NAME, click);
