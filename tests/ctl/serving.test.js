// @ts-check
/* How nginx serves the add-in: headers by path, addresses with a stamp, compressed twins, the relay to the gateway. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import zlib from 'node:zlib';
import { makeFolder } from '../lib/build.js';
import { story } from './nginx-site.js';

/** @typedef {import('./nginx-site.js').Answer} Answer */

const FRAMES = "'self' https://outlook.office.com https://outlook.office365.com https://outlook.cloud.microsoft https://outlook.live.com https://*.office.com https://*.office365.com https://*.cloud.microsoft";
const FOREVER = 'public, max-age=31536000, immutable';
const GZIP = { 'Accept-Encoding': 'gzip' };

/** Every address that is answered from a file, and some that are not. */
const PATHS = ['/', '/addin', '/addin/', '/addin/index.html', '/addin/launchevent.html', '/addin/auth.html', '/addin/config.json', '/addin/manifest.xml', '/addin/js/launchevent.js', '/addin/assets/icon-64.png', '/addin/none', '/none', '/addin/api/links/x', '/addin/webhook/events', '/live', '/.well-known/x'];

/** The directives of a policy. @param {Answer} answer @returns {Record<string, string>} */
function policy(answer) {
	return Object.fromEntries(String(answer.headers['content-security-policy']).split(/;\s*/).filter((d) => d !== '').map((d) => [d.split(' ')[0], d.split(' ').slice(1).join(' ')]));
}

/** The folder with the stamp that a page asks for. @param {string} html */
function stampOf(html) {
	const found = /(v-[0-9a-f]{12})\//.exec(html);
	assert.ok(found, html);
	return found[1];
}

story('every answer has the safety headers, and none X-Frame-Options', async ({ peer, ask }) => {
	for (const up of [true, false]) {
		if (!up)
			await peer.close();
		for (const target of PATHS)
			for (const method of ['GET', 'POST']) {
				const { headers, status } = await ask(method, target);
				const what = `${method} ${target} ${status}`;
				assert.equal(headers['x-frame-options'], undefined, what);
				assert.equal(headers['x-content-type-options'], 'nosniff', what);
				assert.equal(headers['referrer-policy'], 'no-referrer', what);
				assert.match(String(headers['content-security-policy']), /^default-src 'none'/, what);
				assert.equal(headers['cross-origin-opener-policy'], undefined, what);
				assert.equal(headers['cross-origin-embedder-policy'], undefined, what);
				assert.equal(headers['strict-transport-security'], undefined, `${what}: no TLS here`);
			}
	}
});

story('the policy of a page lets in what it needs and no more', async ({ ask, site }) => {
	fs.copyFileSync(path.join(site, 'www/index.html'), path.join(site, 'www/auth.html'));
	const page = policy(await ask('GET', '/addin/index.html'));
	assert.deepEqual(page, {
		'default-src': "'none'", 'script-src': "'self' https://office.example https://ajax.aspnetcdn.com", 'style-src': "'self'", 'img-src': "'self' data:", 'font-src': "'self'",
		'connect-src': "'self' https://unblu.example https://login.example", 'frame-src': "'self' https://office.example", 'form-action': "'none'", 'base-uri': "'none'",
		'object-src': "'none'", 'frame-ancestors': "'self' https://mail.example",
	});
	assert.deepEqual(policy(await ask('GET', '/addin/auth.html')), { ...page, 'form-action': 'https://login.example' });
	assert.equal(policy(await ask('GET', '/addin/none'))['frame-ancestors'], "'self' https://mail.example", 'an error page may be framed: Outlook looks at the root');
	assert.deepEqual(policy(await ask('GET', '/addin/config.json')), { 'default-src': "'none'", 'frame-ancestors': "'none'" });
	assert.match((await ask('GET', '/addin/launchevent.html')).text, /<script src="https:\/\/office\.example\/a\/office\.js"><\/script>/, 'Office.js from where it was configured');
}, { officeJsUrl: 'https://office.example/a/office.js', loginUrl: 'https://login.example', frameAncestors: ['https://mail.example'] });

story('Outlook\'s own places may show it in a frame', async ({ ask }) => {
	assert.equal(policy(await ask('GET', '/addin/'))['frame-ancestors'], FRAMES);
});

story('HSTS where deploymentUrl is https', async ({ ask }) => {
	for (const target of PATHS)
		assert.equal((await ask('GET', target)).headers['strict-transport-security'], 'max-age=31536000', target);
}, { deploymentUrl: 'https://addin.example' });

