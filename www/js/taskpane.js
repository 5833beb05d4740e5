// @ts-check
/* taskpane.js - the pane's page: puts facts, view and elements together, over the same parts as the button. */

import { CHANNEL, createApp, sleep } from './app.js';
import { errorOf } from './errors.js';
import { flowClick, MAY_WRITE } from './flow.js';
import { flowInspect, flowRemove, flowRepair } from './flow-pane.js';
import { i18nCandidates, i18nLoad, i18nSay } from './load.js';
import { inviteUrl } from './formats.js';
import { logText, redact } from './log-report.js';
import { createNet } from './remote.js';
import { hostFacts, hostReady } from './outlook.js';
import { hostIsNamed, hostOnItem, hostOnTheme, hostTheme, hostVersion } from './office-pane.js';
import { NOTHING, Pane } from './pane.js';
import { Desk } from './pane-desk.js';
import { copyText, PaneDom } from './pane-dom.js';
import { paneView } from './pane-view.js';
import { PANE_LAST_RESORT, paneSay } from './pane-words.js';
import { readTheme } from './theme.js';

const LICENCE = 'vendor/msal-browser.LICENSE.txt';
const GREET_MS = 700;
const OUTSIDE_MS = 3000;

/** @typedef {import('./pane-view.js').Problem} Problem */

/** @param {import('./app.js').App} app @param {unknown} e @param {string} retry @returns {Problem} */
function problemOf(app, e, retry) {
	const error = errorOf(e);
	const detail = [error.details.said, error.details.reference].filter((t) => t !== undefined && t !== '').join('\n');
	return { code: error.code, requestId: app.log.requestId, retry, texts: error.details.params, ...(detail === '' ? {} : { detail: redact(detail) }) };
}

/** How a flow ended; what did not work at all is thrown. @param {import('./flow.js').Outcome} outcome */
function settled(outcome) {
	if (outcome.error !== undefined)
		throw outcome.error;
	return outcome.code;
}

/** A link that may not go into an invitation is not offered either. @param {import('./flow-pane.js').Inspection} i @param {boolean} insecure @param {number | null} start @returns {import('./pane-view.js').EventFacts} */
function factsOf(i, insecure, start) {
	const { link, sharing, series, state } = i;
	return {
		kind: series === 'master' ? 'series' : series, newer: state === 'newer', start, foreign: state === 'copied' || state === 'foreign-link', unkept: state === 'unkept', inBody: state !== 'link-missing', unread: !i.bodyIsKnown, gone: i.gone === true,
		shared: sharing.kind === 'shared' ? { owner: sharing.owner, canWrite: (sharing.permissions & MAY_WRITE) !== 0 } : null,
		link: link === null ? null : { conversationId: link.conversationId, url: inviteUrl(link.url, insecure), announced: !i.unannounced },
	};
}

/** Where the page is. @param {import('./app.js').App} app @param {any} ready what Office says of its host; null: it does not answer */
function placeOf({ item }, ready) {
	if (ready === null && hostIsNamed())
		return 'no-office';
	if (ready?.host !== 'Outlook')
		return 'outside';
	return item === null ? 'no-item' : item.editable ? 'ready' : 'read-only';
}

/** @param {Desk} desk @param {() => ReturnType<typeof placeOf> | 'no-texts'} place @returns {import('./pane.js').Ports} */
function portsOf(desk, place) {
	return {
		place: async () => place(),
		config: async () => (await desk.app.remote).config,
		async inspect() {
			const { app } = desk;
			const seen = await flowInspect(app.ports(), (look) => app.alone(look, false));
			const start = await app.item?.start().then(Number, () => null) ?? null;
			return factsOf(seen, (await app.remote).config.allowInsecureLinks, start);
		},
		create: async ({ replace }) => settled(await desk.flow((ports) => flowClick(ports, { fresh: replace }))),
		repair: async () => settled(await desk.flow(flowRepair)),
		remove: async ({ only }) => settled(await desk.flow((ports) => flowRemove(ports, { keepConversation: only }))),
		same: async () => settled(await desk.flow((ports) => flowRepair(ports, { same: true }))),
		async account() {
			const { session } = await desk.app.remote;
			if (session.isSignedOut())
				return { state: 'out', account: '' };
			const { username } = await session.token({ interactive: false });
			return { state: 'in', account: username };
		},
		signIn: () => desk.work(async (app) => (await (await app.remote).session.token({ interactive: true })).username),
		cancel: () => desk.end(),
		signOut: async () => (await desk.app.remote).session.signOut(),
		sync: async (id) => (await desk.app.remote).links.get(id),
		problem: (e, retry) => problemOf(desk.app, e, retry),
	};
}

/** @param {string} language */
const paneTexts = (language) => new URL(`strings/pane.${language}.json`, location.href).href;

/** The pane's own texts before the ones that it shares with the button; null: they can not be had. @param {import('./app.js').App} app @param {import('./remote.js').Net} net @param {string} language */
async function texts(app, net, language) {
	const [own, shared] = await Promise.all([i18nLoad(net, language, paneTexts), app.sayAll()]);
	if (own.length === 0)
		return null;
	return paneSay(i18nSay(own), shared);
}

