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
const docsOf = (overlay) => kustomize(path.join(FOLDER, 'overlays', overlay));
/** @param {string} overlay */
const podOf = (overlay) => one(docsOf(overlay), 'Deployment').spec.template;
/** What its pods are, the CronJob's too. @param {string} overlay @returns {any[]} */
const podsOf = (overlay) => docsOf(overlay).map((d) => (d.kind === 'CronJob' ? d.spec.jobTemplate : d).spec?.template).filter((t) => t !== undefined);
/** @param {string} overlay @returns {any[]} */
const containersOf = (overlay) => podsOf(overlay).flatMap((t) => t.spec.containers);

/** The CronJob that outlook-addinctl prints. @param {Record<string, any>} [keys] */
function printedJob(keys = {}) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-manifests-'));
	const file = path.join(dir, 'addin.json');
	fs.writeFileSync(file, JSON.stringify({ deploymentUrl: 'https://addin.example', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example', clientId: '11111111-2222-3333-4444-555555555555', ...keys }));
	const docs = parseYaml(execFileSync(findPrograms().ctl, ['--config', file, 'print', 'kubernetes'], { encoding: 'utf8' }));
	fs.rmSync(dir, { recursive: true });
	return docs;
}

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
		const docs = docsOf(overlay);
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
		const docs = docsOf(overlay);
		const server = podOf(overlay);
		const budget = one(docs, 'PodDisruptionBudget');
		const selectors = [one(docs, 'Service').spec.selector, one(docs, 'Deployment').spec.selector.matchLabels, ...budget === undefined ? [] : [budget.spec.selector.matchLabels]];
		for (const { spec, metadata } of podsOf(overlay)) {
			/* No request and no disruption is meant for the renewal. */
			const chosen = metadata.labels['app.kubernetes.io/name'] === server.metadata.labels['app.kubernetes.io/name'];
			for (const selector of selectors)
				assert.equal(Object.entries(selector).every(([key, value]) => metadata.labels[key] === value), chosen);
			const ports = spec.containers.flatMap((/** @type {any} */ c) => (c.ports ?? []).flatMap((/** @type {any} */ p) => [p.name, p.containerPort]));
			assert.equal(ports.includes(one(docs, 'Service').spec.ports[0].targetPort), chosen);
			const volumes = spec.volumes.map((/** @type {any} */ v) => v.name).sort();
			assert.deepEqual([...new Set(spec.containers.flatMap((/** @type {any} */ c) => c.volumeMounts.map((/** @type {any} */ m) => m.name)))].sort(), volumes);
			for (const c of spec.containers)
				for (const asked of ['readinessProbe', 'livenessProbe'].map((p) => c[p]?.httpGet ?? c[p]?.tcpSocket).filter((a) => a !== undefined))
					assert.ok(ports.includes(asked.port));
			for (const { persistentVolumeClaim: claim, configMap } of spec.volumes) {
				if (claim !== undefined)
					assert.equal(one(docs, 'PersistentVolumeClaim').metadata.name, claim.claimName);
				if (configMap !== undefined)
					assert.ok(docs.some((d) => d.kind === 'ConfigMap' && d.metadata.name === configMap.name));
			}
		}
	});

	test(`overlay ${overlay}: no privilege, a limit of 32 MiB, the image of this version`, () => {
		for (const { spec } of podsOf(overlay)) {
			assert.equal(spec.automountServiceAccountToken, false);
			assert.equal(spec.securityContext.runAsNonRoot, true);
			assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
		}
		assert.deepEqual(containersOf(overlay).map((c) => c.name).sort(), ['fcgi', 'nginx', 'renew']);
		for (const c of containersOf(overlay)) {
			assert.equal(c.image, `outlook-addin:${VERSION}`);
			assert.deepEqual(c.resources.limits, { memory: '32Mi' });
			assert.deepEqual(c.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
		}
	});

	test(`overlay ${overlay}: the secrets go to those only that use them`, () => {
		for (const c of containersOf(overlay)) {
			const folder = (/** @type {string} */ volume) => c.volumeMounts.find((/** @type {any} */ m) => m.name === volume)?.mountPath;
			const env = [];
			if (folder('database') !== undefined)
				env.push({ name: 'OUTLOOK_ADDIN_DATABASE', valueFrom: { configMapKeyRef: { name: 'outlook-addin-database', key: 'url' } } }, { name: 'DATABASE_PASSWORD_FILE', value: `${folder('database')}/password` });
			if (folder('secrets') !== undefined)
				env.push({ name: 'CREDENTIALS_DIRECTORY', value: folder('secrets') });
			assert.equal(folder('secrets') !== undefined, c.name !== 'nginx', c.name);
			assert.equal(folder('database') !== undefined, overlay === 'postgres' && c.name !== 'nginx', c.name);
			assert.deepEqual(normalize(c.env ?? []), normalize(env), c.name);
		}
	});

	test(`overlay ${overlay}: probes, configuration, sockets, store and what nginx writes are where the programs look`, () => {
		const { spec } = podOf(overlay);
		const nginx = spec.containers.find((/** @type {any} */ c) => c.name === 'nginx');
		assert.equal(nginx.ports[0].containerPort, 8080);
		/* Out of service after 15 s at most, and never by one slow answer. */
		assert.deepEqual(nginx.readinessProbe, { httpGet: { port: 'http', path: '/ready' }, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 });
		/* A web that hangs takes its own container with it, not the pages; an nginx that is down takes itself only. */
		const patience = { initialDelaySeconds: 10, periodSeconds: 15, timeoutSeconds: 5, failureThreshold: 3 };
		const fcgi = spec.containers.find((/** @type {any} */ c) => c.name === 'fcgi');
		assert.deepEqual(fcgi.livenessProbe, { exec: { command: ['outlook-addinctl', 'health'] }, ...patience });
		assert.deepEqual(nginx.livenessProbe, { tcpSocket: { port: 'http' }, ...patience });
		const where = /** @type {Record<string, string>} */ ({ config: '/etc/outlook-addin', run: '/run/outlook-addin', nginx: '/run/outlook-addin-nginx', state: '/var/lib/outlook-addin' });
		for (const c of containersOf(overlay))
			for (const { name, mountPath } of c.volumeMounts.filter((/** @type {any} */ m) => where[m.name] !== undefined))
				assert.equal(mountPath, where[name]);
	});

	test(`overlay ${overlay}: volumes are what they have to be, and nobody writes to configuration and secrets`, () => {
		const { volumes } = podOf(overlay).spec;
		const secret = (/** @type {string} */ name) => ({ secretName: name, defaultMode: 0o440 });
		/** @type {Record<string, any>} */
		const want = {
			config: { configMap: { name: 'outlook-addin-config' } }, secrets: { secret: secret('outlook-addin-secrets') }, database: { secret: secret('outlook-addin-database') },
			state: { persistentVolumeClaim: { claimName: 'outlook-addin-state' } },
			/* What lies in memory counts as memory of the container: sockets, but no body that nginx buffers. */
			run: { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, nginx: { emptyDir: { sizeLimit: '256Mi' } },
		};
		const names = ['config', overlay === 'postgres' ? 'database' : 'state', 'nginx', 'run', 'secrets'];
		assert.deepEqual(normalize(volumes), normalize(names.map((name) => ({ name, ...want[name] }))));
		for (const c of containersOf(overlay))
			for (const { name, readOnly } of c.volumeMounts)
				assert.equal(readOnly === true, ['config', 'secrets', 'database'].includes(name), `${c.name}: ${name}`);
	});

	test(`overlay ${overlay}: a request from outside ends at nginx`, () => {
		const docs = docsOf(overlay);
		const service = one(docs, 'Service');
		assert.deepEqual(service.spec.ports, [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }]);
		assert.deepEqual(podOf(overlay).spec.containers.map((/** @type {any} */ c) => c.ports).filter((/** @type {any} */ p) => p !== undefined), [[{ name: 'http', containerPort: 8080 }]]);
		/** @type {[string, string | number][]} */
		const backends = [
			...(one(docs, 'Ingress')?.spec.rules ?? []).flatMap((/** @type {any} */ r) => r.http.paths.map((/** @type {any} */ p) => [p.backend.service.name, p.backend.service.port.name ?? p.backend.service.port.number])),
			...docs.filter((d) => d.kind === 'Route').map((d) => [d.spec.to.name, d.spec.port.targetPort]),
		];
		assert.equal(backends.length, ['ingress', 'openshift'].includes(overlay) ? 1 : 0);
		for (const backend of backends)
			assert.deepEqual(backend, [service.metadata.name, service.spec.ports[0].name]);
	});
}

