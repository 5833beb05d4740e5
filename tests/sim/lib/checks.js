// @ts-check
/*
 * Holds the OpenAPI documents against every exchange. Violations are collected; with `strict` a
 * violating request is answered 500 so that a test can not overlook it.
 */

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Document } from '../openapi.js';
import { Ring } from './journal.js';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const SAMPLE_EVERY = 50;
const FILES = { graph: 'msgraph-v1.subset.json', entra: 'msgraph-v1.subset.json', unblu: 'unblu-webapi-v4.subset.json' };

/** Where the specifications lie: the environment, else ../shared/specs beside the project. */
export function specsFolder() {
	return process.env.OUTLOOK_ADDIN_SPECS ?? path.resolve(HERE, '../../../../shared/specs');
}

/** @param {string} file */
function readJson(file) {
	return JSON.parse(fs.readFileSync(file, 'utf8'));
}

export class Checks {
	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
		this.violations = new Ring(1000);
		this.judged = { requests: 0, responses: 0, notifications: 0 };
		this.turn = 0;
		/** @type {Record<string, Document>} */
		this.documents = {};
		this.message = this.load(specsFolder());
	}

	/** @param {string} folder @returns {string} what was found, for people */
	load(folder) {
		const extra = readJson(path.resolve(HERE, '../specs-extra.json'));
		const missing = [...new Set(Object.values(FILES))].filter((f) => !fs.existsSync(path.join(folder, f)));
		if (missing.length > 0)
			return `validation skipped: ${missing.join(', ')} not found in ${folder} (set OUTLOOK_ADDIN_SPECS)`;
		for (const [service, file] of Object.entries(FILES)) {
			const base = readJson(path.join(folder, file));
			const more = extra.services[service] ?? {};
			const components = { ...base.components, schemas: { ...base.components.schemas, ...more.schemas } };
			this.documents[service] = new Document({ ...base, components, paths: mergePaths(base.paths, more.paths ?? {}) }, { nulls: service === 'unblu' });
		}
		return `validation against ${Object.values(this.documents).reduce((n, d) => n + d.operations.size, 0)} operations`;
	}

	get active() {
		return Object.keys(this.documents).length > 0;
	}

	due() {
		const mode = this.sim.settings.validate;
		return mode === 'all' || mode === 'sample' && this.turn++ % SAMPLE_EVERY === 0;
	}

	/**
	 * @param {string | null | undefined} spec "METHOD /path/{template}"; null: not specified anywhere
	 * @param {any} ctx @returns {string | null} a complaint, in strict mode only
	 */
	request(spec, ctx) {
		if (spec === null || spec === undefined || !this.active || !this.due())
			return null;
		const operation = this.documents[ctx.service].operations.get(spec);
		this.judged.requests++;
		const found = operation === undefined ? [`no operation ${spec}`] : operation.judgeRequest(ctx.query, ctx.headers['content-type'], ctx.body);
		if (found.length === 0)
			return null;
		this.note(ctx, 'request', spec, found);
		return this.sim.settings.strict ? found.join('; ') : null;
	}

	/** @param {string | null | undefined} spec @param {any} ctx @param {any} reply @returns {string | null} */
	response(spec, ctx, reply) {
		if (spec === null || spec === undefined || !this.active || reply.unchecked === true || ctx.service === 'unblu' && this.sim.settings.unblu.futureFields || !this.due())
			return null;
		const operation = this.documents[ctx.service].operations.get(spec);
		if (operation === undefined)
			return null;
		this.judged.responses++;
		const found = operation.judgeResponse(reply.status, reply.headers?.['Content-Type'], reply.body);
		if (found.length === 0)
			return null;
		this.note(ctx, 'response', spec, found);
		return this.sim.settings.strict ? found.join('; ') : null;
	}

	/** What we send to the webhook. @param {any} body */
	notification(body) {
		if (!this.active || !this.due())
			return;
		this.judged.notifications++;
		const found = this.documents.graph.judge({ $ref: '#/components/schemas/microsoft.graph.changeNotificationCollection' }, body, false);
		if (found.length > 0)
			this.note({ service: 'graph', op: 'notification', method: 'POST', path: '' }, 'notification', 'changeNotificationCollection', found);
	}

	/** @param {any} ctx @param {string} where @param {string} spec @param {string[]} complaints */
	note(ctx, where, spec, complaints) {
		const violation = { at: this.sim.clock.iso(), service: ctx.service, op: ctx.op, where, spec, method: ctx.method, path: ctx.path, search: ctx.search, complaints };
		this.violations.push(violation);
		this.sim.journal.emit('violation', violation);
	}

	report() {
		return { mode: this.sim.settings.validate, specifications: this.message, active: this.active, judged: this.judged, total: this.violations.total, violations: this.violations.list() };
	}

	clear() {
		this.violations.clear();
		this.judged = { requests: 0, responses: 0, notifications: 0 };
	}
}

/** Operations of both; the extra ones win. @param {any} base @param {any} more */
function mergePaths(base, more) {
	const out = { ...base };
	for (const [key, item] of Object.entries(more))
		out[key] = { ...out[key], ...item };
	return out;
}
