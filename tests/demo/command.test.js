// @ts-check
/* scripts/demo as a command: usage, mistakes, a busy port. What needs a build is told by scripts/demo --check. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Demo } from './demo.js';
import { Teller } from './teller.js';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** @param {...string} args @returns {Promise<{ code: number, stdout: string, stderr: string }>} */
function demo(...args) {
	return new Promise((resolve) => execFile(path.join(ROOT, 'scripts/demo'), ['--no-install', ...args], { timeout: 20_000 }, (e, stdout, stderr) => resolve({ code: e === null ? 0 : Number(e.code), stdout, stderr })));
}

test('--help tells the usage and touches nothing', async () => {
	const run = await demo('--help');
	assert.equal(run.code, 0);
	assert.match(run.stdout, /^usage: scripts\/demo/);
});

test('mistakes in the arguments are named, with exit status 2', async () => {
	for (const [args, what] of /** @type {[string[], RegExp][]} */ ([
		[['--porty'], /unknown argument --porty/], [['--port'], /--port needs a value/], [['--port', 'http'], /--port http: not a number/], [['--port=0'], /not between 1 and 65535/],
		[['--port', '70000'], /not between 1 and 65535/], [['--tenant', '/nonexistent/addin.json'], /can not be read/],
	])) {
		const run = await demo(...args);
		assert.equal(run.code, 2, args.join(' '));
		assert.match(run.stderr, what);
		assert.equal(run.stdout, '');
	}
});

test('a busy port is said before anything is started, and another one advised', async () => {
	const other = net.createServer();
	await new Promise((resolve) => other.listen(0, '127.0.0.1', () => resolve(undefined)));
	const { port } = /** @type {net.AddressInfo} */ (other.address());
	try {
		await assert.rejects(Demo.start({ port }), new RegExp(`port ${port} is busy; take another one with --port`));
		const lenient = new Demo();
		await lenient.open(port, false);
		assert.ok(lenient.front.port > port, 'the next free one');
		await lenient.abandon();
	} finally {
		other.close();
	}
});

test('a wrong step is told, ends its chapter, and the next chapter is played', async () => {
	let text = '';
	const teller = new Teller({ write: (t) => { text += t; }, colour: false });
	await teller.chapter('One', async () => {
		await teller.step('good', async () => 'seen');
		await teller.step('bad', async () => { throw new Error('it has "A"'); });
		await teller.step('never', async () => 'unseen');
	});
	await teller.chapter('Two', async () => { await teller.step('fine', async () => 'also seen'); });
	assert.deepEqual(teller.wrong, ['bad']);
	assert.match(text, /WRONG {2}bad: it has "A"/);
	assert.match(text, /also seen/);
	assert.doesNotMatch(text, /unseen/);
});
