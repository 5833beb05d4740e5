// @ts-check
/* Kubernetes manifests without a cluster: read, merged as kustomize does, checked against the API's types. */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** @type {{ kinds: Record<string, any>, types: Record<string, any> }} */
const { kinds, types } = JSON.parse(fs.readFileSync(new URL('kubernetes-types.json', import.meta.url), 'utf8'));

const READER = `
import json, sys, yaml
class Loader(yaml.SafeLoader):
    pass
def mapping(loader, node):
    seen = [k.value for k in node.value and [k for k, _ in node.value]]
    twice = {k for k in seen if seen.count(k) > 1}
    if twice:
        raise SystemExit("twice: %s" % ", ".join(sorted(twice)))
    return loader.construct_mapping(node, deep=True)
Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
print(json.dumps([d for d in yaml.load_all(sys.stdin.read(), Loader) if d is not None]))
`;

/** The documents of a YAML text; throws when it is none, or has a key twice. @param {string} text @returns {any[]} */
export function parseYaml(text) {
	return JSON.parse(execFileSync('/usr/bin/python3', ['-c', READER], { input: text, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] }));
}

/** @type {Map<string, any[]>} */
const texts = new Map();

/** @param {string} file */
export function readYaml(file) {
	const text = fs.readFileSync(file, 'utf8');
	const docs = texts.get(text) ?? parseYaml(text);
	texts.set(text, docs);
	return structuredClone(docs);
}

/** @param {any} value @param {string} type */
function isScalar(value, type) {
	if (type === 'any')
		return true;
	return type.split('|').some((t) => {
		const name = t.trim();
		if (name === 'integer')
			return Number.isInteger(value);
		return name.startsWith('\'') ? `'${value}'` === name : typeof value === name;
	});
}

/** @param {any} value @param {any} type @param {string} at @returns {string[]} */
function problemsOf(value, type, at) {
	if (typeof type === 'string' && type.startsWith('#'))
		return problemsOf(value, types[type.slice(1)], at);
	if (Array.isArray(type))
		return Array.isArray(value) ? value.flatMap((v, i) => problemsOf(v, type[0], `${at}[${i}]`)) : [`${at}: not a list`];
	if (typeof type === 'string')
		return isScalar(value, type) ? [] : [`${at}: ${JSON.stringify(value)} is not ${type}`];
	if (value === null || typeof value !== 'object' || Array.isArray(value))
		return [`${at}: not a map`];
	const missing = Object.keys(type).filter((k) => k.endsWith('!') && !(k.slice(0, -1) in value)).map((k) => `${at}.${k.slice(0, -1)}: missing`);
	return [...missing, ...Object.entries(value).flatMap(([key, v]) => {
		const known = type['*'] ?? type[key] ?? type[`${key}!`];
		return known === undefined ? [`${at}.${key}: unknown key`] : problemsOf(v, known, `${at}.${key}`);
	})];
}

/** What a server would refuse or ignore. @param {any} doc @returns {string[]} */
export function problems(doc) {
	const kind = `${doc?.apiVersion} ${doc?.kind}`;
	return kinds[kind] === undefined ? [`${kind}: unknown kind`] : problemsOf(doc, kinds[kind], doc.kind);
}

/** By what the items of a list are told apart. */
const MERGE_KEYS = /** @type {Record<string, string>} */ ({ containers: 'name', volumes: 'name', env: 'name', volumeMounts: 'mountPath', ports: 'containerPort' });

/** A strategic merge. @param {any} into @param {any} patch @param {string} [name] @returns {any} */
function merge(into, patch, name = '') {
	const key = MERGE_KEYS[name];
	if (Array.isArray(patch) && Array.isArray(into) && key !== undefined) {
		const out = into.map((item) => {
			const change = patch.find((p) => p[key] === item[key]);
			return change === undefined ? item : merge(item, change);
		});
		return [...out, ...patch.filter((p) => !into.some((i) => i[key] === p[key])).map((p) => merge({}, p))];
	}
	if (patch === null || typeof patch !== 'object' || Array.isArray(patch))
		return patch;
	const out = { ...into };
	for (const [k, v] of Object.entries(patch)) {
		if (v === null)
			delete out[k];
		else
			out[k] = merge(out[k] ?? (Array.isArray(v) ? [] : {}), v, k);
	}
	return out;
}

/**
 * What `kubectl kustomize FOLDER` prints, generated names without their hash.
 * @param {string} folder @param {any[]} [before] what a component is put upon @returns {any[]}
 */
export function kustomize(folder, before = []) {
	const [k] = readYaml(path.join(folder, 'kustomization.yaml'));
	const wrong = problems(k);
	if (wrong.length > 0)
		throw new Error(`${folder}: ${wrong.join('; ')}`);
	/** @type {any[]} */
	let docs = [...before, ...(k.resources ?? []).flatMap((/** @type {string} */ r) => {
		const at = path.join(folder, r);
		return fs.statSync(at).isDirectory() ? kustomize(at) : readYaml(at);
	})];
	for (const { name, files = [], literals = [] } of k.configMapGenerator ?? [])
		docs.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: Object.fromEntries([
			...files.map((/** @type {string} */ f) => [path.basename(f), fs.readFileSync(path.join(folder, f), 'utf8')]),
			...literals.map((/** @type {string} */ l) => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]),
		]) });
	for (const component of k.components ?? [])
		docs = kustomize(path.join(folder, component), docs);
	for (const patch of k.patches ?? []) {
		const [change] = readYaml(path.join(folder, patch.path));
		const same = (/** @type {any} */ d) => d.kind === change.kind && d.metadata.name === change.metadata.name;
		if (!docs.some(same))
			throw new Error(`${folder}: ${patch.path} changes nothing`);
		docs = docs.map((d) => same(d) ? merge(d, change) : d);
	}
	return docs;
}

/** The same for both, whatever the order. @param {any[]} docs */
export function normalize(docs) {
	const sort = (/** @type {any} */ v) => {
		if (Array.isArray(v))
			return v.map(sort).sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
		if (v === null || typeof v !== 'object')
			return typeof v === 'string' ? v.replace(/^(outlook-addin-(?:config|database))-[a-z0-9]{10}$/, '$1') : v;
		return Object.fromEntries(Object.entries(v).sort(([a], [b]) => a < b ? -1 : 1).map(([k, x]) => [k, sort(x)]));
	};
	return sort(docs);
}
