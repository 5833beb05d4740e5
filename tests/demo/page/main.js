// @ts-check
/* Puts the parts of the page together. */

import { api, follow } from './api.js';
import { Calendar } from './calendar.js';
import { Card } from './card.js';
import { byId, h } from './dom.js';
import { Log } from './log.js';
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
/** When the person changed an event that its conversation does not show yet. @type {Map<string, number>} */
const waiting = new Map();
/** An event just made: its card opens as soon as the state has it. @type {string | null} */
let toOpen = null;

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
	link: (e) => tell(api.link(e)),
	closed: () => calendar.select(null),
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
	if (e.conversation !== null && (to.subject !== undefined || to.start !== undefined && to.start !== e.start))
		waiting.set(e.id, performance.now());
	void tell(api.change(e, to));
}

/** @param {number} start @param {number} end */
async function create(start, end) {
	const box = state?.tenants.flatMap((t) => t.mailboxes).find((m) => m.user === user);
	if (box === undefined)
		return;
	const made = await tell(api.add(box, { subject: 'New meeting', start, end }));
	toOpen = made?.id ?? null;
	openNew();
}

function openNew() {
	if (toOpen !== null && calendar.block(toOpen) !== undefined) {
		open(toOpen, true);
		toOpen = null;
	}
}

/** @param {string} id @param {boolean} [rename] */
function open(id, rename = false) {
	const e = state?.events.find((x) => x.id === id);
	if (e === undefined || state === null)
		return;
	calendar.select(id);
	card.open(e, calendar.block(id), state, rename);
}

/** Lights an event and its conversation. @param {string | null} conversation */
function point(conversation) {
	talks.point(conversation);
	const e = conversation === null ? undefined : state?.events.find((x) => x.conversation === conversation);
	if (conversation === null || e === undefined)
		thread.show(undefined, undefined);
	else
		thread.show(calendar.block(e.id), talks.card(conversation));
}

/** @param {State} next */
function update(next) {
	state = next;
	received = Date.now();
	const boxes = next.tenants.flatMap((t) => t.mailboxes);
	if (!boxes.some((m) => m.user === user))
		user = boxes.find((m) => m.user === sessionStorage.getItem('mailbox'))?.user ?? boxes[0]?.user ?? '';
	drawBoxes(next);
	calendar.update(next, user);
	const changed = talks.update(next, user);
	way.update(next, user);
	card.update(next);
	openNew();
	for (const id of changed) {
		const e = next.events.find((x) => x.conversation === id && x.user === user);
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

/** @param {string} next */
function choose(next) {
	user = next;
	sessionStorage.setItem('mailbox', next);
	card.close();
	if (state !== null)
		update(state);
}

function theme() {
	const dark = document.documentElement.dataset.theme === 'dark' || document.documentElement.dataset.theme === undefined && matchMedia('(prefers-color-scheme: dark)').matches;
	document.documentElement.dataset.theme = dark ? 'light' : 'dark';
	localStorage.setItem('theme', dark ? 'light' : 'dark');
}

const kept = localStorage.getItem('theme') ?? new URLSearchParams(location.search).get('theme');
if (kept !== null)
	document.documentElement.dataset.theme = kept;
byId('theme').addEventListener('click', theme);
byId('week-back').addEventListener('click', () => calendar.show(addDays(calendar.monday, -7)));
byId('week-on').addEventListener('click', () => calendar.show(addDays(calendar.monday, 7)));
byId('week-now').addEventListener('click', () => state !== null && calendar.show(weekStart(state.now)));
byId('log-clear').addEventListener('click', () => log.clear());
byId('event-new').addEventListener('click', () => {
	const now = Math.max(state?.now ?? Date.now(), calendar.monday + 8 * HOUR);
	const start = Math.ceil(now / (30 * MINUTE)) * 30 * MINUTE;
	void create(start, start + HOUR);
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
