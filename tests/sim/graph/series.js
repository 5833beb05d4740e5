// @ts-check
/* Occurrences of a recurring event, by local wall time in the zone of the series. */

import { textOf } from '../lib/rng.js';
import { fromLocal, toLocal, zoneName } from './zones.js';

const DAY = 86400_000;
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const MOST = 1000;

/**
 * @typedef {object} Occurrence
 * @property {string} date original local start date, the name of the occurrence
 * @property {number} originalStart @property {number} start @property {number} end
 * @property {string} [subject] @property {'occurrence' | 'exception'} type
 * @property {string} immutableId @property {string} restId @property {boolean} noProperty
 */

/** Local midnights on which the pattern falls, from the first on. @param {any} recurrence @param {number} first local ms @returns {Generator<number>} */
function* patternDays(recurrence, first) {
	const { pattern } = recurrence;
	const day0 = Math.floor(first / DAY) * DAY;
	const interval = Math.max(1, pattern.interval ?? 1);
	if (pattern.type === 'weekly') {
		const wanted = new Set((pattern.daysOfWeek ?? [DAYS[new Date(day0).getUTCDay()]]).map((/** @type {string} */ d) => DAYS.indexOf(d.toLowerCase())));
		const week0 = day0 - new Date(day0).getUTCDay() * DAY;
		for (let week = week0; ; week += 7 * interval * DAY)
			for (let i = 0; i < 7; i++)
				if (wanted.has(i) && week + i * DAY >= day0)
					yield week + i * DAY;
	} else if (pattern.type === 'absoluteMonthly') {
		const d = new Date(day0);
		for (let n = 0; ; n += interval) {
			const t = Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + n, pattern.dayOfMonth ?? d.getUTCDate());
			if (new Date(t).getUTCDate() === (pattern.dayOfMonth ?? d.getUTCDate()))
				yield t;
		}
	} else {
		for (let t = day0; ; t += interval * DAY)
			yield t;
	}
}

/**
 * All occurrences that are not deleted, in the order of the original starts.
 * @param {any} e a series master @returns {Occurrence[]}
 */
export function occurrencesOf(e) {
	if (e.start === null || e.recurrence === null)
		return [];
	const zone = zoneName(e.recurrence.range?.recurrenceTimeZone ?? e.timeZone) ?? 'UTC';
	const firstLocal = toLocal(e.start, zone);
	const clockTime = ((firstLocal % DAY) + DAY) % DAY;
	const length = e.end - e.start;
	const range = e.recurrence.range ?? {};
	const most = range.type === 'numbered' ? Math.min(range.numberOfOccurrences ?? 1, MOST) : MOST;
	const last = range.type === 'endDate' ? Date.parse(`${range.endDate}T00:00:00Z`) : Infinity;
	const out = [];
	let n = 0;
	for (const day of patternDays(e.recurrence, firstLocal)) {
		if (n++ >= most || day > last)
			break;
		const date = new Date(day).toISOString().slice(0, 10);
		if (e.cancelled.has(date))
			continue;
		out.push(makeOccurrence(e, date, fromLocal(day + clockTime, zone), length));
	}
	return out;
}

/** @param {any} e @param {string} date @param {number} start @param {number} length @returns {Occurrence} */
function makeOccurrence(e, date, start, length) {
	const change = e.exceptions.get(date);
	const seed = `${e.immutableId}/${date}`;
	const occ = {
		date, originalStart: start, start: change?.start ?? start, end: change?.end ?? (change?.start ?? start) + length,
		subject: change?.subject, type: /** @type {'occurrence' | 'exception'} */ (change === undefined ? 'occurrence' : 'exception'),
		immutableId: `AAoALgAAAAAAHYQDEapmEc2byACqAC-EWg0A${textOf(`i/${seed}`, 40)}AA`, restId: `AAMkAGI2TG93AAAFRA${textOf(`r/${seed}`, 100)}AAA=`,
		/* Modified occurrences lose the custom property in classic Outlook. */
		noProperty: change !== undefined && change.keepsProperty !== true,
	};
	e.box.occurrences.set(occ.immutableId, { master: e, date });
	e.box.occurrences.set(occ.restId, { master: e, date });
	return occ;
}

/** An occurrence by an id that was handed out before. @param {any} box @param {string} id */
export function findOccurrence(box, id) {
	const known = box.occurrences.get(id);
	if (known === undefined || known.master.folder === 'gone')
		return null;
	const occ = occurrencesOf(known.master).find((o) => o.date === known.date);
	return occ === undefined ? null : { event: known.master, occ };
}
