// @ts-check
/* `print systemd`: its calendar events fire exactly when the cron expression does, and systemd accepts the units. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { buildFolder } from '../lib/build.js';

const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');
const FIRINGS = path.join(buildFolder(), 'tests/rule/cron_firings');
const ID = '11111111-2222-3333-4444-555555555555';
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const START = Date.UTC(2027, 0, 1) / 1000;
const EXPRESSIONS = [
	'*/1 * * * *', '*/7 * * * *', '5 4 * * *', '0,30 8-18/2 * * 1-5', '0 0 13 * 5', '15 6 */10 * 1', '15 6 1 * */2', '0 12 29 2 *', '59 23 31 12 *',
	'0 9 1,15 1-3,jul 7', '0 0 1 1 0-6', '@hourly', '@daily', '@weekly', '@monthly', '@yearly', '10 10 * * sun', '3-9/3 * 2-4 * mon,wed',
];

/** @param {string} dir @param {string} cron @param {string[]} [more] */
function units(dir, cron, more = []) {
	const file = path.join(dir, 'addin.json');
	fs.writeFileSync(file, JSON.stringify({
		deploymentUrl: 'https://addin.example', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example', clientId: ID,
		syncServerPollingCronInterval: cron,
	}));
	return execFileSync(CTL, ['--config', file, 'print', 'systemd', ...more], { encoding: 'utf8' });
}

/** @param {string} text @param {(word: string) => number} [value] */
function set(text, value = Number) {
	return text === '*' ? null : new Set(text.split(',').map(value));
}

/** What systemd.time(7) says of "[weekdays] *-months-days hours:minutes:00". @param {string} line */
function parse(line) {
	const words = line.split(' ');
	const weekdays = words.length === 3 ? set(/** @type {string} */ (words.shift()), (w) => DAYS.indexOf(w)) : null;
	const [year, month, day] = words[0].split('-');
	const [hour, minute, second] = words[1].split(':');
	assert.deepEqual([year, second], ['*', '00']);
	const sets = { weekdays, month: set(month), day: set(day), hour: set(hour), minute: set(minute) };
	/** @param {Date} t */
	const date = (t) => (sets.weekdays?.has(t.getUTCDay()) ?? true) && (sets.month?.has(t.getUTCMonth() + 1) ?? true) && (sets.day?.has(t.getUTCDate()) ?? true);
	/** @param {Date} t */
	const time = (t) => (sets.hour?.has(t.getUTCHours()) ?? true) && (sets.minute?.has(t.getUTCMinutes()) ?? true);
	return { date, time };
}

/** @param {string[]} lines @param {number} count */
function firings(lines, count) {
	const events = lines.map(parse);
	const out = [];
	for (let day = START; out.length < count; day += 86_400) {
		const today = events.filter((e) => e.date(new Date(day * 1000)));
		for (let s = day; today.length > 0 && s < day + 86_400 && out.length < count; s += 60) {
			if (s > START && today.some((e) => e.time(new Date(s * 1000))))
				out.push(s);
		}
	}
	return out;
}

test('the timer fires when the cron expression does', () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-systemd-'));
	try {
		for (const cron of EXPRESSIONS) {
			const count = /^(@yearly|59 23|0 12 29)/.test(cron) ? 4 : 60;
			const lines = units(dir, cron).split('\n').filter((l) => l.startsWith('OnCalendar=')).map((l) => l.slice('OnCalendar='.length));
			const want = execFileSync(FIRINGS, { input: `- ${START} ${count} ${cron}\n`, encoding: 'utf8' }).trim().split(' ').map(Number);
			assert.deepEqual(firings(lines, count), want, `${cron}: ${lines.join(' + ')}`);
		}
	} finally {
		fs.rmSync(dir, { recursive: true, force: true });
	}
});

test('systemd accepts the units', (t) => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-systemd-'));
	try {
		execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
	} catch {
		fs.rmSync(dir, { recursive: true, force: true });
		t.skip('systemd-analyze is not installed');
		return;
	}
	try {
		const odd = path.join(dir, 'a "b" 50%i $HOME');
		const text = units(dir, '0 0 13 * 5', ['--database', `sqlite:${odd}`]);
		for (const part of text.split(/^(?=# outlook-addin-renew\.(?:service|timer)$)/m)) {
			const name = /^# (\S+)/.exec(part)?.[1] ?? '';
			/* Only the program's and the user's names depend on the installation. */
			fs.writeFileSync(path.join(dir, name), part.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true').replace(/^User=.*/m, 'User=root'));
		}
		assert.deepEqual(fs.readdirSync(dir).filter((f) => f.startsWith('outlook')).sort(), ['outlook-addin-renew.service', 'outlook-addin-renew.timer']);
		assert.ok(text.includes(`"sqlite:${dir}/a \\"b\\" 50%%i $$HOME"`), text);
		execFileSync('systemd-analyze', ['verify', '--man=no', path.join(dir, 'outlook-addin-renew.timer')], { stdio: 'pipe', env: { PATH: process.env.PATH } });
		for (const cron of EXPRESSIONS) {
			for (const [, event] of units(dir, cron).matchAll(/^OnCalendar=(.*)$/mg))
				execFileSync('systemd-analyze', ['calendar', event], { stdio: 'pipe' });
		}
	} finally {
		fs.rmSync(dir, { recursive: true, force: true });
	}
});
