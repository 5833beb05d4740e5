// @ts-check
/* The week: draws events, makes them draggable, asks its owner for every change. */

import { h, icon, setText } from './dom.js';
import { DAY, HOUR, MINUTE, SNAP, addDays, atMinute, conversationOf, dayStart, inStep, lanes, minuteOfDay, snap, timeText, weekStart, weekText } from './model.js';

const DAYS = 5;
const DRAG_PX = 4;
const FIRST_SIGHT_HOUR = 7.6;

/**
 * @typedef {import('./model.js').CalendarEvent} CalendarEvent
 * @typedef {import('./model.js').State} State
 * @typedef {{ move: (e: CalendarEvent, start: number, end: number) => void, create: (start: number, end: number) => void, open: (e: CalendarEvent) => void, point: (id: string | null) => void }} Asks
 */

export class Calendar {
	/** @param {{ days: HTMLElement, week: HTMLElement, scroll: HTMLElement, title: HTMLElement }} parts @param {Asks} asks */
	constructor(parts, asks) {
		this.parts = parts;
		this.asks = asks;
		/** @type {State | null} */
		this.state = null;
		this.user = '';
		this.monday = 0;
		/** @type {HTMLElement[]} */
		this.columns = [];
		/** @type {Map<string, HTMLElement>} */
		this.blocks = new Map();
		/** What the person did and the state does not say yet. @type {Map<string, { start: number, end: number, until: number }>} */
		this.local = new Map();
		/** @type {string | null} */
		this.dragging = null;
		/** @type {string | null} */
		this.selected = null;
	}

	/** @param {number} monday */
	show(monday) {
		this.monday = monday;
		setText(this.parts.title, weekText(monday));
		this.frame();
		this.draw();
	}

	/** The empty week. */
	frame() {
		const first = this.parts.week.childElementCount === 0;
		this.columns = [];
		this.blocks.clear();
		const hours = h('div', { class: 'hours' });
		for (let i = 1; i < 24; i++)
			hours.append(h('span', { style: `top:calc(var(--hour)*${i})` }, `${String(i).padStart(2, '0')}:00`));
		this.parts.week.replaceChildren(hours);
		this.parts.days.replaceChildren(h('i'));
		for (let i = 0; i < DAYS; i++) {
			const day = addDays(this.monday, i);
			const column = h('div', { class: 'day', dataset: { day: String(day) }, ondblclick: (/** @type {MouseEvent} */ ev) => this.doubleClick(ev, day) });
			this.columns.push(column);
			this.parts.week.append(column);
			const d = new Date(day);
			this.parts.days.append(h('div', {}, h('b', {}, String(d.getDate())), h('span', {}, d.toLocaleDateString('en-GB', { weekday: 'long' }))));
		}
		if (first)
			requestAnimationFrame(() => { this.parts.scroll.scrollTop = FIRST_SIGHT_HOUR * this.hourPx(); });
	}

	hourPx() {
		return this.parts.week.getBoundingClientRect().height / 24;
	}

	/** @param {MouseEvent} ev @param {number} day */
	doubleClick(ev, day) {
		if (ev.target instanceof HTMLElement && ev.target.closest('.ev') !== null)
			return;
		const column = /** @type {HTMLElement} */ (ev.currentTarget);
		const minute = Math.floor((ev.clientY - column.getBoundingClientRect().top) / this.hourPx() * 2) * 30;
		const start = atMinute(day, minute);
		this.asks.create(start, start + HOUR);
	}

	/** @param {State} state @param {string} user */
	update(state, user) {
		const firstTime = this.state === null;
		this.state = state;
		if (user !== this.user) {
			this.user = user;
			this.local.clear();
		}
		if (firstTime)
			this.show(weekStart(state.now));
		else
			this.draw();
	}

	/** @param {CalendarEvent} e */
	placed(e) {
		const mine = this.local.get(e.id);
		if (mine === undefined)
			return e;
		if (mine.start === e.start && mine.end === e.end || performance.now() > mine.until) {
			this.local.delete(e.id);
			return e;
		}
		return { ...e, start: mine.start, end: mine.end };
	}

	visible() {
		const end = addDays(this.monday, DAYS);
		return (this.state?.events ?? []).filter((e) => e.user === this.user).map((e) => this.placed(e)).filter((e) => e.start >= this.monday && e.start < end);
	}

