// @ts-check
/* The conversations as Unblu has them, and what just happened to each. */

import { h, icon, setText } from './dom.js';
import { dayText, initials, mailboxOf, stampText, talkChanges, timeText } from './model.js';

const KEEP_REMOVED = 3;
const FLASH_MS = 2600;

/**
 * @typedef {import('./model.js').State} State
 * @typedef {import('./model.js').Conversation} Conversation
 */

export class Talks {
	/** @param {HTMLElement} list @param {HTMLElement} note @param {{ point: (id: string | null) => void }} asks */
	constructor(list, note, asks) {
		this.list = list;
		this.note = note;
		this.asks = asks;
		/** @type {Map<string, HTMLElement>} */
		this.cards = new Map();
		/** @type {Conversation[] | null} */
		this.before = null;
	}

	/**
	 * Returns the ids that just changed.
	 * @param {State} state @param {string} user @returns {string[]}
	 */
	update(state, user) {
		const now = [...state.conversations].sort((a, b) => Number(b.agent === user) - Number(a.agent === user) || a.start - b.start || (a.id < b.id ? -1 : 1));
		const change = this.before === null ? null : talkChanges(this.before, now);
		const places = this.places();
		for (const c of now)
			this.paint(this.cards.get(c.id) ?? this.make(c.id), c, state, user);
		if (change !== null) {
			for (const c of change.removed)
				this.strike(c, state.now);
			for (const c of change.added)
				this.cards.get(c.id)?.classList.add('fresh');
			for (const c of change.topic)
				this.swap(c, '.topic', this.before?.find((o) => o.id === c.id)?.topic ?? '');
			for (const c of change.time)
				this.swap(c, '.when b', whenText(this.before?.find((o) => o.id === c.id)?.start ?? 0));
		}
		this.order(now, places);
		this.before = now;
		const others = now.filter((c) => c.agent !== user).length;
		setText(this.note, now.length === 0 ? '' : `${now.length - others} yours${others > 0 ? `, ${others} of colleagues` : ''}`);
		this.list.classList.toggle('none', now.length === 0);
		return change === null ? [] : [...change.added, ...change.topic, ...change.time].map((c) => c.id);
	}

	places() {
		return new Map([...this.cards].map(([id, node]) => [id, node.offsetTop]));
	}

	/** Puts the cards in order and lets them glide. @param {Conversation[]} now @param {Map<string, number>} places */
	order(now, places) {
		const wanted = now.map((c) => /** @type {HTMLElement} */ (this.cards.get(c.id)));
		const current = [...this.list.querySelectorAll('.talk:not(.gone)')];
		if (wanted.some((node, i) => node !== current[i]))
			this.list.prepend(...wanted);
		for (const c of now) {
			const node = /** @type {HTMLElement} */ (this.cards.get(c.id));
			const was = places.get(c.id);
			if (was !== undefined && was !== node.offsetTop && typeof node.animate === 'function')
				node.animate([{ transform: `translateY(${was - node.offsetTop}px)` }, { transform: 'none' }], { duration: 420, easing: 'cubic-bezier(.2,.8,.2,1)' });
		}
	}

	/** @param {string} id */
	make(id) {
		const node = h('article', { class: 'talk', tabindex: '0', dataset: { id } },
			h('div', { class: 'who' }),
			h('div', { class: 'what' },
				h('h3', { class: 'slot topic' }, h('b')),
				h('p', { class: 'slot when' }, icon('clock', 12), h('b')),
				h('p', { class: 'meta' }, h('code'), h('a', { target: '_blank', rel: 'noreferrer', class: 'url' }))),
			h('span', { class: 'tag' }));
		node.addEventListener('mouseenter', () => this.asks.point(id));
		node.addEventListener('mouseleave', () => this.asks.point(null));
		node.addEventListener('focus', () => this.asks.point(id));
		node.addEventListener('blur', () => this.asks.point(null));
		this.cards.set(id, node);
		return node;
	}

	/** @param {HTMLElement} node @param {Conversation} c @param {State} state @param {string} user */
	paint(node, c, state, user) {
		const box = mailboxOf(state, c.agent);
		const who = /** @type {HTMLElement} */ (node.querySelector('.who'));
		setText(who, initials(box?.name ?? '?'));
		who.title = box === undefined ? 'unknown agent' : `${box.name} <${box.upn}>`;
		node.classList.toggle('other', c.agent !== user);
		setText(/** @type {Element} */ (node.querySelector('.topic b')), c.topic);
		setText(/** @type {Element} */ (node.querySelector('.when b')), whenText(c.start));
		setText(/** @type {Element} */ (node.querySelector('code')), c.id);
		setText(/** @type {Element} */ (node.querySelector('.tag')), c.state);
		const link = /** @type {HTMLAnchorElement} */ (node.querySelector('.url'));
		setText(link, c.url === null ? '' : 'public link');
		link.title = c.url ?? '';
	}

	/** Old value out, new value in. @param {Conversation} c @param {string} where @param {string} old */
	swap(c, where, old) {
		const node = this.cards.get(c.id);
		const fresh = node?.querySelector(where);
		if (node === undefined || fresh === null || fresh === undefined)
			return;
		const ghost = h('s', { 'aria-hidden': 'true' }, old);
		fresh.after(ghost);
		ghost.addEventListener('animationend', () => ghost.remove());
		for (const [target, name] of /** @type {[Element, string][]} */ ([[fresh, 'rise'], [node, 'flash']])) {
			target.classList.remove(name);
			void (/** @type {HTMLElement} */ (target).offsetWidth);
			target.classList.add(name);
			setTimeout(() => target.classList.remove(name), FLASH_MS);
		}
	}

	/** @param {Conversation} c @param {number} now */
	strike(c, now) {
		const node = this.cards.get(c.id);
		this.cards.delete(c.id);
		if (node === undefined)
			return;
		const row = h('div', { class: 'talk gone' }, icon('trash', 13), h('s', {}, c.topic), h('span', {}, `removed ${stampText(now).slice(0, 8)}`));
		node.classList.add('leaving');
		node.style.height = `${node.offsetHeight}px`;
		this.list.append(node);
		setTimeout(() => {
			node.remove();
			const first = this.list.querySelector('.gone');
			first === null ? this.list.append(row) : first.before(row);
			[...this.list.querySelectorAll('.gone')].slice(KEEP_REMOVED).forEach((old) => old.remove());
		}, 420);
	}

	/** @param {string | null} id */
	point(id) {
		for (const [key, node] of this.cards)
			node.classList.toggle('pointed', key === id);
	}

	/** @param {string} id */
	card(id) {
		return this.cards.get(id);
	}
}

/** @param {number} ms */
function whenText(ms) {
	return `${dayText(ms)}, ${timeText(ms)}`;
}
