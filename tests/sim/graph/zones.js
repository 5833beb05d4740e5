// @ts-check
/* Time zones: local wall time of an instant and back, by Intl. Windows names as Outlook uses them. */

/** @type {Record<string, string>} */
const WINDOWS = {
	'utc': 'UTC', 'tzone://microsoft/utc': 'UTC', 'gmt standard time': 'Europe/London', 'w. europe standard time': 'Europe/Berlin',
	'central europe standard time': 'Europe/Budapest', 'romance standard time': 'Europe/Paris', 'eastern standard time': 'America/New_York',
	'pacific standard time': 'America/Los_Angeles', 'tokyo standard time': 'Asia/Tokyo', 'aus eastern standard time': 'Australia/Sydney',
};

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** The IANA name, or null when the zone is unknown. @param {string} name */
export function zoneName(name) {
	const iana = WINDOWS[name.toLowerCase()] ?? name;
	try {
		format(iana);
		return iana;
	} catch {
		return null;
	}
}

/** @param {string} iana */
function format(iana) {
	let found = formats.get(iana);
	if (found === undefined) {
		found = new Intl.DateTimeFormat('en-US', { timeZone: iana, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
		formats.set(iana, found);
	}
	return found;
}

/** Local wall time, as if it were UTC milliseconds. @param {number} ms @param {string} iana */
export function toLocal(ms, iana) {
	if (iana === 'UTC')
		return ms;
	/** @type {Record<string, number>} */
	const p = {};
	for (const part of format(iana).formatToParts(ms))
		p[part.type] = Number(part.value);
	return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) + ((ms % 1000) + 1000) % 1000;
}

/** The instant of a local wall time; in a gap, the time after it. @param {number} local @param {string} iana */
export function fromLocal(local, iana) {
	if (iana === 'UTC')
		return local;
	const guess = local - (toLocal(local, iana) - local);
	return local - (toLocal(guess, iana) - guess);
}
