// @ts-check
/* The ribbon of the event form: Outlook's own buttons and the add-in's two. */

import { h, icon } from './dom.js';

/** @type {{ id: string, label: string, title: string, icon?: any, group: string }[]} */
const BUTTONS = [
	{ id: 'save', label: 'Save & close', title: 'Save the event in the calendar', icon: 'tick', group: 'Event' },
	{ id: 'delete', label: 'Delete', title: 'Delete the event', icon: 'trash', group: 'Event' },
	{ id: 'command', label: 'Unblu Conversation', title: 'Runs the real commands.html: makes a conversation and puts its link into this event', group: 'Unblu' },
	{ id: 'pane', label: 'Unblu options', title: 'Opens the real taskpane.html', group: 'Unblu' },
];

export class Ribbon {
	/** @param {(id: string) => void} press */
	constructor(press) {
		/** @type {Map<string, HTMLButtonElement>} */
		this.buttons = new Map();
		this.node = h('div', { class: 'ribbon', role: 'toolbar', 'aria-label': 'Ribbon' });
		for (const group of ['Event', 'Unblu'])
			this.node.append(h('div', { class: 'ribgroup', role: 'group', 'aria-label': group }, ...BUTTONS.filter((b) => b.group === group).map((b) => this.button(b, press))));
	}

	/** @param {(typeof BUTTONS)[0]} b @param {(id: string) => void} press */
	button(b, press) {
		const own = b.icon !== undefined ? icon(b.icon, 16) : h('img', { src: '', width: '20', height: '20', alt: '', class: 'ribicon' });
		const node = h('button', { type: 'button', title: b.title, id: `ribbon-${b.id}` }, own, h('span', {}, b.label));
		node.addEventListener('click', () => press(b.id));
		this.buttons.set(b.id, node);
		return node;
	}

	/** @param {{ id: string | null, owner: { user: string }, me: { user: string }, permissions: number }} opened @param {string} [base] */
	enable(opened, base = '/addin') {
		const readOnly = opened.owner.user !== opened.me.user && (opened.permissions & 2) === 0;
		for (const [id, node] of this.buttons)
			node.disabled = readOnly && (id === 'save' || id === 'delete') || id === 'delete' && opened.id === null;
		for (const img of this.node.querySelectorAll('img'))
			img.src = `${base}/assets/icon-32.png`;
	}

	/** @param {string} id @param {boolean} on */
	busy(id, on) {
		const node = /** @type {HTMLButtonElement} */ (this.buttons.get(id));
		node.classList.toggle('busy', on);
		node.setAttribute('aria-busy', String(on));
	}

	/** @param {string} id @param {boolean} on */
	pressed(id, on) {
		this.buttons.get(id)?.setAttribute('aria-pressed', String(on));
	}
}
