// @ts-check
/*
 * The pane's elements: the one file that touches the document. Texts only as text nodes; a part is rebuilt
 * only when it changes, so that focus, selection and screen readers are not disturbed.
 */

/**
 * @typedef {import('./pane-view.js').View} View
 * @typedef {import('./pane-view.js').Action} Action
 * @typedef {import('./pane-view.js').Text} Text
 *
 * @typedef {object} Tools
 * @property {(text: Text) => string} say
 * @property {(ms: number) => string} time
 * @property {(id: string) => void} act
 * @property {(text: string) => Promise<boolean>} copy
 *
 * @typedef {object} Debug
 * @property {Record<string, string>} versions
 * @property {Record<string, string>} config
 * @property {() => string} log
 * @property {() => string} report
 */

const SVG = 'http://www.w3.org/2000/svg';

/** Shapes, so that nothing is said by colour alone. @type {Record<string, string[]>} */
const GLYPHS = {
	calm: ['M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18Z', 'M12 11v5.5', 'M12 7.4v.2'],
	good: ['M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18Z', 'm8 12.3 2.8 2.8L16.2 9.6'],
	warn: ['M12 3.6 21.4 20H2.6Z', 'M12 9.8v4.4', 'M12 17v.2'],
	bad: ['M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18Z', 'm8.8 8.8 6.4 6.4', 'm15.2 8.8-6.4 6.4'],
	busy: ['M12 3a9 9 0 1 1-9 9'],
};

/** @param {string} tag @param {Record<string, string>} [attributes] @param {...(Node | string)} children */
function element(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes))
		node.setAttribute(name, value);
	node.append(...children);
	return node;
}

/** @param {string} name */
function glyph(name) {
	const svg = document.createElementNS(SVG, 'svg');
	for (const [key, value] of Object.entries({ viewBox: '0 0 24 24', fill: 'none', stroke: 'currentColor', 'stroke-width': '1.8', 'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' }))
		svg.setAttribute(key, value);
	if (name === 'busy')
		svg.setAttribute('class', 'turns');
	for (const d of GLYPHS[name]) {
		const path = document.createElementNS(SVG, 'path');
		path.setAttribute('d', d);
		svg.append(path);
	}
	return svg;
}

/** @param {string} id */
function byId(id) {
	return /** @type {HTMLElement} */ (document.getElementById(id));
}

export class PaneDom {
	/** @param {Tools} tools */
	constructor(tools) {
		this.tools = tools;
		/** What stands in each part. @type {Map<string, string>} */
		this.shown = new Map();
		/** The action that had the focus when its button went away. @type {string | null} */
		this.lost = null;
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		this.saying = undefined;
	}

	/** @param {View} view @param {{ account: string, supportUrl: string, licence: string }} about */
	show(view, about) {
		const { say } = this.tools;
		const main = byId('pane');
		main.dataset.state = view.state;
		main.setAttribute('aria-busy', String(view.tone === 'busy'));
		const focus = this.focused();
		this.part('head', [view.tone, view.title, view.text], (node) => {
			node.className = `head ${view.tone}`;
			node.setAttribute('role', view.tone === 'bad' ? 'alert' : 'status');
			node.append(glyph(view.tone), element('h1', {}, say(view.title)), ...view.text.map((t) => element('p', {}, say(t))));
		});
		this.part('main', view.actions.filter((a) => a.main), (node) => node.append(...this.buttons(view.actions.filter((a) => a.main))));
		this.part('question', view.question, (node) => this.question(node, view));
		this.part('link', view.url, (node) => this.link(node, String(view.url)));
		this.part('sync', view.rows, (node) => this.rows(node, view));
		this.part('notes', view.notes, (node) => node.append(...view.notes.map((n) => element('div', { class: 'note' }, glyph('calm'), element('p', {}, say(n))))));
		this.part('more', view.actions.filter((a) => !a.main), (node) => node.append(...this.buttons(view.actions.filter((a) => !a.main))));
		this.part('problem', view.problem, (node) => this.problem(node, view, about.supportUrl));
		this.part('foot', [view.signOut, about], (node) => this.foot(node, view, about));
		this.refocus(focus, view);
	}

