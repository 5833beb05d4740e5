// @ts-check
/*
 * A small validator for JSON Schema draft-04, as far as the unified manifest's schema uses it. A keyword that it does
 * not know is an exception: nothing passes because it was not looked at.
 */

import { isDeepStrictEqual } from 'node:util';

/** @typedef {(rule: any, value: any, at: string, out: string[], schema: any, root: any) => void} Check */

const SAYS_NOTHING = new Set(['$schema', 'id', 'title', 'description', 'default', 'definitions', 'format', 'name', 'then']);

/** @param {any} v */
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);

/** @type {Record<string, (v: any) => boolean>} */
const TYPES = {
	string: (v) => typeof v === 'string', boolean: (v) => typeof v === 'boolean', number: (v) => typeof v === 'number',
	integer: (v) => Number.isInteger(v), object: isObject, array: (v) => Array.isArray(v), null: (v) => v === null,
};

/** @param {boolean} ok @param {string[]} out @param {string} what */
function demand(ok, out, what) {
	if (!ok)
		out.push(what);
}

/** Applies only to strings. @param {any} v */
const length = (v) => [...v].length;

/** @type {Record<string, Check>} */
const CHECKS = {
	$ref: (ref, v, at, out, _, root) => judge(ref.slice(2).split('/').reduce((/** @type {any} */ node, /** @type {string} */ part) => node[part], root), v, at, out, root),
	type: (type, v, at, out) => demand([type].flat().some((t) => TYPES[t](v)), out, `${at}: is no ${type}`),
	enum: (list, v, at, out) => demand(list.some((/** @type {any} */ e) => isDeepStrictEqual(e, v)), out, `${at}: ${JSON.stringify(v)} is none of ${JSON.stringify(list)}`),
	const: (want, v, at, out) => demand(isDeepStrictEqual(want, v), out, `${at}: is not ${JSON.stringify(want)}`),
	pattern: (p, v, at, out) => demand(typeof v !== 'string' || new RegExp(p).test(v), out, `${at}: ${JSON.stringify(v)} is not like ${p}`),
	minLength: (n, v, at, out) => demand(typeof v !== 'string' || length(v) >= n, out, `${at}: shorter than ${n}`),
	maxLength: (n, v, at, out) => demand(typeof v !== 'string' || length(v) <= n, out, `${at}: longer than ${n}`),
	minimum: (n, v, at, out) => demand(typeof v !== 'number' || v >= n, out, `${at}: below ${n}`),
	maximum: (n, v, at, out) => demand(typeof v !== 'number' || v <= n, out, `${at}: above ${n}`),
	minItems: (n, v, at, out) => demand(!Array.isArray(v) || v.length >= n, out, `${at}: fewer than ${n}`),
	maxItems: (n, v, at, out) => demand(!Array.isArray(v) || v.length <= n, out, `${at}: more than ${n}`),
	uniqueItems: (on, v, at, out) => demand(!on || !Array.isArray(v) || new Set(v.map((i) => JSON.stringify(i))).size === v.length, out, `${at}: the same twice`),
	items: (schema, v, at, out, _, root) => Array.isArray(v) && v.forEach((item, i) => judge(schema, item, `${at}[${i}]`, out, root)),
	minProperties: (n, v, at, out) => demand(!isObject(v) || Object.keys(v).length >= n, out, `${at}: fewer than ${n} members`),
	required: (names, v, at, out) => isObject(v) && [names].flat().forEach((name) => demand(name in v, out, `${at}: lacks ${name}`)),
	properties: (map, v, at, out, _, root) => isObject(v) && Object.entries(map).forEach(([name, schema]) => name in v && judge(schema, v[name], `${at}.${name}`, out, root)),
	patternProperties: (map, v, at, out, _, root) => isObject(v) && Object.entries(map).forEach(([pattern, schema]) =>
		Object.keys(v).filter((name) => new RegExp(pattern).test(name)).forEach((name) => judge(schema, v[name], `${at}.${name}`, out, root))),
	additionalProperties: (rule, v, at, out, schema) => rule === false && isObject(v) && Object.keys(v).forEach((name) => demand(
		name in (schema.properties ?? {}) || Object.keys(schema.patternProperties ?? {}).some((p) => new RegExp(p).test(name)), out, `${at}: ${name} is not known`)),
	dependencies: (map, v, at, out, _, root) => isObject(v) && Object.entries(map).forEach(([name, schema]) => name in v && judge(schema, v, at, out, root)),
	anyOf: (list, v, at, out, _, root) => demand(list.some((/** @type {any} */ s) => complaints(s, v, root).length === 0), out, `${at}: is none of the alternatives`),
	allOf: (list, v, at, out, _, root) => list.forEach((/** @type {any} */ s) => judge(s, v, at, out, root)),
	not: (schema, v, at, out, _, root) => demand(complaints(schema, v, root).length > 0, out, `${at}: is what it must not be`),
};

/** @param {any} schema @param {any} value @param {string} at @param {string[]} out @param {any} root */
function judge(schema, value, at, out, root) {
	for (const [keyword, rule] of Object.entries(schema)) {
		if (SAYS_NOTHING.has(keyword))
			continue;
		if (CHECKS[keyword] === undefined)
			throw new Error(`${at}: the schema has ${keyword}, which is not known here`);
		CHECKS[keyword](rule, value, at, out, schema, root);
	}
}

/** What is wrong with the value. @param {any} schema @param {any} value @param {any} [root] @returns {string[]} */
export function complaints(schema, value, root = schema) {
	/** @type {string[]} */
	const out = [];
	judge(schema, value, '$', out, root);
	return out;
}
