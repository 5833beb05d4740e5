// @ts-check
/*
 * A small validator for OpenAPI 3.0 documents: compiles the schemas that our documents use into
 * closures. Requests are judged strictly (an unknown property or query parameter is a complaint, as
 * Graph itself complains), answers leniently (servers add members).
 */

import { formParse } from './lib/form.js';

/** @typedef {(value: any, at: string, out: string[], strict: boolean, own: boolean) => void} Check */
/** @typedef {{ check: Check, names: Set<string> | null }} Compiled names null: any property may appear */

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** @type {Record<string, (v: any) => boolean>} */
const FORMATS = {
	'date-time': (v) => typeof v === 'string' && DATE_TIME.test(v) && !Number.isNaN(Date.parse(v.replace(/(\.\d{3})\d+/, '$1'))),
	date: (v) => typeof v === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(v),
	uuid: (v) => typeof v === 'string' && UUID.test(v),
	uri: (v) => typeof v === 'string' && /^[a-z][a-z0-9+.-]*:/i.test(v),
	int32: (v) => Number.isInteger(v) && v >= -2147483648 && v <= 2147483647,
	int64: (v) => Number.isSafeInteger(v),
};
/** @type {Record<string, (v: any) => boolean>} */
const TYPES = {
	string: (v) => typeof v === 'string',
	boolean: (v) => typeof v === 'boolean',
	integer: (v) => Number.isInteger(v),
	number: (v) => typeof v === 'number',
	object: (v) => typeof v === 'object' && v !== null && !Array.isArray(v),
	array: (v) => Array.isArray(v),
};

export class Document {
	/** @param {any} doc @param {{ nulls?: boolean }} [options] nulls: every member may be null (Unblu answers so) */
	constructor(doc, options = {}) {
		this.doc = doc;
		this.nulls = options.nulls ?? false;
		/** @type {Map<any, Compiled>} */
		this.cache = new Map();
		/** @type {Map<string, Operation>} */
		this.operations = new Map();
		for (const [path, item] of Object.entries(doc.paths))
			for (const method of ['get', 'post', 'put', 'patch', 'delete'])
				if (item[method] !== undefined)
					this.operations.set(`${method.toUpperCase()} ${path}`, new Operation(this, item, item[method]));
	}

	/** @param {string} ref */
	resolve(ref) {
		let node = this.doc;
		for (const part of ref.slice(2).split('/'))
			node = node?.[part.replace(/~1/g, '/').replace(/~0/g, '~')];
		if (node === undefined)
			throw new Error(`unresolved reference ${ref}`);
		return node;
	}

	/** @param {any} node */
	deref(node) {
		return node?.$ref === undefined ? node : this.resolve(node.$ref);
	}

	/** @param {string} name a schema under components */
	schema(name) {
		return this.compile(this.resolve(`#/components/schemas/${name}`));
	}

	/** @param {any} schema @returns {Compiled} */
	compile(schema) {
		if (schema.$ref !== undefined)
			return this.compile(this.resolve(schema.$ref));
		let found = this.cache.get(schema);
		if (found === undefined) {
			/* A stub first: schemas may refer to themselves. */
			/** @type {Compiled} */
			const stub = { check: () => {}, names: null };
			this.cache.set(schema, stub);
			found = Object.assign(stub, build(this, schema));
		}
		return found;
	}

	/** @param {any} schema @param {any} value @param {boolean} strict @returns {string[]} complaints */
	judge(schema, value, strict) {
		/** @type {string[]} */
		const out = [];
		this.compile(schema).check(value, '', out, strict, true);
		return out;
	}
}

/** @param {Document} doc @param {any} schema @returns {Compiled} */
function build(doc, schema) {
	const inner = schema.oneOf ? buildOneOf(doc, schema) : schema.allOf ? buildAllOf(doc, schema) : buildPlain(doc, schema);
	const nullable = doc.nulls || schema.nullable === true;
	return {
		names: inner.names,
		check: (value, at, out, strict, own) => {
			if (value === null && nullable)
				return;
			inner.check(value, at, out, strict, own);
		},
	};
}

