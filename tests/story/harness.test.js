// @ts-check
/* The witnesses themselves: each must see a fault when there is one. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeFolder } from '../lib/build.js';
import { searchCanaries } from '../lib/canary.js';
import { auditAnswers, parseCalls } from '../lib/strace.js';
import { neverWithin, waitFor } from '../lib/wait.js';

const READ = '10 read(15<UNIX-STREAM:[1->2]>, "..id-one..", 8192) = 10';
const WRITE = '11 pwrite64(9</s/state.db-wal>, "\\1\\0id-one\\0", 4096, 32) = 4096';
const SYNC = '11 fdatasync(9</s/state.db-wal>) = 0';
const ANSWER = '10 write(15<UNIX-STREAM:[1->2]>, "\\1\\6\\0\\1Status: 202 Accepted\\r\\n", 60) = 60';

/** @param {string[]} lines */
function audit(...lines) {
	return auditAnswers(parseCalls(lines.join('\n')), ['id-one'], 'state.db-wal');
}

test('an answer after the sync of its row is right', () => {
	assert.deepEqual(audit(READ, WRITE, SYNC, ANSWER), { checked: 1, answered: 1, wrong: [] });
	assert.deepEqual(audit(READ, WRITE, '11 fdatasync(9</s/state.db-wal> <unfinished ...>', '10 read(16, "x", 1) = 1', '11 <... fdatasync resumed>) = 0', ANSWER).wrong, []);
});

test('an answer without a row, without a sync, before or during it, and after a failed one is wrong', () => {
	for (const lines of [
		[READ, ANSWER, WRITE, SYNC],
		[READ, WRITE, ANSWER, SYNC],
		[READ, SYNC, WRITE, ANSWER],
		[READ, WRITE, '11 fdatasync(9</s/state.db-wal> <unfinished ...>', ANSWER, '11 <... fdatasync resumed>) = 0'],
		[READ, WRITE, '11 fdatasync(9</s/state.db-wal>) = -1 EIO (Input/output error) (INJECTED)', ANSWER],
		[READ, WRITE, '11 fdatasync(9</s/other>) = 0', ANSWER],
		[READ, '11 fdatasync(9</s/state.db-wal> <unfinished ...>', '12 pwrite64(9</s/state.db-wal>, "id-one", 6, 0) = 6', '11 <... fdatasync resumed>) = 0', ANSWER],
	])
		assert.equal(audit(...lines).wrong.length, 1, lines.join('\n'));
});

test('a secret is found in any file, plain, encoded for a form or in base64', () => {
	const dir = makeFolder('canary');
	const secret = 'gw:s3cret+/=%~ (sim)';
	const put = (/** @type {string} */ text) => fs.writeFileSync(path.join(dir, 'x.log'), text);
	for (const text of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64'), Buffer.from(`client:${secret}`).toString('base64'), Buffer.from(`a:${secret}`).toString('base64'), JSON.stringify({ secret })]) {
		put(`something ${text} else`);
		assert.equal(searchCanaries(dir, [secret], []).length, 1, text);
	}
	put(`a token: ${'eyJhbGciOiJSUzI1NiJ9abcdef'}.${'x'.repeat(30)}.${'y'.repeat(30)}`);
	assert.equal(searchCanaries(dir, [secret], []).length, 1);
	put('nothing of that');
	assert.deepEqual(searchCanaries(dir, [secret], []), []);
	fs.rmSync(dir, { recursive: true });
});

test('waiting ends with what was waited for, or with a message that says what was not', async () => {
	let n = 0;
	assert.equal(await waitFor(() => ++n > 3 && n, 1000, 'n'), 4);
	await assert.rejects(waitFor(() => false, 30, 'the moon'), /not within 30 ms: the moon/);
	await assert.rejects(neverWithin(() => true, 30, 'the sun'), /must not happen: the sun/);
	await neverWithin(() => false, 30, 'nothing');
});
