// @ts-check
/* scripts/demo --tenant: the programs with somebody's own configuration; here that of simulated clouds. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, freePort } from '../lib/http.js';
import { Simulators } from '../lib/simulators.js';
import { waitFor } from '../lib/wait.js';

const SCRIPT = fileURLToPath(new URL('./tenant.js', import.meta.url));

/** @param {string[]} args @param {Record<string, string>} env */
function run(args, env) {
	const child = spawn(process.execPath, [SCRIPT, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
	const seen = { text: '', code: /** @type {number | null} */ (null) };
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding('utf8').on('data', (d) => { seen.text += d; });
	const ended = new Promise((resolve) => child.on('close', (code) => { seen.code = code; resolve(code); }));
	return { child, seen, ended };
}

/** @param {(about: { sims: Simulators, file: string, port: number, config: any, dir: string }) => Promise<void>} play */
async function withTenant(play) {
	const sims = await Simulators.start();
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tenant-test-'));
	const port = await freePort();
	const config = { deploymentUrl: `http://127.0.0.1:${port}`, deploymentAddinEndpoint: 'addin', ...sims.config, syncServerEnabled: true, notificationDebounceMs: 100 };
	try {
		await play({ sims, dir, port, config, file: path.join(dir, 'addin.json') });
	} finally {
		await sims.stop();
		fs.rmSync(dir, { recursive: true, force: true });
	}
}

test('the programs run with the given configuration until Ctrl-C, and leave nothing behind', async () => {
	await withTenant(async ({ sims, file, port, config }) => {
		fs.writeFileSync(file, JSON.stringify(config));
		const { child, seen, ended } = run(['--config', file, '--port', String(port)], sims.secrets);
		const http = new Client(`http://127.0.0.1:${port}`);
		try {
			await waitFor(() => {
				if (seen.code !== null)
					throw new Error(`ended with ${seen.code}: ${seen.text}`);
				return seen.text.includes('Ctrl-C ends it');
			}, 30_000, 'it stands');
			assert.match(seen.text, /GET \/ready -> 200 /);
			const [mailbox] = sims.mailboxes;
			const start = Math.ceil(sims.now() / 60_000) * 60_000 + 7200_000;
			const conv = await sims.book(mailbox, { topic: 'Review', start });
			const event = await sims.addEvent(mailbox, { subject: 'Review', start, conversation: conv });
			const put = await waitFor(async () => {
				const answer = await http.request('PUT', `/addin/api/links/${conv.id}`, { headers: { Authorization: `Bearer ${sims.bearer(mailbox)}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ v: 1, sourceId: conv.sourceId, topic: 'Review', start: new Date(start).toISOString() }) });
				return answer.status === 503 ? null : answer;
			}, 15_000, 'PUT api/links is answered');
			assert.equal(put.status, 202, put.text);
			await waitFor(() => sims.subscriptionsOf(mailbox).length === 1, 15_000, 'a subscription');
			await waitFor(async () => JSON.parse((await http.get(`/addin/api/links/${conv.id}`, { Authorization: `Bearer ${sims.bearer(mailbox)}` })).text).state === 'linked', 15_000, 'the event is found');
			sims.editEvent(mailbox, event, { subject: 'Review, moved to Friday' });
			await waitFor(() => sims.conversation(conv.id)?.topic === 'Review, moved to Friday', 15_000, 'the conversation follows');
			const [, kept] = /** @type {RegExpExecArray} */ (/--config (\S+)\/addin\.json status/.exec(seen.text));
			assert.ok(fs.existsSync(kept));
			child.kill('SIGINT');
			await ended;
			assert.equal(seen.code, 0, seen.text);
			assert.ok(!fs.existsSync(kept), 'its folder is gone');
			for (const secret of Object.values(sims.secrets))
				assert.ok(!seen.text.includes(secret), 'no secret in the output');
		} finally {
			http.close();
			if (seen.code === null)
				child.kill('SIGTERM');
			await ended;
		}
	});
});

test('a wrong configuration, a missing secret and a busy port are told, and nothing runs on', async () => {
	await withTenant(async ({ sims, file, port, config }) => {
		const none = { CLIENT_SECRET: '', SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET: '' };
		for (const [text, env, what] of /** @type {[string, Record<string, string>, RegExp][]} */ ([
			['{', sims.secrets, /addin\.json: .*JSON/], ['[]', sims.secrets, /not a JSON object/], [JSON.stringify({ ...config, clientId: 'x' }), sims.secrets, /clientId/], [JSON.stringify(config), none, /CLIENT_SECRET/],
		])) {
			fs.writeFileSync(file, text);
			const { seen, ended } = run(['--config', file, '--port', String(port)], env);
			await ended;
			assert.equal(seen.code, 1, seen.text);
			assert.match(seen.text, what);
		}
		fs.writeFileSync(file, JSON.stringify(config));
		const taken = new URL(sims.sim.urls.graph).port;
		const { seen, ended } = run(['--config', file, '--port', taken], sims.secrets);
		await ended;
		assert.match(seen.text, new RegExp(`port ${taken} is busy`));
		assert.equal(seen.code, 1);
	});
});
