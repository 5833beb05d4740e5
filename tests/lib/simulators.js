// @ts-check
/*
 * The simulators of tests/sim, in this very process, in the words of the stories: agents book, events are
 * edited, answers go wrong. Writes of the sim itself are read from its ledger.
 */

import fs from 'node:fs';
import { startSimulators } from '../sim/index.js';

/**
 * @typedef {{ oid: string, upn: string, tenant: string }} Mailbox
 * @typedef {{ id: string, sourceId: string }} Conversation
 */

/** The directory of the tests, with so many mailboxes in each of its two tenants. @param {number} count */
export function directoryOf(count) {
	const defaults = JSON.parse(fs.readFileSync(new URL('../sim/defaults.json', import.meta.url), 'utf8'));
	for (const [t, tenant] of defaults.tenants.entries())
		tenant.mailboxes = Array.from({ length: count }, (_, i) => ({ oid: `8a1e6c1e-0000-4000-8000-${String(t * count + i).padStart(12, '0')}`, upn: `u${i}@${tenant.domain}`, name: `User ${i}` }));
	return defaults;
}

export class Simulators {
	/** @param {{ seed?: number, settings?: Record<string, any>, directory?: any, logSize?: number }} [options] */
	static async start(options = {}) {
		return new Simulators(await startSimulators({ seed: options.seed, settings: options.settings, tenants: options.directory, logSize: options.logSize }));
	}

	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
		/** @type {Mailbox[]} */
		this.mailboxes = [...sim.directory.tenants.values()].flatMap((t) => [...t.users.values()].map((u) => ({ oid: u.oid, upn: u.upn, tenant: t.id })));
		this.number = 0;
		this.profile = sim.settings.graph.notify.profile;
		/** Every clientState and token that was ever seen. @type {Set<string>} */
		this.confidentialTexts = new Set();
		sim.journal.listeners.add((/** @type {string} */ type, /** @type {any} */ data) => {
			if (type === 'subscription' && data.what === 'created')
				for (const sub of sim.subscriptions.byId.values())
					this.confidentialTexts.add(sub.clientState);
		});
	}

	/** Keys of addin.json. */
	get config() {
		const { sim } = this;
		return {
			unbluOAuthBackendUrl: `${sim.urls.unblu}/gateway`, clientId: sim.directory.clientId, tenantIds: [...sim.directory.tenants.keys()],
			syncServerAuthGatewayClientId: sim.gateway.client.clientId, graphUrl: sim.urls.graph, loginUrl: sim.urls.entra,
		};
	}

	/** The two secrets of the original, by their names. */
	get secrets() {
		return { CLIENT_SECRET: this.sim.directory.defaultSecret, SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET: this.sim.gateway.client.clientSecret };
	}

	now() {
		return this.sim.clock.now();
	}

	/** @param {number} ms */
	advance(ms) {
		this.sim.clock.set({ advanceMs: ms });
	}

	/** A user's token for our interface and for the gateway. @param {Mailbox} mailbox @param {Record<string, any>} [want] @returns {string} */
	bearer(mailbox, want = {}) {
		return this.sim.keys.mint({ oid: mailbox.oid, tenant: mailbox.tenant, ...want }).token;
	}

	/**
	 * The add-in's button: the agent makes a scheduled conversation through the gateway.
	 * @param {Mailbox} mailbox @param {{ topic: string, start: number }} about @returns {Promise<Conversation>}
	 */
	async book(mailbox, about) {
		const person = this.sim.people.byOid.get(mailbox.oid);
		const sourceId = `outlook-addin:test-${++this.number}-${mailbox.oid}`;
		const answer = await fetch(`${this.sim.urls.unblu}/gateway/app/rest/v4/conversations/create`, {
			method: 'POST', headers: { Authorization: `Bearer ${this.bearer(mailbox)}`, 'Content-Type': 'application/json' },
			body: JSON.stringify({
				$_type: 'ConversationCreationData', initialEngagementType: 'SCHEDULED_CONVERSATION', topic: about.topic, scheduledTimestamp: about.start, sourceId,
				participants: [{ $_type: 'ConversationCreationParticipantData', personId: person.id, participationType: 'ASSIGNED_AGENT' }],
			}),
		});
		if (answer.status !== 200)
			throw new Error(`conversations/create: ${answer.status} ${await answer.text()}`);
		const data = /** @type {any} */ (await answer.json());
		return { id: data.id, sourceId };
	}

	/**
	 * The agent saves the event with the add-in's property.
	 * @param {Mailbox} mailbox @param {{ subject: string, start: number, conversation?: Conversation, more?: Record<string, any> }} about
	 */
	async addEvent(mailbox, about) {
		const { conversation } = about;
		const entry = conversation === undefined ? undefined : { v: 1, conversationId: conversation.id, sourceId: conversation.sourceId, createdAt: new Date(this.now()).toISOString() };
		const { event } = this.sim.actions.run({
			action: 'create', mailbox: mailbox.oid, subject: about.subject, start: about.start, end: about.start + 1800_000,
			properties: entry === undefined ? {} : { [this.propertyId]: JSON.stringify({ unblu: JSON.stringify(entry) }) }, ...about.more,
		});
		return { id: event.immutableId, name: about.subject, subject: about.subject };
	}

	/** The named property of our add-in, as Graph addresses it. */
	get propertyId() {
		return `String {00020329-0000-0000-C000-000000000046} Name cecp-${this.sim.directory.clientId}`;
	}

	/** @param {Mailbox} mailbox @param {{ id: string, subject?: string }} event @param {{ subject?: string, start?: number }} change */
	editEvent(mailbox, event, change) {
		this.sim.actions.run({ action: 'edit', mailbox: mailbox.oid, event: event.id, ...change });
		if (change.subject !== undefined)
			event.subject = change.subject;
	}

	/** A save that changes nothing of ours. @param {Mailbox} mailbox @param {{ id: string }} event */
	touchEvent(mailbox, event) {
		this.sim.actions.run({ action: 'touch', mailbox: mailbox.oid, event: event.id });
	}

	/** @param {Mailbox} mailbox @param {{ id: string }} event */
	deleteEvent(mailbox, event) {
		this.sim.actions.run({ action: 'delete', mailbox: mailbox.oid, event: event.id });
	}

	/** null once it is deleted. @param {string} id */
	conversation(id) {
		return this.sim.conversations.byId.get(id) ?? null;
	}

	/** What was written to a conversation: {op, before, after, changed, at}. @param {string} id @returns {any[]} */
	ledger(id) {
		return this.sim.conversations.ledger.get(id) ?? [];
	}

	/** @param {Mailbox} mailbox */
	subscriptionsOf(mailbox) {
		return [...this.sim.subscriptions.byMailbox.get(mailbox.oid) ?? []].map((s) => ({
			id: s.id, tenant: s.tenant, mailbox: s.oid, clientState: s.clientState, changeType: s.changeType, notificationUrl: s.notificationUrl,
			lifecycleNotificationUrl: s.lifecycleNotificationUrl, immutableIds: s.immutable, expiresAt: s.expiresAt,
		}));
	}

	/** Graph forgets it and tells nobody. @param {string} id */
	dropSubscription(id) {
		this.sim.subscriptions.remove(this.sim.subscriptions.byId.get(id), 'removed');
	}

	/** true: Graph sends no change notifications of its own. @param {boolean} on */
	silence(on) {
		this.sim.settings.graph.notify.profile = on ? 'none' : this.profile;
	}

	/** @param {any} rule as in tests/sim/lib/faults.js @returns {string} its id */
	fault(rule) {
		return this.sim.faults.add(rule).id;
	}

	/** Every notification that Graph owes has been delivered. */
	async delivered() {
		if (!await this.sim.delivery.whenIdle(15_000))
			throw new Error('notifications are still waiting to be delivered');
	}

	/** @param {string} id */
	unfault(id) {
		this.sim.faults.remove(id);
	}

	clearFaults() {
		this.sim.faults.clear();
	}

	/** Journal entries, oldest first. @param {Record<string, string>} want @returns {any[]} */
	requests(want) {
		return this.sim.journal.find(want);
	}

	earlyRetries() {
		return this.sim.journal.early;
	}

	/** @param {Mailbox} mailbox */
	mailboxCounters(mailbox) {
		return this.sim.journal.mailbox(mailbox.oid);
	}

	/** ok, forbidden, policy, noLicence, deleted, flapping. @param {Mailbox} mailbox @param {string} state */
	mailboxState(mailbox, state) {
		this.sim.directory.users.get(mailbox.oid).state = state;
	}

	/** @param {string} tenant @param {boolean} expired */
	expireSecret(tenant, expired) {
		for (const secret of this.sim.directory.tenants.get(tenant).app.secrets)
			secret.expiresAt = expired ? this.now() - 1000 : null;
	}

	/** Graph stops taking the tokens of a tenant. @param {string} tenant */
	revokeTokens(tenant) {
		this.sim.tokens.revoke(tenant);
	}

	revokeGatewayTokens() {
		this.sim.gateway.revoke();
	}

	/** What may stand in no log, no answer and not in the store. @returns {string[]} */
	confidential() {
		return [...this.confidentialTexts, ...this.sim.gateway.tokens.keys()].filter((t) => typeof t === 'string' && t.length >= 16);
	}

	/** Requests or answers that the specifications do not allow. @returns {Promise<string[]>} */
	async violations() {
		const own = this.sim.errors.map((/** @type {string} */ e) => `a simulator failed: ${e}`);
		return [...own, ...this.sim.checks.report().violations.slice(0, 10).map((/** @type {any} */ v) => `specification violated: ${JSON.stringify(v)}`)];
	}

	/** The newest exchanges, for the report of a failure. */
	tail() {
		const lines = this.sim.journal.find({ limit: 30 }).map((/** @type {any} */ r) => `${r.time} ${r.service} ${r.op} ${r.method} ${r.path} -> ${r.status}${r.fault ? ` (${r.fault})` : ''}`);
		return lines.length === 0 ? '' : `--- simulators\n${lines.join('\n')}\n`;
	}

	async stop() {
		await this.sim.close();
	}
}
