// @ts-check
/* How an event looks in an answer: ids, times in the asked zone, $select, expanded properties. */

import { toLocal, zoneName } from './zones.js';

const DEFAULT_MEMBERS = [
	'id', 'createdDateTime', 'lastModifiedDateTime', 'changeKey', 'categories', 'transactionId', 'originalStartTimeZone', 'originalEndTimeZone', 'iCalUId',
	'reminderMinutesBeforeStart', 'isReminderOn', 'hasAttachments', 'subject', 'bodyPreview', 'importance', 'sensitivity', 'isAllDay', 'isCancelled', 'isOrganizer',
	'responseRequested', 'seriesMasterId', 'showAs', 'type', 'webLink', 'onlineMeetingUrl', 'isOnlineMeeting', 'onlineMeetingProvider', 'allowNewTimeProposals',
	'isDraft', 'hideAttendees', 'recurrence', 'responseStatus', 'body', 'start', 'end', 'location', 'locations', 'attendees', 'organizer', 'onlineMeeting', 'originalStart',
];
/** Only on request. */
const OPTIONAL_MEMBERS = ['cancelledOccurrences'];
export const EVENT_MEMBERS = new Set([...DEFAULT_MEMBERS, ...OPTIONAL_MEMBERS]);

/**
 * What the request prefers.
 * @typedef {{ immutable: boolean, zone: string, zoneText: string, pageSize: number | null, textBody: boolean, applied: string[], bad: string | null }} Prefer
 */

/** @param {string | string[] | undefined} header @returns {Prefer} */
export function parsePrefer(header) {
	/** @type {Prefer} */
	const out = { immutable: false, zone: 'UTC', zoneText: 'UTC', pageSize: null, textBody: false, applied: [], bad: null };
	const text = Array.isArray(header) ? header.join(',') : header ?? '';
	for (const m of text.matchAll(/([A-Za-z.-]+)\s*=\s*(?:"([^"]*)"|([^,;\s]+))/g)) {
		const name = m[1].toLowerCase();
		const value = m[2] ?? m[3];
		if (name === 'idtype' && value.toLowerCase() === 'immutableid') {
			out.immutable = true;
			out.applied.push('IdType="ImmutableId"');
		} else if (name === 'outlook.timezone') {
			const zone = zoneName(value);
			if (zone === null) {
				out.bad = value;
			} else {
				Object.assign(out, { zone, zoneText: value });
				out.applied.push(`outlook.timezone="${value}"`);
			}
		} else if (name === 'odata.maxpagesize' && /^\d+$/.test(value)) {
			out.pageSize = Number(value);
			out.applied.push(`odata.maxpagesize=${value}`);
		} else if (name === 'outlook.body-content-type' && /^(text|html)$/i.test(value)) {
			out.textBody = value.toLowerCase() === 'text';
			out.applied.push(`outlook.body-content-type="${value}"`);
		}
	}
	return out;
}

/** 2026-12-01T09:00:00.0000000 without offset. @param {number} ms */
function sevenDigits(ms) {
	return new Date(ms).toISOString().replace('Z', '0000');
}

/** @param {number | null} ms @param {boolean} allDay @param {Prefer} prefer */
function dateTime(ms, allDay, prefer) {
	if (ms === null)
		return null;
	/* All-day events are midnight to midnight in whatever zone was asked for. */
	return { dateTime: sevenDigits(allDay ? ms : toLocal(ms, prefer.zone)), timeZone: prefer.zoneText };
}

/** @param {number} ms */
function stamp(ms) {
	return new Date(ms).toISOString().replace('Z', '4567Z');
}

/** @param {{ name: string, address: string }} who */
function recipient(who) {
	return { emailAddress: { name: who.name, address: who.address } };
}

/** A body as text, the way Exchange writes it: a link is its text and, in angle brackets, its address. @param {string} html */
export function textOfHtml(html) {
	/** @type {Record<string, string>} */
	const named = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: '\u00a0' };
	const open = '\u0001';
	const close = '\u0002';
	return html.replace(/<a\b[^>]*?\bhref="([^"]*)"[^>]*>(.*?)<\/a>/gis, `$2${open}$1${close}`).replace(/<br\b[^>]*>|<\/(?:p|div)>/gi, '\r\n').replace(/<[^>]*>/g, '')
		.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (all, dec, hex, name) => name !== undefined ? named[name.toLowerCase()] ?? all : String.fromCodePoint(dec !== undefined ? Number(dec) : parseInt(hex, 16)))
		.replaceAll(open, '<').replaceAll(close, '>');
}

