// @ts-check
/* From log lines to sentences. Pure. */

/**
 * @typedef {string | { tag: string, text: string, cls?: string }} Part
 * @typedef {{ text: string, parts: Part[], level: string, fold: boolean, conversation?: string }} Said
 * @typedef {(mailbox: string) => string} Who
 */

/** @param {any} v */
const code = (v) => ({ tag: 'code', text: String(v) });
/** @param {any} v */
const strong = (v) => ({ tag: 'b', text: String(v) });
/** @param {any} v */
const faint = (v) => ({ tag: 'i', text: String(v) });
/** @param {any} status */
const outcome = (status) => ({ tag: 'b', text: String(status), cls: status >= 400 || status === 0 ? 'bad' : 'good' });

/** Members that say nothing to a reader of the short form; a click shows them all. */
const SKIP = new Set(['time', 'level', 'program', 'role', 'event', 'seq', 'at', 'service', 'op', 'method', 'path', 'status', 'ms', 'requestId', 'clientRequestId', 'pid', 'message', 'tenant', 'suppressed']);
const IDS = new Set(['subscription', 'conversation', 'item', 'id']);

/** @param {string} id */
export function short(id) {
	return id.length > 12 ? `${id.slice(0, 8)}\u2026` : id;
}

/** The members that have no sentence of their own. @param {any} entry @param {Who} who @returns {Part[]} */
function rest(entry, who) {
	/** @type {Part[]} */
	const out = [];
	for (const [key, value] of Object.entries(entry)) {
		if (SKIP.has(key) || value === null || value === '' || typeof value === 'object')
			continue;
		const text = String(value);
		out.push(faint(`  ${key} `), key === 'mailbox' ? who(text) : code(IDS.has(key) ? short(text) : text.slice(0, 60)));
	}
	return out;
}

/** What an operation of a cloud means. @type {Record<string, string>} */
const OPERATIONS = {
	token: 'token issued', keys: 'signing keys read', discovery: 'metadata read',
	getEvent: 'event read', getEventCalendar: 'is it still in a calendar?', listEvents: 'events searched', listCalendarView: 'calendar searched', listCalendars: 'calendars listed', getDefaultCalendar: 'calendar read',
	createSubscription: 'subscription asked for', renewSubscription: 'renewal asked for', reauthorizeSubscription: 'reauthorized', deleteSubscription: 'subscription given up', listSubscriptions: 'subscriptions listed', getSubscription: 'subscription read', batch: 'batch',
	create: 'conversation made', read: 'conversation read', setTopic: 'topic written', setScheduledTimestamp: 'time written', delete: 'conversation deleted', historyRead: 'history read',
};

/** One exchange at a simulated cloud. @param {any} e @param {Who} who @returns {Part[]} */
function exchange(e, who) {
	const path = String(e.path ?? '').replace(/\?.*/, '').replace(/[0-9A-Za-z_%=-]{20,}/g, (id) => `${id.slice(0, 6)}\u2026`);
	/** @type {Part[]} */
	const parts = OPERATIONS[e.op] === undefined ? [] : [strong(OPERATIONS[e.op]), ...(e.mailbox === undefined ? [] : [faint(' of '), who(e.mailbox)]), '  '];
	return [...parts, code(`${e.method} ${path}`), '  ', outcome(e.status), faint(`  ${e.ms} ms`)];
}

/** @param {string} text @returns {(e: any, who: Who) => Part[]} */
const aboutMailbox = (text) => (e, who) => [strong(text), faint(' of '), who(e.mailbox), ...(e.subscription === undefined ? [] : [faint('  '), code(short(e.subscription))])];
/** @param {string} text @returns {(e: any, who: Who) => Part[]} */
const aboutTalk = (text) => (e, who) => [strong(text), faint('  '), code(short(e.conversation)), ...(e.mailbox === undefined ? [] : [faint(' of '), who(e.mailbox)])];

