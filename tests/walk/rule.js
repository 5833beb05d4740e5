// @ts-check
/*
 * The rules of design section 6 for topic and time, once more and in other words, so that the product is not
 * held against itself.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * Trimmed, cut at a code point, the fallback when blank.
 * @param {string} subject @param {{ maxChars: number, fallback: string }} rules
 */
export function topicOf(subject, rules) {
	const trimmed = subject.trim();
	return trimmed === '' ? rules.fallback : [...trimmed].slice(0, rules.maxChars).join('').trimEnd();
}

/** @type {Map<string, Intl.DateTimeFormat | null>} */
const formats = new Map();

/** null: no such zone. @param {string} zone */
function formatOf(zone) {
	let found = formats.get(zone);
	if (found === undefined) {
		try {
			found = new Intl.DateTimeFormat('en', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
		} catch {
			found = null;
		}
		formats.set(zone, found);
	}
	return found;
}

/** YYYY-MM-DD, in whichever order the locale has the parts. @param {Intl.DateTimeFormat} format @param {number} at */
function localDay(format, at) {
	const parts = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value]));
	return `${parts.year}-${parts.month}-${parts.day}`;
}

/**
 * The first instant of a day in a zone: the earliest quarter of an hour whose local date is that day. null: no
 * such zone.
 * @param {string} zone @param {string} day YYYY-MM-DD
 */
export function dayStart(zone, day) {
	const format = formatOf(zone);
	if (format === null)
		return null;
	const midday = Date.parse(`${day}T12:00:00Z`);
	for (let at = midday - 27 * HOUR; at <= midday + 15 * HOUR; at += 15 * MINUTE)
		if (localDay(format, at) === day)
			return at;
	return null;
}

/**
 * When the conversation starts: the event's start to the nearest minute, half of one upwards; of an all-day event
 * the start of its day in the agent's zone, else in the default one.
 * @param {{ start: number, isAllDay: boolean }} event @param {string | null} zone @param {string} defaultZone
 */
export function timeOf(event, zone, defaultZone) {
	if (!event.isAllDay)
		return Math.floor(event.start / MINUTE + 0.5) * MINUTE;
	const day = new Date(event.start).toISOString().slice(0, 10);
	const start = (zone === null ? null : dayStart(zone, day)) ?? dayStart(defaultZone, day);
	if (start === null)
		throw new Error(`no start of ${day} in ${zone} or ${defaultZone}`);
	return start;
}
