// @ts-check
/* A proxy that counts what it is asked for, and knows hosts that nobody else can reach. */

import http from 'node:http';
import net from 'node:net';

export class ForwardProxy {
	/** @param {Record<string, number>} ports of 127.0.0.1, by name */
	static async start(ports) {
		const proxy = new ForwardProxy(ports);
		await new Promise((resolve) => proxy.server.listen(0, '127.0.0.1', () => resolve(null)));
		return proxy;
	}

	/** @param {Record<string, number>} ports */
	constructor(ports) {
		/** "CONNECT name" and "GET name", in their order. @type {string[]} */
		this.asked = [];
		this.server = http.createServer((request, reply) => {
			const { method, headers } = request;
			const { hostname, pathname, search } = new URL(request.url ?? '', 'http://no-proxy-request.invalid');
			this.asked.push(`${method} ${hostname}`);
			if (ports[hostname] === undefined) {
				reply.writeHead(502).end();
				return;
			}
			request.pipe(http.request({ host: '127.0.0.1', port: ports[hostname], method, path: pathname + search, headers }, (answer) => {
				reply.writeHead(answer.statusCode ?? 502, answer.headers);
				answer.pipe(reply);
			}).on('error', () => reply.destroy()));
		});
		this.server.on('connect', (request, socket) => {
			const name = String(request.url).split(':')[0];
			this.asked.push(`CONNECT ${name}`);
			socket.on('error', () => {});
			if (ports[name] === undefined) {
				socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
				return;
			}
			const peer = net.connect(ports[name], '127.0.0.1', () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'));
			peer.on('error', () => socket.destroy());
			peer.pipe(socket).pipe(peer);
		});
	}

	get url() {
		return `http://127.0.0.1:${/** @type {net.AddressInfo} */ (this.server.address()).port}`;
	}

	close() {
		this.server.close();
		this.server.closeAllConnections();
	}
}
