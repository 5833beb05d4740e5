// @ts-check
/* The query options that a calendar client uses: $select, $expand, $filter, $orderby, paging. */

import { propertyKey } from './calendar.js';
import { EVENT_MEMBERS } from './view.js';

/** A query that Graph would refuse. */
export class BadQuery extends Error {
	/** @param {string} code @param {string} message */
	constructor(code, message) {
		super(message);
		this.code = code;
	}
}

const UNQUOTE = /^'((?:[^']|'')*)'$/;

/** @param {string} literal */
function unquote(literal) {
	const m = UNQUOTE.exec(literal.trim());
	if (m === null)
		throw new BadQuery('RequestBroker--ParseUri', `Invalid filter clause: ${literal}`);
	return m[1].replace(/''/g, "'");
}

/** @param {string | null} text @returns {string[] | null} */
export function parseSelect(text) {
	if (text === null)
		return null;
	const names = text.split(',').map((s) => s.trim()).filter((s) => s !== '');
	for (const name of names)
		if (!EVENT_MEMBERS.has(name))
			throw new BadQuery('RequestBroker--ParseUri', `Could not find a property named '${name}' on type 'microsoft.graph.event'.`);
	return names;
}

/** Keys of the named properties to expand, or null. @param {string | null} text @returns {string[] | null} */
export function parseExpand(text) {
	if (text === null)
		return null;
	const m = /^singleValueExtendedProperties\(\$filter=(.+)\)$/i.exec(text.trim());
	if (m === null)
		throw new BadQuery('RequestBroker--ParseUri', `Parsing $select and $expand failed: ${text}`);
	return m[1].split(/\s+or\s+/i).map((clause) => {
		const part = /^\(?\s*(?:\w+\/)?id\s+eq\s+('(?:[^']|'')*')\s*\)?$/i.exec(clause.trim());
		if (part === null)
			throw new BadQuery('RequestBroker--ParseUri', `Invalid filter clause: ${clause}`);
		return propertyKey(unquote(part[1]));
	});
}

/**
 * @typedef {{ property: string | null, tests: ((e: any) => boolean)[] }} Filter property: key by which the candidates are found
 */

/** @param {string | null} text @returns {Filter} */
export function parseFilter(text) {
	/** @type {Filter} */
	const out = { property: null, tests: [] };
	if (text === null)
		return out;
	for (const clause of splitAnd(text))
		addClause(out, clause);
	return out;
}

/** Splits at ` and ` outside parentheses and quotes. @param {string} text */
function splitAnd(text) {
	const out = [];
	let depth = 0;
	let quoted = false;
	let from = 0;
	for (let i = 0; i < text.length; i++) {
		const c = text[i];
		if (c === "'")
			quoted = !quoted;
		else if (!quoted && c === '(')
			depth++;
		else if (!quoted && c === ')')
			depth--;
		else if (!quoted && depth === 0 && /^ and /i.test(text.slice(i, i + 5))) {
			out.push(text.slice(from, i));
			from = i + 5;
			i += 4;
		}
	}
	if (depth !== 0 || quoted)
		throw new BadQuery('RequestBroker--ParseUri', `Invalid filter clause: ${text}`);
	return [...out, text.slice(from)].map((s) => s.trim());
}

/** @param {Filter} filter @param {string} clause */
function addClause(filter, clause) {
	const any = /^singleValueExtendedProperties\/any\(\s*(\w+)\s*:\s*(.+)\)$/i.exec(clause);
	if (any !== null) {
		addPropertyClause(filter, any[1], any[2]);
		return;
	}
	const m = /^([A-Za-z/]+)\s+(eq|ne|ge|gt|le|lt)\s+(.+)$/i.exec(clause);
	const read = m === null ? undefined : FIELDS[m[1]];
	if (m === null || read === undefined)
		throw new BadQuery('RequestBroker--ParseUri', `Invalid filter clause: ${clause}`);
	const [, , op, raw] = m;
	const want = read.parse(raw);
	const compare = COMPARE[op.toLowerCase()];
	filter.tests.push((e) => compare(read.of(e), want));
}

/** @type {Record<string, (a: any, b: any) => boolean>} */
const COMPARE = {
	eq: (a, b) => a === b, ne: (a, b) => a !== b, ge: (a, b) => a >= b, gt: (a, b) => a > b, le: (a, b) => a <= b, lt: (a, b) => a < b,
};

