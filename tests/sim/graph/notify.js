// @ts-check
/*
 * Which notifications one user action causes (graph.md 6.1), and what each looks like (section 6):
 * duplicates, reordering, both path forms, etag and id present or not - all from the seed.
 */

/**
 * The certain part of each pattern; the random part is added by expand().
 * @type {Record<string, ('created' | 'updated' | 'deleted')[]>}
 */
const PATTERNS = {
	create: ['created'], edit: ['updated'], touch: ['updated'], respond: ['updated'], property: ['updated'], draft: ['updated'], occurrence: ['updated'],
	delete: ['deleted'], purge: ['deleted'], restore: ['created'], cancelCopy: ['updated'], leave: ['deleted'], arrive: ['created'],
};

export class Notifier {
	/* Notifications that wait for their time. */
	scheduled = 0;
	made = { created: 0, updated: 0, deleted: 0 };

	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
	}

	/**
	 * Tells every subscription that covers the event's calendar.
	 * @param {any} event @param {string} action a key of PATTERNS @param {string} [calendarId] where it was, if not where it is
	 */
	notify(event, action, calendarId) {
		const { sim } = this;
		const set = sim.subscriptions.byMailbox.get(event.box.user.oid);
		if (set === undefined || sim.settings.graph.notify.profile === 'none')
			return;
		const where = calendarId ?? event.calendarId;
		/* The ids as they are now: a deleted item's regular id changes later. */
		const ids = { immutable: event.immutableId, rest: event.restId, etag: event.etag };
		for (const sub of set) {
			const covers = sub.calendarId === null ? where === event.box.defaultCalendar : where === sub.calendarId;
			if (covers)
				this.schedule(sub, ids, this.expand(action));
		}
	}

	/** Now and then an exception is told of by its own id besides the series. @param {any} master @param {{ immutableId: string, restId: string }} occ */
	notifyException(master, occ) {
		const { rng, settings } = this.sim;
		if (settings.graph.notify.profile !== 'real' || !rng.chance(0.3))
			return;
		for (const sub of this.sim.subscriptions.byMailbox.get(master.box.user.oid) ?? [])
			if (sub.calendarId === null ? master.calendarId === master.box.defaultCalendar : master.calendarId === sub.calendarId)
				this.schedule(sub, { immutable: occ.immutableId, rest: occ.restId, etag: master.etag }, [rng.pick(['created', 'updated'])]);
	}

	/** @param {string} action @returns {('created' | 'updated' | 'deleted')[]} */
	expand(action) {
		const { rng, settings } = this.sim;
		const base = PATTERNS[action];
		if (base === undefined)
			throw new RangeError(`no notification pattern ${action}`);
		if (settings.graph.notify.profile === 'plain')
			return base;
		/** @type {('created' | 'updated' | 'deleted')[]} */
		const out = [...base];
		switch (action) {
		case 'create':
			for (let n = rng.int(0, 3); n > 0; n--)
				out.push('updated');
			break;
		case 'edit':
			for (let n = rng.int(0, 2); n > 0; n--)
				out.push('updated');
			if (rng.chance(0.15))
				out.unshift('created');
			break;
		case 'respond':
		case 'property':
			if (rng.chance(0.3))
				out.push('updated');
			break;
		default:
			break;
		}
		if (rng.chance(settings.graph.notify.duplicates))
			out.push(rng.pick(out));
		return rng.chance(settings.graph.notify.reorder) ? rng.shuffle(out) : out;
	}

	/** @param {any} sub @param {{ immutable: string, rest: string, etag: string }} ids @param {('created' | 'updated' | 'deleted')[]} types */
	schedule(sub, ids, types) {
		const { sim } = this;
		let delay = sim.rng.range(sim.settings.graph.notify.delayMs);
		for (const type of types) {
			if (!sub.changeTypes.includes(type) || sim.settings.graph.notify.lost > 0 && sim.rng.chance(sim.settings.graph.notify.lost))
				continue;
			this.scheduled++;
			this.made[type]++;
			const fire = () => {
				this.scheduled--;
				/* Undelivered notifications of a lapsed subscription are not sent. */
				const item = sim.subscriptions.byId.get(sub.id) === sub ? buildItem(sim, sub, ids, type) : null;
				if (item === null || sim.lifecycle.holds(sub, item))
					sim.delivery.settled();
				else
					sim.delivery.add(sub.notificationUrl, item, sub);
			};
			if (delay <= 0)
				fire();
			else
				sim.clock.after(delay, fire);
			delay += sim.rng.range(sim.settings.graph.notify.gapMs);
		}
	}
}

/** @param {any} sim @param {string} oid @param {string} tenant @param {string} id */
function pathForm(sim, oid, tenant, id) {
	const n = sim.settings.graph.notify;
	const form = n.profile === 'real' && n.pathForms === 'random' ? sim.rng.int(0, 3) : 0;
	return [`Users/${oid}/Events/${id}`, `users/${oid}@${tenant}/events/${id}`, `Users('${oid}')/Events('${id}')`, `users/${oid}/events/${id}`][form];
}

/** @param {any} sim @param {number} ms */
export function expiryForm(sim, ms) {
	const iso = new Date(ms).toISOString().slice(0, 19);
	return sim.rng.pick([`${iso}+00:00`, `${iso}.0000000Z`, `${iso}Z`, `${iso}.${String(ms % 1000).padStart(3, '0')}0000+00:00`]);
}

/** One change notification. @param {any} sim @param {any} sub @param {{ immutable: string, rest: string, etag: string }} ids @param {string} changeType */
export function buildItem(sim, sub, ids, changeType) {
	const { rng, settings } = sim;
	const n = settings.graph.notify;
	const random = n.profile === 'real';
	const id = sub.immutable ? ids.immutable : ids.rest;
	const path = pathForm(sim, sub.oid, sub.tenant, id);
	/** @type {any} */
	const resourceData = { '@odata.type': random && rng.chance(0.1) ? '#microsoft.graph.event' : '#Microsoft.Graph.Event', '@odata.id': path };
	if (!random || rng.chance(n.etag))
		resourceData['@odata.etag'] = `W/"${ids.etag}"`;
	if (!random || !rng.chance(n.missingId))
		resourceData.id = id;
	/** @type {any} */
	const item = {
		subscriptionId: sub.id, subscriptionExpirationDateTime: random ? expiryForm(sim, sub.expiresAt) : new Date(sub.expiresAt).toISOString(),
		changeType, resource: path, resourceData, clientState: sub.clientState, tenantId: sub.tenant,
	};
	const notificationId = random ? rng.int(0, 2) : 0;
	if (notificationId > 0)
		item.id = notificationId === 1 ? null : rng.guid();
	return item;
}
