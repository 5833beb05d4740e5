// @ts-check
/* conf/kubernetes: nothing misspelt, nothing that points nowhere, no privilege; and the original's Listing 1. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { findPrograms, SOURCE_ROOT } from '../lib/build.js';
import { kustomize, normalize, parseYaml, problems, readYaml } from './manifests.js';

const FOLDER = path.join(SOURCE_ROOT, 'conf/kubernetes');
const OVERLAYS = fs.readdirSync(path.join(FOLDER, 'overlays'));
const VERSION = fs.readFileSync(path.join(SOURCE_ROOT, 'VERSION'), 'utf8').trim();
const LISTING = path.join(SOURCE_ROOT, 'tests/package/listing-1.yaml');

/** @param {any[]} docs @param {string} kind */
const one = (docs, kind) => docs.find((d) => d.kind === kind);
/** @param {string} overlay */
const podOf = (overlay) => one(kustomize(path.join(FOLDER, 'overlays', overlay)), 'Deployment').spec.template;

test('what a server would refuse or ignore is found', () => {
	const good = readYaml(LISTING);
	assert.deepEqual(good.flatMap(problems), []);
	/** @param {(d: any) => void} change */
	const after = (change) => {
		const [doc] = structuredClone(good);
		change(doc);
		return problems(doc);
	};
	const container = (/** @type {any} */ d) => d.spec.template.spec.containers[0];
	assert.match(String(after((d) => Object.assign(container(d).readinessProbe, { failureTreshold: 1 }))), /readinessProbe\.failureTreshold: unknown key/);
	assert.match(String(after((d) => Object.assign(container(d).ports[0], { containerPort: '8080' }))), /containerPort: "8080" is not integer/);
	assert.match(String(after((d) => Object.assign(container(d), { imagePullPolicy: 'Sometimes' }))), /Sometimes/);
	assert.match(String(after((d) => delete container(d).name)), /name: missing/);
	assert.match(String(after((d) => Object.assign(d.spec.template.spec, { containers: {} }))), /containers: not a list/);
	assert.match(String(after((d) => Object.assign(d, { kind: 'Deploymnt' }))), /unknown kind/);
	assert.throws(() => parseYaml('a: 1\na: 2\n'), /twice: a/);
});

