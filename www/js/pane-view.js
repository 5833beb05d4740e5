// @ts-check
/*
 * What the pane shows for what is known. Pure: facts in, keys of texts and names of actions out. Every
 * state says what happened (title), what that means or what to do (text), and offers at most one main action.
 */

/**
 * @typedef {{ key: string, with?: Record<string, string> }} Text a key of the string table and what goes into it
 * @typedef {{ id: string, label: Text, main?: boolean, danger?: boolean, disabled?: boolean }} Action
 * @typedef {{ label: Text, value?: Text, time?: number, plain?: string }} Row
 * @typedef {{ code: string, requestId?: string, detail?: string, retry?: string, texts?: Record<string, string> }} Problem
 *
 * @typedef {object} EventFacts the event that is open
 * @property {'single' | 'series' | 'occurrence'} kind
 * @property {{ owner: string, canWrite: boolean } | null} shared someone else's calendar
 * @property {{ conversationId: string, url: string | null, announced: boolean } | null} link what the event's property says
 * @property {boolean} inBody the link stands in the text
 * @property {boolean} unread the text could not be read: nobody knows
 * @property {boolean} foreign the link is another event's: this one is a copy
 * @property {boolean} [gone] Unblu says that the conversation no longer exists
 * @property {boolean} [unkept] a conversation was made, and Outlook did not keep which
 * @property {number | null} start Unix ms; null: not known
 * @property {boolean} newer a later version of the add-in has written the property
 *
 * @typedef {object} SyncFacts the answer of GET api/links
 * @property {string} state
 * @property {string | null} topic
 * @property {string | null} start
 * @property {string | null} syncedAt
 * @property {string | null} lastError
 * @property {string} [reason]
 * @property {{ state: string, reason: string | null }} [mailbox]
 * @property {string} [writes]
 *
 * @typedef {object} Facts
 * @property {'loading' | 'outside' | 'no-office' | 'no-texts' | 'no-item' | 'read-only' | 'ready'} place no-office: Outlook's own part does not answer; no-texts: the pane's own texts are missing
 * @property {{ syncServerEnabled: boolean, supportUrl: string } | null} config null: not there or wrong
 * @property {Problem | null} configProblem
 * @property {EventFacts | null} event
 * @property {{ state: 'unknown' | 'in' | 'needed' | 'out', account: string }} session
 * @property {'create' | 'repair' | 'remove' | 'sign-in' | null} busy
 * @property {boolean} [waiting] a sign-in window is open, and the work goes on after it
 * @property {string | null} done how what was just done ended: code of an Outcome
 * @property {boolean} asking the question before removing is shown
 * @property {SyncFacts | null} sync
 * @property {Problem | null} syncProblem
 * @property {Problem | null} problem why the last action failed
 *
 * @typedef {object} View
 * @property {string} state
 * @property {'calm' | 'busy' | 'good' | 'warn' | 'bad'} tone
 * @property {Text} title
 * @property {Text[]} text
 * @property {Action[]} actions
 * @property {string | null} url shown with open and copy
 * @property {Row[]} rows state of the synchronisation
 * @property {Text[]} notes
 * @property {{ text: Text, yes: Action, no: Action } | null} question
 * @property {Problem | null} problem its code and request id are shown
 * @property {boolean} signOut
 */

/** @param {string} key @param {Record<string, string>} [values] @returns {Text} */
const say = (key, values) => values === undefined ? { key } : { key, with: values };
/** @param {string} id @param {Partial<Action>} [more] @returns {Action} */
const action = (id, more) => ({ id, label: say(`pane.do.${id}`), ...more });

/** @param {string} state @param {View['tone']} tone @param {Partial<View>} [more] @returns {View} */
function view(state, tone, more = {}) {
	return { state, tone, title: say(`pane.${state}.title`), text: [say(`pane.${state}.text`)], actions: [], url: null, rows: [], notes: [], question: null, problem: null, signOut: false, ...more };
}

/** What was done; in whose calendar only where that is known. @param {string} code @param {EventFacts | null} e */
function doneText(code, e) {
	const owner = e?.shared?.owner;
	if (code !== 'created-shared')
		return say(`done.${code}`);
	return owner === undefined ? say('done.created') : say('done.created-shared', { owner });
}

/** @param {Facts} f @returns {View} */
export function paneView(f) {
	if (f.place === 'loading')
		return view('loading', 'busy');
	if (f.place === 'outside')
		return view('outside', 'calm');
	if (f.place === 'no-office' || f.place === 'no-texts')
		return view(f.place, 'bad', { actions: [action('restart', { main: true })] });
	if (f.config === null)
		return configView(f.configProblem);
	if (f.place === 'read-only')
		return view('read-only', 'warn');
	if (f.place === 'no-item' || f.event === null)
		return view('no-item', 'warn');
	if (f.busy !== null)
		return busyView(f, f.busy);
	/* That Outlook keeps no mark is why it can not be read then, and says more. */
	const seen = f.problem !== null && !(f.problem.retry === 'reload' && f.done === 'created-unkept') ? problemView(f, f.problem) : eventView(f, f.event);
	if (f.asking)
		seen.question = { text: say(f.event.kind === 'series' ? 'pane.ask.series' : 'pane.ask.single'), yes: action('remove-yes', { danger: true }), no: action('remove-no') };
	seen.signOut = f.session.state === 'in';
	return seen;
}