story('what pages load may be kept for ever, pages and settings not at all', async ({ ask }) => {
	const page = await ask('GET', '/addin/index.html');
	const stamp = stampOf(page.text);
	const cache = async (/** @type {string} */ target) => {
		const answer = await ask('GET', target);
		return `${answer.status} ${answer.headers['cache-control']}`;
	};
	assert.equal(await cache('/addin/index.html'), '200 no-cache');
	assert.equal(await cache('/addin/config.json'), '200 no-cache');
	assert.equal(await cache('/addin/manifest.xml'), '200 no-cache');
	assert.equal(await cache('/addin/js/launchevent.js'), '200 no-cache', 'Outlook for Windows asks for it without a stamp');
	assert.equal(await cache('/addin/assets/icon-64.png'), '200 public, max-age=86400', 'the manifest names it without a stamp');
	assert.equal(await cache(`/addin/${stamp}/assets/icon.svg`), `200 ${FOREVER}`);
	assert.equal(await cache(`/addin/${stamp}/js/launchevent.js`), `200 ${FOREVER}`);
	assert.equal(await cache(`/addin/${stamp}/vendor/msal-browser.min.js`), `200 ${FOREVER}`);
	assert.equal(await cache(`/addin/${stamp}/js/none.js`), '404 no-cache', 'an error is not kept');
	assert.equal(await cache('/addin/v-000000000000/js/launchevent.js'), '200 no-cache', 'an older page gets what there is');
	for (const target of [`/addin/${stamp}/config.json`, `/addin/${stamp}/index.html`, `/addin/${stamp}/`, `/addin/${stamp}/js/`, `/addin/${stamp}/js/../config.json%00`, `/addin/${stamp}/js/..%2f..%2f..%2fnginx.conf`, '/addin/v-xyz/js/launchevent.js', '/addin/../nginx.conf'])
		assert.notEqual((await ask('GET', target)).status, 200, target);
	for (const [name, type] of [['index.html', 'text/html; charset=utf-8'], ['config.json', 'application/json'], ['manifest.xml', 'application/xml; charset=utf-8'], [`${stamp}/js/launchevent.js`, 'text/javascript; charset=utf-8'], ['assets/icon.svg', 'image/svg+xml'], ['assets/icon-64.png', 'image/png']])
		assert.equal((await ask('GET', `/addin/${name}`)).headers['content-type'], type, name);
});

story('the same at the root, without a base path', async ({ ask }) => {
	const stamp = stampOf((await ask('GET', '/index.html')).text);
	const answer = await ask('GET', `/${stamp}/js/launchevent.js`);
	assert.equal(answer.status, 200);
	assert.equal(answer.headers['cache-control'], FOREVER);
	assert.equal((await ask('GET', `/${stamp}/config.json`)).status, 404);
}, { deploymentAddinEndpoint: '/' });

story('every text has a compressed twin with the same inside', async ({ ask, site }) => {
	const www = path.join(site, 'www');
	const files = /** @type {string[]} */ (fs.readdirSync(www, { recursive: true })).map(String).filter((f) => fs.statSync(path.join(www, f)).isFile() && !f.endsWith('.gz'));
	assert.ok(files.length > 30);
	for (const file of files) {
		const plain = await ask('GET', `/addin/${file}`);
		const small = await ask('GET', `/addin/${file}`, { headers: GZIP });
		assert.equal(plain.headers['content-encoding'], undefined, file);
		assert.deepEqual(plain.body, fs.readFileSync(path.join(www, file)), file);
		if (plain.body.length >= 256 && /\.(html|css|js|json|svg|xml)$/.test(file)) {
			assert.equal(small.headers['content-encoding'], 'gzip', file);
			assert.equal(small.headers.vary, 'Accept-Encoding', file);
			assert.equal(small.headers['cache-control'], plain.headers['cache-control'], file);
			assert.equal(small.headers['content-type'], plain.headers['content-type'], file);
			assert.ok(small.body.length < plain.body.length, file);
			assert.deepEqual(zlib.gunzipSync(small.body), plain.body, file);
		}
		assert.equal((await ask('GET', `/addin/${file}`, { headers: { 'If-None-Match': String(plain.headers.etag) } })).status, 304, file);
	}
	assert.equal((await ask('GET', '/addin/vendor/msal-browser.min.js', { headers: { ...GZIP, Via: '1.1 proxy' } })).headers['content-encoding'], 'gzip', 'through a proxy too');
});

/**
 * All that a page loads by itself from our own origin, compressed; modules that it asks for when something is wrong are
 * not among them. @param {(target: string) => Promise<Answer>} get @param {string} page
 */