/** @param {import('./remote.js').Net} net */
async function licence(net) {
	try {
		return (await net.json('GET', new URL(LICENCE, location.href).href, { text: true })).body;
	} catch {
		return 'MSAL.js (@azure/msal-browser), MIT License, Copyright (c) Microsoft Corporation';
	}
}

/** @param {Desk} desk @param {Record<string, any>} config */
function debugOf(desk, config) {
	const host = hostFacts();
	const versions = { 'Add-in': String(config.version), Outlook: hostVersion(), Language: host.language, Browser: navigator.userAgent, 'Request id': desk.app.log.requestId };
	const shown = Object.fromEntries(Object.entries(config).map(([k, v]) => [k, typeof v === 'string' ? v : JSON.stringify(v)]));
	const lines = (/** @type {Record<string, string>} */ o) => Object.entries(o).map(([k, v]) => `${k}: ${v}`).join('\n');
	return { versions, config: shown, log: () => logText(desk.app.log), report: () => [new Date().toISOString(), lines(versions), '', lines(shown), '', logText(desk.app.log)].join('\n') };
}

/** Another page of ours has changed the event: the button, while the pane is open. @param {() => void} listener */
function onChange(listener) {
	try {
		new BroadcastChannel(CHANNEL).addEventListener('message', listener);
	} catch {
		/* none, or none for a page that may store nothing */
	}
}

/**
 * What is shown while Outlook has not said anything, in the browser's language: that the event is looked at, and after a
 * while, where no Office has opened the page, that it belongs into one.
 * @param {PaneDom} dom @param {Promise<unknown>} ready @param {import('./remote.js').Net} net
 */
async function greet(dom, ready, net) {
	let over = false;
	ready.then(() => { over = true; });
	const { language } = navigator;
	for (const [ms, place] of /** @type {const} */ ([[GREET_MS, 'loading'], [OUTSIDE_MS, 'outside']])) {
		await Promise.race([ready, sleep(ms)]);
		const say = over ? null : i18nSay(await i18nLoad(net, language, paneTexts));
		if (over || say === null || place === 'outside' && hostIsNamed())
			return;
		dom.tools.say = ({ key }) => say(key);
		dom.speak(i18nCandidates(language)[0], say('pane.title'));
		dom.show(paneView({ ...NOTHING, place }), { account: '', supportUrl: '', licence: '' });
	}
}

/** Dates as the agent is used to; a language that the browser does not know is no reason to fail. @param {string} language */
function timesOf(language) {
	/** @type {Intl.DateTimeFormatOptions} */
	const how = { dateStyle: 'medium', timeStyle: 'short' };
	try {
		return new Intl.DateTimeFormat(language, how);
	} catch {
		return new Intl.DateTimeFormat('en', how);
	}
}

async function start() {
	const net = createNet({ fetch: globalThis.fetch.bind(globalThis) });
	/** @type {Pane} */
	let pane;
	const dom = new PaneDom({ say: ({ key }) => key, copy: copyText, time: String, act: (id) => id === 'restart' ? location.reload() : void pane.act(id) });
	const waiting = hostReady().catch(() => null);
	const [ready] = await Promise.all([waiting, greet(dom, waiting, net)]);
	const host = hostFacts();
	const desk = new Desk((before) => createApp((signIn) => {
		pane.set({ waiting: true });
		return signIn().finally(() => pane.set({ waiting: false }));
	}, before?.log));
	const { app } = desk;
	const [said, notice] = await Promise.all([texts(app, net, host.language), licence(net)]);
	const few = i18nSay([PANE_LAST_RESORT]);
	const say = said ?? ((/** @type {import('./pane-view.js').Text} */ { key }) => few(key));
	const times = timesOf(host.language);
	Object.assign(dom.tools, { say, time: (/** @type {number} */ ms) => times.format(ms) });
	dom.speak(i18nCandidates(host.language)[0], say({ key: 'pane.title' }));
	dom.paint(readTheme(hostTheme()));
	hostOnTheme((theme) => dom.paint(readTheme(theme)));
	const place = () => (said === null ? 'no-texts' : placeOf(desk.app, ready));
	pane = new Pane(portsOf(desk, place), (facts) => dom.show(paneView(facts), { account: facts.session.account, supportUrl: facts.config?.supportUrl ?? '', licence: notice }));
	/* Before anything is waited for: Outlook says it once. */
	hostOnItem(() => {
		desk.renew();
		void pane.moved();
	});
	await pane.load();
	onChange(() => void pane.changed());
	addEventListener('focus', () => void pane.changed());
	const config = await desk.app.remote.then((r) => r.config, () => null);
	if (config !== null && config.showDebugPane && !['outside', 'no-texts'].includes(place()))
		dom.debug(debugOf(desk, config), new URLSearchParams(location.search).get('debug') === '1');
}

start().catch((e) => console.error(errorOf(e).message));