/** @param {string} raw */
function instant(raw) {
	const text = UNQUOTE.test(raw.trim()) ? unquote(raw) : raw.trim();
	const ms = Date.parse(/[Zz]$|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`);
	if (Number.isNaN(ms))
		throw new BadQuery('RequestBroker--ParseUri', `Invalid date: ${raw}`);
	return ms;
}

/** @param {string} raw */
function truth(raw) {
	return raw.trim().toLowerCase() === 'true';
}

/** @type {Record<string, { of: (e: any) => any, parse: (raw: string) => any }>} */
const FIELDS = {
	'start/dateTime': { of: (e) => e.start, parse: instant },
	'end/dateTime': { of: (e) => e.end, parse: instant },
	lastModifiedDateTime: { of: (e) => e.modified, parse: instant },
	createdDateTime: { of: (e) => e.created, parse: instant },
	subject: { of: (e) => e.subject, parse: unquote },
	iCalUId: { of: (e) => e.iCalUId, parse: unquote },
	type: { of: (e) => e.type, parse: unquote },
	isCancelled: { of: (e) => e.isCancelled, parse: truth },
	isAllDay: { of: (e) => e.isAllDay, parse: truth },
	isOrganizer: { of: (e) => e.isOrganizer, parse: truth },
};

/** @param {Filter} filter @param {string} name the range variable @param {string} body */
function addPropertyClause(filter, name, body) {
	/** @type {string | null} */
	let key = null;
	/** @type {((v: string) => boolean)[]} */
	const tests = [];
	for (const part of splitAnd(body)) {
		const id = new RegExp(`^${name}/id\\s+eq\\s+(.+)$`, 'i').exec(part);
		const cmp = new RegExp(`^${name}/value\\s+(eq|ne)\\s+(.+)$`, 'i').exec(part);
		const fn = new RegExp(`^(contains|startswith)\\(\\s*${name}/value\\s*,\\s*(.+)\\)$`, 'i').exec(part);
		if (id !== null)
			key = propertyKey(unquote(id[1]));
		else if (cmp !== null)
			tests.push(valueTest(cmp[1].toLowerCase(), cmp[2]));
		else if (fn !== null)
			tests.push(valueTest(fn[1].toLowerCase(), fn[2]));
		else
			throw new BadQuery('RequestBroker--ParseUri', `Invalid filter clause: ${part}`);
	}
	if (key === null)
		throw new BadQuery('ErrorInvalidUrlQueryFilter', 'The filter on extended properties must name the property by id.');
	const wanted = key;
	filter.property ??= wanted;
	filter.tests.push((e) => {
		const found = e.props.get(wanted);
		return found !== undefined && tests.every((t) => t(found.value));
	});
}

/** Values are compared without regard to case. @param {string} op @param {string} raw @returns {(v: string) => boolean} */
function valueTest(op, raw) {
	if (raw.trim() === 'null')
		return () => op === 'ne';
	const want = unquote(raw).toLowerCase();
	switch (op) {
	case 'eq':
		return (v) => v.toLowerCase() === want;
	case 'ne':
		return (v) => v.toLowerCase() !== want;
	case 'contains':
		return (v) => v.toLowerCase().includes(want);
	default:
		return (v) => v.toLowerCase().startsWith(want);
	}
}

/** @param {string | null} text @returns {((a: any, b: any) => number) | null} */
export function parseOrder(text) {
	if (text === null)
		return null;
	const m = /^([A-Za-z/]+)(?:\s+(asc|desc))?$/i.exec(text.trim());
	const read = m === null ? undefined : FIELDS[m[1]];
	if (m === null || read === undefined)
		throw new BadQuery('RequestBroker--ParseUri', `Invalid orderby: ${text}`);
	const sign = m[2]?.toLowerCase() === 'desc' ? -1 : 1;
	return (a, b) => sign * (read.of(a) < read.of(b) ? -1 : read.of(a) > read.of(b) ? 1 : 0);
}

/**
 * One page of a list and where the next begins.
 * @param {URLSearchParams} query @param {number | null} preferred @param {number} usual
 * @returns {{ skip: number, size: number }}
 */
export function parsePage(query, preferred, usual) {
	const top = query.get('$top');
	const skip = query.get('$skip');
	for (const [name, value] of [['$top', top], ['$skip', skip]])
		if (value !== null && !/^\d+$/.test(/** @type {string} */ (value)))
			throw new BadQuery('RequestBroker--ParseUri', `Invalid value for ${name}: ${value}`);
	const size = top !== null ? Number(top) : preferred ?? usual;
	if (size < 1 || size > 1000)
		throw new BadQuery('ErrorInvalidUrlQuery', 'The page size must be between 1 and 1000.');
	return { skip: Number(skip ?? 0), size };
}
