// @ts-check
/* The text of an event: HTML in a frame without scripts, that can be written in. */

import { h } from './dom.js';

const STYLE = 'body{font:14px/1.5 "Segoe UI",system-ui,sans-serif;margin:0;padding:10px 2px;color:CanvasText;overflow-wrap:anywhere}body:empty::before{content:"Type here, or press Unblu Conversation";color:GrayText}:focus{outline:none}p{margin:0 0 8px}a{color:LinkText}';

export class Letter {
	/** @param {() => void} typed */
	constructor(typed) {
		this.typed = typed;
		this.locked = false;
		this.text = '';
		/** What the browser made of it. @type {string | null} */
		this.drawn = null;
		/* No scripts run in it; same-origin, so that it can be read. */
		this.node = h('iframe', { class: 'letter', sandbox: 'allow-same-origin', title: 'Text of the event' });
		this.node.addEventListener('load', () => this.loaded());
	}

	/** @param {string} html */
	set(html) {
		if (html === this.get())
			return;
		this.text = html;
		this.node.srcdoc = `<!doctype html><meta name="color-scheme" content="light dark">${html}`;
	}

	loaded() {
		const body = this.node.contentDocument?.body;
		if (body === undefined || body === null)
			return;
		/* Of the frame's own world: another one's is refused. */
		const style = new (/** @type {any} */ (this.node.contentWindow)).CSSStyleSheet();
		style.replaceSync(STYLE);
		/** @type {Document} */ (this.node.contentDocument).adoptedStyleSheets = [style];
		body.contentEditable = String(!this.locked);
		body.setAttribute('aria-label', 'Text of the event');
		/* What the browser makes of the text is what it is compared with. */
		this.drawn = serial(body);
		body.addEventListener('input', () => {
			this.typed();
		});
	}

	/** @param {boolean} locked */
	lock(locked) {
		this.locked = locked;
		const body = this.node.contentDocument?.body;
		if (body !== undefined && body !== null)
			body.contentEditable = String(!locked);
	}

	/** The text as it stands; unchanged when nobody wrote. @returns {string} */
	get() {
		const body = this.node.contentDocument?.body;
		if (body === undefined || body === null || this.drawn === null)
			return this.text;
		const now = serial(body);
		if (now !== this.drawn) {
			this.drawn = now;
			this.text = now;
		}
		return this.text;
	}
}

/** @param {HTMLElement} body */
function serial(body) {
	const out = new XMLSerializer();
	return [...body.childNodes].map((n) => out.serializeToString(n)).join('').replaceAll(' xmlns="http://www.w3.org/1999/xhtml"', '');
}
