// @ts-check
/* app.js - puts the parts together for a page: loads configuration, texts and sign-in at the same time, and gives the flows their ports. */

import { configLoad, i18nLoad, i18nSay, INVITATION, LAST_RESORT } from './load.js';
import { AddinError, createLog } from './errors.js';
import { createItem, hostFacts, hostItem, hostMailbox, hostSupports } from './outlook.js';
import { inviteLabel } from './formats.js';
import { createLinksClient, createNet, createUnbluClient } from './remote.js';
import { createNested, createSession, nestedIsOffered, safeStorage } from './session.js';

/**
 * @typedef {object} App
 * @property {import('./errors.js').Log} log with the request id that the agent sees
 * @property {Promise<import('./load.js').Say>} say what went well, and what tells of a lost connection; never rejects
 * @property {() => Promise<import('./load.js').Say>} sayAll every text that button and pane share, as far as it can be had; never rejects
 * @property {Promise<import('./flow.js').Remote>} remote rejects with AddinError config-missing, config-wrong
 * @property {import('./outlook.js').Item | null} item null: no event is being edited
 * @property {() => import('./flow.js').Ports} ports for the flows; only when there is an item
 * @property {<T>(run: () => Promise<T>, isChange?: boolean) => Promise<T>} alone one at a time among all pages of ours; AddinError `busy`
 * @property {() => void} end stops whatever goes on: exchanges, dialog, further steps, and changes of the event; notices and texts are left
 */

const BASES = 'unblu.linkBases';
const BASES_KEPT = 5;
const LOCK = 'unblu-event';
const LOCK_MS = 25_000;
export const CHANNEL = 'unblu-event';

const now = () => Date.now();

/** @param {number} ms @returns {Promise<void>} */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns {string} */
function uuid() {
	/* Safari before 15.4 makes them, just as random, only to name a Blob. */
	return crypto.randomUUID?.() ?? URL.createObjectURL(new Blob()).slice(-36);
}

/** Everything before what differs from conversation to conversation, and before anything that looks like a secret. @param {string} url */
export function linkBase(url) {
	const mark = url.search(/[?#]/);
	const end = mark >= 0 ? mark : url.lastIndexOf('/');
	return url.slice(0, end + 1).replace(/([^/]\/)(?=[\w-]*\d)[\w-]{16,}(?![\w.-]).*/, '$1');
}

/** @template T @param {() => Promise<T>} run @param {boolean} [isChange] false: it only looks @returns {Promise<T>} */
async function alone(run, isChange = true) {
	const control = new AbortController();
	const { signal } = control;
	const timer = setTimeout(() => control.abort(), LOCK_MS);
	let isOurs = false;
	const begin = () => {
		isOurs = true;
		return run();
	};
	try {
		return await navigator.locks.request(LOCK, { signal }, begin);
	} catch (e) {
		if (isOurs)
			throw e;
		if (signal.aborted)
			throw new AddinError('busy');
		/* There is none, or none for a page in a frame that may store nothing. */
		return await begin();
	} finally {
		clearTimeout(timer);
		if (isChange)
			tellChange();
	}
}

/** To the other pages of ours: the event may have changed. Where they can not be told the pane looks when it gets the focus. */
function tellChange() {
	try {
		const channel = new BroadcastChannel(CHANNEL);
		channel.postMessage(null);
		channel.close();
	} catch {
		/* none, or none for this page */
	}
}

/**
 * Call it when Office is ready.
 * @param {<T>(signIn: () => Promise<T>) => Promise<T>} [person] around each sign-in that a person takes part in
 * @param {import('./errors.js').Log} [log] goes on, under its request id
 * @returns {App}
 */
export function createApp(person = (signIn) => signIn(), log = createLog({ now, requestId: uuid().slice(0, 8) })) {
	const over = new AbortController();
	const { signal } = over;
	const fetch = globalThis.fetch.bind(globalThis);
	const net = createNet({ fetch, signal });
	const host = hostFacts();
	const page = location.href;
	const kept = safeStorage(() => localStorage);
	const memory = safeStorage(() => sessionStorage);
	/** @param {string} path */
	const ours = (path) => new URL(path, page).href;

	/** The last word needs them, also after the end of all else. @param {string} name */
	const texts = (name) => i18nLoad(createNet({ fetch }), host.language, (language) => ours(`strings/${name}${language}.json`));
	const tables = texts('');
	const say = tables.then((own) => i18nSay([...own, LAST_RESORT]));
	const remote = openRemote();
	remote.catch(() => undefined);

	/** @returns {Promise<import('./flow.js').Remote>} */
	async function openRemote() {
		const config = await configLoad(net, ours('config.json'));
		if (config.debugMode)
			import('./log-report.js').then((report) => report.logShow(log, (line) => console.info(line))).catch(() => undefined);
		const session = createSession({
			config, authUrl: ours('auth.html'), hint: host.email, storage: memory, now, uuid, sleep, log, person,
			nestedIsPossible: () => hostSupports('NestedAppAuth', '1.1') && nestedIsOffered(),
			nested: () => createNested(config, { sleep }),
			signal,
		});
		/* Never a person: these exchanges also go on in the background. Who may open a window asks the session itself. */
		const env = { net, token: (/** @type {boolean} */ force) => session.token({ force }), sleep, log };
		const label = inviteLabel(config.invitationTexts, host.language, inviteLabel(INVITATION, host.language, INVITATION.en));
		return {
			config, session, label, labels: [...new Set([label, ...Object.values(config.invitationTexts), ...Object.values(INVITATION)])],
			unblu: createUnbluClient({ ...env, base: config.unbluApiUrl }),
			links: createLinksClient({ ...env, base: ours('api/links') }),
			bases: bases(), fallbackTopic: config.fallbackTopic || (await say)('topic.fallback'),
		};
	}

	/** @returns {string[]} */
	function bases() {
		return (kept.get(BASES) ?? '').split('\n').filter((b) => b !== '');
	}

	/** @param {string} url */
	function learn(url) {
		kept.set(BASES, [...new Set([linkBase(url), ...bases()])].slice(0, BASES_KEPT).join('\n'));
	}

	const check = () => {
		if (signal.aborted)
			throw new AddinError('timeout');
	};
	const raw = hostItem();
	const item = raw === null ? null : createItem(raw, { sleep, mailbox: hostMailbox(), log, check });
	return {
		log, say, remote, item, alone,
		sayAll: async () => i18nSay([...await texts('more.'), ...await tables, LAST_RESORT]),
		ports() {
			if (item === null)
				throw new AddinError('no-item');
			return {
				item, remote, memory, learn, language: host.language, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, now, uuid, sleep, log, check };
		},
		end: () => over.abort(),
	};
}
