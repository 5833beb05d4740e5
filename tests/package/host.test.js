// @ts-check
/* What a host gets: units that systemd of Debian 12 understands and calls hardened, a site for an nginx that is there. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { findPrograms, SOURCE_ROOT } from '../lib/build.js';

const SYSTEMD = path.join(SOURCE_ROOT, 'conf/systemd');
const DEBIAN = path.join(SOURCE_ROOT, 'conf/debian');
const UNITS = fs.readdirSync(SYSTEMD);
const EXPOSURE_MAX = 2.0;

/** @param {string} file */
const read = (file) => fs.readFileSync(file, 'utf8');

/** Units with programs that exist here. @param {string} dir */
function copyUnits(dir) {
	const { fcgi, renew, ctl } = findPrograms();
	for (const unit of UNITS)
		fs.writeFileSync(path.join(dir, unit), read(path.join(SYSTEMD, unit))
			.replaceAll('/usr/libexec/outlook-addin-fcgi', fcgi)
			.replaceAll('/usr/bin/outlook-addin-renew', renew)
			.replaceAll('/usr/bin/outlook-addinctl', ctl)
			.replace(/^Documentation=.*\n/gm, ''));
}

/** @param {string} name @param {(dir: string) => void} body */
function inFolder(name, body) {
	test(name, () => {
		const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-host-'));
		try {
			body(dir);
		} finally {
			fs.rmSync(dir, { recursive: true });
		}
	});
}

inFolder('systemd has nothing to say about the units', (dir) => {
	copyUnits(dir);
	const run = spawnSync('systemd-analyze', ['verify', ...UNITS.map((u) => path.join(dir, u))], { encoding: 'utf8', env: { ...process.env, SYSTEMD_LOG_COLOR: '0' } });
	/* It also looks at units of this machine that ours name; those are not ours. */
	const ours = run.stderr.split('\n').filter((line) => line.includes('outlook-addin'));
	assert.deepEqual(ours, []);
});

for (const unit of UNITS.filter((u) => u.endsWith('.service')))
	inFolder(`systemd-analyze security calls ${unit} exposed by ${EXPOSURE_MAX} at most`, (dir) => {
		copyUnits(dir);
		const text = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', `--threshold=${EXPOSURE_MAX * 10}`, path.join(dir, unit)], { encoding: 'utf8' });
		const exposure = Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(text)?.[1]);
		assert.ok(exposure <= EXPOSURE_MAX, `${exposure}`);
	});

test('the socket is where nginx asks, of the one account, and is stopped, but not restarted, with the server', () => {
	const socket = read(path.join(SYSTEMD, 'outlook-addin.socket'));
	const { fastcgiListen } = JSON.parse(execFileSync(findPrograms().ctl, ['print', 'schema'], { encoding: 'utf8' })).properties;
	assert.match(socket, new RegExp(`^ListenStream=${fastcgiListen.default.replace(/^unix:/, '')}$`, 'm'));
	assert.match(socket, /^SocketUser=outlook-addin\nSocketGroup=outlook-addin\nSocketMode=0660$/m);
	const service = read(path.join(SYSTEMD, 'outlook-addin.service'));
	for (const line of ['Requires=outlook-addin.socket', 'PropagatesStopTo=outlook-addin.socket', 'RuntimeDirectoryPreserve=yes'])
		assert.match(service, new RegExp(`^${line}$`, 'm'));
	/* Either would close it at each restart. */
	assert.doesNotMatch(socket, /^(PartOf|BindsTo)=/m);
});

/** What a unit says of a key, the last word. @param {string} unit @param {string} key */
const says = (unit, key) => [...read(path.join(SYSTEMD, unit)).matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].pop()?.[1];

