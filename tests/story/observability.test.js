// @ts-check
/* What operators see by: /metrics under promtool, the dashboard and the alert rules against it, traces. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { SOURCE_ROOT } from '../lib/build.js';
import { Client } from '../lib/http.js';
import { parseLines } from '../lib/program.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

const RULES = path.join(SOURCE_ROOT, 'conf/prometheus/outlook-addin.rules.yml');
const DASHBOARD = path.join(SOURCE_ROOT, 'conf/grafana/outlook-addin.json');

function findPromtool() {
	const own = path.join(SOURCE_ROOT, 'build/tools/usr/bin/promtool');
	for (const file of ['promtool', own])
		try {
			execFileSync(file, ['--version'], { stdio: 'ignore' });
			return file;
		} catch {
			continue;
		}
	return null;
}

/** Every metric that an expression of the file names, as name{matcher,...}. @param {string} text @returns {{ name: string, matchers: [string, string, string][] }[]} */
function metricsIn(text) {
	return [...text.matchAll(/\b(outlook_addin_[a-z_]+)(?:\{([^{}]*)\})?/g)].map(([, name, inside]) => ({
		name, matchers: [...(inside ?? '').matchAll(/([a-z_]+)(=~|!~|=)"([^"]*)"/g)].map(([, label, op, value]) => [label, op, value]),
	}));
}

/** @param {string} text @returns {Map<string, Record<string, string>[]>} samples' labels by name */
function samples(text) {
	/** @type {Map<string, Record<string, string>[]>} */
	const out = new Map();
	for (const [, name, inside] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? [^ ]+$/gm))
		out.set(name, [...out.get(name) ?? [], Object.fromEntries([...(inside ?? '').matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, k, v]) => [k, v]))]);
	return out;
}

