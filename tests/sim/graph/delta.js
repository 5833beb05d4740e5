// @ts-check
/* calendarView/delta (graph.md 10 C): rounds of pages, tokens, removals with noise, 410. */

import { graphError } from './errors.js';
import { occurrencesOf } from './series.js';
import { parsePrefer, renderEvent } from './view.js';

const UNSUPPORTED = ['$select', '$expand', '$filter', '$orderby', '$search', '$top'];

/** Instances and events of a window. @param {any} box @param {number} from @param {number} to */
function rowsOf(box, from, to) {
	const rows = [];
	for (const e of box.events.values()) {
		if (e.folder !== 'calendar' || e.calendarId !== box.defaultCalendar || e.start === null)
			continue;
		const list = e.type === 'seriesMaster' ? occurrencesOf(e, from, to).map((occ) => ({ e, occ, start: occ.start, end: occ.end })) : [{ e, occ: null, start: e.start, end: e.end }];
		rows.push(...list.filter((r) => r.start < to && r.end > from));
	}
	return rows;
}

/** @param {any} r @param {boolean} immutable */
function idOf(r, immutable) {
	const item = r.occ ?? r.e;
	return immutable ? item.immutableId : item.restId;
}

/** @param {any} sim @param {any} ctx */
export function deltaCalendarView(sim, ctx) {
	const prefer = parsePrefer(ctx.headers.prefer);
	for (const name of UNSUPPORTED)
		if (ctx.query.has(name))
			return graphError(sim, ctx, 400, 'ErrorInvalidUrlQuery', `The following parameters are not supported with change tracking over the 'CalendarView' resource: '${name}'.`);
	const token = ctx.query.get('$skiptoken') ?? ctx.query.get('$deltatoken');
	if (token === null)
		return firstRound(sim, ctx, prefer);
	const state = sim.deltaTokens.get(token);
	if (state === undefined || state.expiresAt <= sim.clock.now()) {
		const reply = graphError(sim, ctx, 410, 'SyncStateNotFound', 'The sync state generation is not found; generation=149;[highest=157][157][155][156].');
		return { ...reply, headers: { ...reply.headers, Location: `${sim.urls.graph}${ctx.path}` } };
	}
	return ctx.query.has('$skiptoken') ? answer(sim, ctx, prefer, state.known, state.rest, state) : nextRound(sim, ctx, prefer, state);
}

/** @param {any} sim @param {any} ctx @param {any} prefer */
function firstRound(sim, ctx, prefer) {
	const from = Date.parse(ctx.query.get('startDateTime') ?? '');
	const to = Date.parse(ctx.query.get('endDateTime') ?? '');
	if (Number.isNaN(from) || Number.isNaN(to))
		return graphError(sim, ctx, 400, 'ErrorInvalidParameter', 'This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.');
	const rows = rowsOf(ctx.box, from, to);
	const items = rows.map((r) => renderEvent(sim, r.e, r.occ, prefer, { select: null, expand: null }, `users('${ctx.box.user.oid}')/calendarView`));
	return answer(sim, ctx, prefer, new Map(rows.map((r) => [idOf(r, prefer.immutable), r.e.etag])), items, { from, to, since: sim.clock.now() });
}

/** @param {any} sim @param {any} ctx @param {any} prefer @param {any} state */
function nextRound(sim, ctx, prefer, state) {
	const rows = rowsOf(ctx.box, state.from, state.to);
	const now = new Map(rows.map((r) => [idOf(r, prefer.immutable), r]));
	/** @type {any[]} */
	const items = [];
	for (const [id, r] of now)
		if (state.known.get(id) !== r.e.etag)
			items.push(renderEvent(sim, r.e, r.occ, prefer, { select: null, expand: null }, `users('${ctx.box.user.oid}')/calendarView`));
	for (const id of state.known.keys())
		if (!now.has(id))
			items.push({ '@odata.type': '#microsoft.graph.event', id, '@removed': { reason: 'deleted' } });
	/* Events outside the window that merely changed are reported as removed too. */
	for (const e of ctx.box.events.values())
		if (e.modified > state.since && e.folder === 'calendar' && !now.has(prefer.immutable ? e.immutableId : e.restId) && e.type !== 'seriesMaster')
			items.push({ '@odata.type': '#microsoft.graph.event', id: prefer.immutable ? e.immutableId : e.restId, '@removed': { reason: 'deleted' } });
	return answer(sim, ctx, prefer, new Map([...now].map(([id, r]) => [id, r.e.etag])), items, { ...state, since: sim.clock.now() });
}

/** @param {any} sim @param {any} ctx @param {any} prefer @param {Map<string, string>} known @param {any[]} items @param {any} state */
function answer(sim, ctx, prefer, known, items, state) {
	const size = prefer.pageSize ?? sim.settings.graph.eventPageSize;
	const last = items.length <= size;
	const token = sim.rng.text(40);
	sim.deltaTokens.set(token, { from: state.from, to: state.to, since: state.since, known, rest: items.slice(size), expiresAt: sim.clock.now() + sim.settings.graph.deltaTokenLifeMs });
	const link = `${sim.urls.graph}${ctx.path}?${last ? '$deltatoken' : '$skiptoken'}=${token}`;
	return {
		status: 200, headers: { 'Content-Type': 'application/json' },
		body: { '@odata.context': `${sim.urls.graph}/v1.0/$metadata#Collection(event)`, value: items.slice(0, size), [last ? '@odata.deltaLink' : '@odata.nextLink']: link },
	};
}