/** All members of an event or of one occurrence. @param {any} e @param {any} occ an occurrence of series.js, or null @param {Prefer} prefer */
export function eventMembers(e, occ, prefer) {
	const id = occ !== null ? (prefer.immutable ? occ.immutableId : occ.restId) : prefer.immutable ? e.immutableId : e.restId;
	const masterId = prefer.immutable ? e.immutableId : e.restId;
	const subject = occ?.subject ?? e.subject;
	const start = occ?.start ?? e.start;
	const end = occ?.end ?? e.end;
	const isAllDay = occ?.isAllDay ?? e.isAllDay;
	const location = { displayName: e.location, locationType: 'default', uniqueId: e.location, uniqueIdType: 'private' };
	return {
		id, createdDateTime: stamp(e.created), lastModifiedDateTime: stamp(e.modified), changeKey: e.etag, categories: e.categories, transactionId: null,
		originalStartTimeZone: e.timeZone, originalEndTimeZone: e.timeZone, iCalUId: e.iCalUId, reminderMinutesBeforeStart: 15, isReminderOn: true, hasAttachments: false,
		subject, bodyPreview: e.body.replace(/<[^>]*>/g, '').slice(0, 255), importance: 'normal', sensitivity: 'normal', isAllDay,
		isCancelled: occ?.isCancelled ?? e.isCancelled, isOrganizer: e.isOrganizer, responseRequested: true, seriesMasterId: occ !== null ? masterId : null, showAs: 'busy',
		type: occ !== null ? occ.type : e.type, webLink: `https://outlook.office365.com/owa/?itemid=${encodeURIComponent(id)}&exvsurl=1&path=/calendar/item`,
		onlineMeetingUrl: null, isOnlineMeeting: false, onlineMeetingProvider: 'unknown', allowNewTimeProposals: true, isDraft: e.isDraft, hideAttendees: false,
		recurrence: occ !== null ? null : e.recurrence, responseStatus: { response: e.isOrganizer ? 'organizer' : 'notResponded', time: '0001-01-01T00:00:00Z' },
		body: prefer.textBody ? { contentType: 'text', content: textOfHtml(e.body) } : { contentType: 'html', content: e.body }, start: dateTime(start, isAllDay, prefer), end: dateTime(end, isAllDay, prefer),
		location, locations: e.location === '' ? [] : [location],
		attendees: e.attendees.map((/** @type {any} */ a) => ({ type: 'required', status: { response: a.response ?? 'none', time: '0001-01-01T00:00:00Z' }, ...recipient(a) })),
		organizer: recipient(e.organizer), onlineMeeting: null, originalStart: occ !== null ? new Date(occ.originalStart).toISOString() : null,
		cancelledOccurrences: [...e.cancelled].map((d) => `OID.${masterId}.${d}`),
	};
}

/**
 * One event of an answer.
 * @param {any} sim @param {any} e @param {any} occ @param {Prefer} prefer @param {{ select: string[] | null, expand: string[] | null }} shape expand: property keys
 * @param {string} context the resource part of the context URL, without $entity
 */
export function renderEvent(sim, e, occ, prefer, shape, context) {
	/** @type {any} */
	const all = eventMembers(e, occ, prefer);
	/** @type {any} */
	const out = { '@odata.etag': `W/"${e.etag}"`, id: all.id };
	for (const name of shape.select ?? DEFAULT_MEMBERS)
		if (all[name] !== undefined)
			out[name] = all[name];
	if (e.type !== 'seriesMaster' || occ !== null)
		delete out.cancelledOccurrences;
	if (shape.expand !== null) {
		const found = shape.expand.map((key) => (occ?.noProperty ? undefined : e.props.get(key))).filter((p) => p !== undefined);
		/* Without a match the member is missing altogether. */
		if (found.length > 0) {
			out['singleValueExtendedProperties@odata.context'] = `${sim.urls.graph}/v1.0/$metadata#${context}('${encodeURIComponent(all.id)}')/singleValueExtendedProperties`;
			out.singleValueExtendedProperties = found.map((p) => ({ id: p.id, value: p.value }));
		}
	}
	return out;
}