async function weigh(get, page) {
	/** @type {Map<string, number>} */
	const sizes = new Map();
	const queue = [page];
	for (let target = queue.pop(); target !== undefined; target = queue.pop()) {
		if (sizes.has(target))
			continue;
		const answer = await get(target);
		assert.equal(answer.status, 200, target);
		sizes.set(target, answer.body.length);
		const text = answer.headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(answer.body).toString() : answer.text;
		for (const [, name] of target.endsWith('.js') ? text.matchAll(/^(?:import|export)\b[^;]*?'(\.[^']+)';/gm) : text.matchAll(/(?:src|href)="(?!https?:|data:)([^"]+)"/g))
			queue.push(new URL(name, `http://x${target}`).pathname);
	}
	return sizes;
}

story('a page and all that it loads stays within its budget', async ({ ask, site }) => {
	for (const name of fs.readdirSync(path.join(site, 'www')).filter((f) => f.endsWith('.html'))) {
		const sizes = await weigh((target) => ask('GET', target, { headers: GZIP }), `/addin/${name}`);
		assert.ok([...sizes.values()].reduce((n, bytes) => n + bytes, 0) <= 120 * 1024, `${name}: ${JSON.stringify([...sizes])}`);
	}
});

story('static files are served while the program is down', async ({ peer, ask }) => {
	await peer.close();
	for (const target of ['/addin/', '/addin/config.json', '/addin/manifest.xml', '/addin/assets/icon-64.png', '/addin/js/launchevent.js'])
		assert.equal((await ask('GET', target)).status, 200, target);
	assert.equal((await ask('GET', '/addin/api/links/x')).status, 503);
});

story('the script that may run without a page is named at the root of the origin', async ({ ask, port }) => {
	const answer = await ask('GET', '/.well-known/microsoft-officeaddins-allowed.json');
	assert.equal(answer.status, 200);
	assert.equal(answer.headers['content-type'], 'application/json');
	assert.deepEqual(JSON.parse(answer.text), { allowed: [`http://127.0.0.1:${port}/addin/js/launchevent.js`] });
}, { manifestSendCheck: true });

story('without the check at sending there is no such file', async ({ ask }) => {
	assert.equal((await ask('GET', '/.well-known/microsoft-officeaddins-allowed.json')).status, 404);
	assert.equal((await ask('GET', '/addin/unblu/app/rest/v4/x')).status, 404, 'and without gatewayRelay no relay');
});

/**
 * A gateway that says what it was asked, before the story runs.
 * @param {string} name @param {(gateway: { seen: http.IncomingMessage[], bodies: string[], answer: (res: http.ServerResponse) => void }, site: import('./nginx-site.js').Site) => Promise<void>} body
 * @param {{ tls?: { key: string, cert: string }, keys?: Record<string, any>, host?: string }} [how]
 */
function relayed(name, body, how = {}) {
	/** @type {Parameters<typeof body>[0]} */
	const gateway = { seen: [], bodies: [], answer: (res) => res.end('{}') };
	const handle = async (/** @type {http.IncomingMessage} */ req, /** @type {http.ServerResponse} */ res) => {
		let text = '';
		for await (const part of req)
			text += part;
		gateway.seen.push(req);
		gateway.bodies.push(text);
		gateway.answer(res);
	};
	/** @type {http.Server} */
	let server;
	story(name, async (site) => {
		try {
			await body(gateway, site);
		} finally {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		}
	}, async () => {
		server = how.tls ? https.createServer({ key: fs.readFileSync(how.tls.key), cert: fs.readFileSync(how.tls.cert) }, handle) : http.createServer(handle);
		await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
		const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
		return { gatewayRelay: true, unbluOAuthBackendUrl: `${how.tls ? 'https' : 'http'}://${how.host ?? '127.0.0.1'}:${port}/gate.way`, ...how.keys };
	});
}

