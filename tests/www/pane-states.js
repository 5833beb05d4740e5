// @ts-check
/* Every state of the pane: how it comes about at the real page, and what it must show. */

import { CONVERSATION, PUBLIC_LINK } from './site.js';

const URL_ = PUBLIC_LINK + CONVERSATION;
const BODY = `<html><body><p>Dear all, please find the agenda below.</p><p>Join online:<br><a href="${URL_}">${URL_}</a></p></body></html>`;
const property = (/** @type {any} */ more = {}) => ({ unblu: JSON.stringify({ v: 1, conversationId: CONVERSATION, sourceId: 'outlook-addin:1', createdAt: '2031-05-01T09:40:00.000Z', url: URL_, ...more }) });
const LINKED = { body: BODY, location: URL_, properties: property(), itemId: 'AAMkAGI2' };
const SERIES = { recurrence: { recurrenceType: 'weekly' } };
/** As a delegate sees it. @param {number} permissions */
const boss = (permissions) => ({ shared: { owner: 'luca.brunner@alpinebank.example', targetMailbox: 'luca.brunner@alpinebank.example', delegatePermissions: permissions } });
/** @param {any} more */
const link = (more) => ({ 'GET api/links': { body: { v: 1, conversationId: CONVERSATION, state: 'linked', topic: 'Portfolio review', start: '2031-05-14T08:00:00Z', syncedAt: '2031-05-01T09:41:00Z', lastError: null, ...more } } });

/**
 * @typedef {object} State
 * @property {string} name
 * @property {any} [item] of the stub
 * @property {any} [context]
 * @property {any} [faults]
 * @property {string} [query] of the page's address
 * @property {string} [before] what the page's own script finds done
 * @property {number} [readyDelay] ms until Office is ready
 * @property {Record<string, any>} [config] what differs in config.json
 * @property {boolean} [noConfig]
 * @property {Record<string, any>} [answers] of gateway and server
 * @property {string} [token] how the host answers MSAL: ok (default), interaction, cancel, hang (a person who does not come)
 * @property {boolean} [stored] a dialog gave a token in this tab before
 * @property {string[]} [press] actions, one after the other
 * @property {string} want data-state of the page
 * @property {RegExp} shows in the page's text
 */

/** A host without a sign-in of its own. */
export const DIALOG_ONLY = { sets: { mailbox: '1.14', dialogapi: '1.2', dialogorigin: '1.1' } };

