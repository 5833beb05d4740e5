// @ts-check
/*
 * The two containers of a pod, read-only, without any privilege, 32 MiB each; and the original's Deployment,
 * one container with its configuration at the original's path. With IMAGE_ROOT the tree of the image.
 */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { freePort } from '../lib/http.js';
import { body, item } from '../lib/notification.js';
import { Postgres } from '../lib/postgres.js';
import { descendants } from '../lib/program.js';
import { sendStorm } from '../lib/storm.js';
import { waitFor } from '../lib/wait.js';
import { ACCOUNT, Cgroup, Pod } from './pod.js';

const NOTIFICATIONS = 24_000;
const PER_POST = 4;
const SECONDS = 5;
const DRAIN_MS = 2000;
/* The image's HEALTHCHECK. */
const HEALTH = ['outlook-addinctl', 'health'];
const skip = process.getuid?.() !== 0 ? 'containers need root' : Cgroup.missing() ?? false;

/** @param {Pod} pod @param {string[]} bodies @param {number} seconds */
const storm = (pod, bodies, seconds) => sendStorm(pod.dir, { port: pod.port, path: '/addin/webhook/events', seconds, connections: 64, bodies });

/** What the kernel says of a process. @param {number} pid @param {string} key */
const status = (pid, key) => new RegExp(`^${key}:\\s+(\\S+)`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

/** @param {import('./pod.js').Container} container */
function assertUnprivileged(container) {
	const all = descendants(container.pid);
	assert.ok(all.length >= 2);
	for (const { pid, argv } of all) {
		assert.equal(status(pid, 'CapEff'), '0000000000000000', argv.join(' '));
		assert.equal(status(pid, 'CapBnd'), '0000000000000000');
		assert.equal(status(pid, 'NoNewPrivs'), '1');
		assert.equal(status(pid, 'Uid'), String(ACCOUNT.uid));
	}
	assert.match(fs.readFileSync(`/proc/${all[0].pid}/mountinfo`, 'utf8'), /^\S+ \S+ \S+ \S+ \/ ro[, ]/m, 'the root is read-only');
}

test('two containers of 32 MiB, read-only and unprivileged, outlive a storm and drain', { skip }, async (t) => {
	await Pod.play('pod', { start: false, config: { notificationDebounceMs: 1000, logLevel: 'info' }, settings: { validate: 'off' }, logSize: 100 }, async (pod) => {
		const nginx = pod.container('nginx', ['nginx'], { mib: 32 });
		const renew = pod.container('renew', ['renew', '--loop'], { mib: 32, secrets: 'volume' });
		await pod.part(t, 'the health check of the image says alive of nginx and of the renewal, each by itself', async () => {
			for (const container of [nginx, renew])
				await waitFor(async () => (await container.exec(...HEALTH)).stdout === 'alive\n', 10_000, container.name);
			/* Nobody listens there, and somebody who is no HTTP server. */
			const peer = net.createServer((socket) => socket.on('error', () => {}).end('no HTTP at all'));
			await new Promise((resolve) => peer.listen(0, '127.0.0.1', () => resolve(null)));
			const { port } = /** @type {net.AddressInfo} */ (peer.address());
			for (const [listen, want] of /** @type {[string, RegExp][]} */ ([[`127.0.0.1:${await freePort()}`, /^outlook-addinctl: not alive: nginx at 127\.0\.0\.1:\d+: connect: Connection refused$/m], [`${port}`, /not alive: nginx at \d+: no answer$/m]])) {
				fs.writeFileSync(path.join(pod.podDir, 'config/other.json'), JSON.stringify({ ...JSON.parse(fs.readFileSync(path.join(pod.podDir, 'config/addin.json'), 'utf8')), httpListen: listen }));
				const done = await nginx.exec('outlook-addinctl', '--config', '/etc/outlook-addin/other.json', 'health');
				assert.equal(done.code, 1);
				assert.match(done.stderr, want);
			}
			peer.close();
		});
		const fcgi = pod.container('fcgi', ['fcgi'], { mib: 32, secrets: 'volume' });
		await pod.ready();

		await pod.part(t, 'nothing in them has a privilege or can write to the root', async () => {
			assertUnprivileged(fcgi);
			assertUnprivileged(nginx);
			const touch = pod.container('touch', ['/usr/x'], { mib: 32, entry: '/usr/bin/touch' });
			assert.notEqual((await touch.wait(5000)).code, 0);
			assert.match(touch.stderr, /Read-only file system/);
		});

		await pod.part(t, 'the health check of the image says alive of web', async () => {
			assert.deepEqual(await fcgi.exec(...HEALTH), { code: 0, stdout: 'alive\n', stderr: '' });
			/* As a container of its own, beside it. */
			const health = pod.container('health', ['ctl', 'health'], { mib: 32 });
			assert.deepEqual(await health.wait(5000), { code: 0, signal: null });
			assert.equal(health.stdout, 'alive\n');
		});

		/** @type {import('../lib/stack.js').Followed[]} */
		let links = [];
		await pod.part(t, 'a conversation follows its event', async () => {
			const [mailbox] = pod.mailboxes;
			links = (await pod.followMany(mailbox, 8)).links;
			pod.sims.editEvent(mailbox, links[0].event, { subject: 'Moved in the pod', start: links[0].start });
			await waitFor(() => pod.sims.conversation(links[0].conv.id).topic === 'Moved in the pod', 10_000, 'the topic follows');
		});

		await pod.part(t, 'a storm is taken without a kill', async () => {
			const all = Array.from({ length: NOTIFICATIONS }, (_, i) => item(links[i % links.length].sub, links[i % links.length].event.id));
			const bodies = Array.from({ length: NOTIFICATIONS / PER_POST }, (_, i) => body(...all.slice(i * PER_POST, (i + 1) * PER_POST)));
			const sent = await storm(pod, bodies, SECONDS);
			assert.deepEqual(sent.statuses, { 202: bodies.length });
			t.diagnostic(`fcgi ${fcgi.cgroup.mib.toFixed(1)} MiB, nginx ${nginx.cgroup.mib.toFixed(1)} MiB, renew ${renew.cgroup.mib.toFixed(1)} MiB, p99 ${sent.p99.toFixed(0)} ms`);
			for (const container of [fcgi, nginx, renew]) {
				assert.equal(container.cgroup.kills, 0, container.name);
				assert.ok(container.running, container.name);
			}
			assert.doesNotMatch(fcgi.stderr, /"event":"child-died"/);
			await pod.idle(30_000);
		});

		await pod.part(t, 'SIGTERM ends each in time, under load, and nothing that was answered 202 is lost', async () => {
			const [link] = links;
			pod.sims.editEvent(link.mailbox, link.event, { subject: 'Edited before the end', start: link.start });
			const answer = await pod.http.post('/addin/webhook/events', body(item(link.sub, link.event.id)));
			assert.equal(answer.status, 202);
			const load = storm(pod, Array.from({ length: 2000 }, () => body(item(link.sub, link.event.id))), 2).catch(() => null);
			for (const container of [nginx, fcgi, renew]) {
				const ms = await container.drain();
				assert.ok(ms < DRAIN_MS, `${container.name}: ${ms.toFixed(0)} ms`);
			}
			await load;
			pod.container('fcgi', ['fcgi'], { mib: 32, secrets: 'volume' });
			await waitFor(() => pod.sims.conversation(link.conv.id).topic === 'Edited before the end', 15_000, 'the topic follows after the restart');
		});
	});
});

test('a replica on PostgreSQL: the same containers without a volume, the renewal in one of its own', { skip }, async (t) => {
	const port = await freePort();
	const server = new Postgres([], port);
	const postgres = server.database();
	/* As in a cluster: by network, with the password from a file. */
	await postgres.query("ALTER ROLE outlook PASSWORD 'canary-database-password'");
	const rules = path.join(server.dir, 'data/pg_hba.conf');
	fs.writeFileSync(rules, `host all all 127.0.0.1/32 scram-sha-256\n${fs.readFileSync(rules, 'utf8')}`);
	await postgres.query('SELECT pg_reload_conf()');
	const env = { OUTLOOK_ADDIN_DATABASE: `postgresql://outlook@127.0.0.1:${port}/${postgres.name}?sslmode=disable`, DATABASE_PASSWORD_FILE: '/etc/outlook-addin-secrets/password' };
	try {
		await Pod.play('pod-postgres', { start: false, postgres, config: { notificationDebounceMs: 200, logLevel: 'info' }, settings: { validate: 'off' }, logSize: 100 }, async (pod) => {
			fs.writeFileSync(path.join(pod.secretsDir, 'password'), 'canary-database-password\n', { mode: 0o440 });
			pod.secrets.push('canary-database-password');
			fs.chownSync(path.join(pod.secretsDir, 'password'), 0, ACCOUNT.gid);
			const fcgi = pod.container('fcgi', ['fcgi'], { mib: 32, secrets: 'volume', env });
			const nginx = pod.container('nginx', ['nginx'], { mib: 32 });
			await pod.ready();

			await pod.part(t, 'a storm is taken without a kill, and conversations follow', async () => {
				const { links } = await pod.followMany(pod.mailboxes[0], 8);
				const bodies = Array.from({ length: 1500 }, (_, i) => body(...[0, 1, 2, 3].map((n) => item(links[(i + n) % 8].sub, links[(i + n) % 8].event.id))));
				const sent = await storm(pod, bodies, 2);
				assert.deepEqual(sent.statuses, { 202: bodies.length });
				pod.sims.editEvent(links[0].mailbox, links[0].event, { subject: 'After the storm', start: links[0].start });
				await waitFor(() => pod.sims.conversation(links[0].conv.id).topic === 'After the storm', 15_000, 'the topic follows');
			});

			await pod.part(t, 'one pass of the renewal, as the CronJob makes it', async () => {
				const renew = pod.container('renew', ['renew'], { mib: 32, secrets: 'volume', env });
				assert.deepEqual(await renew.wait(10_000), { code: 0, signal: null }, renew.stderr);
				assert.equal(renew.stderr.trim().split('\n').length, 1, renew.stderr);
			});

			t.diagnostic(`fcgi ${fcgi.cgroup.mib.toFixed(1)} MiB, nginx ${nginx.cgroup.mib.toFixed(1)} MiB`);
			for (const container of [fcgi, nginx])
				assert.equal(container.cgroup.kills, 0, container.name);
			for (const container of [nginx, fcgi])
				assert.ok(await container.drain() < DRAIN_MS);
		});
	} finally {
		server.stop();
	}
});

test('the Deployment of the original runs: one container, its file at the original path, no volume', { skip }, async (t) => {
	await Pod.play('original', { start: false, config: { logLevel: 'info' } }, async (pod) => {
		const all = pod.container('all', [], { mib: 128, secrets: 'environment', writable: true });
		await pod.ready();
		const first = all.first.pid;
		/** @param {RegExp} name */
		const find = (name) => descendants(first).find((p) => name.test(p.argv.join(' ')));

		await pod.part(t, 'one supervisor has nginx, web, sync and the renewal', async () => {
			assert.match(fs.readFileSync(`/proc/${first}/status`, 'utf8'), /^NSpid:\s+\d+\s+1$/m, 'it is process 1');
			for (const name of [/^nginx: master/, /--role web/, /--role sync/, /^outlook-addin-renew --loop/])
				assert.ok(await waitFor(() => find(name), 5000, String(name)));
			assert.match(all.stderr, /"event":"state-ephemeral"/);
		});

		await pod.part(t, 'the health check of the image says alive', async () => {
			assert.deepEqual(await all.exec(...HEALTH), { code: 0, stdout: 'alive\n', stderr: '' });
		});

		await pod.part(t, 'only sync and the renewal have the secrets', () => {
			for (const name of [/^nginx: master/, /--role web/])
				assert.doesNotMatch(fs.readFileSync(`/proc/${find(name)?.pid}/environ`, 'utf8'), /SECRET/);
			assert.match(fs.readFileSync(`/proc/${find(/--loop/)?.pid}/environ`, 'utf8'), /CLIENT_SECRET=/);
		});

		await pod.part(t, 'a conversation follows its event', async () => {
			const link = await pod.follow(pod.mailboxes[0]);
			pod.sims.editEvent(link.mailbox, link.event, { subject: 'Moved', start: link.start });
			await waitFor(() => pod.sims.conversation(link.conv.id).topic === 'Moved', 10_000, 'the topic follows');
		});

		await pod.part(t, 'nginx and the renewal are started again', async () => {
			for (const name of [/^nginx: master/, /--loop/]) {
				const old = /** @type {{ pid: number }} */ (find(name)).pid;
				process.kill(old, 'SIGTERM');
				await waitFor(() => find(name)?.pid !== old && find(name), 5000, `${name} again`);
			}
			await pod.ready();
		});

		await pod.part(t, 'SIGTERM ends it in time, and what nginx has taken is answered', async () => {
			const [link] = (await pod.followMany(pod.mailboxes[1], 1)).links;
			const text = body(item(link.sub, link.event.id));
			/* nginx has begun to read it once it says 100. */
			const peer = net.connect(pod.port, '127.0.0.1');
			let seen = '';
			peer.on('data', (data) => {
				seen += data;
			});
			peer.write(`POST /addin/webhook/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nExpect: 100-continue\r\n\r\n`);
			await waitFor(() => seen.startsWith('HTTP/1.1 100'), 5000, 'nginx waits for the body');
			const ended = all.drain();
			await waitFor(() => /"event":"stopping"/.test(all.stderr), 1000, 'it is ending');
			peer.write(text);
			const ms = await ended;
			assert.match(seen, /^HTTP\/1.1 202 /m);
			assert.ok(ms < DRAIN_MS, `${ms.toFixed(0)} ms`);
		});
	});
});
