// @ts-check
/* Reading events and calendars (graph.md section 9). The product never writes them, so only reads. */

import { textOf } from '../lib/rng.js';
import { graphError } from './errors.js';
import { idIsWellFormed } from './ids.js';
import { BadQuery, parseExpand, parseFilter, parseOrder, parsePage, parseSelect } from './odata.js';
import { findOccurrence, occurrencesOf } from './series.js';
import { parsePrefer, renderEvent } from './view.js';

const EVENTS_PER_PAGE = 10;
/* microsoft-graph-docs#6284 */
const LONGEST_WINDOW_DAYS = 1825;

/** Turns a bad query into Graph's answer. @param {any} sim @param {any} ctx @param {(prefer: import('./view.js').Prefer) => any} read */
function answering(sim, ctx, read) {
	const prefer = parsePrefer(ctx.headers.prefer);
	if (prefer.bad !== null)
		return graphError(sim, ctx, 400, 'TimeZoneNotSupportedException', `A time zone with the specified ID could not be found: ${prefer.bad}`);
	try {
		const reply = read(prefer);
		if (prefer.applied.length > 0 && reply.status < 300)
			reply.headers = { ...reply.headers, 'Preference-Applied': prefer.applied.join(', ') };
		return reply;
	} catch (e) {
		if (e instanceof BadQuery)
			return graphError(sim, ctx, 400, e.code, e.message);
		throw e;
	}
}