/** @type {State[]} */
export const STATES = [
	{ name: 'loading', faults: { loadCustomPropertiesAsync: { hang: true } }, want: 'loading', shows: /Looking at this event/ },
	{ name: 'outside', context: { host: null, platform: null }, want: 'outside', shows: /Open this page in Outlook/ },
	{ name: 'starting', readyDelay: 100_000, want: 'loading', shows: /Looking at this event/ },
	{ name: 'no-office', query: '?_host_Info=Outlook$Web$16.01$en-US', answers: { 'GET office.js': { status: 404 } }, want: 'no-office', shows: /did not start the add-in[\s\S]*office\.js[\s\S]*Try again/ },
	{ name: 'read-only', faults: { 'subject.getAsync': { missing: true } }, want: 'read-only', shows: /open for reading only/ },
	{ name: 'no-texts', answers: { 'GET strings/pane.en.json': { status: 404 } }, want: 'no-texts', shows: /could not be loaded[\s\S]*Try again/ },
	{ name: 'unread', item: LINKED, faults: { 'body.getAsync': { fail: {} } }, want: 'linked', shows: /see for yourself/ },
	{ name: 'no-item', context: { itemless: true }, want: 'no-item', shows: /does not give access to this event/ },
	{ name: 'config-missing', noConfig: true, want: 'config', shows: /configuration could not be loaded[\s\S]*connection[\s\S]*Try again[\s\S]*config-missing/ },
	{ name: 'config-wrong', config: { apiScopes: 'x' }, want: 'config', shows: /not set up correctly[\s\S]*config-wrong[\s\S]*apiScopes/ },
	{ name: 'none', want: 'none', shows: /No conversation yet[\s\S]*Create conversation/ },
	{ name: 'none-series', item: SERIES, want: 'none', shows: /One conversation serves the whole series/ },
	{ name: 'none-delegate', item: boss(63), want: 'none', shows: /calendar of luca\.brunner/ },
	{ name: 'sign-in', token: 'interaction', want: 'sign-in', shows: /asked to sign in/ },
	{ name: 'creating', answers: { 'POST conversations/create': { delay: 20_000, body: {} } }, press: ['create'], want: 'busy-create', shows: /Creating the conversation/ },
	{ name: 'creating-sign-in', token: 'hang', press: ['create'], want: 'busy-sign-in', shows: /Signing in[\s\S]*Follow the sign-in window[\s\S]*Cancel/ },
	{ name: 'created', press: ['create'], want: 'created', shows: /Conversation created[\s\S]*Save or send[\s\S]*Copy link/ },
	{ name: 'linked', item: LINKED, want: 'linked', shows: /This event has a conversation[\s\S]*Followed[\s\S]*Remove/ },
	{ name: 'linked-series', item: { ...LINKED, ...SERIES }, want: 'linked', shows: /Do not end it between the meetings/ },
	{ name: 'linked-without-server', item: LINKED, config: { syncServerEnabled: false }, want: 'linked', shows: /Not used here/ },
	{ name: 'linked-signed-out-host', item: LINKED, token: 'interaction', want: 'linked', shows: /Sign in to see it[\s\S]*Sign in/ },
	{ name: 'unannounced', item: { ...LINKED, properties: property({ announced: false }) }, answers: { 'PUT api/links': { status: 403, body: { error: { code: 'x', message: 'no' } } }, 'GET api/links': { status: 404, body: { error: { code: 'not-found' } } } }, want: 'linked', shows: /The server does not know of this conversation yet/ },
	{ name: 'waiting', item: LINKED, answers: link({ state: 'announced', syncedAt: null }), want: 'linked', shows: /Waits for the event to be saved/ },
	{ name: 'waiting-delegate', item: { ...LINKED, ...boss(63) }, answers: link({ state: 'announced', syncedAt: null }), want: 'linked', shows: /once the calendar of luca\.brunner@alpinebank\.example is followed/ },
	{ name: 'unconfirmed', item: LINKED, answers: link({ state: 'unconfirmed', reason: 'no event was found for it' }), want: 'unconfirmed', shows: /not saved yet/ },
	{ name: 'ended-early', item: { ...LINKED, ...SERIES }, answers: link({ state: 'ended-early' }), want: 'ended-early', shows: /ended before the last date[\s\S]*Create a new conversation/ },
	{ name: 'paused', item: LINKED, answers: link({ writes: 'paused' }), want: 'paused', shows: /Changes wait/ },
	{ name: 'not-followed', item: LINKED, answers: link({ mailbox: { state: 'parked', reason: 'Graph answers 403: no access to the mailbox' } }), want: 'not-followed', shows: /not being followed[\s\S]*Graph answers 403/ },
	{ name: 'deleted', item: LINKED, answers: link({ state: 'deleted', topic: null, start: null }), want: 'deleted', shows: /no longer exists[\s\S]*Create a new conversation/ },
	{ name: 'deleted-without-server', item: LINKED, config: { syncServerEnabled: false }, answers: { 'GET conversations/read': { status: 404, body: { errorMessage: 'none' } } }, want: 'deleted', shows: /no longer exists[\s\S]*Create a new conversation/ },
	{ name: 'sync-error', item: LINKED, answers: { 'GET api/links': { status: 503, body: { error: { code: 'unavailable', message: 'The server does not answer at the moment.' } } } }, want: 'linked', shows: /Not known at the moment \(server-down\)/ },
	{ name: 'link-missing', item: { ...LINKED, body: '<p>Dear all</p>' }, want: 'missing', shows: /link is missing[\s\S]*Add the link again/ },
	{ name: 'repaired', item: { ...LINKED, body: '<p>Dear all</p>' }, press: ['repair'], want: 'repaired', shows: /in the text again/ },
	{ name: 'linked-elsewhere', item: { ...LINKED, properties: property({ url: undefined }) }, want: 'linked', shows: /Its link is in the invitation[\s\S]*Copy link/ },
	{ name: 'copied', item: { ...LINKED, properties: property({ item: '0000000000000000' }) }, want: 'copied', shows: /belongs to another event[\s\S]*Create a new conversation/ },
	{ name: 'no-copy', item: { ...LINKED, properties: property({ item: '0000000000000000' }) }, press: ['same'], want: 'linked', shows: /Followed/ },
	{ name: 'pending', item: { body: BODY.replace('Join online:', 'Join the online conversation:'), properties: { unbluPending: JSON.stringify({ v: 1, sourceId: 'outlook-addin:1', at: '2031-05-01T09:40:00.000Z' }) } }, want: 'unkept', shows: /did not note[\s\S]*Save the event, then try again[\s\S]*Try again/ },
	{ name: 'other-time', item: { ...LINKED, start: Date.UTC(2031, 4, 15, 8), end: Date.UTC(2031, 4, 15, 9) }, want: 'linked', shows: /another time than this event[\s\S]*It is a copy/ },
	{ name: 'newer', item: { ...LINKED, properties: { unblu: '{"v":2}' } }, want: 'newer', shows: /A newer version/ },
	{ name: 'occurrence', item: { ...LINKED, seriesId: 'AAMkMaster' }, want: 'occurrence', shows: /one date of a series[\s\S]*open the series/ },
	{ name: 'no-rights', item: boss(1), want: 'no-rights', shows: /may not change this calendar[\s\S]*luca\.brunner/ },
	{ name: 'asking', item: LINKED, press: ['remove'], want: 'linked', shows: /Remove the conversation\?[\s\S]*Keep it/ },
	{ name: 'removed', item: LINKED, press: ['remove', 'remove-yes'], want: 'removed', shows: /Conversation removed/ },
	{ name: 'remove-refused', item: LINKED, answers: { 'DELETE conversations/delete': { status: 403, body: { errorMessage: 'other participants' } } }, press: ['remove', 'remove-yes'], want: 'error', shows: /could not be removed[\s\S]*Take the link out of this event only[\s\S]*remove-refused/ },
	{ name: 'removed-only', item: LINKED, answers: { 'DELETE conversations/delete': { status: 403, body: { errorMessage: 'other participants' } } }, press: ['remove', 'remove-yes', 'remove-only'], want: 'unlinked', shows: /Link taken out[\s\S]*stays in Unblu/ },
	{ name: 'body-not-cleared', item: LINKED, faults: { 'body.setAsync': { fail: {} } }, press: ['remove', 'remove-yes'], want: 'error', shows: /The link is still in the text[\s\S]*was removed, but[\s\S]*by hand/ },
	{ name: 'created-unkept', faults: { 'customProperties.saveAsync': { fail: {} }, sessionData: { missing: true } }, press: ['create'], want: 'unkept', shows: /did not note[\s\S]*Save the event[\s\S]*Try again/ },
	{ name: 'created-unreadable', faults: { loadCustomPropertiesAsync: { fail: {} }, sessionData: { missing: true } }, press: ['create'], want: 'unkept', shows: /did not note[\s\S]*conversation was made[\s\S]*Save the event/ },
	{ name: 'created-unwritten', faults: { 'body.getAsync': { fail: {} }, 'body.setAsync': { fail: {} }, 'body.prependAsync': { fail: {} } }, press: ['create'], want: 'missing', shows: /did not take its link into the text[\s\S]*Add the link again/ },
	{ name: 'signed-out', item: LINKED, press: ['sign-out'], want: 'signed-out', shows: /You are signed out[\s\S]*Sign in/ },
	{ name: 'error-forbidden', answers: { 'POST conversations/create': { status: 403, body: { errorMessage: 'no' } } }, press: ['create'], want: 'error', shows: /could not be created[\s\S]*not have the right[\s\S]*Try again[\s\S]*gateway-forbidden[\s\S]*Request id/ },
	{ name: 'error-down', answers: { 'POST conversations/create': { status: 503, body: {} } }, press: ['create'], want: 'error', shows: /does not answer at the moment[\s\S]*gateway-down/ },
	{ name: 'error-cancelled', token: 'cancel', press: ['create'], want: 'error', shows: /Sign-in was cancelled/ },
	{ name: 'cancelled', token: 'hang', press: ['create', 'cancel'], want: 'error', shows: /Cancelled[\s\S]*never a second one[\s\S]*Try again/ },
	{ name: 'cancelled-remove', item: LINKED, token: 'hang', press: ['remove', 'remove-yes', 'cancel'], want: 'error', shows: /Cancelled[\s\S]*may be removed already[\s\S]*Try again/ },
	{ name: 'remove-down', item: LINKED, answers: { 'DELETE conversations/delete': { status: 503, body: {} } }, press: ['remove', 'remove-yes'], want: 'error', shows: /could not be removed[\s\S]*does not answer[\s\S]*may be removed already[\s\S]*Try again[\s\S]*gateway-down/ },
	{ name: 'repair-down', item: { ...LINKED, body: '', properties: property({ url: 'http://meet.example.com/x' }) }, answers: { 'GET conversations/read': { status: 503, body: {} } }, press: ['repair'], want: 'error', shows: /link could not be added[\s\S]*does not answer[\s\S]*stays the same/ },
	{ name: 'repair-withheld', item: { ...LINKED, body: '', properties: property({ url: 'http://meet.example.com/x' }) }, answers: { 'GET conversations/read': { body: { id: CONVERSATION, initialEngagementType: 'SCHEDULED_CONVERSATION', links: [] } } }, press: ['repair'], want: 'error', shows: /link could not be added[\s\S]*gives no link[\s\S]*link-withheld/ },
	{ name: 'error-body', faults: { 'body.setAsync': { fail: {} }, 'body.prependAsync': { fail: {} } }, press: ['create'], want: 'missing', shows: /link is missing/ },
	{ name: 'debug', item: LINKED, config: { showDebugPane: true }, press: ['debug'], want: 'linked', shows: /Debugging[\s\S]*Copy report[\s\S]*clientId/ },
];

