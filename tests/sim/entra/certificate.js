// @ts-check
/* A minimal self-signed X.509 certificate in DER: the x5c member that real key documents carry. */

import { sign } from 'node:crypto';

/** @param {number} tag @param {...Buffer} parts */
function der(tag, ...parts) {
	const body = Buffer.concat(parts);
	let length;
	if (body.length < 128)
		length = Buffer.from([body.length]);
	else if (body.length < 256)
		length = Buffer.from([0x81, body.length]);
	else
		length = Buffer.from([0x82, body.length >> 8, body.length & 255]);
	return Buffer.concat([Buffer.from([tag]), length, body]);
}

const SHA256_RSA = der(0x30, Buffer.from('06092a864886f70d01010b0500', 'hex'));
const COMMON_NAME = Buffer.from('0603550403', 'hex');

/** @param {string} name */
function rdn(name) {
	return der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, Buffer.from(name, 'utf8')))));
}

/** @param {number} ms */
function utcTime(ms) {
	return der(0x17, Buffer.from(new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14) + 'Z', 'ascii'));
}

/**
 * @param {{ publicKey: import('node:crypto').KeyObject, privateKey: import('node:crypto').KeyObject }} pair
 * @param {Buffer} serial 8 bytes @param {number} now
 */
export function selfSigned(pair, serial, now) {
	const name = rdn('accounts.accesscontrol.windows.net');
	const number = Buffer.from(serial);
	number[0] = (number[0] & 0x7f) | 0x40;
	const tbs = der(0x30,
		der(0xa0, der(0x02, Buffer.from([2]))), der(0x02, number), SHA256_RSA, name,
		der(0x30, utcTime(now - 86400_000), utcTime(now + 5 * 365 * 86400_000)), name,
		pair.publicKey.export({ type: 'spki', format: 'der' }));
	const signature = sign('sha256', tbs, pair.privateKey);
	return der(0x30, tbs, SHA256_RSA, der(0x03, Buffer.from([0]), signature));
}