relayed('the relay passes the call on, and of its headers only the harmless ones', async (gateway, { ask }) => {
	gateway.answer = (res) => {
		res.writeHead(409, { 'Content-Type': 'application/json', 'Set-Cookie': 'a=b', 'X-Frame-Options': 'DENY', 'Cache-Control': 'public', 'Content-Security-Policy': "default-src *", 'X-Request-Id': 'theirs', 'X-Unblu': 'y' });
		res.end('{"code":"x"}');
	};
	const answer = await ask('POST', '/addin/unblu/app/rest/v4/conversations/create?expand=a%20b&x=1', {
		body: '{"topic":"\u00fc"}', headers: {
			Authorization: 'Bearer abc', 'Content-Type': 'application/json', Accept: 'application/json', 'Accept-Language': 'de', Cookie: 'session=1', Origin: 'https://evil.example', 'X-Forwarded-For': '1.2.3.4',
			'x-unblu-trusted-user-id': 'admin', 'x-unblu-trusted-user-role': 'SUPER_ADMIN', 'X-Request-Id': 'client-id-1',
			traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
		},
	});
	const [req] = gateway.seen;
	assert.equal(`${req.method} ${req.url}`, 'POST /gate.way/app/rest/v4/conversations/create?expand=a%20b&x=1');
	assert.equal(gateway.bodies[0], '{"topic":"\u00fc"}');
	const { host, ...others } = req.headers;
	assert.match(String(host), /^127\.0\.0\.1:\d+$/);
	assert.deepEqual(others, { authorization: 'Bearer abc', 'content-type': 'application/json', accept: 'application/json', 'accept-language': 'de', 'x-request-id': 'client-id-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'content-length': '14' });
	assert.equal(answer.status, 409);
	assert.equal(answer.text, '{"code":"x"}');
	assert.equal(answer.headers['set-cookie'], undefined);
	assert.equal(answer.headers['x-frame-options'], undefined);
	assert.equal(answer.headers['cache-control'], 'no-store');
	assert.equal(answer.headers['x-request-id'], 'client-id-1');
	assert.equal(answer.headers['content-security-policy'], "default-src 'none'; sandbox; frame-ancestors 'none'");
	assert.equal(answer.headers['x-content-type-options'], 'nosniff');
});

relayed('the relay stays below the gateway\'s own path', async (gateway, { ask }) => {
	for (const target of ['/addin/unblu/../../admin', '/addin/unblu/..%2f..%2fadmin', '/addin/unblu/%2e%2e/admin', '/addin/unblu'])
		await ask('GET', target);
	assert.deepEqual(gateway.seen.map((r) => r.url).filter((u) => !u?.startsWith('/gate.way/')), []);
	await ask('GET', '/addin/unblu/a%0d%0aX-Evil:%201%3fb%23c/%C3%BC');
	const last = gateway.seen[gateway.seen.length - 1];
	assert.equal(decodeURIComponent(String(last.url)), '/gate.way/a\r\nX-Evil: 1?b#c/\u00fc');
	assert.equal(last.headers['x-evil'], undefined);
	assert.equal((await ask('POST', '/addin/unblu/x', { body: 'x'.repeat(70_000) })).status, 413);
});

story('a gateway that is down takes nothing else with it', async ({ ask }) => {
	const answer = await ask('GET', '/addin/unblu/app/rest/v4/x');
	assert.equal(answer.status, 503);
	assert.equal(JSON.parse(answer.text).error.code, 'gateway-unavailable');
	assert.equal(JSON.parse(answer.text).error.requestId, answer.headers['x-request-id']);
	assert.equal((await ask('GET', '/addin/')).status, 200);
}, { gatewayRelay: true, unbluOAuthBackendUrl: 'http://127.0.0.1:9' });

story('a gateway whose name nobody knows does not keep nginx from starting', async ({ ask }) => {
	assert.equal((await ask('GET', '/addin/')).status, 200);
	assert.equal(policy(await ask('GET', '/addin/'))['connect-src'], "'self' https://login.microsoftonline.com", 'the pages call only us');
}, { gatewayRelay: true, unbluOAuthBackendUrl: 'https://gateway.invalid/x' });

const certificates = makeFolder('relay-tls');
process.on('exit', () => fs.rmSync(certificates, { recursive: true, force: true }));
const tls = { key: path.join(certificates, 'key.pem'), cert: path.join(certificates, 'cert.pem') };
execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', tls.key, '-out', tls.cert], { stdio: 'ignore' });
fs.chmodSync(certificates, 0o755);

relayed('TLS to the gateway with a certificate of caFile', async (gateway, { ask }) => {
	assert.equal((await ask('GET', '/addin/unblu/x')).status, 200);
	assert.match(String(gateway.seen[0].headers.host), /^localhost:\d+$/);
}, { tls, host: 'localhost', keys: { caFile: tls.cert } });

relayed('a certificate that is not trusted is not talked to', async (gateway, { ask }) => {
	const answer = await ask('GET', '/addin/unblu/x', { headers: { Authorization: 'Bearer abc' } });
	assert.equal(answer.status, 503);
	assert.equal(gateway.seen.length, 0);
}, { tls, host: 'localhost' });
