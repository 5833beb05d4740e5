// @ts-check
/* The card of one event: rename, move, open, duplicate, delete. */

import { h, icon, setText } from './dom.js';
import { conversationOf, dateText, dayText, inStep, timeText } from './model.js';

/**
 * @typedef {import('./model.js').CalendarEvent} CalendarEvent
 * @typedef {import('./model.js').State} State
 * @typedef {{ change: (e: CalendarEvent, to: { subject?: string, start?: number, end?: number }) => void, remove: (e: CalendarEvent) => void, edit: (e: CalendarEvent, series: boolean) => void, copy: (e: CalendarEvent) => void, closed: () => void }} Asks
 */

export class Card {
	/** @param {HTMLElement} node @param {Asks} asks */
	constructor(node, asks) {
		this.node = node;
		this.asks = asks;
		/** @type {string | null} */
		this.id = null;
		/** @type {CalendarEvent | null} */
		this.event = null;
		this.subject = h('input', { type: 'text', class: 'subject', maxlength: '250', placeholder: 'Subject', 'aria-label': 'Subject', spellcheck: 'false', id: 'card-subject' });
		this.date = h('input', { type: 'date', 'aria-label': 'Date' });
		this.from = h('input', { type: 'time', step: '300', 'aria-label': 'Start' });
		this.to = h('input', { type: 'time', step: '300', 'aria-label': 'End' });
		this.button = h('button', { type: 'button', class: 'talkmaker', id: 'card-open' }, icon('open', 15), h('span', {}, 'Open event'));
		this.whole = h('button', { type: 'button', class: 'talkmaker', id: 'card-series', hidden: true }, icon('open', 15), h('span', {}, 'Open series'));
		this.mirror = h('div', { class: 'mirror' }, h('b'), h('span'), h('code'));
		this.note = h('p', { class: 'note' });
		const remove = h('button', { type: 'button', class: 'text danger', id: 'card-delete' }, icon('trash', 13), 'Delete event');
		const copy = h('button', { type: 'button', class: 'text', id: 'card-copy' }, icon('copy', 13), 'Duplicate');
		const close = h('button', { type: 'button', class: 'icon close', 'aria-label': 'Close' }, icon('cross', 14));
		node.append(h('div', { class: 'head' }, this.subject, close), h('div', { class: 'when' }, icon('clock', 14), this.date, this.from, h('span', {}, '\u2013'), this.to), h('div', { class: 'openers' }, this.button, this.whole), this.mirror, this.note, h('div', { class: 'foot' }, copy, remove));
		this.subject.addEventListener('change', () => this.event !== null && this.asks.change(this.event, { subject: this.subject.value }));
		this.subject.addEventListener('keydown', (ev) => ev.key === 'Enter' && this.close());
		for (const input of [this.date, this.from, this.to])
			input.addEventListener('change', () => this.timed(input === this.to));
		this.button.addEventListener('click', () => this.edit(false));
		this.whole.addEventListener('click', () => this.edit(true));
		copy.addEventListener('click', () => { if (this.event !== null) { this.asks.copy(this.event); this.close(); } });
		remove.addEventListener('click', () => { if (this.event !== null) { this.asks.remove(this.event); this.close(); } });
		close.addEventListener('click', () => this.close());
		document.addEventListener('pointerdown', (ev) => { if (this.id !== null && ev.target instanceof Node && !node.contains(ev.target)) this.close(); }, true);
		document.addEventListener('keydown', (ev) => ev.key === 'Escape' && this.close());
	}

	/** @param {boolean} endOnly */
	timed(endOnly) {
		if (this.event === null || this.date.value === '' || this.from.value === '' || this.to.value === '')
			return;
		const start = new Date(`${this.date.value}T${this.from.value}`).getTime();
		let end = new Date(`${this.date.value}T${this.to.value}`).getTime();
		if (!endOnly)
			end = start + (this.event.end - this.event.start);
		if (end > start)
			this.asks.change(this.event, { start, end });
	}

	/** @param {boolean} series */
	edit(series) {
		const e = this.event;
		if (e === null)
			return;
		this.close();
		this.asks.edit(e, series);
	}

	/** @param {CalendarEvent} e @param {HTMLElement | undefined} at @param {State} state @param {boolean} [rename] */
	open(e, at, state, rename = false) {
		this.id = e.id;
		this.node.hidden = false;
		this.update(state, true);
		this.place(at);
		if (rename) {
			this.subject.focus();
			this.subject.select();
		}
	}

	/** @param {HTMLElement | undefined} at */
	place(at) {
		const r = at?.getBoundingClientRect() ?? new DOMRect(200, 200, 0, 0);
		const w = this.node.offsetWidth;
		const tall = this.node.offsetHeight;
		const right = r.right + 10 + w < innerWidth;
		this.node.style.left = `${Math.max(8, right ? r.right + 10 : r.left - w - 10)}px`;
		this.node.style.top = `${Math.min(Math.max(8, r.top - 12), innerHeight - tall - 8)}px`;
		this.node.dataset.side = right ? 'left' : 'right';
	}

	/** @param {State} state @param {boolean} [fresh] */
	update(state, fresh = false) {
		if (this.id === null)
			return;
		const e = state.events.find((x) => x.id === this.id);
		if (e === undefined) {
			if (!fresh && this.event !== null)
				this.close();
			return;
		}
		this.event = e;
		const put = (/** @type {HTMLInputElement} */ input, /** @type {string} */ value) => {
			if (fresh || document.activeElement !== input && input.value !== value)
				input.value = value;
		};
		put(this.subject, e.subject);
		put(this.date, dateText(e.start));
		put(this.from, timeText(e.start));
		put(this.to, timeText(e.end));
		const talk = conversationOf(state, e.conversation);
		this.whole.hidden = !e.series;
		this.mirror.hidden = talk === undefined;
		setText(this.note, e.conversation === null ? 'No conversation yet: open the event and press \u201cUnblu Conversation\u201d in its ribbon.' : talk === undefined ? 'The conversation is not there any more.' : inStep(e, talk) ? 'Unblu and the event say the same.' : 'The event changed; Unblu follows in a moment.');
		this.node.classList.toggle('even', talk !== undefined && inStep(e, talk));
		if (talk !== undefined) {
			setText(this.mirror.children[0], talk.topic);
			setText(this.mirror.children[1], `${dayText(talk.start)}, ${timeText(talk.start)}`);
			setText(this.mirror.children[2], talk.id);
		}
	}

	close() {
		if (this.id === null)
			return;
		if (document.activeElement === this.subject && this.event !== null && this.subject.value !== this.event.subject)
			this.asks.change(this.event, { subject: this.subject.value });
		this.id = null;
		this.event = null;
		this.node.hidden = true;
		this.asks.closed();
	}
}