test('what dashboard and rules ask for is what is served, and that is clean', async (t) => {
	await Stack.play('observed', {}, async (stack) => {
		const own = new Client(`http://127.0.0.1:${stack.metricsPort}`);
		const read = async () => (await own.get('/metrics')).text;
		const { mailbox, event } = await stack.follow(stack.mailboxes[0]);
		assert.equal((await stack.renew()).code, 0);
		stack.sims.editEvent(mailbox, event, { subject: 'seen' });
		await stack.quiet();
		assert.equal((await stack.ctl('writes', 'pause', '--tenant', mailbox.tenant)).code, 0);
		assert.match(await read(), /^outlook_addin_writes_paused\{by="operator"\} 1$/m);
		assert.match(await read(), /^outlook_addin_mailboxes\{state="followed"\} 1$/m);
		const early = await read();
		const book = fs.readFileSync(path.join(SOURCE_ROOT, 'docs/runbook.md'), 'utf8');
		const looks = await Promise.all([...book.matchAll(/^ {4}outlook-addinctl (metrics .*)$/gm)].map((m) => stack.ctl(...m[1].split(' '))));
		// what is only there in bad times, and with a certificate
		const reasons = ['credentials', 'graph', 'unblu', 'unblu-auth', 'webhook', 'keys', 'deletions'];
		await stack.fcgiDown();
		await stack.writeStore(reasons.map((r) => `INSERT OR REPLACE INTO fact VALUES ('degraded:${r}', 'told', 1);`).join('')
			+ `INSERT OR REPLACE INTO fact VALUES ('credential-expiry', '1900000000000', 1); UPDATE fact SET at_ms = 1 WHERE name = 'sync-heartbeat';`);
		const good = await stack.startFcgi({ args: ['--role', 'web'] }).then(() => waitFor(async () => {
			const text = await read();
			return text.includes('reason="sync"') ? text : null;
		}, 10_000, 'metrics tell of everything'));
		// counters of requests begin anew with the program
		const served = new Map([...samples(early), ...samples(good)]);
		for (const reason of [...reasons, 'sync'])
			assert.ok(served.get('outlook_addin_degraded')?.some((l) => l.reason === reason), reason);

		const dashboard = JSON.parse(fs.readFileSync(DASHBOARD, 'utf8'));
		const asked = dashboard.panels.flatMap((/** @type {any} */ p) => p.targets.map((/** @type {any} */ q) => q.expr)).join('\n')
			+ dashboard.templating.list.map((/** @type {any} */ v) => JSON.stringify(v.query)).join('\n');
		const rules = fs.readFileSync(RULES, 'utf8').split('\n').filter((l) => /^\s*expr:/.test(l)).join('\n');
		await stack.part(t, 'each metric and label value that is asked for is served', async () => {
			const metrics = [...metricsIn(asked), ...metricsIn(rules)];
			assert.ok(metrics.length > 40);
			for (const { name, matchers } of metrics) {
				const found = served.get(name);
				assert.ok(found, `${name} is not served`);
				for (const [label, op, value] of matchers) {
					if (label === 'job' || op === '!~' || value === 'store')
						continue;
					for (const one of op === '=~' ? value.split('|') : [value])
						assert.ok(found.some((l) => l[label] === one), `${name}{${label}="${one}"} is not served`);
				}
			}
		});
		await stack.part(t, 'each metric that is served is shown', async () => {
			const shown = new Set(metricsIn(asked).map((m) => m.name.replace(/_bucket$/, '')));
			for (const name of served.keys())
				assert.ok(shown.has(name.replace(/_(bucket|sum|count)$/, '')), `${name} is on no panel`);
		});
		await stack.part(t, 'each reason of /ready has an alert', async () => {
			for (const reason of [...reasons, 'sync', 'store'])
				assert.match(rules, new RegExp(`degraded\\{reason="${reason}"\\}`));
		});
		await stack.part(t, 'what the runbook looks for in it by hand is there', async () => {
			assert.deepEqual(looks.map((l) => [l.code, l.stderr]), [[0, ''], [0, '']]);
			assert.ok(looks[0].stdout.trim().split('\n').every((line) => line.includes('outlook_addin_store_commit_seconds')));
			assert.ok(looks[1].stdout.trim().split('\n').every((line) => line.includes('outlook_addin_notifications_total')));
			assert.match(looks[0].stdout, /^outlook_addin_store_commit_seconds_bucket\{le=/m);
			assert.match(looks[1].stdout, /^outlook_addin_notifications_total\{result="wrong_client_state"\}/m);
		});
		const promtool = findPromtool();
		await t.test('promtool finds nothing to complain about', { skip: promtool === null ? 'no promtool' : false }, () => {
			for (const text of [early, good])
				execFileSync(String(promtool), ['check', 'metrics'], { input: text });
		});
		own.close();
	});
});

test('a renewal that fails: the runbook\'s command names mailbox and answer', async () => {
	await Stack.play('renewal-fails', { config: { syncServerSubscriptionRenewalLimit: 1000 } }, async (stack) => {
		stack.expectErrors = true;
		const { mailbox } = await stack.follow(stack.mailboxes[0]);
		stack.sims.fault({ service: 'graph', op: ['renewSubscription', 'createSubscription'], kind: 'status', status: 503 });
		const book = fs.readFileSync(path.join(SOURCE_ROOT, 'docs/runbook.md'), 'utf8');
		assert.match(book, /^## OutlookAddinRenewalFails\n\n {4}outlook-addin-renew -v$/m);
		const pass = await waitFor(async () => {
			const done = await stack.renew('-v');
			return done.code === 1 ? done : null;
		}, 60_000, 'it is due, and fails');
		assert.match(pass.stdout, new RegExp(`^failed +${mailbox.tenant}/${mailbox.oid} .*(503|Graph does not answer)`, 'm'));
		const own = new Client(`http://127.0.0.1:${stack.metricsPort}`);
		assert.match((await own.get('/metrics')).text, /^outlook_addin_renew_last_run_mailboxes\{result="failed"\} 1$/m);
		own.close();
	});
});

test('one piece of work is one trace: in every request of it and in its log line', async () => {
	await Stack.play('traced', {}, async (stack) => {
		const { mailbox, conv, event } = await stack.follow(stack.mailboxes[0]);
		await stack.quiet();
		const from = Math.max(...stack.sims.requests({}).map((r) => r.seq ?? 0));
		stack.sims.editEvent(mailbox, event, { subject: 'traced' });
		await waitFor(() => stack.sims.conversation(conv.id).topic === 'traced', 10_000, 'the topic follows');
		await stack.quiet();
		const line = await waitFor(() => stack.log.find((l) => l.event === 'conversation-updated' && l.conversation === conv.id), 5000, 'its log line');
		assert.match(line.traceId, /^(?!0{32})[0-9a-f]{32}$/);
		const all = stack.sims.requests({}).filter((r) => (r.seq ?? 0) > from && r.traceparent?.includes(line.traceId));
		assert.ok(all.some((r) => r.op === 'getEvent' || r.service === 'graph'), 'the event was read in it');
		assert.ok(all.some((r) => r.service === 'unblu'), 'the topic was written in it');
		const spans = all.map((r) => r.traceparent);
		for (const one of spans)
			assert.match(one, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
		assert.equal(new Set(spans).size, spans.length, 'each request is a span of its own');
	});
});

test('nginx logs the trace that a caller sends, and only a well-formed one', async () => {
	await Stack.play('trace-log', {}, async (stack) => {
		const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
		await stack.http.request('GET', '/addin/api/links/x', { headers: { traceparent: trace, 'X-Request-Id': 'with-a-trace' } });
		await stack.http.request('GET', '/addin/api/links/x', { headers: { traceparent: `${trace}", "x":"`, 'X-Request-Id': 'without-one' } });
		const logged = (/** @type {string} */ id) => waitFor(() => parseLines(fs.readFileSync(path.join(stack.logDir, 'nginx.err'), 'utf8')).find((l) => l.requestId === id), 5000, `${id} is logged`);
		assert.equal((await logged('with-a-trace')).traceparent, trace);
		assert.equal((await logged('without-one')).traceparent, '');
	});
});
