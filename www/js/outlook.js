// @ts-check
/*
 * outlook.js - Outlook as the add-in uses it: start, facts about the host, and the event that is being edited, as promises:
 * one call at a time (Outlook allows three, shared with others), each with a time limit, each looked for before it is
 * called: hosts differ. With office-dialog.js and office-pane.js the only file that knows the global `Office`.
 */

import { AddinError } from './errors.js';

const READY_MS = 15_000;

/** @typedef {{ language: string, email: string }} HostFacts */

/** @returns {any} */
export function office() {
	return /** @type {any} */ (globalThis).Office;
}

/** Resolves when Office is ready; AddinError `no-office` when it never is. */
export async function hostReady() {
	if (typeof office()?.onReady !== 'function')
		throw new AddinError('no-office', { said: 'office.js is not there' });
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	try {
		return await Promise.race([office().onReady(), new Promise((_, reject) => {
			timer = setTimeout(() => reject(new AddinError('no-office', { said: 'office.js does not get ready' })), READY_MS);
		})]);
	} finally {
		clearTimeout(timer);
	}
}

/** @returns {HostFacts} */
export function hostFacts() {
	const context = office()?.context ?? {};
	return { language: String(context.displayLanguage ?? globalThis.navigator?.language ?? 'en'), email: String(context.mailbox?.userProfile?.emailAddress ?? '') };
}

/** The event that is edited, or null. @returns {any} */
export function hostItem() {
	return hostMailbox()?.item ?? null;
}

/** @returns {any} */
export function hostMailbox() {
	return office()?.context?.mailbox;
}

/** @param {string} set @param {string} version */
export function hostSupports(set, version) {
	try {
		return office()?.context?.requirements?.isSetSupported?.(set, version) === true;
	} catch {
		return false;
	}
}

/** Has office.js get ready: it waits until somebody asks, and gives up after 20 s. Nothing is called, and no press of a button taken, before. */
export function hostStart() {
	office()?.onReady?.();
}

/** @param {string} name of the function in the manifest @param {(event: any) => void} run */
export function hostAssociate(name, run) {
	office()?.actions?.associate?.(name, run);
	hostStart();
}

/** `missing`: this host has no such call; `timeout`: no answer, it may still have its effect; `failed`: Outlook said no. */
export class OfficeFault extends AddinError {
	/** @param {string} call @param {'missing' | 'timeout' | 'failed'} why @param {string} [said] */
	constructor(call, why, said) {
		super('outlook', { said: `${call} ${why}${said === undefined ? '' : `: ${said}`}`, uncertain: why === 'timeout', params: { call } });
		this.why = why;
	}
}

/**
 * @typedef {{ get(name: string): unknown, set(name: string, value: string): void, remove(name: string): void, save(): Promise<void> }} Properties
 * @typedef {'single' | 'master' | 'occurrence'} SeriesKind
 * @typedef {{ kind: SeriesKind, recurrence?: any }} Series recurrence: of a master, as Office gives it
 * @typedef {{ kind: 'own' } | { kind: 'unknown' } | { kind: 'shared', owner: string, permissions: number }} Sharing
 * @typedef {object} Item
 * @property {boolean} editable false: it is only read, as by an attendee, or is no event
 * @property {() => Promise<string>} subject
 * @property {() => Promise<Date>} start
 * @property {() => Promise<Date>} end
 * @property {() => Promise<Series>} series
 * @property {() => Promise<Sharing>} sharing
 * @property {() => Promise<string | null>} id REST id; null: not saved yet, or not to be had
 * @property {() => Promise<import('./formats.js').BodyType>} bodyType
 * @property {(type: import('./formats.js').BodyType) => Promise<string>} readBody
 * @property {(text: string, type: import('./formats.js').BodyType) => Promise<void>} writeBody replaces all of it
 * @property {(text: string, type: import('./formats.js').BodyType) => Promise<void>} prependBody
 * @property {() => Promise<string>} location
 * @property {(text: string) => Promise<void>} setLocation replaces it
 * @property {() => Promise<Properties>} loadProperties
 * @property {(key: string) => Promise<string | null>} sessionGet what was kept while this form is open; null when nothing was, or the host has none
 * @property {(key: string, value: string | null) => Promise<boolean>} sessionSet false: the host has none
 * @property {(kind: 'progress' | 'info' | 'error', text: string) => Promise<void>} notify in the info bar, in place of the one before
 */

