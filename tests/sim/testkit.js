// @ts-check
/* Shared by the simulators' own tests: a started simulator, a small HTTP client, a webhook receiver. */

import http from 'node:http';
import { startSimulators } from './index.js';

export const TENANT_A = '84bd8158-0000-4000-8000-00000000000a';
export const TENANT_B = '84bd8158-0000-4000-8000-00000000000b';
export const ANNA = '8a1e6c1e-0000-4000-8000-0000000000a1';
export const BEN = '8a1e6c1e-0000-4000-8000-0000000000a2';
export const CARLA = '8a1e6c1e-0000-4000-8000-0000000000b1';
export const CLIENT = '11111111-2222-4333-8444-555555555555';
export const SECRET = 'Sim8Q~s3cret.value_with+/=and-more';

const agent = new http.Agent({ keepAlive: true });

/**
 * @param {string} method @param {string} url @param {{ headers?: any, body?: any }} [options] body: object (JSON) or text
 * @returns {Promise<{ status: number, headers: http.IncomingHttpHeaders, text: string, json: any }>}
 */
export function call(method, url, options = {}) {
	const data = options.body === undefined ? '' : typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
	const headers = { ...(typeof options.body === 'object' ? { 'Content-Type': 'application/json' } : {}), 'Content-Length': Buffer.byteLength(data), ...options.headers };
	return new Promise((resolve, reject) => {
		const req = http.request(url, { method, headers, agent }, (res) => {
			let text = '';
			res.setEncoding('utf8');
			res.on('data', (part) => {
				text += part;
			});
			res.on('error', reject);
			res.on('aborted', () => reject(new Error('aborted')));
			res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text, get json() {
				return JSON.parse(text);
			} }));
		});
		req.on('error', reject);
		req.end(data);
	});
}

/** A simulator with quiet defaults, closed when the test ends. @param {any} t @param {any} [options] */
export async function simulator(t, options = {}) {
	const sim = await startSimulators({ seed: 11, ...options });
	t.after(() => sim.close());
	return sim;
}

/** @param {any} sim @param {Record<string, string>} [change] @param {string} [tenant] @param {any} [headers] */
export function askToken(sim, change = {}, tenant = TENANT_A, headers = {}) {
	const form = { client_id: CLIENT, client_secret: SECRET, scope: `${sim.urls.graph}/.default`, grant_type: 'client_credentials', ...change };
	const body = new URLSearchParams(Object.entries(form).filter(([, v]) => v !== '')).toString();
	return call('POST', `${sim.urls.entra}/${tenant}/oauth2/v2.0/token`, { headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }, body });
}

/** A Graph client of one tenant. @param {any} sim @param {string} [tenant] */
export async function graphOf(sim, tenant = TENANT_A) {
	const token = (await askToken(sim, {}, tenant)).json.access_token;
	/** @param {string} method @param {string} path @param {any} [body] @param {any} [headers] */
	const ask = (method, path, body, headers = {}) => call(method, path.startsWith('http') ? path : `${sim.urls.graph}/v1.0${path}`, { headers: { Authorization: `Bearer ${token}`, ...headers }, body });
	return { token, ask };
}

/** An Unblu client with the gateway's token, or with a user's. @param {any} sim @param {string} [upn] */
export async function unbluOf(sim, upn) {
	let token;
	if (upn === undefined) {
		const basic = Buffer.from(`${encodeURIComponent(sim.gateway.client.clientId)}:${encodeURIComponent(sim.gateway.client.clientSecret)}`).toString('base64');
		const reply = await call('POST', `${sim.urls.gateway}/oauth2/token`, { headers: { 'Content-Type': 'application/x-www-form-urlencoded', Authorization: `Basic ${basic}` }, body: 'grant_type=client_credentials' });
		token = reply.json.access_token;
	} else {
		token = (await sim.control('POST', '/control/mint', { upn })).token;
	}
	/** @param {string} method @param {string} path @param {any} [body] @param {any} [headers] */
	const ask = (method, path, body, headers = {}) => call(method, `${sim.urls.rest}/${path}`, { headers: { Authorization: `Bearer ${token}`, ...headers }, body });
	return { token, ask };
}

/**
 * A webhook that answers the handshake and 202; `behave` may answer instead (return true).
 * @param {any} t @param {(req: http.IncomingMessage, res: http.ServerResponse, body: string) => boolean | void} [behave]
 */
export async function webhook(t, behave = () => false) {
	/** @type {any} */
	const hook = { posts: [], items: [], handshakes: [], url: '', behave };
	const server = http.createServer(async (req, res) => {
		const parts = [];
		for await (const part of req)
			parts.push(part);
		const body = Buffer.concat(parts).toString('utf8');
		if (hook.behave(req, res, body))
			return;
		const raw = /[?&]validationToken=([^&]*)/.exec(req.url ?? '');
		if (raw !== null) {
			const token = decodeURIComponent(raw[1].replace(/\+/g, ' '));
			hook.handshakes.push({ url: req.url, token });
			res.writeHead(200, { 'Content-Type': 'text/plain' }).end(token);
			return;
		}
		hook.posts.push({ url: req.url, body });
		hook.items.push(...JSON.parse(body).value);
		res.writeHead(202).end();
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
	t.after(() => new Promise((resolve) => {
		server.close(resolve);
		server.closeAllConnections();
	}));
	hook.url = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`;
	return hook;
}

/** The body of a usual POST /subscriptions. @param {any} sim @param {any} hook @param {string} oid @param {any} [change] */
export function subscriptionBody(sim, hook, oid, change = {}) {
	return {
		changeType: 'created,updated,deleted', notificationUrl: `${hook.url}/events`, lifecycleNotificationUrl: `${hook.url}/lifecycle`, resource: `users/${oid}/events`,
		expirationDateTime: new Date(sim.clock.now() + 10_065 * 60_000).toISOString(), clientState: 'state-'.padEnd(43, 'x'), latestSupportedTlsVersion: 'v1_2', ...change,
	};
}
