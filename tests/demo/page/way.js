// @ts-check
/* The strip that shows every station on the way of one change: what it is, how it is, who just worked. */

import { byId, h, s, setText } from './dom.js';
import { spanText } from './model.js';

/**
 * @typedef {import('./model.js').State} State
 * @typedef {{ id: string, name: string, kind: 'real' | 'simulated', act?: { name: string, label: string, narrow?: string, title: string } }} Station
 */

/** @type {Station[]} */
const STATIONS = [
	{ id: 'graph', name: 'Microsoft Graph', kind: 'simulated', act: { name: 'expire', label: 'Run out the subscription', narrow: 'Let it run out', title: 'Move the clock past the end of every subscription: Graph then sends nothing any more' } },
	{ id: 'nginx', name: 'nginx', kind: 'real' },
	{ id: 'web', name: 'web', kind: 'real', act: { name: 'kill-web', label: 'Kill web', title: 'kill -9: the supervisor starts it again, what was answered 202 is kept' } },
	{ id: 'store', name: 'store', kind: 'real' },
	{ id: 'sync', name: 'sync', kind: 'real', act: { name: 'kill-sync', label: 'Kill sync', title: 'kill -9 in the middle of its work: nothing is lost' } },
	{ id: 'unblu', name: 'Unblu', kind: 'simulated' },
	{ id: 'renew', name: 'renew', kind: 'real', act: { name: 'renew', label: 'Run renewal', title: 'Run outlook-addin-renew now, as cron does' } },
];

/** Where the light goes for a log line of this source. @type {Record<string, string>} */
const LIGHTS = { graph: 'graph', entra: 'graph', nginx: 'nginx', web: 'web', supervisor: 'web', store: 'store', sync: 'sync', unblu: 'unblu', gateway: 'unblu', renew: 'renew' };

export class Way {
	/** @param {HTMLElement} place @param {{ act: (name: string) => Promise<void> }} asks */
	constructor(place, asks) {
		/** @type {Map<string, { node: HTMLElement, value: HTMLElement, bar: HTMLElement, fact: HTMLElement }>} */
		this.stations = new Map();
		for (const station of STATIONS) {
			const value = h('span', { class: 'value' }, '\u2026');
			const bar = h('i', { class: 'bar' });
			const fact = h('span', { class: 'fact' });
			const node = h('div', { class: `station ${station.kind}`, dataset: { id: station.id } },
				h('div', { class: 'top' }, h('b', {}, station.name), h('small', {}, station.kind === 'real' ? '' : 'simulated')), value, bar, station.act === undefined ? fact : null);
			if (station.act !== undefined) {
				const act = station.act;
				const button = h('button', { type: 'button', class: act.name.startsWith('kill') ? 'act kill' : 'act', title: act.title, id: `act-${act.name}` }, h('span', act.narrow === undefined ? {} : { class: 'wide' }, act.label), act.narrow === undefined ? null : h('span', { class: 'narrow' }, act.narrow));
				button.addEventListener('click', async () => {
					button.disabled = true;
					await asks.act(act.name).finally(() => { button.disabled = false; });
				});
				node.append(button);
			}
			place.append(...(station.id === 'graph' ? [] : [wire(station.id === 'renew')]), node);
			this.stations.set(station.id, { node, value, bar, fact });
		}
	}

	/** @param {State} state @param {string} user */
	update(state, user) {
		const st = state.status;
		const sub = state.subscriptions.find((x) => x.user === user);
		const left = sub === undefined ? 0 : sub.expires - state.now;
		this.say('graph', sub === undefined ? 'no subscription yet' : left > 0 ? `subscription: ${spanText(left)}` : 'subscription has run out', sub === undefined ? 'idle' : left > 0 ? 'ok' : 'bad');
		this.fill('graph', sub === undefined || sub.life <= 0 ? 0 : left / sub.life);
		this.say('nginx', st.ready === 0 ? 'not answering' : `/ready ${st.ready} ${st.degraded.length > 0 ? `degraded: ${st.degraded.join(', ')}` : st.health}`, st.ready === 200 ? st.degraded.length > 0 ? 'warn' : 'ok' : 'bad');
		this.say('web', st.web === null ? 'starting\u2026' : `process ${st.web}`, st.web === null ? 'bad' : 'ok');
		this.say('sync', st.sync === null ? 'starting\u2026' : `process ${st.sync}`, st.sync === null ? 'bad' : 'ok');
		this.say('store', st.queue === null ? 'unknown' : st.queue === 0 ? 'nothing waits' : `${st.queue} waiting`, st.queue === null ? 'warn' : st.queue === 0 ? 'ok' : 'busy');
		this.say('unblu', `${state.conversations.length} conversation${state.conversations.length === 1 ? '' : 's'}`, 'ok');
		const c = state.counts;
		this.note('nginx', `${c.answered} answered 202`);
		this.note('store', c.dead === null ? '' : `${c.dead} dead letters`);
		this.note('unblu', `${c.topics + c.times} writes, ${c.deletions} deleted`);
		this.say('renew', st.busy ?? (st.renewNext === null ? st.renewLast ?? 'waits' : `next in ${Math.max(0, Math.round((st.renewNext - Date.now()) / 1000))} s`), 'ok');
	}

	/** @param {string} id @param {string} text @param {'ok' | 'warn' | 'bad' | 'busy' | 'idle'} how */
	say(id, text, how) {
		const station = this.stations.get(id);
		if (station === undefined)
			return;
		setText(station.value, text);
		station.value.title = text;
		station.node.dataset.how = how;
	}

	/** @param {string} id @param {string} text */
	note(id, text) {
		const fact = this.stations.get(id)?.fact;
		if (fact !== undefined) {
			setText(fact, text);
			fact.title = text;
		}
	}

	/** @param {string} id @param {number} share */
	fill(id, share) {
		const station = this.stations.get(id);
		if (station !== undefined) {
			station.bar.style.setProperty('--share', String(Math.min(1, Math.max(0, share))));
			station.bar.classList.toggle('low', share < 0.5);
		}
	}

	/** Somebody worked. @param {string} source */
	light(source) {
		const node = this.stations.get(LIGHTS[source] ?? '')?.node;
		if (node === undefined)
			return;
		node.classList.remove('lit');
		void node.offsetWidth;
		node.classList.add('lit');
		const before = node.previousElementSibling;
		if (before !== null && before.classList.contains('wire')) {
			before.classList.remove('lit');
			void (/** @type {HTMLElement} */ (before).offsetWidth);
			before.classList.add('lit');
		}
	}
}

/** @param {boolean} apart */
function wire(apart) {
	return h('div', { class: apart ? 'wire apart' : 'wire' }, apart ? null : s('svg', { viewBox: '0 0 20 8', width: 20, height: 8, 'aria-hidden': 'true' },
		s('path', { d: 'M0 4h17M14 1.2 17.6 4 14 6.8', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.3, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' })));
}

/** The clock of the header. @param {State} state @param {number} received */
export function tickClock(state, received) {
	const now = state.now + (Date.now() - received);
	const d = new Date(now);
	setText(byId('clock-time'), `${d.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' })} ${d.toLocaleTimeString('en-GB')}`);
	setText(byId('clock-note'), Math.abs(state.shifted) < 1000 ? 'real time' : `${spanText(Math.abs(state.shifted))} ahead of real time`);
}
