// @ts-check
/* The ribbon of the event form: Outlook's own buttons, and the add-in's as its manifest has them. */

import { h, icon } from './dom.js';

/** @typedef {import('./manifest.js').Button} Button */

/** Outlook's. @type {{ id: string, label: string, title: string, icon: any }[]} */
const OWN = [
	{ id: 'save', label: 'Save & close', title: 'Save the event in the calendar', icon: 'tick' },
	{ id: 'delete', label: 'Delete', title: 'Delete the event', icon: 'trash' },
];

export class Ribbon {
	/** @param {(id: string) => void} press */
	constructor(press) {
		this.press = press;
		/** @type {Map<string, HTMLButtonElement>} */
		this.buttons = new Map();
		this.addin = h('div', { class: 'ribgroup', role: 'group', 'aria-label': 'Unblu' });
		this.node = h('div', { class: 'ribbon', role: 'toolbar', 'aria-label': 'Ribbon' },
			h('div', { class: 'ribgroup', role: 'group', 'aria-label': 'Event' }, ...OWN.map((b) => this.button(b, icon(b.icon, 16)))), this.addin);
	}

	/** @param {{ id: string, label: string, title: string }} b @param {Element} picture */
	button(b, picture) {
		const node = h('button', { type: 'button', title: b.title, id: `ribbon-${b.id}` }, picture, h('span', {}, b.label));
		node.addEventListener('click', () => this.press(b.id));
		this.buttons.set(b.id, node);
		return node;
	}

	/** The add-in's buttons. @param {Button[]} buttons */
	install(buttons) {
		this.addin.replaceChildren(...buttons.map((b) => this.button(b, h('img', { src: b.icon, width: '20', height: '20', alt: '', class: 'ribicon' }))));
	}

	/** @param {{ id: string | null, owner: { user: string }, me: { user: string }, permissions: number }} opened */
	enable(opened) {
		const readOnly = opened.owner.user !== opened.me.user && (opened.permissions & 2) === 0;
		for (const [id, node] of this.buttons)
			node.disabled = readOnly && (id === 'save' || id === 'delete') || id === 'delete' && opened.id === null;
	}

	/** @param {string} id @param {boolean} on */
	busy(id, on) {
		const node = /** @type {HTMLButtonElement} */ (this.buttons.get(id));
		node.classList.toggle('busy', on);
		node.setAttribute('aria-busy', String(on));
	}

	/** @param {string | null} id the pane that is open */
	pressed(id) {
		for (const [own, node] of this.buttons)
			if (own === 'pane' || own === 'debug')
				node.setAttribute('aria-pressed', String(own === id));
	}
}
