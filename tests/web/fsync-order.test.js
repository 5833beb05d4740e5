// @ts-check
/* 202 means fsync'ed: seen from outside, with strace. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { body, item } from '../lib/notification.js';
import { attach, auditAnswers, parseCalls } from '../lib/strace.js';
import { waitFor } from '../lib/wait.js';
import { Web } from './harness.js';

test('each 202 is written after the fdatasync of its row', async () => {
	await Web.play({}, async (web) => {
		const sub = await web.follow();
		const pid = await waitFor(() => web.pid(), 5000, 'web runs');
		const out = `${web.logDir}/order.trace`;
		const witness = await attach(pid, web.logDir, out, ['-y', '-s', '8192', '-e', 'trace=read,recvfrom,write,writev,pwrite64,fdatasync,fsync']);
		const ids = Array.from({ length: 120 }, (_, i) => `ORDER-${String(i).padStart(4, '0')}-${'x'.repeat(40)}`);
		for (let at = 0; at < ids.length; at += 30)
			for (const answer of await Promise.all(ids.slice(at, at + 30).map((id) => web.notify(body(item(sub, id))))))
				assert.equal(answer.status, 202);
		await witness.stop();
		const found = auditAnswers(parseCalls(fs.readFileSync(out, 'utf8')), ids, 'state.db-wal');
		assert.deepEqual(found.wrong, []);
		assert.equal(found.checked, ids.length, 'each answer was found with its request');
	});
});
