// @ts-check
/* The PNGs of www/assets: size, transparency, and that something uses them. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { buildFolder, dataFolder, makeFolder, SOURCE_ROOT } from '../lib/build.js';

const WWW = path.join(SOURCE_ROOT, 'www');
const ASSETS = path.join(WWW, 'assets');
const PNGS = fs.readdirSync(ASSETS).filter((f) => f.endsWith('.png'));
const RGBA = 6;

/** @param {Buffer} file 8 bits of red, green, blue and alpha, not interlaced */
function readPng(file) {
	assert.equal(file.toString('latin1', 0, 8), '\x89PNG\r\n\x1a\n');
	/** @type {Buffer[]} */
	const data = [];
	for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at))
		if (file.toString('latin1', at + 4, at + 8) === 'IDAT')
			data.push(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
	const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
	const [depth, colour, , , interlace] = file.subarray(24, 29);
	assert.deepEqual({ depth, colour, interlace }, { depth: 8, colour: RGBA, interlace: 0 });
	const raw = zlib.inflateSync(Buffer.concat(data));
	const line = width * 4;
	const pixels = Buffer.alloc(line * height);
	for (let y = 0; y < height; y++)
		unfilter(raw.subarray(y * (line + 1), (y + 1) * (line + 1)), pixels, y, line);
	return { width, height, alpha: (/** @type {number} */ x, /** @type {number} */ y) => pixels[y * line + x * 4 + 3] };
}

/** @param {Buffer} row its filter first @param {Buffer} pixels @param {number} y @param {number} line */
function unfilter(row, pixels, y, line) {
	const at = y * line;
	for (let x = 0; x < line; x++) {
		const a = x >= 4 ? pixels[at + x - 4] : 0;
		const b = y > 0 ? pixels[at + x - line] : 0;
		const c = x >= 4 && y > 0 ? pixels[at + x - line - 4] : 0;
		const near = [a, b, c].sort((m, n) => Math.abs(a + b - c - m) - Math.abs(a + b - c - n))[0];
		pixels[at + x] = row[x + 1] + [0, a, b, (a + b) >> 1, near][row[0]];
	}
}

for (const name of PNGS)
	test(`${name} has the size in its name, and a transparent ground`, () => {
		const size = Number(/-(\d+)\.png$/.exec(name)?.[1]);
		const png = readPng(fs.readFileSync(path.join(ASSETS, name)));
		assert.deepEqual([png.width, png.height], [size, size]);
		for (const [x, y] of [[0, 0], [size - 1, 0], [0, size - 1], [size - 1, size - 1]])
			assert.ok(png.alpha(x, y) < 128, `corner ${x},${y}`);
		let drawn = 0;
		for (let i = 0; i < size * size; i++)
			drawn += png.alpha(i % size, Math.floor(i / size)) > 200 ? 1 : 0;
		assert.ok(drawn > size * size / 3 && drawn < size * size, `${drawn} of ${size * size} pixels are drawn`);
	});

test('all sizes are there and each is used', () => {
	const dir = makeFolder('icons');
	const config = path.join(dir, 'addin.json');
	fs.writeFileSync(config, JSON.stringify({
		deploymentUrl: 'https://addin.example', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example',
		clientId: '6f0c6a5e-0b5f-4a57-9a49-1f3c7d9b2e11', manifestMobile: true, manifestUnified: true,
	}));
	const run = spawnSync(path.join(buildFolder(), 'ctl/outlook-addinctl'), ['--config', config, 'render', '--out', path.join(dir, 'site')], { encoding: 'utf8', env: { OUTLOOK_ADDIN_DATADIR: dataFolder() } });
	assert.equal(run.status, 0, run.stderr);
	const texts = ['site/www/manifest.xml', 'site/www/manifest.json'].map((f) => fs.readFileSync(path.join(dir, f), 'utf8'));
	texts.push(...fs.readdirSync(WWW).filter((f) => f.endsWith('.html')).map((f) => fs.readFileSync(path.join(WWW, f), 'utf8')));
	fs.rmSync(dir, { recursive: true });
	const used = new Set(texts.flatMap((t) => [...t.matchAll(/assets\/([\w-]+\.png)/g)].map((m) => m[1])));
	assert.deepEqual([...used].sort(), [...PNGS].sort());
	for (const size of [16, 20, 24, 32, 40, 48, 64, 80, 96, 128])
		assert.ok(used.has(`icon-${size}.png`), `${size}`);
	for (const size of [25, 32, 48])
		for (const times of [1, 2, 3])
			assert.ok(used.has(`mobile-${size * times}.png`), `${size} at ${times}`);
});
