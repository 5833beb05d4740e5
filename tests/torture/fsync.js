// @ts-check
/*
 * Is each 202 written after the fdatasync of its row? strace is the witness.
 *
 *     node tests/torture/fsync.js [NOTIFICATIONS]
 */

import fs from 'node:fs';
import path from 'node:path';
import { body, item, longId } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { attach, auditAnswers, parseCalls } from '../lib/strace.js';

const COUNT = Number(process.argv[2] ?? process.env.NOTIFICATIONS ?? 200);
const LANES = 16;

await Stack.play('torture-fsync', { config: { notificationDebounceMs: 600_000 } }, async (stack) => {
	const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
	const ids = Array.from({ length: COUNT }, (_, i) => longId(`fsync-${i}`));
	const trace = path.join(stack.logDir, 'fsync.trace');
	const witness = await attach(await stack.pid('web'), stack.logDir, trace, ['-y', '-s', '9000', '-e', 'signal=none', '-e', 'trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,fdatasync,fsync']);
	let next = 0;
	await Promise.all(Array.from({ length: LANES }, async () => {
		while (next < COUNT) {
			const answer = await stack.http.post('/addin/webhook/events', body(item(sub, ids[next++])));
			if (answer.status !== 202)
				throw new Error(`answered ${answer.status}`);
		}
	}));
	await witness.stop();
	const text = fs.readFileSync(trace, 'latin1');
	fs.rmSync(trace);
	const audit = auditAnswers(parseCalls(text), ids, path.basename(`${stack.storeFile}-wal`));
	if (audit.wrong.length > 0)
		throw new Error(`answers before their sync:\n${audit.wrong.slice(0, 10).join('\n')}`);
	if (audit.checked !== COUNT || audit.answered !== COUNT)
		throw new Error(`only ${audit.checked} of ${COUNT} answers could be judged (${audit.answered} seen)`);
	const syncs = parseCalls(text).filter((c) => c.name === 'fdatasync').length;
	console.log(`fsync: ${audit.checked} of ${COUNT} answers 202 written after the fdatasync of their row (${syncs} fdatasync)`);
}).catch((e) => {
	console.error(`fsync: FAILED: ${e.stack}`);
	process.exitCode = 1;
});