/** @param {Document} doc @param {any} schema @returns {Compiled} */
function buildAllOf(doc, schema) {
	const parts = schema.allOf.map((/** @type {any} */ s) => doc.compile(s));
	const open = parts.some((/** @type {Compiled} */ p) => p.names === null);
	const names = open ? null : new Set(parts.flatMap((/** @type {Compiled} */ p) => [.../** @type {Set<string>} */ (p.names)]));
	return {
		names,
		check: (value, at, out, strict, own) => {
			for (const part of parts)
				part.check(value, at, out, strict, false);
			if (own && strict && names !== null)
				unknownNames(value, names, at, out);
		},
	};
}

/** @param {Document} doc @param {any} schema @returns {Compiled} */
function buildOneOf(doc, schema) {
	const { discriminator } = schema;
	if (discriminator === undefined) {
		const parts = schema.oneOf.map((/** @type {any} */ s) => doc.compile(s));
		return {
			names: null,
			check: (value, at, out, strict) => {
				for (const part of parts) {
					/** @type {string[]} */
					const tried = [];
					part.check(value, at, tried, strict, true);
					if (tried.length === 0)
						return;
				}
				out.push(`${at || '/'}: fits none of the ${parts.length} alternatives`);
			},
		};
	}
	const mapping = new Map(Object.entries(discriminator.mapping ?? {}).map(([k, ref]) => [k, { $ref: ref }]));
	return {
		names: null,
		check: (value, at, out, strict) => {
			const tag = value?.[discriminator.propertyName];
			const target = mapping.get(tag);
			if (target === undefined)
				out.push(`${at}/${discriminator.propertyName}: ${JSON.stringify(tag)} selects no schema`);
			else
				doc.compile(target).check(value, at, out, strict, true);
		},
	};
}

/** @param {Document} doc @param {any} schema @returns {Compiled} */
function buildPlain(doc, schema) {
	const isType = schema.type === undefined ? null : TYPES[schema.type];
	const isFormat = schema.format === undefined ? null : FORMATS[schema.format] ?? null;
	const values = schema.enum === undefined ? null : new Set(schema.enum);
	const object = schema.properties !== undefined || schema.additionalProperties !== undefined || schema.type === 'object' ? buildObject(doc, schema) : null;
	const items = schema.items === undefined ? null : doc.compile(schema.items);
	const pattern = schema.pattern === undefined ? null : new RegExp(schema.pattern);
	return {
		names: object === null ? new Set() : object.names,
		check: (value, at, out, strict, own) => {
			if (isType !== null && !isType(value)) {
				out.push(`${at || '/'}: must be ${schema.type}, is ${value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value}`);
				return;
			}
			if (isFormat !== null && !isFormat(value))
				out.push(`${at || '/'}: not a ${schema.format}: ${JSON.stringify(value)}`);
			if (values !== null && !values.has(value))
				out.push(`${at || '/'}: ${JSON.stringify(value)} is not one of ${[...values].slice(0, 8).join(', ')}`);
			if (pattern !== null && typeof value === 'string' && !pattern.test(value))
				out.push(`${at || '/'}: does not match ${schema.pattern}`);
			if (Array.isArray(value)) {
				if (schema.maxItems !== undefined && value.length > schema.maxItems)
					out.push(`${at || '/'}: more than ${schema.maxItems} items`);
				if (items !== null)
					value.forEach((v, i) => items.check(v, `${at}/${i}`, out, strict, true));
			} else if (object !== null && typeof value === 'object' && value !== null) {
				object.check(value, at, out, strict, own);
			}
			if (typeof value === 'number' && (schema.minimum !== undefined && value < schema.minimum || schema.maximum !== undefined && value > schema.maximum))
				out.push(`${at || '/'}: ${value} is out of range`);
		},
	};
}

/** @param {Document} doc @param {any} schema @returns {Compiled} */
function buildObject(doc, schema) {
	/** @type {[string, Compiled][]} */
	const properties = Object.entries(schema.properties ?? {}).map(([k, s]) => [k, doc.compile(s)]);
	const known = new Set(properties.map(([k]) => k));
	const extra = schema.additionalProperties;
	const rest = typeof extra === 'object' ? doc.compile(extra) : null;
	const open = extra === true || rest !== null || properties.length === 0 && extra === undefined && schema.allOf === undefined && schema.required === undefined;
	return {
		names: open ? null : known,
		check: (value, at, out, strict, own) => {
			for (const name of schema.required ?? [])
				if (value[name] === undefined)
					out.push(`${at}/${name}: is required`);
			for (const [name, compiled] of properties)
				if (value[name] !== undefined)
					compiled.check(value[name], `${at}/${name}`, out, strict, true);
			if (rest !== null) {
				for (const name of Object.keys(value))
					if (!known.has(name))
						rest.check(value[name], `${at}/${name}`, out, strict, true);
			} else if (own && strict && !open) {
				unknownNames(value, known, at, out);
			}
		},
	};
}

