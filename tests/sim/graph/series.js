// @ts-check
/*
 * Occurrences of a recurring event: by local wall time in the zone of the series, so that their instants
 * move with daylight saving; all-day ones are days of a calendar and know no zone (graph.md section 9).
 */

import { textOf } from '../lib/rng.js';
import { fromLocal, toLocal, zoneName } from './zones.js';

const DAY = 86400_000;
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const INDEXES = ['first', 'second', 'third', 'fourth'];
/* Nobody asks further ahead than that from the first occurrence. */
const LAST_DAY = 60 * 366 * DAY;
/* What a caller without a window gets of a series without end. */
const MOST = 1000;

/**
 * @typedef {object} Occurrence
 * @property {string} date original local start date, the name of the occurrence
 * @property {number} originalStart @property {number} start @property {number} end
 * @property {string} [subject] @property {'occurrence' | 'exception'} type @property {boolean} isCancelled @property {boolean} isAllDay
 * @property {string} immutableId @property {string} restId @property {boolean} noProperty
 */

/** @param {any} pattern @param {number} first the day of the first occurrence @returns {Set<number>} */
function wantedDays(pattern, first) {
	return new Set((pattern.daysOfWeek ?? [DAYS[new Date(first).getUTCDay()]]).map((/** @type {string} */ d) => DAYS.indexOf(d.toLowerCase())));
}

/** @param {number} year @param {number} month may be above 11 */
function monthLength(year, month) {
	return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}

/** The day of a month that "second tuesday" or "last weekday" means. @param {number} year @param {number} month @param {Set<number>} wanted @param {string} index */
function relativeDay(year, month, wanted, index) {
	const found = [];
	for (let day = 1; day <= monthLength(year, month); day++)
		if (wanted.has(new Date(Date.UTC(year, month, day)).getUTCDay()))
			found.push(day);
	return found[index === 'last' ? found.length - 1 : INDEXES.indexOf(index)];
}

/** Days of the weeks, which begin with firstDayOfWeek. @param {any} pattern @param {number} first @returns {Generator<number>} */
function* weekDays(pattern, first) {
	const wanted = wantedDays(pattern, first);
	const begin = DAYS.indexOf((pattern.firstDayOfWeek ?? 'sunday').toLowerCase());
	const week0 = first - ((new Date(first).getUTCDay() - begin + 7) % 7) * DAY;
	for (let week = week0; ; week += 7 * (pattern.interval ?? 1) * DAY)
		for (let day = week; day < week + 7 * DAY; day += DAY)
			if (wanted.has(new Date(day).getUTCDay()))
				yield day;
}

/** One day a month, or of one month a year; a day that a month lacks is its last. @param {any} pattern @param {number} first @param {boolean} yearly @param {boolean} relative @returns {Generator<number>} */
function* monthDays(pattern, first, yearly, relative) {
	const d = new Date(first);
	const month0 = yearly && pattern.month ? pattern.month - 1 : d.getUTCMonth();
	for (let n = 0; ; n += (pattern.interval ?? 1) * (yearly ? 12 : 1)) {
		const month = month0 + n;
		const day = relative ? relativeDay(d.getUTCFullYear(), month, wantedDays(pattern, first), pattern.index ?? 'first')
			: Math.min(pattern.dayOfMonth ?? d.getUTCDate(), monthLength(d.getUTCFullYear(), month));
		yield Date.UTC(d.getUTCFullYear(), month, day);
	}
}

/** @param {any} pattern @param {number} first @returns {Generator<number>} */
function* plainDays(pattern, first) {
	for (let day = first; ; day += (pattern.interval ?? 1) * DAY)
		yield day;
}

/** Local midnights on which the pattern falls, from the first on. @param {any} pattern @param {number} first @returns {Generator<number>} */
function patternDays(pattern, first) {
	switch (pattern.type) {
	case 'daily': return plainDays(pattern, first);
	case 'weekly': return weekDays(pattern, first);
	case 'absoluteMonthly': return monthDays(pattern, first, false, false);
	case 'relativeMonthly': return monthDays(pattern, first, false, true);
	case 'absoluteYearly': return monthDays(pattern, first, true, false);
	case 'relativeYearly': return monthDays(pattern, first, true, true);
	default: throw new RangeError(`recurrence: no pattern ${JSON.stringify(pattern.type)}`);
	}
}

