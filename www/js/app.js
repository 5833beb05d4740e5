// @ts-check
/* app.js - puts the parts together for a page: loads configuration, texts and sign-in at the same time, and gives the flows their ports. */

import { configLoad } from './config.js';
import { AddinError } from './errors.js';
import { hostFacts, hostItem, hostMailbox, hostSupports } from './office-host.js';
import { INVITATION, i18nLoad, i18nSay } from './i18n.js';
import { inviteLabel } from './invite.js';
import { createItem } from './office-item.js';
import { createLinksClient } from './links-client.js';
import { createLog } from './log.js';
import { LAST_RESORT } from './messages.js';
import { createNested, nestedIsOffered } from './msal-port.js';
import { createNet } from './net.js';
import { createSession, safeStorage } from './session.js';
import { createUnbluClient } from './unblu-client.js';

/**
 * @typedef {object} App
 * @property {string} requestId what the agent sees and the log has
 * @property {import('./log.js').Log} log
 * @property {Promise<import('./i18n.js').Say>} say never rejects
 * @property {Promise<import('./flow.js').Remote>} remote rejects with AddinError config-missing, config-wrong
 * @property {import('./office-item.js').Item | null} item null: no event is being edited
 * @property {() => import('./flow.js').Ports} ports for the flows; only when there is an item
 * @property {<T>(run: () => Promise<T>) => Promise<T>} alone one at a time among all pages of ours; AddinError `busy`
 * @property {() => void} end stops whatever goes on: exchanges, dialog, further steps
 */

const BASES = 'unblu.linkBases';
const BASES_KEPT = 5;
const LOCK = 'unblu-event';
const LOCK_MS = 25_000;
const CHANNEL = 'unblu-event';

/** @param {number} ms @returns {Promise<void>} */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns {string} */
function uuid() {
	if (typeof crypto.randomUUID === 'function')
		return crypto.randomUUID();
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	bytes[6] = bytes[6] & 0x0f | 0x40;
	bytes[8] = bytes[8] & 0x3f | 0x80;
	return Array.from(bytes, (b, i) => `${[4, 6, 8, 10].includes(i) ? '-' : ''}${b.toString(16).padStart(2, '0')}`).join('');
}

/** Everything before what differs from conversation to conversation. @param {string} url */
export function linkBase(url) {
	const mark = url.search(/[?#]/);
	const end = mark >= 0 ? mark : url.lastIndexOf('/');
	return url.slice(0, end + 1);
}

function timeZone() {
	try {
		return Intl.DateTimeFormat().resolvedOptions().timeZone;
	} catch {
		return undefined;
	}
}

/** @template T @param {() => Promise<T>} run @returns {Promise<T>} */
async function alone(run) {
	const locks = globalThis.navigator?.locks;
	if (locks === undefined)
		return run();
	const control = new AbortController();
	const timer = setTimeout(() => control.abort(), LOCK_MS);
	try {
		return await /** @type {Promise<T>} */ (locks.request(LOCK, { signal: control.signal }, () => {
			clearTimeout(timer);
			return run();
		}));
	} catch (e) {
		if (control.signal.aborted)
			throw new AddinError('busy');
		throw e;
	} finally {
		clearTimeout(timer);
		tellChange();
	}
}

/** To the other pages of ours: the event may have changed. */
function tellChange() {
	if (globalThis.BroadcastChannel === undefined)
		return;
	const channel = new BroadcastChannel(CHANNEL);
	channel.postMessage(null);
	channel.close();
}

/** Another page of ours has changed the event: the button, while the pane is open. @param {() => void} listener */
export function onChange(listener) {
	if (globalThis.BroadcastChannel === undefined)
		return;
	new BroadcastChannel(CHANNEL).addEventListener('message', listener);
}

/** Call it when Office is ready. @returns {App} */
export function createApp() {
	const requestId = uuid().slice(0, 8);
	const now = () => Date.now();
	const over = new AbortController();
	const log = createLog({ now, requestId, sink: (line) => console.info(line) });
	const net = createNet({ fetch: globalThis.fetch.bind(globalThis), now, signal: over.signal });
	const host = hostFacts();
	const page = location.href;
	const kept = safeStorage(() => localStorage);
	const memory = safeStorage(() => sessionStorage);
	/** @param {string} path */
	const ours = (path) => new URL(path, page).href;

	const say = i18nLoad(net, host.language, (language) => ours(`strings/${language}.json`)).then((tables) => i18nSay([...tables, LAST_RESORT]));
	const remote = openRemote();
	remote.catch(() => undefined);

	/** @returns {Promise<import('./flow.js').Remote>} */
	async function openRemote() {
		const config = await configLoad(net, ours('config.json'));
		log.debug = config.debugMode;
		const session = createSession({
			config, authUrl: ours('auth.html'), hint: host.email, storage: memory, now, uuid, sleep, log,
			nestedIsPossible: () => hostSupports('NestedAppAuth', '1.1') && nestedIsOffered(),
			nested: () => createNested(config, { sleep }),
			signal: over.signal,
		});
		/** @param {boolean} force */
		const token = (force) => session.token({ interactive: force, force });
		const label = inviteLabel(config.invitation, host.language, inviteLabel(INVITATION, host.language, INVITATION.en));
		return {
			config, session, label, labels: [...new Set([label, ...Object.values(config.invitation), ...Object.values(INVITATION)])],
			unblu: createUnbluClient({ net, base: config.unbluApiUrl, token, sleep, log }),
			links: createLinksClient({ net, base: ours('api/links'), token, sleep, log }),
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

	const raw = hostItem();
	const item = raw === null ? null : createItem(raw, { mailbox: hostMailbox(), log });
	return {
		requestId, log, say, remote, item, alone,
		ports() {
			if (item === null)
				throw new AddinError('no-item');
			return {
				item, remote, memory, learn, language: host.language, timeZone: timeZone(), now, uuid, sleep, log,
				check() {
					if (over.signal.aborted)
						throw new AddinError('timeout');
				},
			};
		},
		end: () => over.abort(),
	};
}
