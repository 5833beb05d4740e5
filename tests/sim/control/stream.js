// @ts-check
/* GET /control/stream: server-sent events, one per thing that happens. ?types=a,b chooses; ?state=1 sends the present state first. */

import { summary } from './state.js';

const BEAT_MS = 15_000;
/** Messages that a slow reader may have waiting before it is cut off. */
const BACKLOG_BYTES = 8 * 1024 * 1024;

/** @param {any} sim @param {import('node:http').IncomingMessage} req @param {import('node:http').ServerResponse} res @param {Record<string, string>} headers */
export function openStream(sim, req, res, headers) {
	const query = new URL(req.url ?? '/', 'http://x').searchParams;
	const types = query.get('types') === null ? null : new Set(/** @type {string} */ (query.get('types')).split(','));
	let id = 0;
	res.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
	/** @param {string} type @param {any} data */
	const tell = (type, data) => {
		if (types !== null && !types.has(type))
			return;
		if (res.writableLength > BACKLOG_BYTES) {
			close();
			return;
		}
		res.write(`id: ${++id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
	};
	const beat = setInterval(() => res.write(': beat\n\n'), BEAT_MS);
	const close = () => {
		clearInterval(beat);
		sim.journal.listeners.delete(tell);
		res.end();
	};
	res.on('close', close);
	res.write('retry: 1000\n\n');
	if (query.get('state') === '1')
		tell('state', summary(sim));
	sim.journal.listeners.add(tell);
	return close;
}