/** What could not be loaded is not wrong yet. @param {Problem | null} problem */
function configView(problem) {
	const name = problem?.code === 'config-missing' ? 'config-missing' : 'config';
	return view('config', 'bad', { title: say(`pane.${name}.title`), text: [say(`pane.${name}.text`)], actions: [action('reload', { main: true })], problem });
}

/** @param {Facts} f @param {NonNullable<Facts['busy']>} what */
function busyView(f, what) {
	const url = what === 'remove' ? null : f.event?.link?.url ?? null;
	return view(`busy-${f.waiting === true ? 'sign-in' : what}`, 'busy', { url, actions: [action('cancel')] });
}

/** Failures that trying again would meet again, and what helps. @type {Record<string, string>} */
const INSTEAD = { 'remove-refused': 'remove-only', 'maybe-copy': 'remove-only', 'conversation-gone': 'create-new' };
/** Failures that are no failure of what was asked for. */
const OWN_TITLE = ['body-not-cleared', 'cancelled'];
/** What the agent did, not what failed. */
const CALM = ['signin-cancelled', 'cancelled', 'busy'];
/** Failures after which it may have been done all the same, or in part. */
const UNSURE = ['network', 'gateway-down', 'gateway-answer', 'part-missing', 'timeout', 'cancelled', 'unexpected'];
/** What another attempt makes of that, by what was asked for. @type {Record<string, string>} */
const AGAIN = { create: 'create', 'create-new': 'create', repair: 'repair', same: 'repair', remove: 'remove' };

/** @param {Facts} f @param {Problem} p */
function problemView(f, p) {
	const again = UNSURE.includes(p.code) ? AGAIN[p.retry ?? ''] : undefined;
	/* What was asked for was done; only what came of it could not be read. */
	const done = f.done !== null && p.retry === 'reload' ? [doneText(f.done, f.event)] : [];
	const isOver = p.code === 'nothing-linked';
	const actions = isOver ? [] : [action(INSTEAD[p.code] ?? (p.retry === 'sign-in' ? 'sign-in' : 'retry'), { main: true })];
	const seen = view('error', CALM.includes(p.code) ? 'warn' : 'bad', { title: say(`pane.failed.${OWN_TITLE.includes(p.code) ? p.code : p.retry ?? 'reload'}`), text: [...done, say(`error.${p.code}`, { reference: p.requestId ?? '', ...p.texts }), ...(again === undefined ? [] : [say(`pane.again.${again}`)])], actions, problem: CALM.includes(p.code) ? null : p });
	actions.push(action('dismiss', isOver ? { main: true } : {}));
	if (p.code === 'maybe-copy')
		actions.splice(1, 0, action('same'));
	seen.url = f.event?.link?.url ?? null;
	return seen;
}

/** @param {Facts} f @param {EventFacts} e */
function eventView(f, e) {
	const owner = e.shared === null ? [] : [say('pane.note.owner', { owner: e.shared.owner })];
	if (e.newer)
		return view('newer', 'warn');
	if (e.kind === 'occurrence')
		return view('occurrence', 'warn', { url: e.link?.url ?? null });
	if (e.shared !== null && !e.shared.canWrite)
		return view('no-rights', 'warn', { title: say('pane.no-rights.title'), text: [say('pane.no-rights.text', { owner: e.shared.owner })], url: e.link?.url ?? null });
	/* Whose link it is the event can not tell then. */
	if (f.done === 'created-unkept' || e.unkept)
		return view('unkept', 'warn', { text: [say('done.created-unkept')], actions: [action('create', { label: say('pane.do.retry'), main: true })], url: e.link?.url ?? null });
	if (e.foreign)
		return view('copied', 'warn', { actions: [action('create-new', { main: true }), ...(e.link === null ? [] : [action('same')])], notes: e.link === null ? owner : [...owner, say('pane.note.same')] });
	if (f.session.state === 'out')
		return view('signed-out', 'calm', { actions: [action('sign-in', { main: true })], url: e.link?.url ?? null });
	if (e.link === null)
		return noneView(f, e, owner);
	return linkView(f, e, e.link, owner);
}

/** @param {Facts} f @param {EventFacts} e @param {Text[]} owner */
function noneView(f, e, owner) {
	const isRemoved = f.done === 'removed' || f.done === 'unlinked';
	const state = isRemoved ? f.done ?? '' : f.session.state === 'needed' ? 'sign-in' : 'none';
	const notes = e.kind === 'series' ? [...owner, say('pane.note.series')] : owner;
	const seen = view(state, isRemoved ? 'good' : 'calm', { actions: [action('create', { main: true })], notes });
	if (f.done !== null && !isRemoved)
		Object.assign(seen, { tone: 'warn', text: [doneText(f.done, e)] });
	return seen;
}

