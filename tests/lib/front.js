// @ts-check
/* The nginx of somebody else in front of the rendered one: conf/nginx-site.conf as it is shipped, with addresses of the test. */

import fs from 'node:fs';
import path from 'node:path';
import { giveAway, serviceAccount, SOURCE_ROOT } from './build.js';
import { Program } from './program.js';

/**
 * The site, adapted as it says itself, nothing else.
 * @param {{ port: number, servers: number[], tls?: { key: string, cert: string } }} how without tls it speaks http
 */
export function siteConfiguration({ port, servers, tls }) {
	let text = fs.readFileSync(path.join(SOURCE_ROOT, 'conf/nginx-site.conf'), 'utf8');
	/** @param {RegExp} from @param {string} to */
	const adapt = (from, to) => {
		if (!from.test(text))
			throw new Error(`conf/nginx-site.conf has nothing like ${from}`);
		text = text.replace(from, to);
	};
	adapt(/^\tserver 127\.0\.0\.1:8080(.*);$/m, servers.map((s) => `\tserver 127.0.0.1:${s}$1;`).join('\n'));
	adapt(/^\tlisten 443 (ssl http2);$/m, `\tlisten 127.0.0.1:${port}${tls === undefined ? '' : ' $1'};`);
	adapt(/^\tlisten \[::\]:443 ssl http2;\n/m, '');
	if (tls === undefined) {
		adapt(/^\tssl_.*\n(\tssl_.*\n)*/m, '');
	} else {
		adapt(/\/etc\/ssl\/certs\/addin\.example\.com\.pem/, tls.cert);
		adapt(/\/etc\/ssl\/private\/addin\.example\.com\.key/, tls.key);
	}
	return text;
}

/** Runs it. @param {string} dir @param {Parameters<typeof siteConfiguration>[0]} how */
export function startFront(dir, how) {
	const folder = path.join(dir, 'front');
	fs.mkdirSync(folder, { mode: 0o755 });
	giveAway(folder);
	const temporary = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map((t) => `${t}_temp_path ${folder}/${t};`).join(' ');
	fs.writeFileSync(path.join(folder, 'nginx.conf'), `pid ${folder}/pid; error_log stderr; events {} http { ${temporary}\n${siteConfiguration(how)}\n}\n`);
	return new Program('front', ['nginx', '-p', folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], { dir: folder, env: { PATH: `${process.env.PATH}:/usr/sbin` }, account: serviceAccount() });
}
