// @ts-check
/* Tenants, the app registration in each, and who has a mailbox. Entra, Graph and Unblu share it. */

import { guidOf } from './rng.js';

/** ok, or why Graph does not serve the mailbox. */
export const MAILBOX_STATES = ['ok', 'forbidden', 'policy', 'noLicence', 'deleted', 'flapping', 'amnesia'];

/**
 * @typedef {{ value: string, expiresAt?: number | null }} Secret
 * @typedef {{ issuer: string, subject: string, audience: string, publicKey: string }} Federated publicKey: PEM
 * @typedef {{ clientId: string, servicePrincipalId: string, consented: boolean, roles: string[], secrets: Secret[], certificates: string[], federated: Federated[] }} Registration
 * @typedef {{ oid: string, upn: string, name: string, mail: string, tenant: string, state: string, flips: number }} User
 * @typedef {{ id: string, name: string, domain: string, app: Registration, users: Map<string, User>, upns: Map<string, User>, throttled: boolean }} Tenant
 */

export class Directory {
	/** @param {any} data as in defaults.json */
	constructor(data) {
		this.clientId = data.app.clientId;
		this.defaultSecret = data.app.clientSecret;
		/** @type {Map<string, Tenant>} by id */
		this.tenants = new Map();
		/** @type {Map<string, Tenant>} by verified domain */
		this.domains = new Map();
		/** @type {Map<string, User>} by object id, all tenants */
		this.users = new Map();
		for (const tenant of data.tenants)
			this.addTenant(tenant);
	}

	/** @param {any} data @returns {Tenant} */
	addTenant(data) {
		if (typeof data?.id !== 'string')
			throw new RangeError('tenant: id is required');
		const domain = data.domain ?? `${data.id}.example`;
		/** @type {Tenant} */
		const tenant = {
			id: data.id.toLowerCase(), name: data.name ?? domain, domain,
			app: {
				clientId: data.clientId ?? this.clientId,
				servicePrincipalId: data.servicePrincipalId ?? guidOf(`sp:${data.id}`),
				consented: data.consented ?? true,
				roles: data.roles ?? ['Calendars.Read'],
				secrets: data.secrets ?? [{ value: this.defaultSecret, expiresAt: null }],
				certificates: data.certificates ?? [], federated: data.federated ?? [],
			},
			users: new Map(), upns: new Map(), throttled: false,
		};
		this.tenants.set(tenant.id, tenant);
		this.domains.set(domain.toLowerCase(), tenant);
		for (const box of data.mailboxes ?? [])
			this.addUser(tenant, box);
		return tenant;
	}

	/** @param {Tenant} tenant @param {any} data @returns {User} */
	addUser(tenant, data) {
		const upn = data.upn ?? `user${tenant.users.size + 1}@${tenant.domain}`;
		/** @type {User} */
		const user = {
			oid: (data.oid ?? guidOf(`user:${tenant.id}:${upn}`)).toLowerCase(), upn, name: data.name ?? upn, mail: data.mail ?? upn,
			tenant: tenant.id, state: data.state ?? 'ok', flips: 0,
		};
		tenant.users.set(user.oid, user);
		tenant.upns.set(upn.toLowerCase(), user);
		this.users.set(user.oid, user);
		return user;
	}

	/** @param {string} idOrDomain */
	tenant(idOrDomain) {
		const key = idOrDomain.toLowerCase();
		return this.tenants.get(key) ?? this.domains.get(key);
	}

	/** A user by object id or UPN inside one tenant. @param {Tenant} tenant @param {string} idOrUpn */
	user(tenant, idOrUpn) {
		const key = idOrUpn.toLowerCase();
		return tenant.users.get(key) ?? tenant.upns.get(key);
	}

	/** A user by object id or UPN in any tenant; for the control interface. @param {string} idOrUpn */
	anyUser(idOrUpn) {
		const direct = this.users.get(String(idOrUpn).toLowerCase());
		if (direct !== undefined)
			return direct;
		for (const tenant of this.tenants.values()) {
			const found = this.user(tenant, String(idOrUpn));
			if (found !== undefined)
				return found;
		}
		return undefined;
	}

	describe() {
		return [...this.tenants.values()].map((t) => ({
			id: t.id, name: t.name, domain: t.domain,
			app: { ...t.app, secrets: t.app.secrets.map((s) => ({ ...s })) },
			mailboxes: [...t.users.values()].map(({ flips, ...u }) => u),
		}));
	}
}
