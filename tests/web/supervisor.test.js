// @ts-check
/* The supervisor: start, mistakes, restarts, the end. */

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { request } from '../lib/fastcgi.js';
import { body, item, longId } from '../lib/notification.js';
import { ON_POSTGRESQL } from '../lib/postgres.js';
import { descendants, parseLines } from '../lib/program.js';
import { endsOf, holdSocket, restartHeld } from '../lib/socket.js';
import { neverWithin, waitFor } from '../lib/wait.js';
import { EVENTS, Web } from './harness.js';

test('SIGTERM under load: every request that was started is answered, exit 0', async () => {
	await Web.play({}, async (web) => {
		const sub = await web.follow();
		let stopping = false;
		let answered = 0;
		/** @type {string[]} */
		const owed = [];
		/** @type {string[]} */
		const unanswered = [];
		const clients = Array.from({ length: 20 }, async (_, c) => {
			for (let i = 0; ; i++) {
				let peer;
				try {
					peer = await web.peer();
				} catch {
					assert.ok(stopping, 'nobody is refused before SIGTERM');
					return;
				}
				/* Two on one connection: the second may find it closed. */
				for (let n = 0; n < 2; n++) {
					const id = longId(`load-${c}-${i}-${n}`);
					peer.send(request('POST', EVENTS, body(item(sub, id))));
					const answer = await peer.answer(5000);
					if (answer === null) {
						if (n === 0)
							unanswered.push(id);
						break;
					}
					assert.equal(answer.status, 202);
					answered++;
					owed.push(id);
				}
				peer.close();
			}
		});
		await waitFor(() => answered > 200, 10_000, 'the load runs');
		stopping = true;
		const started = performance.now();
		const exit = await web.program?.stop(3000);
		assert.deepEqual(exit, { code: 0, signal: null });
		assert.ok(performance.now() - started < 2500);
		await Promise.all(clients);
		assert.deepEqual(unanswered, []);
		assert.ok(!fs.existsSync(web.socket), 'the socket is removed');
		const stored = new Set(await web.events());
		assert.equal(owed.filter((id) => !stored.has(id)).length, 0);
	});
});

test('while it drains, ready says so', async () => {
	await Web.play({}, async (web) => {
		const peer = await web.peer(request('GET', '/live'));
		assert.equal((await peer.answer())?.status, 200);
		web.program?.kill('SIGTERM');
		await waitFor(() => web.log.some((l) => l.event === 'draining'), 2000, 'it drains');
		peer.send(request('GET', '/ready'));
		const answer = await peer.answer(1000);
		assert.equal(answer?.status, 503);
		assert.equal(JSON.parse(answer?.body ?? '').status, 'draining');
		await web.program?.wait(3000);
	});
});

test('a killed child is there again at once, the socket never goes away', async () => {
	await Web.play({ role: '' }, async (web) => {
		for (const role of /** @type {const} */ (['web', 'sync', 'web'])) {
			const pid = await waitFor(() => web.pid(role), 5000, `${role} runs`);
			process.kill(pid, 'SIGKILL');
			/* It waits in the backlog until the next one is up. */
			assert.equal((await web.ask('GET', '/live')).status, 200);
			await waitFor(() => web.pid(role) !== pid && web.pid(role), 5000, `${role} runs again`);
		}
		assert.equal(web.log.filter((l) => l.event === 'child-died' && l.signal === 9).length, 3);
	});
});

test('a child that dies right after its start, again and again, is delayed', async () => {
	await Web.play({}, async (web) => {
		for (let i = 0; i < 5; i++) {
			const pid = await waitFor(() => web.pid(), 5000, 'web runs');
			process.kill(pid, 'SIGKILL');
			await waitFor(() => web.log.filter((l) => l.event === 'child-died').length > i, 5000, 'noticed');
		}
		const delays = web.log.filter((l) => l.event === 'child-died').map((l) => l.restartMs);
		assert.deepEqual(delays.slice(0, 2).includes(0), true);
		for (let i = 1; i < delays.length; i++)
			assert.ok(delays[i] >= delays[i - 1] && delays[i] <= 2000, JSON.stringify(delays));
		assert.ok(delays[4] >= 200);
		assert.equal((await web.ask('GET', '/live')).status, 200);
	});
});

test('kill -9 of the supervisor leaves no child', async () => {
	await Web.play({ role: '' }, async (web) => {
		const children = await waitFor(() => {
			const found = descendants(web.program?.pid ?? -1).map((c) => c.pid);
			return found.length === 2 && found;
		}, 5000, 'both children run');
		web.program?.kill('SIGKILL');
		await web.program?.ended;
		await waitFor(() => children.every((pid) => !fs.existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))), 3000, 'the children are gone');
	});
});

