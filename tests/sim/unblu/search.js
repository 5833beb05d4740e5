// @ts-check
/* Searches: filters are ANDed, operators are told apart by `type` (unblu.md section 6). */

import { UnbluError } from './errors.js';

const PAGE = 250;

/** @param {any} operator @param {any} value */
export function holds(operator, value) {
	const list = () => (operator.values ?? []).map(norm);
	const v = norm(value);
	switch (operator?.type) {
	case 'EQUALS': return v === norm(operator.value);
	case 'NOT_EQUALS': return v !== norm(operator.value);
	case 'IN': return list().includes(v);
	case 'NOT_IN': return !list().includes(v);
	case 'IS_NULL': return v === null;
	case 'IS_NOT_NULL': return v !== null;
	case 'STARTS_WITH': return v !== null && String(v).startsWith(String(operator.value));
	case 'CONTAINS': return v !== null && String(v).toLowerCase().includes(String(operator.value).toLowerCase());
	case 'GREATER_THAN': return v !== null && v > operator.value;
	case 'GREATER_THAN_OR_NULL': return v === null || v > operator.value;
	case 'LOWER_THAN': return v !== null && v < operator.value;
	case 'LOWER_THAN_OR_NULL': return v === null || v < operator.value;
	case 'IN_RANGE': return v !== null && v >= operator.minimum && v <= operator.maximum;
	case 'NOT_IN_RANGE': return v !== null && (v < operator.minimum || v > operator.maximum);
	default: throw new UnbluError('invalid', `Unknown operator type ${JSON.stringify(operator?.type)}`);
	}
}

/** @param {any} value */
function norm(value) {
	return value === undefined ? null : value;
}

/** @type {Record<string, (sim: any, c: any) => any>} an array: one of them must hold */
const CONVERSATION_FIELDS = {
	SOURCE_ID: (_, c) => c.sourceId, STATE: (_, c) => c.state, TOPIC: (_, c) => c.topic, SCHEDULED_TIMESTAMP: (_, c) => c.scheduledTimestamp, CREATION_TIMESTAMP: (_, c) => c.createdAt,
	END_TIMESTAMP: (_, c) => c.endedAt, END_REASON: (_, c) => c.endReason, INITIAL_ENGAGEMENT_TYPE: (_, c) => c.initialEngagementType, CONVERSATION_TEMPLATE_ID: (_, c) => c.templateId,
	ASSIGNEE_PERSON_ID: (sim, c) => sim.conversations.present(c).find((/** @type {any} */ p) => p.type === 'ASSIGNED_AGENT')?.person.id ?? null,
	PARTICIPANT_PERSON_ID: (sim, c) => sim.conversations.present(c).map((/** @type {any} */ p) => p.person.id), ID: (_, c) => c.id,
	EXTERNAL_MESSENGER_CHANNEL_ID: () => null, VISIBILITY: () => 'PRIVATE',
};
/** @type {Record<string, (p: any) => any>} */
const PERSON_FIELDS = { EMAIL: (p) => p.email, USERNAME: (p) => p.username, SOURCE_ID: (p) => p.sourceId, AUTHORIZATION_ROLE: (p) => p.role, FIRST_NAME: (p) => p.displayName.split(' ')[0], LAST_NAME: () => null, NICKNAME: () => null };

/** @param {any} sim @param {any} query @param {(c: any) => boolean} visible */
export function searchConversations(sim, query, visible) {
	const filters = (query.searchFilters ?? []).map((/** @type {any} */ f) => {
		const read = CONVERSATION_FIELDS[f.field];
		if (read === undefined)
			throw new UnbluError('invalid', `Unknown search field ${JSON.stringify(f.field)}`);
		return (/** @type {any} */ c) => {
			const value = read(sim, c);
			return Array.isArray(value) ? value.some((v) => holds(f.operator, v)) : holds(f.operator, value);
		};
	});
	/* The usual narrow search goes by index, not through everything. */
	const bySource = (query.searchFilters ?? []).find((/** @type {any} */ f) => f.field === 'SOURCE_ID' && f.operator?.type === 'EQUALS');
	const live = bySource === undefined ? undefined : sim.conversations.bySource.get(bySource.operator.value);
	const pool = live !== undefined && filters.length === 1 ? [live] : [...sim.conversations.byId.values()];
	const found = pool.filter((/** @type {any} */ c) => visible(c) && filters.every((/** @type {any} */ t) => t(c)));
	for (const order of [...query.orderBy ?? []].reverse())
		sortBy(found, (c) => CONVERSATION_FIELDS[order.field]?.(sim, c), order.order === 'DESCENDING');
	return pageOf(query, found);
}

/** @param {any} sim @param {any} query */
export function searchAgents(sim, query) {
	const agents = [...sim.people.persons.values()].filter((p) => p.personType === 'AGENT');
	return pageOf(query, agents.filter((p) => (query.searchFilters ?? []).every((/** @type {any} */ f) => {
		const read = PERSON_FIELDS[f.field];
		if (read === undefined)
			throw new UnbluError('invalid', `Unknown search field ${JSON.stringify(f.field)}`);
		return holds(f.operator, read(p));
	})));
}

/** @param {any[]} list @param {(item: any) => any} key @param {boolean} down */
function sortBy(list, key, down) {
	list.sort((a, b) => (down ? -1 : 1) * (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** @param {any} query @param {any[]} all */
function pageOf(query, all) {
	const offset = query.offset ?? 0;
	const limit = query.limit ?? PAGE;
	const items = all.slice(offset, offset + limit);
	return { items, hasMoreItems: offset + items.length < all.length, nextOffset: offset + items.length };
}
