// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { Clock } from './lib/clock.js';
import { Rng } from './lib/rng.js';

test('virtual time is real time plus the offset, and a relative change adds to it', () => {
	const clock = new Clock();
	clock.set({ offsetMs: 3600_000 });
	assert.ok(Math.abs(clock.now() - Date.now() - 3600_000) < 50);
	clock.set({ advanceMs: 1000 });
	assert.ok(Math.abs(clock.now() - Date.now() - 3601_000) < 50);
	assert.throws(() => clock.set({ offsetMs: NaN }), RangeError);
	clock.close();
});

test('a change of the factor keeps the present instant', () => {
	const clock = new Clock();
	clock.set({ offsetMs: 5000 });
	const before = clock.now();
	clock.set({ factor: 0 });
	assert.ok(Math.abs(clock.now() - before) < 50);
	const frozen = clock.now();
	clock.set({ factor: 1000 });
	assert.ok(Math.abs(clock.now() - frozen) < 50_000);
	assert.throws(() => clock.set({ factor: -1 }), RangeError);
	clock.close();
});

test('a jump runs what became due, in the order of the due times', () => {
	const clock = new Clock();
	clock.set({ factor: 0 });
	/** @type {number[]} */
	const ran = [];
	for (const delay of [5000, 1000, 3000, 1000, 90_000])
		clock.after(delay, () => ran.push(delay));
	const cancel = clock.after(2000, () => ran.push(-1));
	cancel();
	clock.set({ advanceMs: 10_000 });
	assert.deepEqual(ran, [1000, 1000, 3000, 5000]);
	clock.set({ advanceMs: 100_000 });
	assert.equal(ran.length, 5);
	clock.close();
});

test('timers fire by themselves, faster with a factor', async () => {
	const clock = new Clock();
	clock.set({ factor: 1000 });
	const began = Date.now();
	await new Promise((resolve) => {
		const alive = setInterval(() => {}, 50);
		clock.after(20_000, () => {
			clearInterval(alive);
			resolve(undefined);
		});
	});
	assert.ok(Date.now() - began < 2000);
	clock.close();
});

test('the same seed gives the same numbers, another one others', () => {
	const [a, b, c] = [new Rng(3), new Rng(3), new Rng(4)];
	assert.equal(a.guid(), b.guid());
	assert.notEqual(a.guid(), c.guid());
	assert.match(a.guid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	assert.equal(a.text(43).length, 43);
});