/** @param {any} sim @param {any} ctx */
function notFound(sim, ctx) {
	return graphError(sim, ctx, 404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
}

/** JSON with the content type that Graph uses. @param {any} body */
function ok(body) {
	return { status: 200, headers: { 'Content-Type': 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8' }, body };
}

/**
 * The event an id means now, as far as this reader may see it.
 * @param {any} sim @param {any} ctx @param {string} id @returns {{ event: any, occ: any } | { error: any }}
 */
function lookUp(sim, ctx, id) {
	if (!idIsWellFormed(id))
		return { error: graphError(sim, ctx, 400, 'ErrorInvalidIdMalformed', 'Id is malformed.') };
	const event = ctx.box.find(id);
	if (event === undefined) {
		const found = findOccurrence(ctx.box, id);
		return found === null || found.event.folder !== 'calendar' ? { error: notFound(sim, ctx) } : found;
	}
	if (event.folder === 'calendar' || event.folder === 'deleted' && sim.settings.graph.deletedItems === '200')
		return { event, occ: null };
	return { error: notFound(sim, ctx) };
}

/** @param {any} sim @param {any} ctx @param {string} id */
export function getEvent(sim, ctx, id) {
	return answering(sim, ctx, (prefer) => {
		const shape = { select: parseSelect(ctx.query.get('$select')), expand: parseExpand(ctx.query.get('$expand')) };
		const found = lookUp(sim, ctx, id);
		if ('error' in found)
			return found.error;
		const base = `users('${ctx.box.user.oid}')/events`;
		const members = shape.select === null ? '' : `(${shape.select.join(',')}${shape.expand ? ',singleValueExtendedProperties()' : ''})`;
		return ok({ '@odata.context': `${sim.urls.graph}/v1.0/$metadata#${base}${members}/$entity`, ...renderEvent(sim, found.event, found.occ, prefer, shape, base) });
	});
}

/** @param {any} sim @param {any} ctx @param {string} id */
export function getEventCalendar(sim, ctx, id) {
	return answering(sim, ctx, () => {
		const found = lookUp(sim, ctx, id);
		if ('error' in found)
			return found.error;
		/* An item in Deleted Items is in no calendar. */
		if (found.event.folder !== 'calendar')
			return notFound(sim, ctx);
		return ok({ '@odata.context': `${sim.urls.graph}/v1.0/$metadata#users('${ctx.box.user.oid}')/calendars/$entity`, ...calendarView(ctx.box, found.event.calendarId) });
	});
}

/** @param {any} box @param {string} id */
function calendarView(box, id) {
	const c = box.calendars.get(id);
	return {
		id: c.id, name: c.name, color: 'auto', hexColor: '', isDefaultCalendar: c.isDefault, changeKey: 'nfZyf7VcrEKLNoU37KWlkQAAA0x0+w==', canShare: true, canViewPrivateItems: true,
		canEdit: true, isTallyingResponses: true, isRemovable: !c.isDefault, owner: { name: box.user.name, address: box.user.mail },
	};
}

/** @param {any} sim @param {any} ctx */
export function getDefaultCalendar(sim, ctx) {
	return answering(sim, ctx, () => ok({ '@odata.context': `${sim.urls.graph}/v1.0/$metadata#users('${ctx.box.user.oid}')/calendar/$entity`, ...calendarView(ctx.box, ctx.box.defaultCalendar) }));
}

/** A calendar with the members that were asked for. @param {any} all @param {string[] | null} select */
function selected(all, select) {
	return select === null ? all : Object.fromEntries(Object.entries(all).filter(([name]) => name === 'id' || select.includes(name)));
}

/** @param {any} sim @param {any} ctx */
export function listCalendars(sim, ctx) {
	return answering(sim, ctx, (prefer) => {
		const select = ctx.query.get('$select')?.split(',').map((/** @type {string} */ s) => s.trim()) ?? null;
		const known = calendarView(ctx.box, ctx.box.defaultCalendar);
		for (const name of select ?? [])
			if (!(name in known))
				throw new BadQuery('RequestBroker--ParseUri', `Could not find a property named '${name}' on type 'microsoft.graph.calendar'.`);
		return page(sim, ctx, prefer, [...ctx.box.calendars.keys()], (id) => selected(calendarView(ctx.box, id), select), `users('${ctx.box.user.oid}')/calendars`);
	});
}

/**
 * A page of anything, with the link to the next.
 * @param {any} sim @param {any} ctx @param {import('./view.js').Prefer} prefer @param {any[]} all @param {(item: any) => any} render @param {string} context
 */
function page(sim, ctx, prefer, all, render, context) {
	const asked = parsePage(ctx.query, prefer.pageSize, sim.settings.graph.eventPageSize ?? EVENTS_PER_PAGE);
	const { skip } = asked;
	const size = Math.min(asked.size, sim.settings.graph.eventPageMax);
	/** @type {any} */
	const body = { '@odata.context': `${sim.urls.graph}/v1.0/$metadata#${context}`, value: all.slice(skip, skip + size).map(render) };
	if (skip + size < all.length || sim.settings.graph.endlessLists) {
		const next = new URLSearchParams(ctx.query);
		next.set('$skip', String(skip + size));
		body['@odata.nextLink'] = `${sim.urls.graph}${ctx.path}?${next.toString().replace(/%24/g, '$')}`;
	}
	return ok(body);
}

/** Events of one calendar that pass the filter. @param {any} ctx @param {string} calendarId @param {import('./odata.js').Filter} filter */
function candidates(ctx, calendarId, filter) {
	const pool = filter.property === null ? ctx.box.events.values() : ctx.box.byProperty.get(filter.property) ?? [];
	const out = [];
	for (const e of pool)
		if (e.folder === 'calendar' && e.calendarId === calendarId && filter.tests.every((t) => t(e)))
			out.push(e);
	return out;
}

/** Single instances and series masters of a calendar. @param {any} sim @param {any} ctx @param {string} [calendarId] default: the default calendar */
export function listEvents(sim, ctx, calendarId) {
	return answering(sim, ctx, (prefer) => {
		if (calendarId !== undefined && !ctx.box.calendars.has(calendarId))
			return notFound(sim, ctx);
		const shape = { select: parseSelect(ctx.query.get('$select')), expand: parseExpand(ctx.query.get('$expand')) };
		const order = parseOrder(ctx.query.get('$orderby'));
		const found = candidates(ctx, calendarId ?? ctx.box.defaultCalendar, parseFilter(ctx.query.get('$filter')));
		if (order !== null)
			found.sort(order);
		const context = `users('${ctx.box.user.oid}')/events`;
		return page(sim, ctx, prefer, found, (e) => renderEvent(sim, e, null, prefer, shape, context), context);
	});
}

/** @param {URLSearchParams} query @returns {[number, number]} */
function windowOf(query) {
	const out = ['startDateTime', 'endDateTime'].map((name) => {
		const text = query.get(name);
		if (text === null)
			throw new BadQuery('ErrorInvalidParameter', `This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.`);
		const ms = Date.parse(/[Zz]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
		if (Number.isNaN(ms))
			throw new BadQuery('ErrorInvalidParameter', `The value '${text}' of parameter '${name}' is invalid.`);
		return ms;
	});
	if (out[1] - out[0] > LONGEST_WINDOW_DAYS * 86400_000)
		throw new BadQuery('ErrorInvalidRequest', `Your request can't be completed. The range between the start and end dates is greater than the allowed range. Maximum number of days: ${LONGEST_WINDOW_DAYS}`);
	return [out[0], out[1]];
}

/** @param {any} sim @param {any} ctx @param {string} [calendarId] */
export function listCalendarView(sim, ctx, calendarId) {
	return answering(sim, ctx, (prefer) => {
		if (calendarId !== undefined && !ctx.box.calendars.has(calendarId))
			return notFound(sim, ctx);
		const [from, to] = windowOf(ctx.query);
		const shape = { select: parseSelect(ctx.query.get('$select')), expand: parseExpand(ctx.query.get('$expand')) };
		const rows = [];
		for (const e of candidates(ctx, calendarId ?? ctx.box.defaultCalendar, parseFilter(ctx.query.get('$filter')))) {
			if (e.start === null)
				continue;
			if (e.type === 'seriesMaster')
				rows.push(...occurrencesOf(e, from, to).map((occ) => ({ e, occ, start: occ.start })));
			else if (e.start < to && (e.end > from || e.end === e.start && e.start >= from))
				rows.push({ e, occ: null, start: e.start });
		}
		rows.sort((a, b) => a.start - b.start);
		const context = `users('${ctx.box.user.oid}')/calendarView`;
		return page(sim, ctx, prefer, rows, (r) => renderEvent(sim, r.e, r.occ, prefer, shape, context), context);
	});
}

/** The same order for each page. @param {import('./series.js').Occurrence[]} all @param {string} seed */
function shuffledBy(all, seed) {
	return all.map((occ) => ({ occ, key: textOf(`${seed}/${occ.date}`, 8) })).sort((a, b) => (a.key < b.key ? -1 : 1)).map((x) => x.occ);
}

/** @param {any} sim @param {any} ctx @param {string} id */
export function listInstances(sim, ctx, id) {
	return answering(sim, ctx, (prefer) => {
		const found = lookUp(sim, ctx, id);
		if ('error' in found)
			return found.error;
		if (found.occ !== null || found.event.type !== 'seriesMaster')
			return graphError(sim, ctx, 400, 'ErrorInvalidRequest', 'The specified item is not a recurring master.');
		const [from, to] = windowOf(ctx.query);
		const shape = { select: parseSelect(ctx.query.get('$select')), expand: parseExpand(ctx.query.get('$expand')) };
		const context = `users('${ctx.box.user.oid}')/events('${encodeURIComponent(id)}')/instances`;
		const all = occurrencesOf(found.event, from, to);
		/* Nothing says in which order they come. */
		const rows = sim.settings.graph.instanceOrder === 'shuffled' ? shuffledBy(all, ctx.path) : all;
		return page(sim, ctx, prefer, rows, (occ) => renderEvent(sim, found.event, occ, prefer, shape, context), context);
	});
}

/** @param {any} sim @param {any} ctx */
export function translateIds(sim, ctx) {
	let body;
	try {
		body = JSON.parse(ctx.body.toString('utf8'));
	} catch {
		return graphError(sim, ctx, 400, 'BadRequest', 'Unable to read JSON request payload.');
	}
	if (!Array.isArray(body?.inputIds) || body.inputIds.length > 1000)
		return graphError(sim, ctx, 400, 'BadRequest', 'inputIds must hold at most 1000 ids.');
	const toImmutable = /immutable/i.test(String(body.targetIdType));
	const value = body.inputIds.map((/** @type {string} */ sourceId) => {
		const e = ctx.box.find(sourceId);
		return e === undefined ? { sourceId, errorDetails: { code: 'ErrorItemNotFound', message: 'The specified object was not found in the store.' } } : { sourceId, targetId: toImmutable ? e.immutableId : e.restId };
	});
	return ok({ '@odata.context': `${sim.urls.graph}/v1.0/$metadata#Collection(microsoft.graph.convertIdResult)`, value });
}