	/** Rebuilds a part when what it shows has changed; hidden without content. @param {string} id @param {any} content @param {(node: HTMLElement) => void} build */
	part(id, content, build) {
		const key = JSON.stringify([content, document.documentElement.lang]);
		if (this.shown.get(id) === key)
			return;
		this.shown.set(id, key);
		const node = byId(id);
		const none = content === null || Array.isArray(content) && content.length === 0;
		node.hidden = none;
		node.replaceChildren();
		if (!none)
			build(node);
	}

	/** The action that has the focus, or had it before the page was busy. */
	focused() {
		const node = document.activeElement;
		if (node === byId('head'))
			return this.lost;
		this.lost = null;
		return node instanceof HTMLElement ? node.dataset.act ?? null : null;
	}

	/** A button that went away under the focus leaves it to what came in its place. @param {string | null} before @param {View} view */
	refocus(before, view) {
		const now = document.activeElement;
		if (before === null || now instanceof HTMLElement && now.dataset.act === before)
			return;
		const wanted = view.question !== null ? ['remove-no'] : [before, ...(before === 'remove-no' ? ['remove'] : [])];
		const found = wanted.map((act) => document.querySelector(`[data-act="${act}"]:not(:disabled)`)).find((n) => n !== null) ?? (view.tone === 'busy' ? null : document.querySelector('#main button'));
		const head = byId('head');
		this.lost = found === null ? before : null;
		head.tabIndex = -1;
		(found instanceof HTMLElement ? found : head).focus();
	}

	/** @param {Action[]} actions */
	buttons(actions) {
		return actions.map((a) => this.button(a));
	}

	/** @param {Action} a */
	button(a) {
		const node = element('button', { type: 'button', 'data-act': a.id, class: a.main ? 'main' : a.danger ? 'danger' : '' }, this.tools.say(a.label));
		if (a.disabled)
			node.setAttribute('disabled', '');
		node.addEventListener('click', () => this.tools.act(a.id));
		return node;
	}

	/** @param {HTMLElement} node @param {View} view */
	question(node, view) {
		if (view.question === null)
			return;
		const { text, yes, no } = view.question;
		node.setAttribute('role', 'group');
		node.setAttribute('aria-labelledby', 'question-text');
		node.append(element('p', { id: 'question-text' }, this.tools.say(text)), element('div', { class: 'actions' }, this.button(yes), this.button(no)));
		node.onkeydown = (e) => {
			if (e.key === 'Escape')
				this.tools.act(no.id);
		};
	}

	/** @param {HTMLElement} node @param {string} url */
	link(node, url) {
		const { say } = this.tools;
		const field = /** @type {HTMLInputElement} */ (element('input', { id: 'url', class: 'url', readonly: '', value: url }));
		field.addEventListener('focus', () => field.select());
		const open = element('a', { class: 'button', href: url, target: '_blank', rel: 'noreferrer noopener', 'data-act': 'open', 'aria-label': `${say({ key: 'pane.do.open' })} ${say({ key: 'pane.opens' })}` }, say({ key: 'pane.do.open' }));
		const copy = element('button', { type: 'button', 'data-act': 'copy' }, say({ key: 'pane.do.copy' }));
		copy.addEventListener('click', () => void this.copied(url, 'pane.copied-link'));
		node.append(element('h2', {}, element('label', { for: 'url' }, say({ key: 'pane.link' }))), field, element('div', { class: 'actions' }, copy, open));
	}

	/** @param {HTMLElement} node @param {View} view */
	rows(node, view) {
		const { say, time } = this.tools;
		const list = element('dl');
		for (const row of view.rows)
			list.append(element('dt', {}, say(row.label)), element('dd', {}, row.value !== undefined ? say(row.value) : row.time !== undefined ? time(row.time) : row.plain ?? ''));
		node.append(element('h2', {}, say({ key: 'pane.sync' })), list);
	}