	draw() {
		if (this.state === null || this.monday === 0 || this.dragging !== null)
			return;
		const seen = new Set();
		const events = this.visible();
		for (const column of this.columns) {
			const day = Number(column.dataset.day);
			const here = events.filter((e) => dayStart(e.start) === day);
			const places = lanes(here);
			for (const e of here) {
				seen.add(e.id);
				const block = this.blocks.get(e.id) ?? this.makeBlock(e.id);
				if (block.parentElement !== column)
					column.append(block);
				const p = places.get(e.id) ?? { lane: 0, lanes: 1 };
				block.style.left = `${p.lane / p.lanes * 100}%`;
				block.style.width = `${100 / p.lanes}%`;
				this.paint(block, e);
			}
		}
		for (const [id, block] of this.blocks)
			if (!seen.has(id)) {
				this.blocks.delete(id);
				block.classList.add('leaving');
				setTimeout(() => block.remove(), 260);
			}
		this.drawNow();
	}

	drawNow() {
		const now = this.state?.now ?? 0;
		const today = dayStart(now);
		this.columns.forEach((column, i) => {
			const on = Number(column.dataset.day) === today;
			column.classList.toggle('today', on);
			this.parts.days.children[i + 1]?.classList.toggle('today', on);
			let line = column.querySelector('.now');
			if (on && line === null) {
				line = h('i', { class: 'now' });
				column.append(line);
			}
			if (line !== null)
				on ? /** @type {HTMLElement} */ (line).style.top = `calc(var(--hour)*${minuteOfDay(now) / 60})` : line.remove();
		});
	}

	/** @param {string} id */
	makeBlock(id) {
		const block = h('div', { class: 'ev', tabindex: '0', role: 'button', dataset: { id } },
			h('div', { class: 'face' }, h('b'), h('span'), h('em', { role: 'img' })), h('i', { class: 'grip' }));
		block.addEventListener('pointerdown', (ev) => this.press(ev, block, id));
		block.addEventListener('keydown', (ev) => this.key(ev, id));
		block.addEventListener('mouseenter', () => this.asks.point(id));
		block.addEventListener('mouseleave', () => this.asks.point(null));
		block.addEventListener('focus', () => this.asks.point(id));
		block.addEventListener('blur', () => this.asks.point(null));
		this.blocks.set(id, block);
		return block;
	}

	/** @param {HTMLElement} block @param {CalendarEvent} e */
	paint(block, e) {
		const state = /** @type {State} */ (this.state);
		const talk = conversationOf(state, e.conversation);
		const minutes = Math.max(20, (e.end - e.start) / MINUTE);
		block.style.top = `calc(var(--hour)*${minuteOfDay(e.start) / 60})`;
		block.style.height = `calc(var(--hour)*${minutes / 60} - 2px)`;
		block.classList.toggle('short', minutes < 45);
		block.classList.toggle('tall', minutes > 75);
		block.classList.toggle('linked', e.conversation !== null);
		const even = inStep(e, talk);
		block.classList.toggle('behind', e.conversation !== null && !even);
		block.classList.toggle('picked', this.selected === e.id);
		const [title, time, mark] = /** @type {any} */ (block.firstElementChild).children;
		setText(title, e.subject === '' ? '(no subject)' : e.subject);
		setText(time, minutes < 45 ? timeText(e.start) : `${timeText(e.start)} \u2013 ${timeText(e.end)}`);
		const kind = e.conversation === null ? '' : even ? 'tick' : 'bubble';
		if (mark.dataset.kind !== kind) {
			mark.dataset.kind = kind;
			mark.replaceChildren(...(kind === '' ? [] : [icon(/** @type {any} */ (kind), 12)]));
		}
		mark.hidden = kind === '';
		mark.setAttribute('aria-label', kind === '' ? '' : even ? 'conversation in step' : 'conversation follows');
	}

	/** @param {string} id */
	find(id) {
		const e = this.state?.events.find((x) => x.id === id);
		return e === undefined ? undefined : this.placed(e);
	}