/** Conversations that nobody can join any more: another one is what helps. */
const INSTEAD_OF = ['deleted', 'kept', 'ended', 'ended-early'];

/** @param {Facts} f @param {EventFacts} e @param {NonNullable<EventFacts['link']>} link @param {Text[]} owner */
function linkView(f, e, link, owner) {
	const notes = [...owner];
	if (e.kind === 'series')
		notes.push(say('pane.note.series'));
	if (!link.announced && f.config?.syncServerEnabled === true)
		notes.push(say('pane.note.unannounced'));
	const differs = e.kind === 'single' && f.sync?.state === 'linked' && f.sync.start !== null && e.start !== null && minute(e.start) !== minute(Date.parse(f.sync.start));
	if (differs)
		notes.push(say('pane.note.differs'));
	const gone = e.gone === true && f.sync === null;
	const instead = gone || f.sync !== null && INSTEAD_OF.includes(f.sync.state);
	const remove = action('remove', { danger: true, disabled: f.asking });
	const failed = f.done === 'body-failed' && e.unread;
	if (!gone && (!e.inBody || failed))
		return view('missing', 'warn', { ...(failed ? { text: [say('error.body-failed')] } : {}), actions: [action('repair', { main: true }), remove], url: link.url, notes, rows: syncRows(f) });
	const trouble = gone ? 'deleted' : syncTrouble(f.sync);
	const done = /^(created|repaired)/.exec(f.done ?? '')?.[0] ?? null;
	const seen = view(trouble ?? done ?? 'linked', trouble === null ? 'good' : 'warn', { url: link.url, notes, rows: syncRows(f), actions: [remove] });
	if (f.session.state === 'needed' && f.config?.syncServerEnabled === true)
		seen.actions.unshift(action('sign-in'));
	else if (f.config?.syncServerEnabled === true)
		seen.actions.unshift(action('refresh'));
	if (trouble === null && e.unread)
		seen.text = [say('pane.linked.unread')];
	else if (trouble === null && done === null && f.done !== null)
		seen.text = [doneText(f.done, e)];
	if (instead)
		seen.actions.unshift(action('create-new', { main: true }));
	else if (f.sync?.state === 'foreign')
		seen.actions.unshift(action('create-new'));
	else if (differs)
		seen.actions.unshift(action('create-new', { label: say('pane.do.create-for-copy') }));
	return seen;
}

/** @param {number} ms */
function minute(ms) {
	return Math.round(ms / 60_000);
}

/** The state of the link that the agent has to know about; null: all is well. @param {SyncFacts | null} s */
function syncTrouble(s) {
	if (s === null)
		return null;
	if (s.mailbox !== undefined)
		return 'not-followed';
	if (s.writes !== undefined)
		return 'paused';
	return ['ended-early', 'ended', 'unconfirmed', 'foreign', 'held', 'gone', 'kept', 'deleted'].includes(s.state) ? s.state : null;
}

/** Failures to hear from the server that say of what kind they are. @type {Record<string, string>} */
const UNHEARD = { 'server-refused': 'refused', 'server-down': 'down', network: 'down' };

/** @param {Facts} f @returns {Row[]} */
function syncRows(f) {
	if (f.config?.syncServerEnabled !== true)
		return [{ label: say('pane.sync.state'), value: say('pane.sync.off') }];
	if (f.session.state === 'needed')
		return [{ label: say('pane.sync.state'), value: say('pane.sync.sign-in') }];
	if (f.syncProblem !== null)
		return [{ label: say('pane.sync.state'), value: say(`pane.sync.${UNHEARD[f.syncProblem.code] ?? 'unknown'}`, { code: f.syncProblem.code }) }];
	if (f.sync === null)
		return [{ label: say('pane.sync.state'), value: say('pane.sync.loading') }];
	return rowsOf(f.sync, f.event?.shared?.owner ?? null);
}

/** States whose word in the list is not their own. @type {Record<string, string>} */
const WORDS = { announced: 'announced', linked: 'linked', unknown: 'unheard' };

/** Nobody tells the server of a colleague's calendar before he uses the add-in himself. @param {SyncFacts} s @param {string | null} owner @returns {Row[]} */
function rowsOf(s, owner) {
	const word = s.mailbox !== undefined ? 'stopped' : s.writes !== undefined ? 'waits' : WORDS[s.state] ?? 'stopped';
	const value = owner !== null && word === 'announced' ? say('pane.sync.shared', { owner }) : say(`pane.sync.${word}`);
	const rows = [/** @type {Row} */ ({ label: say('pane.sync.state'), value })];
	if (s.topic !== null)
		rows.push({ label: say('pane.sync.topic'), plain: s.topic });
	if (s.start !== null)
		rows.push({ label: say('pane.sync.start'), time: Date.parse(s.start) });
	if (s.syncedAt !== null)
		rows.push({ label: say('pane.sync.at'), time: Date.parse(s.syncedAt) });
	for (const why of new Set([s.lastError, s.mailbox?.reason]))
		if (why !== null && why !== undefined)
			rows.push({ label: say('pane.sync.error'), plain: why });
	return rows;
}
