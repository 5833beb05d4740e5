// @ts-check
/* docs/data.md against the store: every text that can be kept is told, and forget leaves none of it. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { SOURCE_ROOT } from '../lib/build.js';
import { ALICE, story, TENANT } from './world.js';

/** Column names by table, as the table "Kept" tells them. @returns {Map<string, Set<string>>} */
function told() {
	const text = fs.readFileSync(path.join(SOURCE_ROOT, 'docs/data.md'), 'utf8').split(/^## /m).find((s) => s.startsWith('Kept\n')) ?? '';
	/** @type {Map<string, Set<string>>} */
	const out = new Map();
	const words = (/** @type {string} */ s) => [...s.matchAll(/`([a-z_]+)`/g)].map((m) => m[1]);
	for (const line of text.split('\n').filter((l) => l.startsWith('| `'))) {
		const [tables, personal, other] = line.split('|').slice(1);
		for (const table of words(tables))
			out.set(table, new Set([...words(personal), ...words(other)]));
	}
	return out;
}

story('each table, and each column that holds text, is told in docs/data.md', async (w) => {
	await w.seed();
	const document = told();
	const columns = await w.sql("SELECT m.name AS tab, c.name AS col FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'TEXT'");
	assert.ok(columns.length > 30);
	for (const { tab, col } of columns)
		assert.ok(document.get(tab)?.has(col) || ['arrival', 'work'].includes(tab) && document.get('work')?.has(col), `${tab}.${col} is not told`);
	const known = new Set(columns.map((c) => c.tab));
	for (const [table, names] of document) {
		assert.ok(known.has(table), `${table} is told and not there`);
		for (const name of names)
			assert.ok(columns.some((c) => c.col === name && (c.tab === table || ['arrival', 'work', 'lane', 'throttle', 'lease'].includes(table))), `${table}.${name} is told and not there`);
	}
});

story('what is forgotten is in no table any more', async (w) => {
	await w.seed(0, 'held', 'waiting');
	const find = async () => {
		const found = [];
		for (const { tab, col } of await w.sql("SELECT m.name AS tab, c.name AS col FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'TEXT'"))
			for (const value of [ALICE, 'alice@contoso.example'])
				if ((await w.sql(`SELECT count(*) AS n FROM ${tab} WHERE ${col} LIKE '%${value}%'`))[0].n > 0)
					found.push(`${tab}.${col}`);
		return found;
	};
	assert.ok((await find()).length >= 6);
	assert.equal((await w.ctl('forget', '--tenant', TENANT, '--user', ALICE)).code, 0);
	assert.deepEqual(await find(), []);
});