/** What the page finds before its first script: the item, and the host's answers to MSAL. @param {State} state */
export function preset(state) {
	const given = { item: state.item, context: state.context, faults: state.faults, readyDelay: state.readyDelay };
	const kept = { accessToken: 'kept', expiresAt: 4e12, tenantId: 't', username: 'anna.keller@alpinebank.example', clientId: '5f2a6d1e-7c34-4b0e-9a51-3c8f0d2b7e11', hint: 'anna.keller@alpinebank.example' };
	return `${state.before ?? ''}${state.stored ? `sessionStorage.setItem('unblu.token', ${JSON.stringify(JSON.stringify(kept))});` : ''}
		globalThis.officeStub = ${JSON.stringify(given)};
		officeStub.token = (request) => {
			const how = globalThis.how ?? ${JSON.stringify(state.token ?? 'ok')};
			const account = { homeAccountId: 'a4d20f6b.3e1c9a50', environment: 'login.windows.net', tenantId: '3e1c9a50-6b1f-4d27-8f3a-0c5d7e9b1a2c' };
			if (request.method === 'GetInitContext')
				return { success: true, initContext: { sdkName: 'stub', sdkVersion: '1', capabilities: {}, accountContext: account } };
			if (how !== 'ok' && request.method === 'GetToken')
				return { success: false, error: { status: 'USER_INTERACTION_REQUIRED', code: 'interaction_required', description: 'sign in' } };
			if (how === 'hang' && request.method !== 'GetToken')
				return new Promise(() => {});
			if (how === 'cancel')
				return { success: false, error: { status: 'USER_CANCEL', code: 'user_cancel', description: 'cancelled' } };
			const part = (o) => btoa(JSON.stringify(o)).replaceAll('=', '');
			const claims = { aud: request.tokenParams.clientId ?? '', iss: 'https://login.microsoftonline.com/x/v2.0', iat: 1, exp: 4102444800, tid: account.tenantId, oid: 'a4d20f6b-1c3e-4b58-9d7a-2e6f8c0b1d3a', sub: 's', preferred_username: 'anna.keller@alpinebank.example', ver: '2.0' };
			const token = part({ alg: 'none' }) + '.' + part(claims) + '.c2lnbmF0dXJl';
			return { success: true, token: { access_token: token, expires_in: 3600, id_token: token, scope: request.tokenParams.scope, properties: null }, account: { ...account, username: claims.preferred_username, localAccountId: claims.oid, name: 'Anna Keller', idToken: token } };
		};`;
}
