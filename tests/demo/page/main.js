// @ts-check
/* Puts the parts of the page together. */

import { api, follow } from './api.js';
import { Calendar } from './calendar.js';
import { Card } from './card.js';
import { byId, h } from './dom.js';
import { Form } from './form.js';
import { Host } from './host.js';
import { Log } from './log.js';
import { readManifest } from './manifest.js';
import { HOUR, MINUTE, addDays, dayText, inStep, initials, conversationOf, mailboxOf, timeText, weekStart } from './model.js';
import { short } from './say.js';
import { Talks } from './talks.js';
import { Thread } from './thread.js';
import { Way, tickClock } from './way.js';

/** @typedef {import('./model.js').State} State */

/** @type {State | null} */
let state = null;
let received = 0;
let user = '';
/** Whose calendar is shown; that of a colleague when it is shared. */
let whose = '';
/** When the person changed an event that its conversation does not show yet. @type {Map<string, number>} */
const waiting = new Map();
const calendar = new Calendar({ days: byId('days'), week: byId('week'), scroll: byId('week-scroll'), title: byId('week-title') }, {
	move: (e, start, end) => change(e, { start, end }),
	create: (start, end) => create(start, end),
	open: (e) => open(e.id),
	point: (id) => point(id === null ? null : state?.events.find((e) => e.id === id)?.conversation ?? null),
});
const talks = new Talks(byId('talks'), byId('talk-note'), { point });
const log = new Log(byId('log'), byId('log-filter'), {
	point,
	who: (id) => (state === null ? undefined : mailboxOf(state, id))?.name ?? short(id),
});
const way = new Way(byId('way'), { act: (name) => tell(api.act(name)) });
const thread = new Thread(/** @type {any} */ (byId('thread')), byId('stage'));
const card = new Card(byId('card'), {
	change,
	remove: (e) => void tell(api.remove(e)),
	edit: (e, series) => void edit(e, series),
	copy: (e) => void tell(api.copy(e)),
	closed: () => calendar.select(null),
});
const host = new Host({
	user: () => user,
	/* Only what changes something: the looks are many. */
	calls: (name, error) => /\.(set|add|replace|remove|save|prepend)/.test(name) && log.add({ at: clock(), source: 'office', entry: { event: 'call', name, error } }),
});
const form = new Form(byId('form'), host, {
	save: (f, values) => save(f, values),
	remove: (f) => {
		const { opened } = f;
		f.close();
		if (opened !== null && opened.id !== null)
			void tell(api.remove({ tenant: opened.owner.tenant, user: opened.owner.user, id: opened.id }));
	},
	closed: () => document.body.classList.remove('form-open'),
	complain: toast,
});

/** Shows a failure; the promise itself always settles well. @param {Promise<any>} work */
async function tell(work) {
	try {
		return await work;
	} catch (e) {
		toast(e instanceof Error ? e.message : String(e));
	}
}

/** @param {string} text */
function toast(text) {
	const node = h('div', { class: 'toast' }, text);
	byId('toasts').append(node);
	setTimeout(() => node.classList.add('leaving'), 5000);
	setTimeout(() => node.remove(), 5400);
}

/** @param {import('./model.js').CalendarEvent} e @param {{ subject?: string, start?: number, end?: number }} to */
function change(e, to) {
	if ((permissions() & 2) === 0) {
		toast('You may only read this calendar.');
		calendar.draw();
		return;
	}
	if (e.conversation !== null && (to.subject !== undefined || to.start !== undefined && to.start !== e.start))
		waiting.set(e.id, performance.now());
	void tell(api.change(e, to));
}

/** The clock of the programs. */
function clock() {
	return state === null ? Date.now() : state.now + (Date.now() - received);
}

/** @param {string} id */
function box(id) {
	return state?.tenants.flatMap((t) => t.mailboxes).find((m) => m.user === id);
}

/** What the person may do in the calendar that is shown. */
function permissions() {
	return user === whose ? 63 : state?.shares.find((s) => s.owner === whose && s.delegate === user)?.permissions ?? 0;
}

/** A new event: nothing is in the calendar before it is saved. @param {number} start @param {number} end */
function create(start, end) {
	openForm(null, { subject: '', start, end, body: '', location: '', properties: {}, itemId: null, seriesId: null, weekly: false });
}

/** @param {import('./model.js').CalendarEvent} e @param {boolean} series the whole series, not the one event of it */
async function edit(e, series) {
	const id = series && e.series ? e.series : e.id;
	const data = await tell(api.open({ user: e.user, id }));
	if (data !== undefined)
		openForm(id, data);
}

/** @param {string | null} id @param {any} data */
function openForm(id, data) {
	const me = box(user);
	const owner = box(whose);
	if (me === undefined || owner === undefined || state === null)
		return;
	card.close();
	document.body.classList.add('form-open');
	form.open({ id, owner, me, permissions: permissions(), data }, officeTheme());
}

/** @param {Form} f @param {any} values */
async function save(f, values) {
	const { id, owner } = /** @type {import('./form.js').Opened} */ (f.opened);
	const e = state?.events.find((x) => x.id === id || x.series === id);
	if (e !== undefined && e.conversation !== null && (values.subject !== e.subject || values.start !== e.start))
		waiting.set(e.id, performance.now());
	await api.save(owner.user, id, values);
}

/** The colours that Outlook tells its add-ins. */
function officeTheme() {
	const style = getComputedStyle(byId('form'));
	const hex = (/** @type {string} */ colour) => `#${(colour.match(/\d+/g) ?? ['255', '255', '255']).slice(0, 3).map((n) => Number(n).toString(16).padStart(2, '0')).join('')}`;
	return { bodyBackgroundColor: hex(style.backgroundColor), bodyForegroundColor: hex(style.color), controlBackgroundColor: hex(style.backgroundColor), controlForegroundColor: hex(style.color) };
}

