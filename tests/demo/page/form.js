// @ts-check
/* The event form of the simulated Outlook: title, ribbon, info bar, fields, text, and the pane beside it. */

import { h, icon, setText } from './dom.js';
import { Letter } from './letter.js';
import { dateText, timeText } from './model.js';
import { Ribbon } from './ribbon.js';

/**
 * @typedef {{ user: string, tenant: string, name: string, upn: string }} Box
 * @typedef {{ id: string | null, owner: Box, me: Box, permissions: number, data: any }} Opened data: what Outlook.open() gives
 *
 * @typedef {object} Asks
 * @property {(form: Form, values: any) => Promise<void>} save
 * @property {(form: Form) => void} remove
 * @property {() => void} closed
 * @property {(text: string) => void} complain
 */

/** What a pane and a command may see and change while the form is open. */
const NOTICE_ICONS = /** @type {Record<string, any>} */ ({ progressIndicator: 'clock', informationalMessage: 'info', errorMessage: 'warn', insightMessage: 'info' });

export class Form {
	/** @param {HTMLElement} place @param {import('./host.js').Host} host @param {Asks} asks */
	constructor(place, host, asks) {
		this.place = place;
		this.host = host;
		this.asks = asks;
		/** @type {Opened | null} */
		this.opened = null;
		/** @type {any} */
		this.mailbox = null;
		/** The add-in's, from its manifest. @type {import('./manifest.js').Button[]} */
		this.buttons = [];
		/** The button whose pane is open. @type {string | null} */
		this.paneOf = null;
		/** @type {HTMLIFrameElement | null} */
		this.pane = null;
		this.title = h('b', {}, '');
		this.whose = h('span', { class: 'whose' });
		this.ribbon = new Ribbon((what) => void this.press(what));
		this.info = h('div', { class: 'infobar', role: 'status', 'aria-label': 'Info bar' });
		this.subject = h('input', { type: 'text', id: 'form-subject', maxlength: '255', placeholder: 'Add a title', 'aria-label': 'Title', spellcheck: 'false' });
		this.date = h('input', { type: 'date', 'aria-label': 'Date' });
		this.from = h('input', { type: 'time', step: '300', 'aria-label': 'Start' });
		this.to = h('input', { type: 'time', step: '300', 'aria-label': 'End' });
		this.weekly = h('select', { 'aria-label': 'Repeat', id: 'form-repeat' }, h('option', { value: '' }, 'Does not repeat'), h('option', { value: 'weekly' }, 'Every week, 8 times'));
		this.location = h('input', { type: 'text', id: 'form-location', maxlength: '255', placeholder: 'Add a room or location', 'aria-label': 'Location', spellcheck: 'false' });
		this.letter = new Letter(() => this.typed());
		this.side = h('aside', { class: 'side', hidden: true, 'aria-label': 'Add-in' });
		const close = h('button', { type: 'button', class: 'icon close', 'aria-label': 'Close without saving' }, icon('cross', 14));
		close.addEventListener('click', () => this.close());
		this.place.append(
			h('header', { class: 'formbar' }, this.title, this.whose, close), this.ribbon.node,
			h('div', { class: 'formbody' }, h('div', { class: 'fields' }, this.info, h('div', { class: 'row name' }, this.subject),
				h('div', { class: 'row' }, icon('clock', 15), this.date, this.from, h('span', {}, '\u2013'), this.to, this.weekly),
				h('div', { class: 'row' }, icon('pin', 15), this.location), this.letter.node), this.side));
		for (const field of [this.subject, this.date, this.from, this.to, this.weekly, this.location])
			field.addEventListener('change', () => this.typed());
		this.subject.addEventListener('input', () => this.typed());
		this.place.addEventListener('keydown', (e) => e.key === 'Escape' && this.close());
	}

	/** @param {import('./manifest.js').Button[]} buttons */
	install(buttons) {
		this.buttons = buttons;
		this.ribbon.install(buttons);
	}

	/** @param {Opened} opened @param {any} theme */
	open(opened, theme) {
		this.opened = opened;
		const { data, me, owner, permissions } = opened;
		const shared = owner.user === me.user ? null : { owner: owner.upn, targetMailbox: owner.upn, targetRestUrl: '', delegatePermissions: permissions };
		this.mailbox = new (/** @type {any} */ (globalThis)).OfficeMailbox({
			item: { subject: data.subject, start: data.start, end: data.end, body: data.body, location: data.location, places: data.location === '' ? [] : [{ id: data.location, displayName: data.location, type: 'custom' }], properties: data.properties, itemId: data.itemId, seriesId: data.seriesId, recurrence: data.weekly && data.seriesId === null ? weekly() : null, shared },
			context: { theme, language: 'en-US', profile: { emailAddress: me.upn, displayName: me.name, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, accountType: 'enterprise' } },
		});
		this.mailbox.listeners.add((/** @type {string} */ name) => this.changed(name));
		this.host.use(this.mailbox);
		this.fill(opened);
		this.place.hidden = false;
		this.ribbon.enable(opened);
		this.changed('');
		this.subject.focus();
		this.subject.select();
	}