test('SIGTERM as soon as it has begun ends it in order', async () => {
	await Web.play({ start: false }, async (web) => {
		for (let i = 0; i < 20; i++) {
			const program = web.launch();
			/* Its name is one of the first things that it sets; before that the loader is at work. */
			const end = performance.now() + 5000;
			while (fs.readFileSync(`/proc/${program.pid}/comm`, 'utf8') !== 'addin-superviso\n')
				assert.ok(performance.now() < end, 'it begins');
			assert.deepEqual(await program.stop(), { code: 0, signal: null });
			assert.ok(!fs.existsSync(web.socket), 'the socket is removed');
		}
	});
});

test('a server that dies a moment later is not in the way of a start', async () => {
	await Web.play({ start: false }, async (web) => {
		/* As the web of a supervisor that was killed: there at the first look, gone at the next. */
		const script = `require('net').createServer(() => process.kill(process.pid, 'SIGKILL')).listen(process.argv[1], () => { require('fs').chmodSync(process.argv[1], 0o777); console.log('up'); })`;
		const dying = spawn(process.execPath, ['-e', script, web.socket], { stdio: ['ignore', 'pipe', 'inherit'] });
		const ended = new Promise((resolve) => dying.once('exit', (code, signal) => resolve(signal)));
		try {
			await new Promise((resolve) => dying.stdout.once('data', resolve));
			const program = web.launch();
			assert.equal(await ended, 'SIGKILL');
			await waitFor(async () => program.exit !== null || (await web.ask('GET', '/ready')).status === 200, 15_000, 'it is ready');
			assert.ok(program.running, web.tail());
		} finally {
			dying.kill('SIGKILL');
		}
	});
});

test('a stale socket is replaced, one that somebody listens on is not', async () => {
	await Web.play({ start: false }, async (web) => {
		const server = net.createServer().listen(web.socket);
		await new Promise((resolve) => server.once('listening', resolve));
		fs.chmodSync(web.socket, 0o777);
		const refused = await web.launch().wait(10_000);
		assert.equal(refused.code, 2);
		assert.match(web.log.map((l) => l.message).join('\n'), /another process listens on/);
		/* A copy of the name outlives the server. */
		fs.linkSync(web.socket, `${web.socket}.stale`);
		await new Promise((resolve) => server.close(resolve));
		fs.renameSync(`${web.socket}.stale`, web.socket);
		await web.start();
		assert.equal(fs.statSync(web.socket).mode & 0o777, 0o660);
	});
});

test('a socket that systemd keeps outlives the program: who comes meanwhile waits, nobody is refused', async () => {
	await Web.play({ start: false }, async (web) => {
		web.options.wrap = holdSocket(web.socket);
		const holder = await web.start();
		const sub = await web.follow();
		let over = false;
		let answered = 0;
		const clients = Array.from({ length: 8 }, async (_, c) => {
			for (let i = 0; !over; i++) {
				const peer = await web.peer(request('POST', EVENTS, body(item(sub, longId(`held-${c}-${i}`)))));
				/* null: it was taken, and then closed before it had said anything; nginx asks again. */
				const answer = await peer.answer(10_000);
				assert.ok(answer === null || answer.status === 202, JSON.stringify(answer));
				answered += answer === null ? 0 : 1;
				peer.close();
			}
		});
		for (let i = 0; i < 3; i++) {
			const at = answered;
			await Promise.race([waitFor(() => answered > at + 20, 20_000, 'answers go on'), Promise.all(clients)]);
			assert.ok(await restartHeld(holder) < 2500);
		}
		over = true;
		await Promise.all(clients);
		assert.equal(fs.statSync(web.socket).mode & 0o777, 0o660);
		const listening = fs.readFileSync('/proc/net/unix', 'utf8').split('\n').filter((l) => l.endsWith(` ${web.socket}`) && l.split(/\s+/)[3] === '00010000');
		assert.equal(listening.length, 1, 'no socket of its own');
	});
});

test('who comes to a socket of systemd while web drains is left to its successor', async () => {
	await Web.play({ start: false }, async (web) => {
		web.options.wrap = holdSocket(web.socket);
		const holder = await web.start();
		/* Half of a request: it is waited for. */
		await web.peer(request('POST', EVENTS, '{}').subarray(0, 100));
		const restarted = restartHeld(holder);
		await waitFor(() => web.log.some((l) => l.event === 'draining'), 5000, 'it drains');
		const peer = await web.peer(request('GET', '/live'));
		assert.equal((await peer.answer(10_000))?.status, 200);
		assert.equal(endsOf(holder).length, 1, 'answered by the next one');
		await restarted;
	});
});