/** @param {any} value @param {Set<string>} names @param {string} at @param {string[]} out */
function unknownNames(value, names, at, out) {
	if (typeof value !== 'object' || value === null)
		return;
	for (const name of Object.keys(value))
		if (!names.has(name) && !name.includes('@odata.') && name !== '$_type')
			out.push(`${at}/${name}: unknown property`);
}

/** One operation: parameters, request body, answers. */
export class Operation {
	/** @param {Document} doc @param {any} item @param {any} op */
	constructor(doc, item, op) {
		this.doc = doc;
		this.op = op;
		const all = [...item.parameters ?? [], ...op.parameters ?? []].map((p) => doc.deref(p));
		this.queryParams = new Map(all.filter((p) => p.in === 'query').map((p) => [p.name, p]));
		this.requestBody = doc.deref(op.requestBody);
		/** @type {Map<string, any>} status -> response */
		this.responses = new Map(Object.entries(op.responses).map(([status, r]) => [status, doc.deref(r)]));
	}

	/** @param {URLSearchParams} query @param {string | undefined} contentType @param {Buffer} body @returns {string[]} */
	judgeRequest(query, contentType, body) {
		return [...this.judgeQuery(query), ...this.judgeBody(contentType, body)];
	}

	/** @param {URLSearchParams} query */
	judgeQuery(query) {
		/** @type {string[]} */
		const out = [];
		for (const [name, value] of query) {
			const param = this.queryParams.get(name);
			if (param === undefined)
				out.push(`?${name}: unknown query parameter`);
			else
				judgeParameter(this.doc, param, value, out);
		}
		for (const param of this.queryParams.values())
			if (param.required && !query.has(param.name))
				out.push(`?${param.name}: is required`);
		return out;
	}

	/** @param {string | undefined} contentType @param {Buffer} body */
	judgeBody(contentType, body) {
		if (this.requestBody === undefined)
			return [];
		if (body.length === 0)
			return this.requestBody.required ? ['body: is required'] : [];
		const type = (contentType ?? '').split(';')[0].trim().toLowerCase();
		const media = this.requestBody.content[type];
		if (media === undefined)
			return [`Content-Type: ${JSON.stringify(contentType ?? null)} is not one of ${Object.keys(this.requestBody.content).join(', ')}`];
		let value;
		try {
			value = type === 'application/json' ? JSON.parse(body.toString('utf8')) : Object.fromEntries(formParse(body.toString('utf8')) ?? [['', '']]);
		} catch {
			return ['body: is not JSON'];
		}
		return media.schema === undefined ? [] : this.doc.judge(media.schema, value, type === 'application/json');
	}

	/** @param {number} status @param {string | undefined} contentType @param {any} body @returns {string[]} */
	judgeResponse(status, contentType, body) {
		const response = this.responses.get(String(status)) ?? this.responses.get(`${Math.floor(status / 100)}XX`) ?? this.responses.get('default');
		if (response === undefined)
			return [`status ${status} is not declared`];
		if (response.content === undefined)
			return body === undefined || body === '' ? [] : [`status ${status} has no body in the specification`];
		const type = (contentType ?? 'application/json').split(';')[0].trim().toLowerCase();
		const media = response.content[type];
		if (media === undefined)
			return [`status ${status}: content type ${type} is not declared`];
		return media.schema === undefined ? [] : this.doc.judge(media.schema, body, false);
	}
}

/** @param {Document} doc @param {any} param @param {string} value @param {string[]} out */
function judgeParameter(doc, param, value, out) {
	const schema = doc.deref(param.schema);
	if (schema === undefined)
		return;
	const parts = schema.type === 'array' ? value.split(',') : [value];
	const item = schema.type === 'array' ? doc.deref(schema.items) : schema;
	for (const part of parts) {
		const typed = (item.type === 'integer' || item.type === 'number') && /^-?\d+(\.\d+)?$/.test(part) ? Number(part) : part;
		for (const complaint of doc.judge(item, typed, true))
			out.push(`?${param.name}: ${complaint}`);
	}
}