test('the store on a volume has one pod at a time', () => {
	const docs = docsOf('sqlite');
	assert.deepEqual(one(docs, 'Deployment').spec.strategy, { type: 'Recreate' });
	assert.equal(one(docs, 'Deployment').spec.replicas, 1);
	assert.deepEqual(one(docs, 'PersistentVolumeClaim').spec.accessModes, ['ReadWriteOncePod']);
	const state = podOf('sqlite').spec.volumes.find((/** @type {any} */ v) => v.name === 'state');
	assert.deepEqual(Object.keys(state).sort(), ['name', 'persistentVolumeClaim']);
});

test('the pod runs as the account of the image and may write to its volumes; OpenShift picks the account', () => {
	const safe = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, fsGroupChangePolicy: 'OnRootMismatch' };
	for (const overlay of OVERLAYS)
		assert.deepEqual(podOf(overlay).spec.securityContext, overlay === 'openshift' ? safe : { ...safe, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001 }, overlay);
});

/* Of the last stage, one instruction in one line. */
const IMAGE = fs.readFileSync(path.join(SOURCE_ROOT, 'conf/container/Containerfile'), 'utf8').replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, '').split(/^FROM .*\n/m)[2].trim().split('\n');

test('the image: any account of group 0 may write where the programs do, ours is no root, and PID 1 gets SIGTERM and a health check', () => {
	assert.deepEqual(IMAGE.filter((line) => !/^(RUN apt-get|COPY) /.test(line)), [
		'RUN install -d -m 0770 -o 10001 -g 0 /run/outlook-addin /run/outlook-addin-nginx /var/lib/outlook-addin',
		'USER 10001:0',
		'EXPOSE 8080',
		'STOPSIGNAL SIGTERM',
		'HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["outlook-addinctl", "health"]',
		'ENTRYPOINT ["/usr/libexec/outlook-addin-entry"]',
		'CMD ["all"]',
	]);
});