test('a socket of systemd that is not fastcgiListen\'s is a mistake', async () => {
	await Web.play({ start: false }, async (web) => {
		web.options.wrap = holdSocket(`${web.dir}/run/other.sock`);
		const holder = web.launch();
		await waitFor(() => endsOf(holder).length > 0, 10_000, 'it ends');
		await holder.stop();
		assert.equal(endsOf(holder)[0] >> 8, 2);
		assert.match(web.log.map((l) => l.message).join('\n'), /another socket than .*ListenStream=/);
	});
});

test('a file in the place of the socket is left alone', async () => {
	await Web.play({ start: false }, async (web) => {
		fs.writeFileSync(web.socket, 'precious');
		assert.equal((await web.launch().wait(10_000)).code, 2);
		assert.equal(fs.readFileSync(web.socket, 'utf8'), 'precious');
		assert.match(web.log.map((l) => l.message).join('\n'), /is not a socket/);
	});
});

test('the run folder is made', async () => {
	await Web.play({ start: false }, async (web) => {
		fs.rmdirSync(`${web.dir}/run`);
		fs.chmodSync(web.dir, 0o777);
		await web.start();
		assert.equal(fs.statSync(`${web.dir}/run`).mode & 0o777, 0o750);
	});
});

test('nginx or the renewal that can not be kept up ends all with 1', async () => {
	/* There is no outlook-addin-renew in this PATH. */
	await Web.play({ start: false, role: '', env: { PATH: '/nonexistent' } }, async (web) => {
		const exit = await web.launch(['--renew']).wait(15_000);
		assert.equal(exit.code, 1);
		assert.equal(web.log.filter((l) => l.event === 'child-died' && l.child === 'renew').length, 5);
		assert.deepEqual(web.log.filter((l) => l.event === 'child-given-up').map((l) => [l.level, l.child]), [['error', 'renew']]);
		assert.ok(!fs.existsSync(web.socket), 'the socket is removed');
	});
});

test('--role none alone is a mistake', async () => {
	await Web.play({ start: false, role: '' }, async (web) => {
		assert.equal((await web.launch(['--role=none']).wait(10_000)).code, 2);
	});
});

test('all mistakes at the start are told in one run, each a JSON line, exit 2', async () => {
	await Web.play({ start: false, role: '', env: { CLIENT_SECRET_FILE: '/nonexistent/secret' } }, async (web) => {
		web.writeConfig({ ...web.config, deploymentUrl: 'ftp://x', tenantIds: ['nonsense'], logLevl: 'debug', SYNC: 1 });
		const exit = await web.launch(['--nonsense', '--role=nobody', 'stray']).wait(10_000);
		assert.equal(exit.code, 2);
		assert.ok(web.log.every((l) => l.time !== undefined && l.program === 'outlook-addin-fcgi'), web.tail());
		const text = web.log.map((l) => `${l.message} ${l.option ?? ''}`).join('\n');
		for (const part of ['--nonsense', 'nobody', 'stray', '$.deploymentUrl', '$.tenantIds[0]', 'logLevel', 'CLIENT_SECRET'])
			assert.ok(text.includes(part), `${part} in\n${text}`);
		assert.ok(!text.includes('canary'), 'no secret');
		assert.ok(!fs.existsSync(web.socket));
	});
});

test('no configuration, an unreadable one, no JSON: exit 2', async () => {
	await Web.play({ start: false }, async (web) => {
		for (const spoil of [() => web.writeConfig('{'), () => web.writeConfig(''), () => fs.rmSync(web.configFile)]) {
			spoil();
			assert.equal((await web.launch().wait(10_000)).code, 2);
		}
		assert.ok(web.log.every((l) => l.time !== undefined));
	});
});

/** Of a descriptor; one may have been closed meanwhile. @param {string} file */
function linkOf(file) {
	try {
		return fs.readlinkSync(file);
	} catch {
		return '';
	}
}

test('web gets no secret and only what is on the list', async () => {
	/* With PostgreSQL it does get that one: tests/postgres/failures.test.js. */
	const password = ON_POSTGRESQL ? {} : { DATABASE_PASSWORD: 'canary-database', DATABASE_PASSWORD_FILE: '/nonexistent' };
	await Web.play({ role: '', env: { ...password, LD_LIBRARY_PATH: '/nonexistent', AWS_SECRET: 'canary-aws', OUTLOOK_ADDIN_X: 'kept', LANG: 'C.UTF-8', CREDENTIALS_DIRECTORY: '/nonexistent', FAKETIME_FMT: '%s', FAKETIME_SHARED: '/of another process' } }, async (web) => {
		const pid = await waitFor(() => web.pid(), 5000, 'web runs');
		const environ = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter((v) => v !== '').map((v) => v.slice(0, v.indexOf('='))).sort();
		const sanitizers = environ.filter((n) => /SAN_OPTIONS$|^GCOV_/.test(n));
		assert.deepEqual(environ.filter((n) => !sanitizers.includes(n)), ['FAKETIME_FMT', 'LANG', 'OUTLOOK_ADDIN_CHILD', 'OUTLOOK_ADDIN_LISTEN_FD', 'OUTLOOK_ADDIN_PAGE_FD', 'OUTLOOK_ADDIN_X', 'PATH', 'TZ']);
		/* 0-2, the socket, the loops and their descriptors, the store, what requests are read from: no more. */
		const open = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)).filter((f) => f !== '/memfd:whole (deleted)');
		assert.equal(open.filter((f) => f.startsWith('/') && !f.startsWith(web.dir) && f !== '/dev/null').length, 0, open.join('\n'));
	});
});

