// @ts-check
/* The log at the bottom: one line per thing done, newest last. */

import { h, setText } from './dom.js';
import { stampText } from './model.js';
import { say } from './say.js';

const KEEP = 500;
const GROUPS = ['office', 'graph', 'web', 'sync', 'unblu', 'renew', 'demo'];
/** @type {Record<string, string>} */
const GROUP_OF = { entra: 'graph', nginx: 'web', supervisor: 'web', gateway: 'unblu', ctl: 'demo' };

export class Log {
	/** @param {HTMLElement} list @param {HTMLElement} chips @param {{ point: (conversation: string | null) => void, who: (mailbox: string) => string }} asks */
	constructor(list, chips, asks) {
		this.list = list;
		this.asks = asks;
		this.stick = true;
		list.addEventListener('scroll', () => { this.stick = list.scrollHeight - list.scrollTop - list.clientHeight < 24; });
		for (const group of GROUPS) {
			const chip = h('button', { type: 'button', class: 'chip', 'aria-pressed': 'true', dataset: { source: group } }, group);
			chip.addEventListener('click', () => {
				const on = chip.getAttribute('aria-pressed') !== 'true';
				chip.setAttribute('aria-pressed', String(on));
				list.classList.toggle(`hide-${group}`, !on);
				this.settle();
			});
			chips.append(chip);
		}
	}

	/** @param {{ at: number, source: string, entry: any }} line */
	add(line) {
		const said = say(line.source, line.entry, this.asks.who);
		if (said === null)
			return;
		const last = /** @type {HTMLElement | null} */ (this.list.lastElementChild);
		const key = `${line.source} ${said.text}`;
		if (last !== null && said.fold && last.dataset.key === key) {
			const n = Number(last.dataset.times ?? '1') + 1;
			last.dataset.times = String(n);
			setText(/** @type {Element} */ (last.querySelector('time')), stampText(line.at));
			setText(/** @type {Element} */ (last.querySelector('.times')), `\u00d7${n}`);
			return;
		}
		const row = h('div', { class: `line ${said.level}`, dataset: { key, source: line.source, group: GROUP_OF[line.source] ?? line.source } },
			h('time', {}, stampText(line.at)), h('span', { class: 'role' }, line.source),
			h('span', { class: 'said' }, ...said.parts.map((p) => typeof p === 'string' ? p : h(/** @type {any} */ (p.tag), { class: p.cls }, p.text)), h('span', { class: 'times' })));
		row.addEventListener('click', () => this.unfold(row, line.entry));
		if (said.conversation !== undefined) {
			const id = said.conversation;
			row.addEventListener('mouseenter', () => this.asks.point(id));
			row.addEventListener('mouseleave', () => this.asks.point(null));
		}
		this.list.append(row);
		while (this.list.childElementCount > KEEP)
			this.list.firstElementChild?.remove();
		this.settle();
	}

	settle() {
		if (this.stick)
			this.list.scrollTop = this.list.scrollHeight;
	}

	/** @param {HTMLElement} row @param {any} entry */
	unfold(row, entry) {
		if ((getSelection()?.toString() ?? '') !== '')
			return;
		const open = row.querySelector('pre');
		if (open !== null)
			open.remove();
		else
			row.append(h('pre', {}, JSON.stringify(entry)));
	}

	clear() {
		this.list.replaceChildren();
	}
}
