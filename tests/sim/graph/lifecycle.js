// @ts-check
/* Lifecycle notifications (graph.md section 8): on command, and on their own when switched on. */

import { expiryForm } from './notify.js';

export const LIFECYCLE_EVENTS = ['reauthorizationRequired', 'subscriptionRemoved', 'missed'];

export class Lifecycle {
	/** @param {any} sim */
	constructor(sim) {
		this.sim = sim;
		/** @type {Map<string, () => void>} reminders by subscription */
		this.reminders = new Map();
		this.sent = { reauthorizationRequired: 0, subscriptionRemoved: 0, missed: 0 };
	}

	/** @param {any} sub @param {'reauthorizationRequired' | 'subscriptionRemoved' | 'missed'} event */
	send(sub, event) {
		if (event === 'subscriptionRemoved')
			this.sim.subscriptions.remove(sub, 'removed');
		if (sub.lifecycleNotificationUrl === null)
			return null;
		const item = {
			subscriptionId: sub.id, subscriptionExpirationDateTime: expiryForm(this.sim, sub.expiresAt), tenantId: sub.tenant,
			clientState: sub.clientState, lifecycleEvent: event,
		};
		this.sent[event]++;
		return this.sim.delivery.post(sub.lifecycleNotificationUrl, [item], [sub]);
	}

	/** @param {any} sub */
	missed(sub) {
		if (this.sim.subscriptions.byId.get(sub.id) === sub)
			this.send(sub, 'missed');
	}

	/** With lifecycleAuto: reminds before the expiry, again and again until renewed. @param {any} sub */
	watch(sub) {
		this.reminders.get(sub.id)?.();
		this.reminders.delete(sub.id);
		const auto = this.sim.settings.graph.lifecycleAuto;
		if (auto === null)
			return;
		const remind = () => {
			if (this.sim.subscriptions.byId.get(sub.id) !== sub)
				return;
			this.send(sub, 'reauthorizationRequired');
			this.reminders.set(sub.id, this.sim.clock.after(auto.repeatMs, remind));
		};
		this.reminders.set(sub.id, this.sim.clock.at(Math.max(sub.authorizedAt + auto.afterMs, this.sim.clock.now()), remind));
	}
}