test('what ends is started again, however often, but not over a mistake in its configuration, and has its time to end', () => {
	for (const unit of ['outlook-addin.service', 'outlook-addin-nginx.service'])
		assert.deepEqual(['Restart', 'RestartSec', 'StartLimitIntervalSec'].map((key) => says(unit, key)), ['always', '1s', '0'], unit);
	const { status } = spawnSync(findPrograms().fcgi, ['--config', '/nowhere'], { stdio: 'ignore' });
	assert.equal(says('outlook-addin.service', 'RestartPreventExitStatus'), String(status));
	/* The supervisor needs less than two seconds; nginx hands out what it has begun. */
	assert.deepEqual(['TimeoutStopSec', 'KillSignal', 'KillMode'].map((key) => says('outlook-addin.service', key)), ['10s', undefined, undefined]);
	assert.deepEqual(['TimeoutStopSec', 'KillSignal', 'KillMode'].map((key) => says('outlook-addin-nginx.service', key)), ['5s', 'SIGQUIT', 'mixed']);
	assert.equal(says('outlook-addin-renew.service', 'TimeoutStartSec'), '15min');
});

test('store and sockets are the account\'s alone', () => {
	for (const unit of UNITS.filter((u) => u.endsWith('.service')))
		assert.equal(says(unit, 'UMask'), '0077', unit);
	for (const unit of ['outlook-addin.service', 'outlook-addin-renew.service'])
		assert.deepEqual([says(unit, 'StateDirectory'), says(unit, 'StateDirectoryMode')], ['outlook-addin', '0700'], unit);
	for (const unit of ['outlook-addin', 'outlook-addin-nginx'])
		assert.deepEqual([says(`${unit}.service`, 'RuntimeDirectory'), says(`${unit}.service`, 'RuntimeDirectoryMode')], [unit, '0750'], unit);
});

/** The commands that a script of the package gives. @param {string} dir @param {string} script @param {string} argument */
function commandsOf(dir, script, argument) {
	const log = path.join(dir, 'log');
	fs.writeFileSync(log, '');
	for (const name of ['adduser', 'install', 'rm'])
		fs.writeFileSync(path.join(dir, name), `#!/bin/sh\necho "\${0##*/} $*" >>${log}\n`, { mode: 0o755 });
	const { status, stderr } = spawnSync('/bin/sh', [path.join(DEBIAN, `outlook-addin.${script}`), argument], { encoding: 'utf8', env: { PATH: dir } });
	assert.equal(status, 0, stderr);
	return read(log).trim().split('\n').filter((l) => l !== '');
}

