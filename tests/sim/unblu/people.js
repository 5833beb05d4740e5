// @ts-check
/* Persons and users: one agent per mailbox of the directory, a bot, and visitors as they come. */

import { textOf } from '../lib/rng.js';

export const ROLES = ['ANONYMOUS_USER', 'WEBUSER', 'REGISTERED_USER', 'SUPERVISOR', 'ADMIN', 'TECHNICAL_ADMIN', 'SUPER_ADMIN'];

/** @param {string} role @param {string} least */
export function roleIsAtLeast(role, least) {
	return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

export class People {
	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
		this.accountId = textOf('account', 22);
		/** @type {Map<string, any>} person by id */
		this.persons = new Map();
		/** @type {Map<string, any>} person by lower-case username */
		this.byUsername = new Map();
		/** @type {Map<string, any>} person by user id */
		this.byUserId = new Map();
		/** @type {Map<string, any>} person by Entra object id */
		this.byOid = new Map();
		for (const tenant of sim.directory.tenants.values())
			for (const user of tenant.users.values())
				this.addAgent(user);
		this.bot = this.add({ id: textOf('bot', 22), personType: 'BOT', displayName: 'Concierge', username: null, email: null, role: 'REGISTERED_USER', personSource: 'VIRTUAL', sourceId: 'concierge-bot-person-id' });
	}

	/** @param {any} user of the directory */
	addAgent(user) {
		const existing = this.byOid.get(user.oid);
		if (existing !== undefined)
			return existing;
		const userId = textOf(`unblu-user:${user.oid}`, 22);
		const person = this.add({
			id: textOf(`unblu-person:${user.oid}`, 22), userId, personType: 'AGENT', displayName: user.name, username: user.upn, email: user.mail,
			role: 'REGISTERED_USER', personSource: 'USER_DB', sourceId: userId, oid: user.oid, tenant: user.tenant, password: 'sim',
		});
		this.byUserId.set(userId, person);
		this.byOid.set(user.oid, person);
		this.byUsername.set(user.upn.toLowerCase(), person);
		return person;
	}

	/** @param {string} name */
	addVisitor(name) {
		return this.add({ id: this.sim.rng.text(22), personType: 'VISITOR', displayName: name, username: null, email: null, role: 'ANONYMOUS_USER', personSource: 'VIRTUAL', sourceId: this.sim.rng.text(16) });
	}

	/** @param {any} person */
	add(person) {
		person.createdAt = this.sim.clock.now();
		this.persons.set(person.id, person);
		return person;
	}

	/** An agent by person id, username, mail or object id; for control routes and act-as. @param {string} key */
	findAgent(key) {
		const person = this.persons.get(key) ?? this.byUsername.get(key.toLowerCase()) ?? this.byOid.get(key.toLowerCase()) ?? this.byUserId.get(key);
		return person?.personType === 'AGENT' ? person : undefined;
	}

	/** @param {any} p */
	personData(p) {
		const [firstName, ...last] = p.displayName.split(' ');
		return {
			$_type: 'PersonData', id: p.id, accountId: this.accountId, personSource: p.personSource, sourceId: p.sourceId, sourceUrl: null, sourceData: null,
			firstName, lastName: last.join(' ') || null, username: p.username, nickname: null, displayName: p.displayName, personType: p.personType,
			authorizationRole: p.role, email: p.email, phone: null, teamId: textOf('team', 22), labels: [], note: null, noteLastEditedTimestamp: null,
			noteLastEditedPersonId: null, avatar: null, metadata: null,
		};
	}

	/** @param {any} p */
	userData(p) {
		return {
			$_type: 'User', id: p.userId, creationTimestamp: p.createdAt, modificationTimestamp: p.createdAt, version: 1, accountId: this.accountId, avatar: null,
			username: p.username, email: p.email, phone: null, teamId: textOf('team', 22), authorizationRole: p.role, displayName: p.displayName,
			firstName: p.displayName.split(' ')[0], lastName: null, externallyManaged: true, virtualUser: false, configuration: null, metadata: null,
		};
	}
}