/** The manifests of an overlay with the component, as docs/deployment.md adds it. @param {string} overlay @param {(folder: string) => void} body */
function monitored(overlay, body) {
	const root = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-monitored-'));
	const file = path.join(root, 'overlays', overlay, 'kustomization.yaml');
	const guide = fs.readFileSync(path.join(SOURCE_ROOT, 'docs/deployment.md'), 'utf8');
	const [lines] = guide.match(/^ {4}components:\n(?: {4} .*\n)+/m) ?? [''];
	try {
		fs.cpSync(FOLDER, root, { recursive: true });
		fs.appendFileSync(file, lines.replaceAll(/^ {4}/gm, ''));
		body(path.dirname(file));
	} finally {
		fs.rmSync(root, { recursive: true });
	}
}

for (const overlay of OVERLAYS)
	test(`overlay ${overlay} with the component monitoring: Prometheus finds the metrics of each pod where addin.json of the guide puts them`, () => {
		const plain = docsOf(overlay);
		monitored(overlay, (folder) => {
			const docs = kustomize(folder);
			assert.deepEqual(docs.flatMap(problems), []);
			const [service] = docs.filter((d) => d.kind === 'Service' && d.spec.clusterIP === 'None');
			const { template } = one(docs, 'Deployment').spec;
			assert.ok(Object.entries(service.spec.selector).every(([key, value]) => template.metadata.labels[key] === value));
			const [, listen] = /"metricsListen": "(\d+)"/.exec(fs.readFileSync(path.join(SOURCE_ROOT, 'docs/deployment.md'), 'utf8')) ?? [];
			const nginx = template.spec.containers.find((/** @type {any} */ c) => c.name === 'nginx');
			assert.deepEqual(nginx.ports.map((/** @type {any} */ p) => [p.name, p.containerPort]), [['http', 8080], ['metrics', Number(listen)]]);
			assert.deepEqual(service.spec.ports, [{ name: 'metrics', port: Number(listen), protocol: 'TCP', targetPort: 'metrics' }]);
			assert.equal(service.spec.publishNotReadyAddresses, true);
			/* And nothing else. */
			nginx.ports.pop();
			assert.deepEqual(normalize(docs.filter((d) => d !== service)), normalize(plain));
		});
	});

test('kubectl makes the same of an overlay with the component', (t) => {
	monitored('postgres', (folder) => {
		const run = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
		if (run.error !== undefined || /unknown field/.test(run.stderr))
			return t.skip('no kubectl that knows components (1.21)');
		assert.equal(run.status, 0, run.stderr);
		assert.deepEqual(normalize(parseYaml(run.stdout)), normalize(kustomize(folder)));
	});
});

test('the sample of the base is the sample', () => {
	assert.equal(fs.readFileSync(path.join(FOLDER, 'base/addin.json'), 'utf8'), fs.readFileSync(path.join(SOURCE_ROOT, 'conf/addin.json'), 'utf8'));
});

test('the CronJob that outlook-addinctl prints has no unknown key', () => {
	for (const database of ['sqlite:/var/lib/outlook-addin/state.db', 'postgresql://u@db.example/x']) {
		const docs = printedJob({ database });
		assert.deepEqual(docs.map((d) => d.kind), ['CronJob']);
		assert.deepEqual(docs.flatMap(problems), []);
	}
});