const CALL_MS = 5000;
const BODY_MS = 10_000;
const NOTICE_MS = 2000;
/** What is asked again when it fails: of a part that every event has, so that a failure says nothing. Not to write the text, which may be another by now. */
const AGAIN = /^[a-z]+\.get|^loc/;
/** A host that does not tell is not one that forbids. */
const ALL = 63;
const NOTICE = 'unblu';
const NOTICE_LENGTH = 150;
/** The icon's name in the manifest. */
export const NOTICE_ICON = 'Icon.16';

/**
 * One asynchronous call of Office.
 * @param {any} owner @param {string} method @param {any[]} args @param {string} name @param {() => Promise<void>} limit resolves when it has taken too long @returns {Promise<any>}
 */
function invoke(owner, method, args, name, limit) {
	return new Promise((resolve, reject) => {
		/** @param {'missing' | 'timeout' | 'failed'} why @param {any} [error] */
		const fail = (why, error) => reject(new OfficeFault(name, why, error && String(error.message ?? error.name ?? error)));
		if (typeof owner?.[method] !== 'function')
			return fail('missing');
		limit().then(() => fail('timeout'));
		try {
			owner[method](...args, (/** @type {any} */ result) => (result?.status === 'succeeded' ? resolve(result.value) : fail('failed', result?.error)));
		} catch (e) {
			fail('failed', e);
		}
	});
}

/** A queue: one at a time, in order. */
function createQueue() {
	/** @type {Promise<unknown>} */
	let last = Promise.resolve();
	/** @template T @param {() => Promise<T>} run @returns {Promise<T>} */
	return (run) => {
		const next = last.then(run, run);
		last = next.catch(() => undefined);
		return next;
	};
}

/** @param {any} raw */
function dateOf(raw) {
	const ms = Number(raw ?? NaN);
	if (!Number.isFinite(ms))
		throw new OfficeFault('time', 'failed', 'no time');
	return new Date(ms);
}

/**
 * @param {any} item Office.context.mailbox.item
 * @param {{ sleep: (ms: number) => Promise<void>, mailbox?: any, log?: import('./errors.js').Log, check: () => void }} env sleep: for the time limits; mailbox: to turn ids into REST ids; check: throws where all but notices is to end
 * @returns {Item}
 */
