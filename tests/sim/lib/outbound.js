// @ts-check
/* HTTP requests that the simulators themselves send: handshakes and notifications. */

import http from 'node:http';
import https from 'node:https';

const ANSWER_LIMIT = 64 * 1024;

/** @typedef {{ status: number, type: string, body: string, ms: number, error: string | null }} Answer status 0: no answer */

export class Outbound {
	constructor() {
		this.agents = {
			'http:': new http.Agent({ keepAlive: true, maxSockets: 256 }),
			'https:': new https.Agent({ keepAlive: true, maxSockets: 256, rejectUnauthorized: false }),
		};
	}

	/**
	 * Never rejects. timeoutMs bounds the whole exchange, in real time.
	 * @param {string} url @param {Record<string, string>} headers @param {string | Buffer} body @param {number} timeoutMs @param {string} [method]
	 * @returns {Promise<Answer>}
	 */
	send(url, headers, body, timeoutMs, method = 'POST') {
		const began = performance.now();
		return new Promise((resolve) => {
			let ended = false;
			/** @param {Partial<Answer>} answer */
			const end = (answer) => {
				if (ended)
					return;
				ended = true;
				clearTimeout(timer);
				resolve({ status: 0, type: '', body: '', error: null, ...answer, ms: Math.round(performance.now() - began) });
			};
			let req;
			try {
				const target = new URL(url);
				const mod = target.protocol === 'https:' ? https : http;
				const agent = this.agents[/** @type {'http:' | 'https:'} */ (target.protocol)];
				req = mod.request(target, { method, agent, headers: { ...headers, 'Content-Length': String(Buffer.byteLength(body)) } });
			} catch (e) {
				resolve({ status: 0, type: '', body: '', ms: 0, error: String(e) });
				return;
			}
			const timer = setTimeout(() => {
				end({ error: 'timeout' });
				req.destroy();
			}, timeoutMs);
			req.on('error', (e) => end({ error: e.message }));
			req.on('response', (res) => {
				let text = '';
				res.setEncoding('utf8');
				res.on('data', (part) => {
					if (text.length < ANSWER_LIMIT)
						text += part;
				});
				res.on('error', (e) => end({ error: e.message }));
				res.on('aborted', () => end({ error: 'aborted' }));
				res.on('end', () => end({ status: res.statusCode ?? 0, type: res.headers['content-type'] ?? '', body: text }));
			});
			req.end(body);
		});
	}

	close() {
		this.agents['http:'].destroy();
		this.agents['https:'].destroy();
	}
}
