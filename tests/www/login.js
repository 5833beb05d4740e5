// @ts-check
/* https://login.microsoftonline.com for a browser in a test: a TLS listener in front of the simulated Entra. */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';

const HOST = 'login.microsoftonline.com';

/** A key and a certificate for this run only. */
function makeCertificate() {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'login-'));
	try {
		const [key, cert] = ['key.pem', 'cert.pem'].map((f) => path.join(dir, f));
		execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', `/CN=${HOST}`, '-keyout', key, '-out', cert], { stdio: 'ignore' });
		return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
	} finally {
		fs.rmSync(dir, { recursive: true });
	}
}

/**
 * @param {any} t @param {string} entra URL of the simulator
 * @returns {Promise<string[]>} switches for Chromium: the name leads here, and its certificate is accepted
 */
export async function loginHost(t, entra) {
	const server = https.createServer(makeCertificate(), (req, res) => {
		const onward = http.request(entra + req.url, { method: req.method, headers: { ...req.headers, host: new URL(entra).host } }, (reply) => {
			res.writeHead(reply.statusCode ?? 502, reply.headers);
			reply.pipe(res);
		});
		onward.on('error', () => res.destroy());
		req.pipe(onward);
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
	t.after(() => new Promise((resolve) => {
		server.close(() => resolve(null));
		server.closeAllConnections();
	}));
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
	return [`--host-resolver-rules=MAP ${HOST} 127.0.0.1:${port}`, '--ignore-certificate-errors', '--disable-popup-blocking'];
}