export function createItem(item, { sleep, mailbox, log, check }) {
	const calls = createQueue();
	/* A call that hangs must not keep the agent from being told. */
	const notices = createQueue();
	/** @param {string} path e.g. "subject.getAsync" @param {any[]} args @param {number} [ms] @param {any} [root] @returns {Promise<any>} */
	const call = (path, args = [], ms = CALL_MS, root = item) => calls(async () => {
		const parts = path.split('.');
		const method = /** @type {string} */ (parts.pop());
		const owner = parts.reduce((o, name) => o?.[name], root);
		const attempt = async () => {
			check();
			return invoke(owner, method, args, path, () => sleep(ms));
		};
		try {
			return await attempt().catch((e) => (e.why === 'failed' && AGAIN.test(path) ? attempt() : Promise.reject(e)));
		} catch (e) {
			log?.add('office', { call: path, fault: /** @type {Error} */ (e).message });
			throw e;
		}
	});

	/** @returns {Promise<Series>} */
	async function series() {
		if ((item.seriesId ?? '') !== '')
			return { kind: 'occurrence' };
		if (typeof item.recurrence?.getAsync !== 'function')
			return { kind: 'single' };
		/* Some web clients fail here for single events. */
		const recurrence = await call('recurrence.getAsync').catch(() => null) ?? null;
		return recurrence === null ? { kind: 'single' } : { kind: 'master', recurrence };
	}

	/** @returns {Promise<Sharing>} */
	async function sharing() {
		if (typeof item.getSharedPropertiesAsync !== 'function')
			return { kind: 'own' };
		try {
			const shared = await call('getSharedPropertiesAsync');
			const owner = String(shared?.owner ?? shared?.targetMailbox ?? '');
			const me = String(mailbox?.userProfile?.emailAddress ?? '');
			if (owner === '' || owner.toLowerCase() === me.toLowerCase())
				return { kind: 'own' };
			return { kind: 'shared', owner, permissions: Number(shared.delegatePermissions ?? ALL) };
		} catch (e) {
			/* It fails where nothing is shared; silence says nothing. */
			return /** @type {any} */ (e).why === 'timeout' ? { kind: 'unknown' } : { kind: 'own' };
		}
	}

	async function id() {
		const raw = await call('getItemIdAsync').catch(() => null);
		if (typeof raw !== 'string' || raw === '')
			return null;
		try {
			return String(mailbox?.convertToRestId?.(raw, 'v2.0') ?? raw);
		} catch {
			return raw;
		}
	}

	/** @param {any} raw @returns {Properties} */
	const properties = (raw) => ({
		get: (name) => raw.get(name),
		set: (name, value) => void raw.set(name, value),
		remove: (name) => void raw.remove(name),
		save: () => call('saveAsync', [], CALL_MS, raw),
	});

	/** @param {'progress' | 'info' | 'error'} kind @param {string} text */
	async function notify(kind, text) {
		const message = text.slice(0, NOTICE_LENGTH);
		const types = { progress: { type: 'progressIndicator' }, info: { type: 'informationalMessage', icon: NOTICE_ICON, persistent: false }, error: { type: 'errorMessage' } };
		const args = [NOTICE, { message, ...types[kind] }];
		const bar = item.notificationMessages;
		/** @param {string} method @param {any[]} given */
		const ask = (method, given) => invoke(bar, method, given, method, () => sleep(NOTICE_MS));
		/* In one go: another notice between the two would be overtaken by this one. What can not be replaced goes first, or it would stay for good. */
		await notices(() => ask('replaceAsync', args).catch((e) => (e.why !== 'timeout' ? ask('removeAsync', [NOTICE]).catch(() => 0).then(() => ask('addAsync', args)) : Promise.reject(e))))
			.catch((e) => log?.add('notice-failed', { fault: e.message }));
	}

	return {
		editable: typeof item.subject?.getAsync === 'function' && typeof item.start?.getAsync === 'function',
		subject: () => call('subject.getAsync').then((v) => String(v ?? '')),
		start: () => call('start.getAsync').then(dateOf),
		end: () => call('end.getAsync').then(dateOf),
		series,
		sharing,
		id,
		bodyType: () => call('body.getTypeAsync').then((t) => (t === 'text' ? 'text' : 'html')),
		readBody: (type) => call('body.getAsync', [type], BODY_MS).then((v) => String(v ?? '')),
		writeBody: (text, type) => call('body.setAsync', [text, { coercionType: type }], BODY_MS),
		prependBody: (text, type) => call('body.prependAsync', [text, { coercionType: type }], BODY_MS),
		location: () => call('location.getAsync').then((v) => String(v ?? '')),
		setLocation: (text) => call('location.setAsync', [text]),
		loadProperties: () => call('loadCustomPropertiesAsync').then(properties),
		sessionGet: (key) => call('sessionData.getAsync', [key]).then((v) => (typeof v === 'string' ? v : null), () => null),
		sessionSet: (key, value) => (value === null ? call('sessionData.removeAsync', [key]) : call('sessionData.setAsync', [key, value])).then(() => true, () => false),
		notify,
	};
}