test('replicas on PostgreSQL: a new one before an old one goes, one disruption at a time, one renewal at a time', () => {
	const docs = docsOf('postgres');
	const { spec } = one(docs, 'Deployment');
	assert.ok(spec.replicas >= 2);
	assert.deepEqual(spec.strategy, { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
	assert.deepEqual(one(docs, 'PodDisruptionBudget').spec.maxUnavailable, 1);
	assert.equal(one(docs, 'CronJob').spec.concurrencyPolicy, 'Forbid');
	assert.ok(!docs.some((d) => d.kind === 'PersistentVolumeClaim'));
	/* nginx takes requests until its endpoint is gone, and web as long as nginx. */
	const pause = (/** @type {string} */ name) => Number(spec.template.spec.containers.find((/** @type {any} */ c) => c.name === name).lifecycle.preStop.exec.command[1]);
	assert.ok(pause('nginx') >= 5 && pause('fcgi') >= pause('nginx') + 2);
	assert.ok(spec.template.spec.terminationGracePeriodSeconds >= pause('fcgi') + 5);
});

test('replicas on PostgreSQL: the URL is one, trusts no stranger and holds no password; the renewal is what outlook-addinctl prints', () => {
	const docs = docsOf('postgres');
	const { url } = docs.find((d) => d.metadata.name === 'outlook-addin-database').data;
	const { password, searchParams } = new URL(url);
	assert.deepEqual([password, searchParams.get('sslmode')], ['', 'verify-full']);
	const [want] = printedJob({ database: url });
	const [{ env }] = want.spec.jobTemplate.spec.template.spec.containers;
	env.push({ name: 'OUTLOOK_ADDIN_DATABASE', valueFrom: { configMapKeyRef: { name: 'outlook-addin-database', key: 'url' } } });
	assert.deepEqual(normalize([one(docs, 'CronJob')]), normalize([want]));
});

test('every way to build the image keeps its health check, which the OCI format has not', () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-image-'));
	try {
		fs.writeFileSync(path.join(dir, 'engine'), '#!/bin/sh\nfor context; do :; done\n[ -e "$context/$3" ] && echo "$BUILDAH_FORMAT: $*"\n', { mode: 0o755 });
		/* MSAL is not fetched here; the build would. */
		fs.writeFileSync(path.join(dir, 'npm'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
		const run = spawnSync(path.join(SOURCE_ROOT, 'scripts/image'), ['--build-arg', 'BASE=x'], { encoding: 'utf8', env: { PATH: `${dir}:${process.env.PATH}`, ENGINE: path.join(dir, 'engine') } });
		assert.equal(run.status, 0, run.stderr);
		assert.ok(run.stdout.startsWith(`docker: build -f conf/container/Containerfile -t outlook-addin:${VERSION} --build-arg BASE=x /`), run.stdout);
	} finally {
		fs.rmSync(dir, { recursive: true });
	}
	let lines = 0;
	for (const file of ['README.md', 'conf/container/Containerfile', ...fs.readdirSync(path.join(SOURCE_ROOT, 'docs')).filter((f) => f.endsWith('.md')).map((f) => `docs/${f}`)])
		for (const [line] of fs.readFileSync(path.join(SOURCE_ROOT, file), 'utf8').matchAll(/^.*\b(podman|buildah) build\b.*$/gm)) {
			assert.match(line, / build --format docker /, file);
			lines++;
		}
	assert.ok(lines >= 2);
});

test('the image does what Listing 1 of the original asks for', () => {
	const [{ spec: { template: { spec } } }] = readYaml(LISTING);
	const [container] = spec.containers;
	assert.equal(container.image, `outlook-addin:${VERSION}`);
	/* No arguments: the role is the default one. pod.test.js runs this container, with this file and limit. */
	assert.ok(!('args' in container) && !('command' in container));
	assert.ok(IMAGE.includes('CMD ["all"]'));
	assert.ok(fs.readFileSync(path.join(SOURCE_ROOT, 'tests/package/container'), 'utf8').includes(container.volumeMounts[0].mountPath));
	assert.equal(container.resources.limits.memory, '128Mi');
});

test('without a volume for its store the image says so, but not when that is a PostgreSQL', () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-entry-'));
	fs.writeFileSync(path.join(dir, 'outlook-addin-fcgi'), '#!/bin/sh\nexec echo "fcgi $*"\n', { mode: 0o755 });
	const start = (/** @type {Record<string, string>} */ env) => spawnSync('/bin/sh', [path.join(SOURCE_ROOT, 'conf/container/entry'), 'fcgi', '--role', 'web'], { encoding: 'utf8', env: { PATH: `${dir}:/usr/bin:/bin`, ...env } });
	try {
		const plain = start({});
		assert.equal(plain.stdout, 'fcgi --role web\n');
		assert.equal(JSON.parse(plain.stderr).event, 'state-ephemeral');
		const shared = start({ OUTLOOK_ADDIN_DATABASE: 'postgresql://u@db/x' });
		assert.deepEqual([shared.stdout, shared.stderr], ['fcgi --role web\n', '']);
	} finally {
		fs.rmSync(dir, { recursive: true });
	}
});
