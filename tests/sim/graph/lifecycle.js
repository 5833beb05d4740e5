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
		/** @type {Map<string, { at: number, item: any }[]>} what waits for an authorization, by subscription */
		this.held = new Map();
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

	/** Whether access has lapsed for so long that nothing is delivered: then the item is kept. @param {any} sub @param {any} item */
	holds(sub, item) {
		const auto = this.sim.settings.graph.lifecycleAuto;
		const now = this.sim.clock.now();
		if (auto?.pauseMs === undefined || now < sub.authorizedAt + auto.pauseMs)
			return false;
		this.held.set(sub.id, [...this.held.get(sub.id) ?? [], { at: now, item }]);
		return true;
	}

	/** Access is back: what is not older than 4 hours comes now, for the rest there is `missed`. @param {any} sub */
	release(sub) {
		const all = this.held.get(sub.id) ?? [];
		const since = this.sim.clock.now() - this.sim.settings.graph.delivery.giveUpMs;
		this.held.delete(sub.id);
		for (const { item } of all.filter((h) => h.at >= since))
			this.sim.delivery.add(sub.notificationUrl, item, sub);
		if (all.some((h) => h.at < since))
			this.missed(sub);
	}

	/** With lifecycleAuto: reminds before the expiry, again and again until renewed. @param {any} sub */
	watch(sub) {
		this.reminders.get(sub.id)?.();
		this.reminders.delete(sub.id);
		this.release(sub);
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