/** @param {string} id */
function open(id) {
	const e = state?.events.find((x) => x.id === id);
	if (e === undefined || state === null)
		return;
	calendar.select(id);
	card.open(e, calendar.block(id), state);
}

/** Lights an event and its conversation. @param {string | null} conversation */
function point(conversation) {
	talks.point(conversation);
	const e = conversation === null ? undefined : state?.events.find((x) => x.conversation === conversation && calendar.block(x.id) !== undefined);
	if (conversation === null || e === undefined)
		thread.show(undefined, undefined);
	else
		thread.show(calendar.block(e.id), talks.card(conversation));
}

/** @param {State} next */
function update(next) {
	if (state === null)
		void tell(readManifest(next.base).then((buttons) => form.install(buttons)));
	state = next;
	received = Date.now();
	const boxes = next.tenants.flatMap((t) => t.mailboxes);
	if (!boxes.some((m) => m.user === user))
		user = boxes.find((m) => m.user === sessionStorage.getItem('mailbox'))?.user ?? boxes[0]?.user ?? '';
	if (whose !== user && !next.shares.some((x) => x.owner === whose && x.delegate === user))
		whose = user;
	drawBoxes(next);
	drawWhose(next);
	calendar.update(next, whose);
	const changed = talks.update(next, user);
	way.update(next, user);
	card.update(next);
	for (const id of changed) {
		const e = next.events.find((x) => x.conversation === id && calendar.block(x.id) !== undefined);
		if (e !== undefined)
			thread.run(calendar.block(e.id), talks.card(id));
	}
	settle(next);
}

/** Says how long each change of the person took to reach Unblu. @param {State} next */
function settle(next) {
	for (const [id, since] of waiting) {
		const e = next.events.find((x) => x.id === id);
		if (e === undefined)
			waiting.delete(id);
		else if (inStep(e, conversationOf(next, e.conversation)) && performance.now() - since > 50) {
			waiting.delete(id);
			log.add({ at: next.now, source: 'demo', entry: { event: 'in-step', topic: e.subject, when: `${dayText(e.start)}, ${timeText(e.start)}`, ms: Math.round(performance.now() - since), conversation: e.conversation } });
		}
	}
}

/** @param {State} next */
function drawBoxes(next) {
	const key = JSON.stringify([next.tenants, user]);
	const place = byId('boxes');
	if (place.dataset.key === key)
		return;
	place.dataset.key = key;
	place.replaceChildren(...next.tenants.map((t) => h('div', { class: 'tenant' }, h('small', {}, t.name), h('div', { class: 'seg' }, ...t.mailboxes.map((m) =>
		h('button', { type: 'button', title: m.upn, 'aria-pressed': String(m.user === user), dataset: { user: m.user }, onclick: () => choose(m.user) }, h('i', {}, initials(m.name)), h('span', {}, m.name)))))));
}

/** The own calendar, and those that colleagues share. @param {State} next */
function drawWhose(next) {
	const place = byId('whose');
	const shares = next.shares.filter((x) => x.delegate === user);
	const key = JSON.stringify([shares, user]);
	if (place.dataset.key !== key)
		place.replaceChildren(h('option', { value: user }, 'My calendar'), ...shares.map((x) => h('option', { value: x.owner }, `${box(x.owner)?.name}, ${(x.permissions & 2) === 0 ? 'read only' : 'as delegate'}`)));
	place.dataset.key = key;
	place.hidden = shares.length === 0;
	place.value = whose;
}

/** @param {string} next */
function choose(next) {
	form.close();
	user = next;
	whose = next;
	sessionStorage.setItem('mailbox', next);
	card.close();
	if (state !== null)
		update(state);
}

function theme() {
	const dark = document.documentElement.dataset.theme === 'dark' || document.documentElement.dataset.theme === undefined && matchMedia('(prefers-color-scheme: dark)').matches;
	document.documentElement.dataset.theme = dark ? 'light' : 'dark';
	localStorage.setItem('theme', dark ? 'light' : 'dark');
	host.paint(officeTheme());
}

const kept = localStorage.getItem('theme') ?? new URLSearchParams(location.search).get('theme');
if (kept !== null)
	document.documentElement.dataset.theme = kept;
byId('theme').addEventListener('click', theme);
byId('week-back').addEventListener('click', () => calendar.show(addDays(calendar.monday, -7)));
byId('week-on').addEventListener('click', () => calendar.show(addDays(calendar.monday, 7)));
byId('week-now').addEventListener('click', () => state !== null && calendar.show(weekStart(state.now)));
byId('log-clear').addEventListener('click', () => log.clear());
byId('whose').addEventListener('change', () => {
	whose = byId('whose').value;
	if (state !== null)
		update(state);
});
byId('event-new').addEventListener('click', () => {
	const now = Math.max(state?.now ?? Date.now(), calendar.monday + 8 * HOUR);
	const start = Math.ceil(now / (30 * MINUTE)) * 30 * MINUTE;
	create(start, start + HOUR);
});
byId('week-scroll').addEventListener('scroll', () => thread.lay());
addEventListener('resize', () => { thread.show(undefined, undefined); card.close(); });

setInterval(() => {
	if (state === null)
		return;
	tickClock(state, received);
	way.update({ ...state, now: state.now + (Date.now() - received) }, user);
}, 1000);

follow({
	state: update,
	log: (line) => {
		way.light(line.source);
		log.add(line);
	},
	online: (on) => {
		byId('offline').hidden = on;
	},
});
