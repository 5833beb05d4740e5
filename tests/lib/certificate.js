// @ts-check
/* Certificate authorities of a test's own, and what they sign. */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/**
 * A certificate authority and a certificate for name, as files in dir.
 * @param {string} dir @param {string} name such as IP:127.0.0.1 or DNS:db.example
 */
export function makeCertificate(dir, name) {
	const run = (/** @type {string[]} */ ...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
	run('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=Test CA', '-keyout', 'ca.key', '-out', 'ca.pem');
	run('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=server', '-keyout', 'key.pem', '-out', 'req.pem');
	fs.writeFileSync(path.join(dir, 'ext'), `subjectAltName=${name}\n`);
	run('x509', '-req', '-in', 'req.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', 'cert.pem');
	return { ca: path.join(dir, 'ca.pem'), key: path.join(dir, 'key.pem'), cert: path.join(dir, 'cert.pem') };
}
