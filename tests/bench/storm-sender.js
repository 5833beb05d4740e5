// @ts-check
/*
 * Graph's side of the storm, as a process of its own: posts bodies at an even pace over kept connections
 * and measures each answer from the moment at which it was to be sent.
 *
 *     node storm-sender.js FILE     FILE: {port, path, seconds, connections, bodies: [text]}
 */

import fs from 'node:fs';
import net from 'node:net';

const { port, path, seconds, connections, bodies } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const requests = bodies.map((/** @type {string} */ b) => Buffer.from(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(b)}\r\n\r\n${b}`));
bodies.length = 0;

/** @type {number[]} */
const latency = [];
/** @type {Record<string, number>} */
const statuses = {};
/** @type {((text: string) => void)[]} */
const free = [];
let at = 0;
let done = 0;
const gap = seconds * 1000 / requests.length;
let began = 0;

/** What is to be sent by now goes out over the connection that is free longest: nginx closes one after 1000 requests. */
function feed() {
	const due = Math.min(requests.length, Math.floor((performance.now() - began) / gap) + 1);
	while (at < due && free.length > 0)
		/** @type {any} */ (free.shift())(at++);
}

function finish() {
	const sorted = latency.sort((a, b) => a - b);
	const of = (/** @type {number} */ p) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p / 100))];
	process.stdout.write(`${JSON.stringify({ requests: requests.length, seconds: (performance.now() - began) / 1000, statuses, p50: of(50), p99: of(99), p999: of(99.9), max: sorted[sorted.length - 1] })}\n`);
	process.exit(0);
}

function connect() {
	const socket = net.connect(port, '127.0.0.1');
	let started = 0;
	let text = '';
	const send = (/** @type {number} */ i) => {
		started = began + i * gap;
		socket.write(requests[i]);
	};
	socket.setNoDelay(true);
	socket.once('connect', () => free.push(/** @type {any} */ (send)));
	socket.on('data', (data) => {
		text += data.toString('latin1');
		const end = text.indexOf('\r\n\r\n');
		const length = end < 0 ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
		if (end < 0 || text.length < end + 4 + length)
			return;
		const status = text.slice(9, 12);
		text = '';
		statuses[status] = (statuses[status] ?? 0) + 1;
		latency.push(performance.now() - started);
		free.push(/** @type {any} */ (send));
		if (++done === requests.length)
			finish();
		else
			feed();
	});
	socket.on('close', () => {
		process.stderr.write('the server closed a connection\n');
		process.exit(1);
	});
}

for (let i = 0; i < connections; i++)
	connect();
setTimeout(() => {
	began = performance.now();
	setInterval(feed, 1);
}, 500);
