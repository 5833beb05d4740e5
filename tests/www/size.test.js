// @ts-check
/* What render serves: scripts that are still scripts, and how much a click loads. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { dataFolder, findPrograms } from '../lib/build.js';

const KIB = 1024;
const CONFIG = {
	deploymentUrl: 'https://addin.example.com/', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://gw.example.com/gateway', clientId: '5f2a6d1e-7c34-4b0e-9a51-3c8f0d2b7e11', tenantIds: ['84bd8158-0000-4000-8000-00000000000a'],
};

/** The folder that nginx serves. @param {any} t */
function rendered(t) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'size-'));
	t.after(() => fs.rmSync(dir, { recursive: true }));
	fs.writeFileSync(path.join(dir, 'addin.json'), JSON.stringify(CONFIG));
	execFileSync(findPrograms().ctl, ['--config', path.join(dir, 'addin.json'), 'render', '--out', path.join(dir, 'out')], { stdio: 'pipe', env: { ...process.env, OUTLOOK_ADDIN_DATADIR: dataFolder() } });
	return path.join(dir, 'out/www');
}

/** The modules that one loads at once, itself included. @param {string} www @param {string} file @param {Set<string>} [seen] */
function loaded(www, file, seen = new Set()) {
	if (seen.has(file))
		return seen;
	seen.add(file);
	for (const m of fs.readFileSync(path.join(www, file), 'utf8').matchAll(/^(?:import|export)\b[^;]*?\bfrom '\.\/([\w-]+\.js)'/gm))
		loaded(www, `js/${m[1]}`, seen);
	return seen;
}

test('what a click loads of ours is small, and the page asks for exactly that ahead', (t) => {
	const www = rendered(t);
	const modules = loaded(www, 'js/commands.js');
	const html = fs.readFileSync(path.join(www, 'commands.html'), 'utf8');
	const ahead = [...html.matchAll(/rel="modulepreload" href="[^"]*?(js\/[\w-]+\.js)"/g)].map((m) => m[1]);
	assert.deepEqual(ahead.sort(), [...modules].filter((m) => m !== 'js/commands.js').sort());
	const size = (/** @type {string} */ f) => fs.statSync(fs.existsSync(path.join(www, `${f}.gz`)) ? path.join(www, `${f}.gz`) : path.join(www, f)).size;
	const texts = ['en', 'de', 'fr', 'it'].map((l) => size(`strings/${l}.json`));
	const ours = ['commands.html', 'config.json', ...modules].reduce((sum, f) => sum + size(f), Math.max(...texts));
	t.diagnostic(`${modules.size} modules, ${ours} bytes of ours, ${ours + size('vendor/msal-browser.min.js')} with MSAL`);
	assert.ok(ours <= 20_000, `${ours} bytes`);
	assert.ok(ours + size('vendor/msal-browser.min.js') <= 120 * KIB);
});

test('without their comments the scripts mean the same', (t) => {
	const www = rendered(t);
	for (const name of fs.readdirSync(path.join(www, 'js')).filter((f) => f.endsWith('.js'))) {
		const file = path.join(www, 'js', name);
		const source = fs.readFileSync(path.join(dataFolder(), 'www/js', name), 'utf8');
		const copy = path.join(www, `${name}.${name === 'launchevent.js' ? 'cjs' : 'mjs'}`);
		fs.copyFileSync(file, copy);
		execFileSync(process.execPath, ['--check', copy], { stdio: 'pipe' });
		assert.equal(fs.readFileSync(file, 'utf8').split('\n').length, source.split('\n').length, `${name}: lines`);
		/* A text over several lines would lose its indentation. */
		assert.deepEqual(source.split('\n').filter((l) => !/^\s*(\/?\*|\/\/)/.test(l) && (l.match(/`/g) ?? []).length % 2 === 1 && !/\/.*`.*\//.test(l)), [], name);
	}
});