	/** @param {KeyboardEvent} ev @param {string} id */
	key(ev, id) {
		const e = this.find(id);
		if (e === undefined)
			return;
		const steps = /** @type {Record<string, (ms: number) => number>} */ ({
			ArrowUp: (ms) => ms - SNAP, ArrowDown: (ms) => ms + SNAP,
			ArrowLeft: (ms) => atMinute(addDays(ms, -1), minuteOfDay(ms)), ArrowRight: (ms) => atMinute(addDays(ms, 1), minuteOfDay(ms)),
		});
		if (ev.key in steps) {
			ev.preventDefault();
			const start = steps[ev.key](e.start);
			this.moved(e, start, start + (e.end - e.start));
		} else if (ev.key === 'Enter' || ev.key === ' ') {
			ev.preventDefault();
			this.asks.open(e);
		}
	}

	/** @param {CalendarEvent} e @param {number} start @param {number} end */
	moved(e, start, end) {
		this.local.set(e.id, { start, end, until: performance.now() + 3000 });
		this.asks.move(e, start, end);
		this.draw();
	}

	/** @param {PointerEvent} ev @param {HTMLElement} block @param {string} id */
	press(ev, block, id) {
		const e = this.find(id);
		if (ev.button !== 0 || e === undefined)
			return;
		const sizing = ev.target instanceof Element && ev.target.classList.contains('grip');
		const from = { x: ev.clientX, y: ev.clientY, scroll: this.parts.scroll.scrollTop };
		let start = e.start;
		let end = e.end;
		block.setPointerCapture(ev.pointerId);
		/** @param {PointerEvent} m */
		const onMove = (m) => {
			if (this.dragging === null && Math.hypot(m.clientX - from.x, m.clientY - from.y) < DRAG_PX)
				return;
			this.dragging = id;
			block.classList.add('held');
			this.edgeScroll(m.clientY);
			const dy = m.clientY - from.y + this.parts.scroll.scrollTop - from.scroll;
			const shift = snap(dy / this.hourPx() * HOUR);
			if (sizing)
				end = Math.max(e.start + SNAP, e.end + shift);
			else {
				start = this.within(e, shift, this.columnAt(m.clientX));
				end = start + (e.end - e.start);
			}
			this.preview(block, { ...e, start, end });
		};
		const done = (/** @type {boolean} */ keep) => {
			block.removeEventListener('pointermove', onMove);
			block.removeEventListener('pointerup', onUp);
			block.removeEventListener('pointercancel', onCancel);
			block.classList.remove('held');
			const dragged = this.dragging !== null;
			this.dragging = null;
			if (!dragged && keep)
				this.asks.open(e);
			else if (keep && (start !== e.start || end !== e.end))
				this.moved(e, start, end);
			else
				this.draw();
		};
		const onUp = () => done(true);
		const onCancel = () => done(false);
		block.addEventListener('pointermove', onMove);
		block.addEventListener('pointerup', onUp);
		block.addEventListener('pointercancel', onCancel);
	}

	/** @param {CalendarEvent} e @param {number} shift @param {HTMLElement} column */
	within(e, shift, column) {
		const length = Math.min(DAY, e.end - e.start) / MINUTE;
		const minute = Math.min(Math.max(0, minuteOfDay(e.start) + shift / MINUTE), 24 * 60 - length);
		return atMinute(Number(column.dataset.day), minute);
	}

	/** @param {number} x */
	columnAt(x) {
		return this.columns.find((c) => x < c.getBoundingClientRect().right) ?? this.columns[DAYS - 1];
	}

	/** @param {number} y */
	edgeScroll(y) {
		const box = this.parts.scroll.getBoundingClientRect();
		if (y < box.top + 24)
			this.parts.scroll.scrollTop -= 8;
		else if (y > box.bottom - 24)
			this.parts.scroll.scrollTop += 8;
	}

	/** @param {HTMLElement} block @param {CalendarEvent} e */
	preview(block, e) {
		const column = this.columns.find((c) => Number(c.dataset.day) === dayStart(e.start));
		if (column !== undefined && block.parentElement !== column)
			column.append(block);
		block.style.left = '0%';
		block.style.width = '100%';
		this.paint(block, e);
	}

	/** @param {string} id */
	block(id) {
		return this.blocks.get(id);
	}

	/** @param {string | null} id */
	select(id) {
		this.selected = id;
		for (const [key, block] of this.blocks)
			block.classList.toggle('picked', key === id);
	}
}