inFolder('the package makes its account before the folder of the store, and a purge leaves neither store nor secrets', (dir) => {
	const [account, folder, ...more] = commandsOf(dir, 'postinst', 'configure');
	assert.match(account, /^adduser --system --group .*--no-create-home --home \/var\/lib\/outlook-addin .*\boutlook-addin$/);
	assert.equal(folder, 'install -d -o outlook-addin -g outlook-addin -m 0700 /var/lib/outlook-addin');
	assert.deepEqual([...more, ...commandsOf(dir, 'postinst', 'abort-upgrade'), ...commandsOf(dir, 'postrm', 'remove'), ...commandsOf(dir, 'postrm', 'upgrade')], []);
	assert.deepEqual(commandsOf(dir, 'postrm', 'purge'), ['rm -rf /var/lib/outlook-addin', 'rm -f /etc/outlook-addin/CLIENT_SECRET /etc/outlook-addin/SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET /etc/outlook-addin/DATABASE_PASSWORD']);
	/* Of debhelper: else the units are neither known to systemd nor forgotten. */
	for (const script of ['postinst', 'postrm'])
		assert.match(read(path.join(DEBIAN, `outlook-addin.${script}`)), /^#DEBHELPER#$/m);
});

test('the server may restrict itself further', () => {
	/* Under a filter without these web runs unconfined, with a warning only; 252 has no group for them. */
	for (const call of ['landlock_create_ruleset', 'landlock_add_rule', 'landlock_restrict_self', 'seccomp'])
		assert.match(read(path.join(SYSTEMD, 'outlook-addin.service')), new RegExp(`^SystemCallFilter=@system-service .*\\b${call}\\b`, 'm'));
});

test('all of the units and the line for cron use one account and one folder of secrets', () => {
	for (const unit of UNITS.filter((u) => u.endsWith('.service')))
		assert.match(read(path.join(SYSTEMD, unit)), /^User=outlook-addin\nGroup=outlook-addin\n/m, unit);
	const folder = 'CREDENTIALS_DIRECTORY=/etc/outlook-addin';
	assert.match(read(path.join(SYSTEMD, 'outlook-addin.service')), new RegExp(`^Environment=${folder}$`, 'm'));
	assert.match(read(path.join(SYSTEMD, 'outlook-addin-renew.service')), new RegExp(`^Environment=${folder}$`, 'm'));
	assert.doesNotMatch(read(path.join(SYSTEMD, 'outlook-addin-nginx.service')), /CREDENTIALS|SECRET/);
	const cron = read(path.join(DEBIAN, 'outlook-addin.cron.d'));
	assert.match(cron, new RegExp(`^${folder}$`, 'm'));
	/* cron of Debian ignores a file whose last line has no end. */
	assert.match(cron, /^\* \* \* \* \* outlook-addin test -d \/run\/systemd\/system \|\| exec outlook-addin-renew\n$/m);
});

inFolder('the timer is what outlook-addinctl prints for the default interval', (dir) => {
	const file = path.join(dir, 'addin.json');
	fs.writeFileSync(file, JSON.stringify({ deploymentUrl: 'https://addin.example', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example', clientId: '11111111-2222-3333-4444-555555555555' }));
	const printed = execFileSync(findPrograms().ctl, ['--config', file, 'print', 'systemd'], { encoding: 'utf8' });
	const section = (/** @type {string} */ text) => /^\[Timer\]\n[^[]*/m.exec(text)?.[0].trim();
	assert.equal(section(read(path.join(SYSTEMD, 'outlook-addin-renew.timer'))), section(printed));
});

test('the package has the version of the programs', () => {
	const version = read(path.join(SOURCE_ROOT, 'VERSION')).trim();
	assert.match(read(path.join(DEBIAN, 'changelog')), new RegExp(`^outlook-addin \\(${version.replaceAll('.', '\\.')}\\) `));
});

test('the package is built with what scripts/build-packages names', () => {
	const control = read(path.join(DEBIAN, 'control'));
	const libraries = read(path.join(SOURCE_ROOT, 'scripts/build-packages')).split('\n').filter((p) => /^lib(?!c6)/.test(p) || p === 'pkg-config');
	assert.ok(libraries.length >= 5);
	for (const name of libraries)
		assert.match(control, new RegExp(`\\b${name}\\b`), name);
});

inFolder('nginx accepts the site', (dir) => {
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=x', '-keyout', `${dir}/key.pem`, '-out', `${dir}/cert.pem`], { stdio: 'ignore' });
	const site = read(path.join(SOURCE_ROOT, 'conf/nginx-site.conf')).replace(/\/etc\/ssl\/certs\/\S+(?=;)/, `${dir}/cert.pem`).replace(/\/etc\/ssl\/private\/\S+(?=;)/, `${dir}/key.pem`);
	fs.writeFileSync(`${dir}/nginx.conf`, `pid ${dir}/pid; error_log stderr; events {} http { client_body_temp_path ${dir}/b; proxy_temp_path ${dir}/p; fastcgi_temp_path ${dir}/f; scgi_temp_path ${dir}/s; uwsgi_temp_path ${dir}/u;\n${site}\n}\n`);
	const run = spawnSync('nginx', ['-t', '-e', 'stderr', '-p', dir, '-c', 'nginx.conf'], { encoding: 'utf8', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
	assert.equal(run.status, 0, run.stderr);
	assert.doesNotMatch(run.stderr, /warn/);
	/* The rendered nginx logs, without the query; this one would log with it. */
	assert.match(site, /^\taccess_log off;/m);
});