/** The series as its occurrences are made from it. @param {any} e */
function frameOf(e) {
	const zone = e.isAllDay ? 'UTC' : zoneName(e.recurrence.range?.recurrenceTimeZone ?? e.timeZone) ?? 'UTC';
	const firstLocal = toLocal(e.start, zone);
	const first = Math.floor(firstLocal / DAY) * DAY;
	return { zone, first, clockTime: firstLocal - first, length: toLocal(e.end, zone) - firstLocal };
}

/** The days of the series, those of deleted occurrences too. @param {any} e @param {{ first: number }} frame @returns {Generator<number>} */
function* seriesDays(e, frame) {
	const range = e.recurrence.range ?? {};
	const most = range.type === 'numbered' ? range.numberOfOccurrences ?? 1 : Infinity;
	const last = range.type === 'endDate' ? Date.parse(`${range.endDate}T00:00:00Z`) : frame.first + LAST_DAY;
	let n = 0;
	for (const day of patternDays(e.recurrence.pattern, frame.first)) {
		if (day < frame.first)
			continue;
		if (n++ >= most || day > last)
			return;
		yield day;
	}
}

/**
 * Occurrences that are not deleted and overlap the window, in the order of their original starts. An exception counts
 * where it was moved to.
 * @param {any} e a series master @param {number} [from] @param {number} [to] @returns {Occurrence[]}
 */
export function occurrencesOf(e, from = -Infinity, to = Infinity) {
	if (e.start === null || e.recurrence === null)
		return [];
	const frame = frameOf(e);
	const out = [];
	for (const day of seriesDays(e, frame)) {
		const date = new Date(day).toISOString().slice(0, 10);
		const far = day > to + DAY || day + frame.clockTime + frame.length < from - DAY;
		if (e.cancelled.has(date) || far && !e.exceptions.has(date))
			continue;
		const occ = makeOccurrence(e, date, day, frame);
		if (occ.start < to && (occ.end > from || occ.end === occ.start && occ.start >= from))
			out.push(occ);
		if (to === Infinity && out.length === MOST)
			break;
	}
	return out;
}

/** @param {any} e @param {string} date @param {number} day @param {{ zone: string, clockTime: number, length: number }} frame @returns {Occurrence} */
function makeOccurrence(e, date, day, frame) {
	const change = e.exceptions.get(date);
	const start = fromLocal(day + frame.clockTime, frame.zone);
	const end = fromLocal(day + frame.clockTime + frame.length, frame.zone);
	const seed = `${e.immutableId}/${date}`;
	/** @type {Occurrence} */
	const occ = {
		date, originalStart: start, start: change?.start ?? start, end: change?.end ?? (change?.start === undefined ? end : change.start + (end - start)),
		subject: change?.subject, type: change === undefined ? 'occurrence' : 'exception', isCancelled: change?.isCancelled ?? e.isCancelled, isAllDay: change?.isAllDay ?? e.isAllDay,
		immutableId: `AAoALgAAAAAAHYQDEapmEc2byACqAC-EWg0A${textOf(`i/${seed}`, 40)}AA`, restId: `AAMkAGI2TG93AAAFRA${textOf(`r/${seed}`, 100)}AAA=`,
		/* Modified occurrences lose the custom property in classic Outlook. */
		noProperty: change !== undefined && change.keepsProperty !== true,
	};
	e.box.occurrences.set(occ.immutableId, { master: e, date });
	e.box.occurrences.set(occ.restId, { master: e, date });
	return occ;
}

/** The occurrence of that original local start date, if there is one. @param {any} e @param {string} date @returns {Occurrence | null} */
export function occurrenceOn(e, date) {
	if (e.type !== 'seriesMaster' || e.start === null || e.cancelled.has(date))
		return null;
	const frame = frameOf(e);
	const day = Date.parse(`${date}T00:00:00Z`);
	for (const d of seriesDays(e, frame))
		if (d >= day)
			return d === day ? makeOccurrence(e, date, day, frame) : null;
	return null;
}

/** An occurrence by an id that was handed out before. @param {any} box @param {string} id */
export function findOccurrence(box, id) {
	const known = box.occurrences.get(id);
	if (known === undefined || known.master.folder === 'gone')
		return null;
	const occ = occurrenceOn(known.master, known.date);
	return occ === null ? null : { event: known.master, occ };
}