test('nginx under the supervisor gets no secret and nothing of ours', async () => {
	await Web.play({ start: false, role: '' }, async (web) => {
		const bin = `${web.dir}/bin`;
		fs.mkdirSync(bin);
		fs.writeFileSync(`${bin}/nginx`, `#!/bin/sh
trap 'exit 0' QUIT TERM
/usr/bin/env >${web.dir}/nginx.env
/bin/ls -l /proc/$$/fd >${web.dir}/nginx.fds
echo >${web.dir}/nginx.told
while :; do /bin/sleep 0.1; done
`, { mode: 0o755 });
		fs.chmodSync(web.dir, 0o777);
		web.options.args = ['--nginx', web.dir];
		web.options.env = { PATH: bin, DATABASE_PASSWORD_FILE: '/nonexistent', CREDENTIALS_DIRECTORY: '/nonexistent' };
		await web.start();
		await waitFor(() => fs.existsSync(`${web.dir}/nginx.told`), 5000, 'nginx runs');
		assert.doesNotMatch(fs.readFileSync(`${web.dir}/nginx.env`, 'utf8'), /DATABASE_PASSWORD|SECRET|CREDENTIALS|OUTLOOK_ADDIN_(CHILD|PAGE_FD|LISTEN_FD)/);
		assert.doesNotMatch(fs.readFileSync(`${web.dir}/nginx.fds`, 'utf8'), /memfd|socket:/);
	});
});

test('nobody can look into the supervisor or sync, not even as the same user', { skip: process.getuid?.() !== 0 && 'runs as root only' }, async (t) => {
	await Web.play({ role: '' }, async (web) => {
		if (fs.readFileSync(web.parts.fcgi).includes('__asan_init'))
			return t.skip('not with a sanitizer');
		const sync = await waitFor(() => web.pid('sync'), 5000, 'sync runs');
		for (const pid of [sync, web.program?.pid]) {
			const seen = spawnSync('cat', [`/proc/${pid}/environ`], { uid: 65534, gid: 65534 });
			assert.notEqual(seen.status, 0);
			assert.equal(seen.stdout.length, 0);
		}
	});
});

test('version and help', async () => {
	await Web.play({ start: false }, async (web) => {
		assert.match(execFileSync(web.parts.fcgi, ['--version'], { encoding: 'utf8' }), /^outlook-addin-fcgi \d+\.\d+\.\d+\n$/);
		assert.match(execFileSync(web.parts.fcgi, ['--help'], { encoding: 'utf8' }), /--role ROLE/);
	});
});

test('nobody reads the log: requests are answered, and SIGTERM ends all in time', async () => {
	/* The shell keeps the reading end: the pipe is full, not broken. */
	const full = 'mkfifo log.fifo && exec 9<>log.fifo; dd if=/dev/zero of=log.fifo oflag=nonblock bs=4096 2>dd.txt; exec "$@" 2>&9';
	await Web.play({ role: '', wrap: ['sh', '-c', full, 'sh'] }, async (web) => {
		for (let i = 0; i < 20; i++)
			assert.equal((await web.notify('x')).status, 400); /* a line each */
		assert.equal((await web.ask('GET', '/live')).status, 200);
		const started = performance.now();
		assert.deepEqual(await web.program?.stop(2000), { code: 0, signal: null });
		assert.ok(performance.now() - started < 2000);
	});
});

test('closed standard descriptors do not become the store or the socket', async () => {
	await Web.play({ wrap: ['sh', '-c', 'exec "$@" <&- >&-', 'sh'] }, async (web) => {
		const pid = await waitFor(() => web.pid(), 5000, 'web runs');
		for (const fd of [0, 1])
			assert.equal(fs.readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null');
	});
});

test('it stays alive without anything to do, and nobody dies by himself', async () => {
	await Web.play({}, async (web) => {
		const pid = web.pid();
		await neverWithin(() => web.pid() !== pid, 500, 'web is another process');
		assert.equal(parseLines(fs.readFileSync(`${web.logDir}/fcgi.err`, 'utf8')).filter((l) => l.level === 'error').length, 0);
	});
});