	/** @param {HTMLElement} node @param {View} view @param {string} supportUrl */
	problem(node, view, supportUrl) {
		if (view.problem === null)
			return;
		const { say } = this.tools;
		const list = element('dl', {}, element('dt', {}, say({ key: 'pane.code' })), element('dd', {}, element('code', {}, view.problem.code)));
		if (view.problem.requestId !== undefined)
			list.append(element('dt', {}, say({ key: 'pane.request-id' })), element('dd', {}, element('code', {}, view.problem.requestId)));
		node.append(element('h2', {}, say({ key: 'pane.details' })), list);
		if (view.problem.detail !== undefined)
			node.append(element('pre', { tabindex: '0' }, view.problem.detail));
		if (supportUrl !== '')
			node.append(element('p', {}, this.help(supportUrl)));
	}

	/** @param {string} url */
	help(url) {
		const { say } = this.tools;
		return element('a', { href: url, target: '_blank', rel: 'noreferrer noopener' }, `${say({ key: 'pane.help' })} ${say({ key: 'pane.opens' })}`);
	}

	/** @param {HTMLElement} node @param {View} view @param {{ account: string, supportUrl: string, licence: string }} about */
	foot(node, view, about) {
		const { say } = this.tools;
		if (view.signOut) {
			const out = element('button', { type: 'button', class: 'plain', 'data-act': 'sign-out' }, say({ key: 'pane.do.sign-out' }));
			out.addEventListener('click', () => this.tools.act('sign-out'));
			node.append(element('span', {}, say({ key: 'pane.account', with: { account: about.account } })), out);
		}
		node.append(element('details', {}, element('summary', {}, say({ key: 'pane.licences' })), element('pre', { tabindex: '0' }, about.licence)));
	}

	/** The debugging section; its log is read anew whenever it is opened. @param {Debug} debug @param {boolean} open at once: it is what the page was opened for */
	debug(debug, open) {
		const { say } = this.tools;
		const node = byId('debug');
		node.hidden = false;
		const log = element('pre', { tabindex: '0' });
		const report = element('button', { type: 'button', 'data-act': 'report' }, say({ key: 'pane.do.report' }));
		report.addEventListener('click', () => void this.copied(debug.report(), 'pane.copied-report'));
		const box = element('details', { class: 'part' }, element('summary', {}, say({ key: 'pane.debug' })), element('p', {}, say({ key: 'pane.debug.text' })),
			element('div', { class: 'actions' }, report), element('h2', {}, say({ key: 'pane.debug.versions' })), this.table(debug.versions),
			element('h2', {}, say({ key: 'pane.debug.config' })), this.table(debug.config), element('h2', {}, say({ key: 'pane.debug.log' })), log);
		box.addEventListener('toggle', () => { log.textContent = debug.log(); });
		node.replaceChildren(box);
		if (open) {
			box.setAttribute('open', '');
			node.scrollIntoView();
		}
	}

	/** @param {Record<string, string>} values */
	table(values) {
		return element('dl', {}, ...Object.entries(values).flatMap(([k, v]) => [element('dt', {}, k), element('dd', {}, v)]));
	}

	/** @param {string} text @param {string} done key of what is said then */
	async copied(text, done) {
		this.announce(this.tools.say({ key: await this.tools.copy(text) ? done : 'pane.copy-failed' }));
	}

	/** Says something once, also to screen readers. @param {string} text */
	announce(text) {
		const node = byId('said');
		clearTimeout(this.saying);
		node.textContent = text;
		this.saying = setTimeout(() => { node.textContent = ''; }, 6000);
	}

	/** @param {import('./theme.js').Theme | null} theme */
	paint(theme) {
		const root = document.documentElement;
		for (const name of ['--ground', '--ink'])
			root.style.removeProperty(name);
		delete root.dataset.theme;
		if (theme === null)
			return;
		root.dataset.theme = theme.mode;
		for (const [name, value] of Object.entries(theme.colours))
			root.style.setProperty(name, value);
	}

	/** @param {string} language @param {string} title */
	speak(language, title) {
		document.documentElement.lang = language;
		document.title = title;
	}
}

/** The clipboard, also where a frame may not use the newer interface. @param {string} text @returns {Promise<boolean>} */
export async function copyText(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		const field = /** @type {HTMLTextAreaElement} */ (element('textarea', { readonly: '', class: 'url' }));
		field.value = text;
		const before = document.activeElement;
		document.body.append(field);
		field.select();
		const done = document.execCommand('copy');
		field.remove();
		if (before instanceof HTMLElement)
			before.focus();
		return done;
	}
}
