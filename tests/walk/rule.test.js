// @ts-check
/* The walk's own rules for topic and time, by examples that were worked out by hand. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { dayStart, timeOf, topicOf } from './rule.js';

const RULES = { maxChars: 5, fallback: 'Talk' };

/** @type {[string, string, string][]} */
const TOPICS = [
	['is trimmed', '  ab \t', 'ab'],
	['is the fallback when blank', ' \u00a0\u3000', 'Talk'],
	['is cut at a code point, not inside one', '😀😀😀😀😀😀', '😀😀😀😀😀'],
	['may be cut between a letter and its accent', 'abcde\u0301', 'abcde'],
	['does not end with the blank at which it was cut', 'abcd efg', 'abcd'],
];
for (const [what, subject, want] of TOPICS)
	test(`a topic ${what}`, () => assert.equal(topicOf(subject, RULES), want));

test('a time is rounded to the minute, half of one upwards', () => {
	assert.equal(timeOf({ start: 1_799_999_989_999, isAllDay: false }, null, 'UTC'), 1_800_000_000_000);
	assert.equal(timeOf({ start: 1_800_000_029_999, isAllDay: false }, null, 'UTC'), 1_800_000_000_000);
	assert.equal(timeOf({ start: 1_800_000_030_000, isAllDay: false }, null, 'UTC'), 1_800_000_060_000);
});

/** @type {[string, string, string][]} */
const DAYS = [
	['Europe/Zurich', '2027-03-28', '2027-03-27T23:00:00Z'],
	['Europe/Zurich', '2027-03-29', '2027-03-28T22:00:00Z'],
	['Asia/Kolkata', '2027-01-01', '2026-12-31T18:30:00Z'],
	['Pacific/Auckland', '2027-01-01', '2026-12-31T11:00:00Z'],
	/* The clocks go from midnight to one: the day begins at one. */
	['Asia/Beirut', '2027-03-28', '2027-03-27T22:00:00Z'],
];
for (const [zone, day, want] of DAYS)
	test(`${day} begins in ${zone} at ${want}`, () => assert.equal(new Date(dayStart(zone, day) ?? 0).toISOString(), want.replace('Z', '.000Z')));

test('an all-day event without a zone, or with one that does not exist, starts by the default one', () => {
	const event = { start: Date.parse('2027-01-01T00:00:00Z'), isAllDay: true };
	for (const zone of [null, 'Nowhere/Land'])
		assert.equal(timeOf(event, zone, 'Europe/Berlin'), Date.parse('2026-12-31T23:00:00Z'));
});