	/** @param {Opened} opened */
	fill({ id, owner, me, permissions, data }) {
		setText(this.title, id === null ? 'New event' : data.seriesId !== null ? 'One event of a series' : data.weekly ? 'Series' : 'Event');
		setText(this.whose, owner.user === me.user ? '' : `in the calendar of ${owner.name}${(permissions & 2) === 0 ? ', which you may only read' : ''}`);
		this.subject.value = data.subject;
		this.date.value = dateText(data.start);
		this.from.value = timeText(data.start);
		this.to.value = timeText(data.end);
		this.weekly.value = data.weekly ? 'weekly' : '';
		this.weekly.disabled = data.seriesId !== null;
		this.location.value = data.location;
		this.letter.set(data.body);
		const readOnly = owner.user !== me.user && (permissions & 2) === 0;
		for (const field of [this.subject, this.date, this.from, this.to, this.location])
			field.disabled = readOnly;
		this.letter.lock(readOnly);
	}

	/** The person changed a field. */
	typed() {
		if (this.mailbox === null)
			return;
		const start = new Date(`${this.date.value}T${this.from.value}`).getTime();
		const end = new Date(`${this.date.value}T${this.to.value}`).getTime();
		const item = this.mailbox.item;
		item.subject = this.subject.value;
		item.location = this.location.value;
		item.places = item.location === '' ? [] : [{ id: item.location, displayName: item.location, type: 'custom' }];
		item.body = this.letter.get();
		if (Number.isFinite(start) && Number.isFinite(end))
			Object.assign(item, { start, end });
		if (item.seriesId === null)
			item.recurrence = this.weekly.value === '' ? null : item.recurrence ?? weekly();
	}

	/** The add-in changed something. @param {string} name of the call */
	changed(name) {
		const { item } = this.mailbox;
		if (name === '' || name.startsWith('notificationMessages'))
			this.notices(item.notifications);
		if (name.startsWith('body.'))
			this.letter.set(item.body);
		if (name.startsWith('location.') || name.startsWith('enhancedLocation.')) {
			this.location.value = item.location;
			flash(this.location);
		}
		if (name.startsWith('subject.'))
			this.subject.value = item.subject;
	}

	/** @param {Record<string, any>} all */
	notices(all) {
		this.info.replaceChildren(...Object.entries(all).map(([key, m]) => {
			const row = h('div', { class: `notice ${m.type}`, dataset: { key } }, icon(NOTICE_ICONS[m.type] ?? 'info', 15), h('p', {}, m.message));
			if (m.type !== 'progressIndicator') {
				const away = h('button', { type: 'button', class: 'icon', 'aria-label': 'Dismiss' }, icon('cross', 12));
				away.addEventListener('click', () => {
					delete all[key];
					this.notices(all);
				});
				row.append(away);
			}
			return row;
		}));
	}

	/** @param {string} what a button of the ribbon */
	async press(what) {
		this.typed();
		if (what === 'save')
			return this.save();
		if (what === 'delete')
			return this.asks.remove(this);
		const button = this.buttons.find((b) => b.id === what);
		if (button === undefined)
			return;
		if (button.run === null)
			return this.toggle(button);
		this.ribbon.busy('command', true);
		try {
			await this.host.run(button.page, button.run);
		} catch (e) {
			this.asks.complain(`Outlook: ${/** @type {Error} */ (e).message}`);
		} finally {
			this.ribbon.busy('command', false);
		}
	}

	async save() {
		const { subject, start, end, body, location, properties, recurrence } = this.mailbox.item;
		this.ribbon.busy('save', true);
		try {
			await this.asks.save(this, { subject, start, end, body, location, properties, weekly: recurrence !== null || this.opened?.data.seriesId !== null });
			this.close();
		} catch (e) {
			this.asks.complain(/** @type {Error} */ (e).message);
		} finally {
			this.ribbon.busy('save', false);
		}
	}

	/** Opens the pane of a button, or closes it. @param {import('./manifest.js').Button} button */
	toggle(button) {
		if (this.paneOf === button.id)
			return this.closePane();
		this.closePane();
		const place = h('div', { class: 'paneframe' });
		const away = h('button', { type: 'button', class: 'icon', 'aria-label': 'Close the add-in\u2019s pane' }, icon('cross', 12));
		away.addEventListener('click', () => this.closePane());
		this.side.replaceChildren(h('header', {}, h('img', { src: button.icon, width: '16', height: '16', alt: '' }), h('b', {}, button.label), away), place);
		this.side.hidden = false;
		this.pane = this.host.show(place, button.page, button.label);
		this.paneOf = button.id;
		this.ribbon.pressed(button.id);
	}

	closePane() {
		if (this.pane !== null)
			this.host.drop(this.pane);
		this.pane = null;
		this.paneOf = null;
		this.side.hidden = true;
		this.side.replaceChildren();
		this.ribbon.pressed(null);
	}

	close() {
		if (this.opened === null)
			return;
		this.closePane();
		this.host.use(null);
		this.opened = null;
		this.mailbox = null;
		this.place.hidden = true;
		this.asks.closed();
	}
}

/** As Office.js gives a weekly series. */
function weekly() {
	return { recurrenceType: 'weekly', recurrenceProperties: { interval: 1 }, recurrenceTimeZone: { name: 'UTC', offset: 0 } };
}

/** @param {HTMLElement} node */
function flash(node) {
	node.classList.remove('written');
	void node.offsetWidth;
	node.classList.add('written');
}
