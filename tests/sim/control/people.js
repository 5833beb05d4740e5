// @ts-check
/* What people do with conversations: join, leave, write, start, end. */

const ACTIONS = {
	/** A visitor (or, with agent, another agent; with external, a messenger contact; with bot, the bot) joins. */
	join(/** @type {any} */ sim, /** @type {any} */ c, /** @type {any} */ want) {
		const now = sim.clock.now();
		const p = { state: 'ACTIVE', hidden: false, createdAt: now, joinedAt: now, leftAt: null };
		if (want.bot) {
			c.bots.push({ ...p, person: sim.people.bot, type: 'BOT' });
			return;
		}
		const person = want.agent === undefined ? sim.people.addVisitor(want.name ?? 'Visitor') : sim.people.findAgent(want.agent);
		if (person === undefined)
			throw new RangeError(`no agent ${JSON.stringify(want.agent)}`);
		const first = !c.participants.some((/** @type {any} */ q) => q.type === 'CONTEXT_PERSON' && q.leftAt === null);
		c.participants.push({ ...p, person, type: want.agent !== undefined ? 'SECONDARY_AGENT' : first ? 'CONTEXT_PERSON' : 'SECONDARY_VISITOR', external: want.external === true });
	},
	/** The last one who joined (or personId) leaves. */
	leave(/** @type {any} */ sim, /** @type {any} */ c, /** @type {any} */ want) {
		const present = sim.conversations.present(c);
		const p = want.personId === undefined ? present[present.length - 1] : present.find((/** @type {any} */ q) => q.person.id === want.personId);
		if (p === undefined)
			throw new RangeError('nobody to leave');
		p.leftAt = sim.clock.now();
		p.state = 'ENDED';
	},
	/** Another agent becomes the assigned one. */
	reassign(/** @type {any} */ sim, /** @type {any} */ c, /** @type {any} */ want) {
		const person = sim.people.findAgent(want.agent ?? '');
		const p = c.participants.find((/** @type {any} */ q) => q.type === 'ASSIGNED_AGENT');
		if (person === undefined || p === undefined)
			throw new RangeError(`no agent ${JSON.stringify(want.agent)}`);
		p.person = person;
	},
	message(/** @type {any} */ sim, /** @type {any} */ c, /** @type {any} */ want) {
		const by = want.bot ? sim.people.bot : c.participants[c.participants.length - 1].person;
		c.messages.push({ at: sim.clock.now(), by, text: want.text ?? 'Hello', human: !want.bot });
	},
	start(/** @type {any} */ sim, /** @type {any} */ c) {
		if (c.state !== 'CREATED')
			throw new RangeError(`the state is ${c.state}`);
		sim.conversations.setState(c, 'ONBOARDING');
		sim.conversations.setState(c, 'ACTIVE');
	},
	end(/** @type {any} */ sim, /** @type {any} */ c, /** @type {any} */ want) {
		sim.conversations.end({ identity: { role: 'SUPER_ADMIN', person: c.participants[0].person, label: 'control' } }, c, want);
	},
	/** Any state at all. */
	state(/** @type {any} */ sim, /** @type {any} */ c, /** @type {any} */ want) {
		sim.conversations.setState(c, want.state);
	},
	/** Somebody changes it inside Unblu. */
	edit(/** @type {any} */ sim, /** @type {any} */ c, /** @type {any} */ want) {
		for (const name of ['topic', 'scheduledTimestamp', 'initialEngagementType'])
			if (want[name] !== undefined)
				c[name] = want[name];
		if (want.sourceId !== undefined) {
			sim.conversations.freeSource(c);
			c.sourceId = want.sourceId;
			if (c.sourceId !== null)
				sim.conversations.bySource.set(c.sourceId, c);
		}
	},
	delete(/** @type {any} */ sim, /** @type {any} */ c) {
		sim.conversations.delete({ identity: { role: 'SUPER_ADMIN', person: null, label: 'control' } }, c);
	},
};

/** @param {any} sim @param {string} id @param {string} action @param {any} want */
export function conversationAction(sim, id, action, want) {
	const c = sim.conversations.byId.get(id);
	if (c === undefined)
		throw new RangeError(`no conversation ${JSON.stringify(id)}`);
	const act = /** @type {any} */ (ACTIONS)[action];
	if (act === undefined)
		throw new RangeError(`unknown action ${action}; one of ${Object.keys(ACTIONS).join(', ')}`);
	act(sim, c, want);
	const shown = sim.conversations.describe(c);
	sim.journal.emit('conversation', shown);
	return shown;
}
