// @ts-check
/* scripts/release-check: what it says of checks that hold, fail or can not be done here. The checks themselves are stubs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { SOURCE_ROOT } from '../lib/build.js';

const TOOLS = ['sh', 'basename', 'cat', 'cp', 'date', 'dirname', 'grep', 'head', 'mkdir', 'rm', 'sed', 'tail', 'tr'];
/* Makes what scripts/package would have made; a bare-root that it is asked for fails when there is a file `broken`. */
const CLEAN_ROOT = `#!/bin/sh
echo "clean-root $*"
if [ "$1" = --root ]; then
	mkdir -p "$2/src/build/package" && cd "$2/src/build/package" && : >outlook-addin_1_all.deb && : >outlook-addin-dbgsym_1_all.deb
	exit
fi
case $* in *bare-root) if [ -e broken ]; then echo 'FAILED  it starts'; exit 1; fi ;; esac
`;

/** A tree with the script and stubs. @param {(run: (about: { uid?: number, without?: string, broken?: boolean }, ...args: string[]) => { status: number | null, stdout: string }) => void} body */
function withTree(body) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-release-'));
	try {
		for (const name of ['scripts', 'bin'])
			fs.mkdirSync(path.join(dir, name));
		for (const name of ['release-check', 'lib.sh'])
			fs.copyFileSync(path.join(SOURCE_ROOT, 'scripts', name), path.join(dir, 'scripts', name));
		fs.writeFileSync(path.join(dir, 'scripts/clean-root'), CLEAN_ROOT, { mode: 0o755 });
		for (const name of TOOLS)
			fs.symlinkSync(`/bin/${name}`, path.join(dir, 'bin', name));
		for (const name of ['mmdebstrap', 'unshare', 'setpriv', 'make', 'nproc', 'git'])
			fs.writeFileSync(path.join(dir, 'bin', name), '#!/bin/sh\n', { mode: 0o755 });
		/* A build that is there, and a test that can do nothing with it. */
		fs.mkdirSync(path.join(dir, 'build/main'), { recursive: true });
		for (const name of ['configure', 'config.h.in', 'Makefile.in', 'build/main/Makefile'])
			fs.writeFileSync(path.join(dir, name), '');
		fs.writeFileSync(path.join(dir, 'build/main/.options'), '--enable-werror --enable-test-hooks\n');
		fs.writeFileSync(path.join(dir, 'bin/node'), '#!/bin/sh\necho "ok 1 - two containers # SKIP no memory cgroup: EROFS"\n', { mode: 0o755 });
		body(({ uid = 0, without, broken = false }, ...args) => {
			fs.writeFileSync(path.join(dir, 'bin/id'), `#!/bin/sh\necho ${uid}\n`, { mode: 0o755 });
			if (broken)
				fs.writeFileSync(path.join(dir, 'broken'), '');
			if (without !== undefined)
				fs.rmSync(path.join(dir, 'bin', without));
			const { status, stdout } = spawnSync('/bin/sh', [path.join(dir, 'scripts/release-check'), ...args], { encoding: 'utf8', env: { PATH: path.join(dir, 'bin') } });
			return { status, stdout: stdout.replace(/\(\d+ s\)/g, '(N s)') };
		});
	} finally {
		fs.rmSync(dir, { recursive: true });
	}
}

test('each check has its line, and the last one counts; the package is built for what needs it', () => {
	withTree((run) => {
		assert.deepEqual(run({}, 'bare-root', 'demo'), { status: 0, stdout: 'ok      package (N s)\nok      bare-root (N s)\nok      demo (N s)\n3 passed, 0 failed\n' });
		assert.deepEqual(run({}, 'demo'), { status: 0, stdout: 'ok      demo (N s)\n1 passed, 0 failed\n' });
	});
});

test('one that fails shows the end of its log, and the others are done all the same', () => {
	withTree((run) => {
		const { status, stdout } = run({ broken: true }, 'bare-root', 'demo');
		assert.equal(status, 1);
		assert.match(stdout, /^FAILED {2}bare-root \(N s\), build\/release\/bare-root\.log ends with:\n {8}clean-root --with \S+\/outlook-addin_1_all\.deb tests\/package\/bare-root\n {8}FAILED {2}it starts\nok {6}demo \(N s\)\n2 passed, 1 failed\n$/m);
	});
});

test('what can not be done here is skipped with its reason, and nothing done is not a success', () => {
	withTree((run) => {
		assert.deepEqual(run({ uid: 1000 }, 'package', 'image'), { status: 1, stdout: 'skipped package: needs root\nskipped image: needs root\n2 skipped\n0 passed, 0 failed\n' });
		assert.deepEqual(run({}, 'image', 'demo'), { status: 0, stdout: 'skipped image: no buildah here\nok      demo (N s)\n1 skipped\n1 passed, 0 failed\n' });
		assert.deepEqual(run({ without: 'mmdebstrap' }, 'bare-root'), { status: 1, stdout: 'skipped package: no mmdebstrap here\nskipped bare-root: no mmdebstrap here\n2 skipped\n0 passed, 0 failed\n' });
	});
});

test('what node leaves out is not called done', () => {
	withTree((run) => assert.deepEqual(run({}, 'container'), { status: 1, stdout: 'skipped container: no memory cgroup: EROFS\n1 skipped\n0 passed, 0 failed\n' }));
});

test('a check that it does not know is a mistake, with the usage', () => {
	withTree((run) => assert.deepEqual(run({}, 'bare'), { status: 2, stdout: '' }));
});