/** By source and event. null: only the station lights up. @type {Record<string, ((e: any, who: Who) => Part[]) | null>} */
const SENTENCES = {
	'demo/in-step': (e) => ['Unblu has followed: ', strong(e.topic), ` at ${e.when}, after `, strong(`${(e.ms / 1000).toFixed(1)} s`)],
	'office/call': (e) => [strong('the add-in calls'), ' ', code(`Office ${e.name}`), ...(e.error === undefined ? [] : ['  ', { tag: 'b', text: e.error, cls: 'bad' }])],
	'demo/announced': (e) => ['the add-in announces ', strong(e.topic), '  ', code('PUT api/links'), '  ', outcome(e.status)],
	'demo/killed': (e) => [strong(`kill -9 of ${e.role}`), faint(`  process ${e.pid}`)],
	'demo/clock-moved': (e) => [strong('the clock moves'), ` ${Math.round(e.ms / 60_000)} minutes ahead`],
	'graph/notification': (e, who) => {
		const last = e.attempts[e.attempts.length - 1] ?? { status: 0, ms: 0 };
		const kinds = [...new Set(e.changes)].join(', ');
		return [strong(e.changes.length === 1 ? 'notification' : `${e.changes.length} notifications`), faint(' of '), who(e.mailbox), `: ${kinds}  `, code(`POST ${e.path}`), '  ', outcome(last.status), faint(`  ${last.ms} ms${e.attempts.length > 1 ? `, attempt ${e.attempts.length}` : ''}`)];
	},
	'graph/subscription-created': null,
	'graph/subscription-renewed': null,
	'graph/subscription-deleted': null,
	'graph/subscription-expired': aboutMailbox('subscription has run out'),
	'graph/subscription-removed': aboutMailbox('subscription is lost'),
	'nginx/request': null,
	'web/answered': (e) => [strong(e.status === 202 ? 'stored, then answered' : 'answered'), ' ', outcome(e.status), '  ', code(`${e.method} ${e.path}`), faint(e.bytes > 0 ? `  ${e.bytes} bytes` : '')],
	'web/webhook-validated': (e) => [strong('handshake answered'), '  ', code(e.path)],
	'web/link-announced': aboutTalk('conversation announced'),
	'web/link-removed': aboutTalk('conversation given up'),
	'web/store-opened': () => [strong('store opened')],
	'web/web-started': (e) => [strong('web works'), faint(`  process ${e.pid}`)],
	'supervisor/child-died': (e) => [strong(`${e.child} has died`), faint(`  signal ${e.signal}`)],
	'supervisor/child-started': (e) => [strong(`${e.child} started`), faint(`  process ${e.pid}`)],
	'sync/ready': () => [strong('sync works')],
	'sync/keys-fetched': (e) => [strong('signing keys of Entra fetched'), faint(`  ${e.count}`)],
	'sync/conversation-updated': (e, who) => [strong(`${e.changed} written to Unblu`), faint('  '), code(short(e.conversation)), faint(' of '), who(e.mailbox), faint(`  ${e.ms} ms after the notification`)],
	'sync/conversation-deleted': aboutTalk('conversation deleted'),
	'sync/event-gone': (e, who) => [strong('event is gone'), faint(' of '), who(e.mailbox), faint(`  looks again after ${e.graceMs / 1000} s`)],
	'sync/link-closed': (e) => [strong('link closed'), faint('  '), code(short(e.conversation)), faint(`  ${e.action} ${e.outcome}`)],
	'sync/mailbox-searched': (e, who) => [strong('mailbox searched'), faint(' of '), who(e.mailbox), faint(`  events with a conversation: ${e.found}`)],
	'sync/catch-up': (e, who) => [strong('catches up'), faint(' on '), who(e.mailbox), faint(`  events read again: ${e.events}`)],
	'sync/subscription-created': aboutMailbox('subscription made'),
	'sync/subscription-renewed': aboutMailbox('subscription renewed'),
	'sync/subscription-recreated': aboutMailbox('subscription made again'),
	'renew/subscription-created': aboutMailbox('subscription made'),
	'renew/subscription-renewed': aboutMailbox('subscription renewed'),
	'renew/subscription-recreated': aboutMailbox('subscription made again'),
	'renew/renew-done': (e) => [strong(e.due === 0 ? 'nothing is due' : 'done'), faint(`  ${e.mailboxes} mailboxes, due ${e.due}: renewed ${e.renewed}, made ${e.created}, made again ${e.recreated}, failed ${e.failed}  ${e.ms} ms`)],
};

/**
 * What to show for a line; null: nothing.
 * @param {string} source @param {any} entry @param {Who} [who] @returns {Said | null}
 */
export function say(source, entry, who = short) {
	const own = SENTENCES[`${source}/${entry.event}`];
	if (own === null)
		return null;
	let parts = own !== undefined ? own(entry, who) : entry.method !== undefined && entry.status !== undefined ? exchange(entry, who) : null;
	if (parts === null)
		parts = entry.event === undefined ? [String(entry.text ?? '')] : [strong(String(entry.event).replaceAll('-', ' ')), ...(entry.message === undefined ? [] : [` ${entry.message}`]), ...rest(entry, who)];
	const text = parts.map((p) => typeof p === 'string' ? p : p.text).join('');
	if (text.trim() === '')
		return null;
	const level = ['error', 'warning', 'debug'].includes(entry.level) ? entry.level : 'info';
	return { text, parts, level, fold: true, ...(typeof entry.conversation === 'string' && entry.conversation !== '' ? { conversation: entry.conversation } : {}) };
}