for (const overlay of OVERLAYS) {
	const folder = path.join(FOLDER, 'overlays', overlay);

	test(`overlay ${overlay}: every key is one of the API`, () => {
		const docs = kustomize(folder);
		assert.ok(docs.length >= 3);
		assert.deepEqual(docs.flatMap(problems), []);
		for (const file of fs.readdirSync(folder).filter((f) => f !== 'kustomization.yaml' && f !== 'deployment.yaml'))
			assert.deepEqual(readYaml(path.join(folder, file)).flatMap(problems), []);
	});

	test(`overlay ${overlay}: kubectl makes the same of it`, (t) => {
		const run = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
		if (run.error !== undefined || /unknown field/.test(run.stderr))
			return t.skip('no kubectl that knows patches (1.21)');
		assert.equal(run.status, 0, run.stderr);
		assert.equal(run.stderr, '');
		assert.deepEqual(normalize(parseYaml(run.stdout)), normalize(kustomize(folder)));
	});

	test(`overlay ${overlay}: selectors, ports, volumes and mounts point at something`, () => {
		const docs = kustomize(folder);
		const { spec, metadata } = podOf(overlay);
		for (const selector of [one(docs, 'Service').spec.selector, one(docs, 'Deployment').spec.selector.matchLabels])
			for (const [key, value] of Object.entries(selector))
				assert.equal(metadata.labels[key], value);
		const ports = spec.containers.flatMap((/** @type {any} */ c) => (c.ports ?? []).map((/** @type {any} */ p) => p.name));
		const volumes = new Set(spec.volumes.map((/** @type {any} */ v) => v.name));
		assert.ok(ports.includes(one(docs, 'Service').spec.ports[0].targetPort));
		for (const c of spec.containers) {
			for (const { name } of c.volumeMounts)
				assert.ok(volumes.has(name), name);
			for (const probe of ['readinessProbe', 'livenessProbe'].map((p) => c[p]).filter((p) => p !== undefined))
				assert.ok(ports.includes(probe.httpGet.port));
		}
		for (const { persistentVolumeClaim: claim, configMap } of spec.volumes) {
			if (claim !== undefined)
				assert.equal(one(docs, 'PersistentVolumeClaim').metadata.name, claim.claimName);
			if (configMap !== undefined)
				assert.equal(one(docs, 'ConfigMap').metadata.name, configMap.name);
		}
	});

	test(`overlay ${overlay}: no privilege, a limit of 32 MiB, the image of this version`, () => {
		const { spec } = podOf(overlay);
		assert.equal(spec.automountServiceAccountToken, false);
		assert.equal(spec.securityContext.runAsNonRoot, true);
		assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
		assert.deepEqual(spec.containers.map((/** @type {any} */ c) => c.name).sort(), ['fcgi', 'nginx', 'renew']);
		for (const c of spec.containers) {
			assert.equal(c.image, `outlook-addin:${VERSION}`);
			assert.deepEqual(c.resources.limits, { memory: '32Mi' });
			assert.deepEqual(c.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
		}
	});

	test(`overlay ${overlay}: the secrets go to those only that use them`, () => {
		for (const c of podOf(overlay).spec.containers) {
			const mount = c.volumeMounts.find((/** @type {any} */ m) => m.name === 'secrets');
			assert.equal(mount !== undefined, c.name !== 'nginx', c.name);
			if (mount !== undefined)
				assert.deepEqual(c.env, [{ name: 'CREDENTIALS_DIRECTORY', value: mount.mountPath }]);
		}
	});

	test(`overlay ${overlay}: probes, configuration, sockets, store and what nginx writes are where the programs look`, () => {
		const { spec } = podOf(overlay);
		const nginx = spec.containers.find((/** @type {any} */ c) => c.name === 'nginx');
		assert.equal(nginx.ports[0].containerPort, 8080);
		assert.equal(nginx.readinessProbe.httpGet.path, '/ready');
		assert.equal(nginx.livenessProbe.httpGet.path, '/live');
		const where = /** @type {Record<string, string>} */ ({ config: '/etc/outlook-addin', run: '/run/outlook-addin', nginx: '/run/outlook-addin-nginx', state: '/var/lib/outlook-addin' });
		for (const c of spec.containers)
			for (const { name, mountPath } of c.volumeMounts.filter((/** @type {any} */ m) => where[m.name] !== undefined))
				assert.equal(mountPath, where[name]);
		/* What lies in memory counts as memory of the container. */
		assert.deepEqual(spec.volumes.find((/** @type {any} */ v) => v.name === 'nginx').emptyDir, { sizeLimit: '256Mi' });
	});
}

test('the store on a volume has one pod at a time', () => {
	const docs = kustomize(path.join(FOLDER, 'overlays/sqlite'));
	assert.deepEqual(one(docs, 'Deployment').spec.strategy, { type: 'Recreate' });
	assert.equal(one(docs, 'Deployment').spec.replicas, 1);
	assert.deepEqual(one(docs, 'PersistentVolumeClaim').spec.accessModes, ['ReadWriteOncePod']);
	const state = podOf('sqlite').spec.volumes.find((/** @type {any} */ v) => v.name === 'state');
	assert.deepEqual(Object.keys(state).sort(), ['name', 'persistentVolumeClaim']);
});

test('OpenShift picks the account', () => {
	const { securityContext } = podOf('openshift').spec;
	for (const key of ['runAsUser', 'runAsGroup', 'fsGroup'])
		assert.ok(!(key in securityContext), key);
});

test('the sample of the base is the sample', () => {
	assert.equal(fs.readFileSync(path.join(FOLDER, 'base/addin.json'), 'utf8'), fs.readFileSync(path.join(SOURCE_ROOT, 'conf/addin.json'), 'utf8'));
});

test('the CronJob that outlook-addinctl prints has no unknown key', () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-manifests-'));
	const file = path.join(dir, 'addin.json');
	fs.writeFileSync(file, JSON.stringify({ deploymentUrl: 'https://addin.example', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example', clientId: '11111111-2222-3333-4444-555555555555' }));
	const docs = parseYaml(execFileSync(findPrograms().ctl, ['--config', file, 'print', 'kubernetes'], { encoding: 'utf8' }));
	fs.rmSync(dir, { recursive: true });
	assert.deepEqual(docs.map((d) => d.kind), ['CronJob']);
	assert.deepEqual(docs.flatMap(problems), []);
});

test('the image does what Listing 1 of the original asks for', () => {
	const [{ spec: { template: { spec } } }] = readYaml(LISTING);
	const [container] = spec.containers;
	assert.equal(container.image, `outlook-addin:${VERSION}`);
	/* No arguments: the role is the default one. pod.test.js runs this container, with this file and limit. */
	assert.ok(!('args' in container) && !('command' in container));
	assert.match(fs.readFileSync(path.join(SOURCE_ROOT, 'conf/container/Containerfile'), 'utf8'), /^CMD \["all"\]$/m);
	assert.ok(fs.readFileSync(path.join(SOURCE_ROOT, 'tests/package/container'), 'utf8').includes(container.volumeMounts[0].mountPath));
	assert.equal(container.resources.limits.memory, '128Mi');
});
