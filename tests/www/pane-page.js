// @ts-check
/* The pane in a real Chromium, brought into one of its states. */

import fs from 'node:fs';
import { Chromium } from '../demo/chromium.js';
import { preset } from './pane-states.js';
import { Site } from './site.js';

const AXE = new URL('../../node_modules/axe-core/axe.min.js', import.meta.url);
/** Wishes about the document that a page of a pane has otherwise. */
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
export const LOOKS = /** @type {Record<string, { name: string, value: string }[]>} */ ({
	light: [{ name: 'prefers-color-scheme', value: 'light' }, { name: 'forced-colors', value: 'none' }],
	dark: [{ name: 'prefers-color-scheme', value: 'dark' }, { name: 'forced-colors', value: 'none' }],
	forced: [{ name: 'prefers-color-scheme', value: 'dark' }, { name: 'forced-colors', value: 'active' }],
});

export class PanePage {
	/** @param {{ width?: number, height?: number }} [size] */
	static async start({ width = 320, height = 720 } = {}) {
		const site = await Site.start();
		/* A site that is left listening would keep the whole run from ending. */
		const page = await Chromium.start({ width, height }).catch(async (e) => {
			await site.stop();
			throw e;
		});
		await page.send('Page.setBypassCSP', { enabled: false });
		return new PanePage(site, page);
	}

	/** @param {Site} site @param {Chromium} page */
	constructor(site, page) {
		this.site = site;
		this.page = page;
		/** @type {string | null} */
		this.script = null;
	}

	/** @param {import('./pane-states.js').State} state @param {string} [look] @param {string} [language] */
	async enter(state, look = 'light', language = 'en-US') {
		const { site, page } = this;
		site.reset();
		Object.assign(site.answers, state.answers);
		site.config = state.noConfig ? null : { .../** @type {any} */ (site.config), ...state.config };
		if (this.script !== null)
			await page.send('Page.removeScriptToEvaluateOnNewDocument', { identifier: this.script });
		/* Outlook says its colours, so that the pane's own fallback is used only where it does not. */
		const theme = look === 'light' ? { bodyBackgroundColor: '#ffffff', bodyForegroundColor: '#242424' } : look === 'dark' ? { bodyBackgroundColor: '#292929', bodyForegroundColor: '#ffffff' } : null;
		const whole = { ...state, context: { theme, language, ...state.context } };
		this.script = (await page.send('Page.addScriptToEvaluateOnNewDocument', { source: `try { sessionStorage.clear(); } catch {}\n${preset(whole)}` })).identifier;
		await page.send('Emulation.setEmulatedMedia', { features: LOOKS[look] });
		await page.open(`${site.url}/taskpane.html${state.query ?? ''}`);
		for (const act of state.press ?? [])
			await this.press(act);
		await this.settled(state);
	}

	/** @param {string} act */
	async press(act) {
		if (act === 'debug') {
			await this.page.until("document.querySelector('#debug summary') !== null");
			await this.page.value("document.querySelector('#debug summary').click()");
			return;
		}
		const button = `document.querySelector('[data-act="${act}"]:not(:disabled)')`;
		await this.page.until(`document.getElementById('pane')?.getAttribute('aria-busy') === '${act === 'cancel'}' && ${button} !== null`);
		await this.page.value(`${button}.click()`);
	}

	/** The page shows the state, and what it asked for has been answered. @param {import('./pane-states.js').State} state */
	async settled(state) {
		await this.page.until(`document.getElementById('pane')?.dataset.state === ${JSON.stringify(state.want)}`, 15_000).catch(async (e) => {
			throw new Error(`${state.name}: ${e.message}; it is ${await this.page.value("document.getElementById('pane')?.dataset.state + ': ' + document.body.innerText")}`);
		});
		await this.page.until(`new RegExp(${JSON.stringify(state.shows.source)}).test(document.body.innerText)`, 15_000).catch(async () => {
			throw new Error(`${state.name} does not show ${state.shows}: ${await this.page.value('document.body.innerText')}`);
		});
	}

	/** What axe-core finds. @returns {Promise<string[]>} */
	async violations() {
		/* In a world of its own: the page's policy stays as it is. */
		await this.page.send('Runtime.evaluate', { expression: fs.readFileSync(AXE, 'utf8') });
		const found = await this.page.value(`axe.run(document, { runOnly: ${JSON.stringify(WCAG)} }).then((r) => r.violations.map((v) => v.id + ': ' + v.help + ' ' + v.nodes.map((n) => n.target + ' ' + n.failureSummary).join(' | ')))`);
		return found;
	}

	async stop() {
		await this.page.stop();
		await this.site.stop();
	}
}
