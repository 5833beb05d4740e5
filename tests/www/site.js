// @ts-check
/*
 * The add-in's pages over HTTP without the product: www/ as it is, the stub in place of office.js, the headers of
 * nginx's template, and small answers of gateway and server that a test sets. For what is only about the pages.
 */

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stubText } from './stub.js';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const MSAL = 'node_modules/@azure/msal-browser/lib/msal-browser.min.js';
const OFFICE = 'https://appsforoffice.microsoft.com/lib/1/hosted/office.js';
const TYPES = /** @type {Record<string, string>} */ ({ '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css', '.json': 'application/json', '.txt': 'text/plain; charset=utf-8', '.png': 'image/png', '.svg': 'image/svg+xml' });

export const PUBLIC_LINK = 'https://meet.example.com/unblu/desk?conversation=';
export const CONVERSATION = 'AcviDb210C5BoFd6e_79oan';

/** The product's policy for pages, from the template of its nginx. @param {string} office @param {string} connect */
function policy(office, connect) {
	const conf = fs.readFileSync(path.join(ROOT, 'nginx/nginx.conf.in'), 'utf8');
	const found = /"(default-src 'none'; script-src[^"]+)"/.exec(conf);
	if (found === null)
		throw new Error('no Content-Security-Policy in nginx.conf.in');
	return found[1].replaceAll('@OFFICE_ORIGIN@', office).replaceAll('@CONNECT_ORIGINS@', connect).replaceAll('@FRAME_ANCESTORS@', '').replaceAll('$form_action', "'none'");
}

export class Site {
	static async start() {
		const site = new Site();
		await new Promise((resolve) => site.server.listen(0, '127.0.0.1', () => resolve(null)));
		site.port = /** @type {import('node:net').AddressInfo} */ (site.server.address()).port;
		return site;
	}

	constructor() {
		this.port = 0;
		/** @type {Record<string, any> | string | null} config.json; null: there is none */
		this.config = null;
		/** Answers by "METHOD path", or a function of the request. @type {Record<string, { status?: number, body?: any, delay?: number } | undefined>} */
		this.answers = {};
		/** @type {{ method: string, path: string, body: any }[]} */
		this.seen = [];
		/** Origins that pages may call besides their own, as the product's connect-src has them. @type {string[]} */
		this.connect = [];
		this.server = http.createServer((req, res) => void this.serve(req, res));
		this.reset();
	}

	get url() {
		return `http://127.0.0.1:${this.port}/addin`;
	}

	/** Everything well: an agent, a gateway and a server that do what they should. */
	reset() {
		this.config = {
			v: 1, version: '0.1.0', clientId: '5f2a6d1e-7c34-4b0e-9a51-3c8f0d2b7e11', authority: 'https://login.microsoftonline.com/common', tenantIds: [], apiScopes: ['5f2a6d1e-7c34-4b0e-9a51-3c8f0d2b7e11/.default'],
			syncServerEnabled: true, debugMode: false, showDebugPane: false, supportUrl: 'https://help.example.com/', invitationTexts: {}, fallbackTopic: '', topicMaxChars: 250,
		};
		const conversation = { id: CONVERSATION, state: 'CREATED', initialEngagementType: 'SCHEDULED_CONVERSATION', topic: 'Portfolio review', participants: [{}], links: [{ type: 'OPEN_PUBLIC_LINK', url: PUBLIC_LINK + CONVERSATION }] };
		this.answers = {
			'GET authenticator/getCurrentPerson': { body: { id: 'nta30CBa-6d1a89cE57Db_F', personType: 'AGENT', displayName: 'Anna Keller' } },
			'POST conversations/create': { body: conversation },
			'GET conversations/read': { body: conversation },
			'GET conversations/getBySourceIdAndChannelId': { status: 404, body: { errorMessage: 'no such conversation' } },
			'DELETE conversations/delete': { status: 204 },
			'PUT api/links': { status: 202, body: {} },
			'GET api/links': { body: { v: 1, conversationId: CONVERSATION, state: 'linked', topic: 'Portfolio review', start: '2031-05-14T08:00:00Z', syncedAt: '2031-05-01T09:41:00Z', lastError: null } },
			'DELETE api/links': { status: 204 },
		};
		this.seen = [];
	}

	/** @param {http.IncomingMessage} req @param {http.ServerResponse} res */
	async serve(req, res) {
		let text = '';
		for await (const part of req.setEncoding('utf8'))
			text += part;
		const pathname = decodeURIComponent((req.url ?? '/').replace(/[?#].*/, '')).replace(/^\/addin\//, '');
		const name = /^unblu\/(.*)$/.exec(pathname)?.[1] ?? pathname;
		const route = `${req.method} ${name.replace(/^(api\/links|conversations)\/[A-Za-z0-9_-]{20,}/, '$1')}`;
		this.seen.push({ method: req.method ?? '', path: pathname, body: text === '' ? null : JSON.parse(text) });
		if (route in this.answers)
			return this.answer(res, this.answers[route]);
		if (pathname === 'config.json')
			return this.config === null ? this.send(res, 404, 'text/plain', 'none') : this.send(res, 200, 'application/json', typeof this.config === 'string' ? this.config : JSON.stringify({ unbluApiUrl: `${this.url}/unblu`, ...this.config }));
		if (pathname === 'office.js')
			return this.send(res, 200, TYPES['.js'], stubText());
		this.file(res, pathname === 'vendor/msal-browser.min.js' ? path.join(ROOT, MSAL) : path.join(ROOT, 'www', path.normalize(pathname)));
	}

	/** @param {http.ServerResponse} res @param {{ status?: number, body?: any, delay?: number } | undefined} answer */
	async answer(res, answer) {
		const { status = 200, body, delay = 0 } = answer ?? {};
		/* One that is never sent keeps no run from ending. */
		await new Promise((resolve) => setTimeout(resolve, delay).unref());
		this.send(res, status, 'application/json', body === undefined ? '' : JSON.stringify(body));
	}

	/** @param {http.ServerResponse} res @param {string} file */
	file(res, file) {
		if (!fs.existsSync(file) || !fs.statSync(file).isFile())
			return this.send(res, 404, 'text/plain', 'no such file');
		const data = fs.readFileSync(file);
		this.send(res, 200, TYPES[path.extname(file)] ?? 'application/octet-stream', path.extname(file) === '.html' ? data.toString().replace(OFFICE, `${this.url}/office.js`) : data);
	}

	/** @param {http.ServerResponse} res @param {number} status @param {string} type @param {string | Buffer} data */
	send(res, status, type, data) {
		/* A late answer after the end of the test. */
		if (this.server.address() === null)
			return;
		const own = `http://127.0.0.1:${this.port}`;
		res.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Content-Security-Policy': type.startsWith('text/html') ? policy(own, [own, ...this.connect].join(' ')) : "default-src 'none'" });
		res.end(data);
	}

	async stop() {
		await new Promise((resolve) => {
			this.server.close(() => resolve(null));
			this.server.closeAllConnections();
		});
	}
}
