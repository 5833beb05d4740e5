// @ts-check
/* The manifests that render writes: against Microsoft's schemas, and against what those do not see. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { buildFolder, dataFolder, makeFolder } from '../lib/build.js';
import { manifestComplaints } from '../lib/manifest.js';
import { complaints } from '../lib/schema.js';
import { xmlFind, xmlRead } from '../lib/xml.js';
import { specsFolder } from '../sim/lib/checks.js';

const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');
const XSD = path.join(specsFolder(), 'office-manifest-xsd');
const UNIFIED = path.join(specsFolder(), 'unified-manifest');
const NO_XSD = fs.existsSync(XSD) ? spawnSync('xmllint', ['--version']).error ? 'xmllint is not installed' : false : `no schemas in ${XSD}`;
const NO_UNIFIED = fs.existsSync(UNIFIED) ? false : `no schemas in ${UNIFIED}`;
const BASE = 'https://addin.example/addin/';
const ID = '6f0c6a5e-0b5f-4a57-9a49-1f3c7d9b2e11';

const dir = makeFolder('manifest');
after(() => fs.rmSync(dir, { recursive: true, force: true }));
let folders = 0;

/** @param {Record<string, any>} keys @param {string} [site] a folder that is there already */
function render(keys, site = path.join(dir, `site-${++folders}`)) {
	const config = path.join(dir, 'addin.json');
	fs.writeFileSync(config, JSON.stringify({ deploymentUrl: 'https://addin.example', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example', clientId: ID, ...keys }));
	const run = spawnSync(CTL, ['--config', config, 'render', '--out', site], { encoding: 'utf8', env: { PATH: process.env.PATH, OUTLOOK_ADDIN_DATADIR: dataFolder() } });
	const file = (/** @type {string} */ name) => fs.readFileSync(path.join(site, 'www', name), 'utf8');
	return { site, status: run.status, stderr: run.stderr, file, xml: () => file('manifest.xml'), version: () => xmlFind(xmlRead(file('manifest.xml')), 'Version')[0].text };
}

/** What xmllint says, '' when valid. @param {string} file */
function xsd(file) {
	const run = spawnSync('xmllint', ['--noout', '--schema', path.join(XSD, 'OfficeAppManifestV1_1.xsd'), file], { encoding: 'utf8' });
	return run.status === 0 ? '' : run.stderr;
}

const VARIANTS = [
	{}, { showDebugPane: true }, { manifestMobile: true }, { manifestSendCheck: true },
	{ showDebugPane: true, manifestMobile: true, manifestSendCheck: true },
	{ providerName: 'A & <B> "C" \'D\' \u{1f600}', supportUrl: 'https://help.example/~a-b' },
	{ deploymentAddinEndpoint: '/' }, { deploymentAddinEndpoint: 'a/b.c', addinId: '11111111-2222-3333-4444-555555555555' },
	{ providerName: 'x'.repeat(125) },
];
for (const keys of VARIANTS)
	test(`manifest.xml is valid with ${JSON.stringify(keys).slice(0, 90)}`, { skip: NO_XSD }, () => {
		const made = render(keys);
		assert.equal(made.status, 0, made.stderr);
		assert.equal(xsd(path.join(made.site, 'www/manifest.xml')), '');
		const base = `https://addin.example/${(keys.deploymentAddinEndpoint ?? 'addin').replace(/^\//, '')}`.replace(/([^/])$/, '$1/');
		assert.deepEqual(manifestComplaints(xmlRead(made.xml()), made.xml(), { base }), []);
	});

test('it says what was configured', () => {
	const root = xmlRead(render({ providerName: 'A & <B> "C"', supportUrl: 'https://help.example/a', addinId: 'AAAAAAAA-2222-3333-4444-555555555555' }).xml());
	assert.equal(xmlFind(root, 'ProviderName')[0].text, 'A & <B> "C"');
	assert.equal(xmlFind(root, 'SupportUrl')[0].attributes.DefaultValue, 'https://help.example/a');
	assert.equal(xmlFind(root, 'Id')[0].text, 'aaaaaaaa-2222-3333-4444-555555555555');
	assert.deepEqual(xmlFind(root, 'AppDomain').map((e) => e.text), ['https://addin.example', 'https://login.microsoftonline.com']);
	const plain = xmlRead(render({}).xml());
	assert.equal(xmlFind(plain, 'ProviderName')[0].text, 'addin.example');
	assert.equal(xmlFind(plain, 'SupportUrl')[0].attributes.DefaultValue, `${BASE}index.html`);
	assert.equal(xmlFind(plain, 'Id')[0].text, ID);
	assert.equal(xmlFind(plain, 'Permissions')[0].text, 'ReadWriteItem');
});

test('each variant has its part and no other has it', () => {
	const has = (/** @type {string} */ xml) => ({ debug: xml.includes('unbluDebugButton') && xml.includes('taskpane.html?debug=1'), mobile: xml.includes('MobileOnlineMeetingCommandSurface'), send: xml.includes('SendMode="PromptUser"') && xml.includes('js/launchevent.js') });
	assert.deepEqual(has(render({}).xml()), { debug: false, mobile: false, send: false });
	assert.deepEqual(has(render({ showDebugPane: true }).xml()), { debug: true, mobile: false, send: false });
	assert.deepEqual(has(render({ manifestMobile: true }).xml()), { debug: false, mobile: true, send: false });
	assert.deepEqual(has(render({ manifestSendCheck: true }).xml()), { debug: false, mobile: false, send: true });
});

test('what it points to is there', () => {
	const made = render({ manifestMobile: true, manifestSendCheck: true });
	const pages = new Set(['commands.html', 'taskpane.html']);
	for (const [, file] of made.xml().matchAll(/="https:\/\/addin\.example\/addin\/([^"?]*)/g))
		if (!pages.has(file))
			assert.ok(fs.existsSync(path.join(made.site, 'www', file)), file);
});

test('with a loopback http deploymentUrl it is written all the same', () => {
	const made = render({ deploymentUrl: 'http://127.0.0.1:8080' });
	assert.equal(made.status, 0, made.stderr);
	assert.deepEqual(manifestComplaints(xmlRead(made.xml()), made.xml(), { base: 'http://127.0.0.1:8080/addin/', plain: true }), []);
});

test('a name that does not fit is refused, and leaves what was there', () => {
	const made = render({});
	const before = made.xml();
	for (const keys of [{ providerName: '\u00fc'.repeat(126) }, { providerName: 'x'.repeat(33), manifestUnified: true }, { deploymentUrl: `https://${'h'.repeat(60)}.example`, manifestUnified: true }]) {
		const again = render(keys, made.site);
		assert.equal(again.status, 2);
		assert.match(again.stderr, /providerName/);
	}
	assert.equal(made.xml(), before);
});

test('the Version rises with each change, and only then', () => {
	const product = fs.readFileSync(new URL('../../VERSION', import.meta.url), 'utf8').trim();
	const first = render({});
	assert.equal(first.version(), `${product}.0`);
	const turns = /** @type {[Record<string, any>, string][]} */ ([
		[{}, '0'], [{ fallbackTopic: 'not in the manifest' }, '0'], [{ providerName: 'A' }, '1'], [{ providerName: 'A' }, '1'], [{ providerName: 'B' }, '2'], [{}, '3'],
		[{ showDebugPane: true }, '4'], [{ showDebugPane: true, manifestRevision: 3 }, '4'], [{ showDebugPane: true, manifestRevision: 9 }, '9'], [{ manifestRevision: 9 }, '10'], [{}, '10'],
	]);
	for (const [keys, revision] of turns) {
		const made = render(keys, first.site);
		assert.equal(made.status, 0, made.stderr);
		assert.equal(made.version(), `${product}.${revision}`, JSON.stringify(keys));
	}
	assert.equal(render({ manifestRevision: 7 }).version(), `${product}.7`, 'in a folder that has none');
	assert.match(render({ providerName: 'C' }, first.site).stderr, /manifest\.xml has Version [\d.]+\.11/, 'render says so');
});

test('whatever lies where the last manifest was, a sound one is written', () => {
	const made = render({});
	const file = path.join(made.site, 'www/manifest.xml');
	for (const [text, want] of /** @type {[string, RegExp][]} */ ([
		['', /\.0$/], ['<Version>', /\.0$/], ['<a><Version>1</Version>', /\.0$/], ['<a><Version>9.9.9.99999</Version>', /\.0$/], ['<a><Version>-1.0.0.0</Version>', /\.0$/],
		['<a><Version>7.0.0.65535</Version>', /^7\.0\.1\.0$/], ['<a><Version>9.999999999999999999.0.0.0</Version>', /\.0$/], ['x'.repeat(300_000), /\.0$/],
	])) {
		fs.writeFileSync(file, text);
		assert.equal(render({}, made.site).status, 0);
		assert.match(made.version(), want, text.slice(0, 60));
	}
});

/** @param {Record<string, any>} keys */
function unified(keys) {
	const made = render({ manifestUnified: true, ...keys });
	assert.equal(made.status, 0, made.stderr);
	return { made, doc: JSON.parse(made.file('manifest.json')), texts: ['de', 'fr', 'it'].map((l) => JSON.parse(made.file(`manifest.${l}.json`))) };
}

for (const keys of [{}, { showDebugPane: true, manifestSendCheck: true, manifestMobile: true }, { providerName: '"<&> \u{1f600}', supportUrl: 'https://help.example/' }])
	test(`manifest.json is valid with ${JSON.stringify(keys)}`, { skip: NO_UNIFIED }, () => {
		const schema = (/** @type {string} */ name) => JSON.parse(fs.readFileSync(path.join(UNIFIED, `MicrosoftTeams-v1.30.${name}schema.json`), 'utf8'));
		const { made, doc, texts } = unified(keys);
		assert.deepEqual(complaints(schema(''), doc), []);
		for (const text of texts)
			assert.deepEqual(complaints(schema('Localization.'), text), []);
		assert.ok(complaints(schema(''), { ...doc, id: 'x' }).length > 0);
		assert.ok(complaints(schema(''), { ...doc, extensions: [{ ...doc.extensions[0], ribbons: [{ ...doc.extensions[0].ribbons[0], contexts: ['meeting'] }] }] }).length > 0);
		assert.ok(complaints(schema('Localization.'), { ...texts[0], 'name.short': 'x'.repeat(31) }).length > 0);
		for (const icon of Object.values(doc.icons))
			assert.ok(fs.existsSync(path.join(made.site, 'www', icon)), icon);
	});

test('manifest.json: its actions exist, its texts are where they are looked for, its version follows', () => {
	const { made, doc, texts } = unified({ showDebugPane: true, manifestSendCheck: true });
	const [extension] = doc.extensions;
	const actions = extension.runtimes.flatMap((/** @type {any} */ r) => r.actions.map((/** @type {any} */ a) => a.id));
	const asked = [...extension.ribbons[0].tabs[0].groups[0].controls, ...extension.autoRunEvents[0].events].map((/** @type {any} */ c) => c.actionId);
	assert.deepEqual([...asked].sort(), [...actions].sort());
	for (const text of texts)
		for (const key of Object.keys(text))
			assert.equal(typeof key.split(/[.[\]]+/).filter((k) => k !== '').reduce((node, k) => node[k], doc), 'string', key);
	const [major, minor, patch] = doc.version.split('.').map(Number);
	assert.equal(`${major}.${minor}.${Math.floor(patch / 100_000)}.${patch % 100_000}`, made.version());
	assert.equal(doc.id, ID);
	const later = render({ manifestUnified: true }, made.site);
	assert.equal(JSON.parse(later.file('manifest.json')).version, `${major}.${minor}.${patch + 1}`);
	assert.equal(fs.existsSync(path.join(render({}, made.site).site, 'www/manifest.json')), false, 'gone when it is not wanted');
});

test('manifest.json needs an https deploymentUrl', () => {
	const made = render({ deploymentUrl: 'http://127.0.0.1:8080', manifestUnified: true, providerName: 'x' });
	assert.equal(made.status, 2);
	assert.match(made.stderr, /manifestUnified.*https/);
});

/* The checks themselves: broken manifests that others have written, and ours with one thing wrong. */

const samples = NO_XSD ? [] : fs.readdirSync(path.join(XSD, 'samples'));
for (const name of samples)
	test(`the sample ${name} is judged as its name says`, () => {
		const file = path.join(XSD, 'samples', name);
		const source = fs.readFileSync(file, 'utf8');
		/* Its texts are not in our languages, its icons not ours. */
		const found = manifestComplaints(xmlRead(source), source, { base: BASE.replace('addin.example', 'addin.example.com') })
			.filter((c) => !/nothing in|is not the icon of|not used/.test(c));
		if (name.startsWith('mail-broken-'))
			assert.notEqual(xsd(file), '');
		else {
			assert.equal(xsd(file), '');
			assert.equal(found.length > 0, name !== 'mail-valid.xml', found.join('; '));
		}
	});

const good = () => render({ showDebugPane: true, manifestMobile: true, manifestSendCheck: true }).xml();
for (const [what, from, to, want] of /** @type {[string, string | RegExp, string, RegExp][]} */ ([
	['an http address', 'DefaultValue="https://addin.example/addin/commands.html"', 'DefaultValue="http://addin.example/addin/commands.html"', /is not https/],
	['a foreign address', 'https://addin.example/addin/taskpane.html', 'https://evil.example/taskpane.html', /does not lie below/],
	['a dangling resid', 'FunctionFile resid="Commands.Url"', 'FunctionFile resid="Nowhere.Url"', /names no resource/],
	['an unused resource', /<FunctionFile resid="Commands.Url"\/>/g, '<FunctionFile resid="Taskpane.Url"/>', /is not used/],
	['an id twice', '<bt:Url id="Taskpane.Url"', '<bt:Url id="Commands.Url"', /is there twice/],
	['a control twice', 'id="unbluPaneButton"', 'id="unbluAddButton"', /is there twice/],
	['a long id', /Commands\.Url/g, 'C'.repeat(33), /more than 32/],
	['an icon missing', '<bt:Image size="80" resid="Icon.80"/>', '', /no icon of 80/],
	['a wrong icon', 'assets/icon-32.png', 'assets/icon-16.png', /not the icon of 32/],
	['a telephone\'s icon missing', '<bt:Image size="48" scale="3" resid="Mobile.144"/>', '', /no icon of 48@3/],
	['a text for the default locale', 'Locale="de-DE"', 'Locale="en-US"', /default locale/],
	['a locale twice', 'Locale="de-AT"', 'Locale="de-DE"', /is there twice/],
	['a language alone', 'Locale="de-DE"', 'Locale="de"', /no full tag/],
	['a language missing', /<Override Locale="it-.."[^>]*>/g, '', /nothing in it/],
	['an empty text', 'Value="Options Unblu"', 'Value=""', /empty text/],
	['a long label', 'Value="Options Unblu"', `Value="${'x'.repeat(126)}"`, /more than 125/],
	['a long tip', /Value="Erstellt[^"]*"/, `Value="${'x'.repeat(251)}"`, /more than 250/],
	['two functions', '<Action xsi:type="ShowTaskpane">', '<Action xsi:type="ExecuteFunction">', /function commands/],
	['an event without runtime', '<Runtime resid="Launch.Url">', '<Runtime resid="Commands.Url">', /no Runtime/],
	['an http domain', '<AppDomain>https://login', '<AppDomain>http://login', /no https origin/],
	['256 KB', '</OfficeApp>', `<!--${'x'.repeat(262144)}--></OfficeApp>`, /256 KB/],
]))
	test(`the checker sees ${what}`, () => {
		const source = good().replace(from, to);
		assert.notEqual(source, good());
		assert.match(manifestComplaints(xmlRead(source), source, { base: BASE }).join('\n'), want);
	});
