// @ts-check
/*
 * Drives a headless Chromium through the DevTools protocol over its pipe: NUL-terminated JSON on the
 * descriptors 3 (to it) and 4 (from it). No port, no WebSocket.
 */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const CALL_MS = 20_000;

/** The path of an installed Chromium, or null. */
export function findChromium() {
	for (const folder of (process.env.PATH ?? '').split(':'))
		for (const name of NAMES) {
			const file = path.join(folder, name);
			if (folder !== '' && fs.existsSync(file))
				return file;
		}
	return null;
}

export class Chromium {
	/** @param {{ file?: string, width?: number, height?: number, args?: string[] }} [options] args: further switches */
	static async start({ file = findChromium() ?? 'chromium', width = 1440, height = 900, args = [] } = {}) {
		const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'chromium-'));
		const child = spawn(file, ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars',
			'--disable-background-networking', '--disable-component-update', '--remote-debugging-pipe', `--user-data-dir=${profile}`, `--window-size=${width},${height}`, ...args, 'about:blank'],
		{ stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
		const browser = new Chromium(child, profile);
		try {
			await browser.attach();
			await browser.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
		} catch (e) {
			await browser.stop();
			throw e;
		}
		return browser;
	}

	/** @param {import('node:child_process').ChildProcess} child @param {string} profile */
	constructor(child, profile) {
		this.child = child;
		this.profile = profile;
		this.session = '';
		this.nextId = 1;
		/** @type {Map<number, { resolve: (v: any) => void, reject: (e: Error) => void, timer: NodeJS.Timeout }>} */
		this.pending = new Map();
		/** What the page complained about. @type {string[]} */
		this.complaints = [];
		/** Is told of every event. @type {((message: any) => void) | null} */
		this.told = null;
		let rest = Buffer.alloc(0);
		const from = /** @type {import('node:stream').Readable} */ (child.stdio[4]);
		from.on('data', (part) => {
			rest = Buffer.concat([rest, part]);
			for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
				this.receive(JSON.parse(rest.subarray(0, end).toString('utf8')));
				rest = rest.subarray(end + 1);
			}
		});
		from.on('error', () => {});
		child.stdio[3]?.on('error', () => {});
		child.on('error', (e) => this.fail(e));
		child.on('exit', () => this.fail(new Error('chromium has ended')));
	}

	/** @param {Error} e */
	fail(e) {
		for (const call of this.pending.values()) {
			clearTimeout(call.timer);
			call.reject(e);
		}
		this.pending.clear();
	}

	/** @param {any} message */
	receive(message) {
		if (message.method === 'Runtime.exceptionThrown')
			this.complaints.push(message.params.exceptionDetails.exception?.description ?? message.params.exceptionDetails.text);
		if (message.method === 'Log.entryAdded' && message.params.entry.level === 'error')
			this.complaints.push(`${message.params.entry.text} ${message.params.entry.url ?? ''}`);
		if (message.method !== undefined)
			this.told?.(message);
		const call = this.pending.get(message.id);
		if (call === undefined)
			return;
		this.pending.delete(message.id);
		clearTimeout(call.timer);
		if (message.error !== undefined)
			call.reject(new Error(message.error.message));
		else
			call.resolve(message.result);
	}

	/** One protocol call. @param {string} method @param {any} [params] @param {string} [session] of another page than the first @returns {Promise<any>} */
	send(method, params = {}, session = this.session) {
		const id = this.nextId++;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.pending.delete(id);
				reject(new Error(`chromium did not answer ${method}`));
			}, CALL_MS);
			this.pending.set(id, { resolve, reject, timer });
			const message = { id, method, params, ...(session === '' ? {} : { sessionId: session }) };
			/** @type {import('node:stream').Writable} */ (this.child.stdio[3]).write(JSON.stringify(message) + '\0');
		});
	}

	async attach() {
		const { targetInfos } = await this.send('Target.getTargets');
		const page = targetInfos.find((/** @type {any} */ t) => t.type === 'page') ?? { targetId: (await this.send('Target.createTarget', { url: 'about:blank' })).targetId };
		this.session = (await this.send('Target.attachToTarget', { targetId: page.targetId, flatten: true })).sessionId;
		await this.send('Page.enable');
		await this.send('Runtime.enable');
		await this.send('Log.enable');
	}

	/** @param {string} url */
	open(url) {
		return this.send('Page.navigate', { url });
	}

	/** The value of an expression in the page. @param {string} expression */
	async value(expression) {
		const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
		if (exceptionDetails !== undefined)
			throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		return result.value;
	}

	/** Waits until an expression is truthy, and returns its value. @param {string} expression @param {number} [ms] */
	async until(expression, ms = 10_000) {
		const end = Date.now() + ms;
		for (;;) {
			const value = await this.value(expression);
			if (value)
				return value;
			if (Date.now() > end)
				throw new Error(`not true within ${ms} ms: ${expression}`);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}

	/** Middle of the first element that matches. @param {string} selector @returns {Promise<{ x: number, y: number }>} */
	async where(selector) {
		return this.until(`(() => { const n = document.querySelector(${JSON.stringify(selector)}); if (n === null) return null; const r = n.getBoundingClientRect(); return r.width === 0 ? null : { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()`);
	}

	/** @param {string} type @param {{ x: number, y: number }} at @param {any} [more] */
	mouse(type, at, more = {}) {
		return this.send('Input.dispatchMouseEvent', { type, x: at.x, y: at.y, button: 'left', ...more });
	}

	/** @param {string} selector */
	async click(selector) {
		const at = await this.where(selector);
		await this.mouse('mousePressed', at, { clickCount: 1 });
		await this.mouse('mouseReleased', at, { clickCount: 1 });
	}

	/** @param {{ x: number, y: number }} from @param {{ x: number, y: number }} to */
	async drag(from, to) {
		await this.mouse('mousePressed', from, { clickCount: 1 });
		for (let i = 1; i <= 8; i++)
			await this.mouse('mouseMoved', { x: from.x + (to.x - from.x) * i / 8, y: from.y + (to.y - from.y) * i / 8 }, { buttons: 1 });
		await this.mouse('mouseReleased', to, { clickCount: 1 });
	}

	/** @param {string} file */
	async screenshot(file) {
		const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
		fs.writeFileSync(file, Buffer.from(data, 'base64'));
	}

	async stop() {
		const gone = new Promise((resolve) => this.child.exitCode !== null || this.child.signalCode !== null ? resolve(null) : this.child.once('exit', resolve));
		this.child.kill('SIGKILL');
		await gone;
		/* Its helpers end a moment later and may still write. */
		for (let i = 0; fs.existsSync(this.profile); i++)
			try {
				fs.rmSync(this.profile, { recursive: true, force: true });
			} catch (e) {
				if (i > 50)
					throw e;
				await new Promise((resolve) => setTimeout(resolve, 100));
			}
	}
}
