// @ts-check
/*
 * The far side of the stub of Office: one appointment that is being written, as documented for Outlook, with
 * its limits. A classic script without DOM, so that pages, frames' parents and node's vm can all load it; it
 * defines globalThis.OfficeMailbox. Every call has a name ("body.setAsync") by which it can be told to fail,
 * to be slow, to hang, to be missing or to be carried out although it fails.
 */

(() => {
	/**
	 * @typedef {{ fail?: { code?: number, name?: string, message?: string }, times?: number, after?: number, delay?: number, hang?: boolean, missing?: boolean, done?: boolean, throws?: boolean }} Fault
	 * @typedef {{ id: string, displayName: string, type: string }} Place
	 */

	const SUBJECT_MAX = 255;
	const LOCATION_MAX = 255;
	const BODY_MAX = 1_000_000;
	const PREPEND_MAX = 1_000_000;
	const PROPERTIES_MAX = 2500;
	const NOTIFICATIONS_MAX = 5;
	const SESSION_MAX = 50_000;

	/** What every state of an item has; a test gives what differs. */
	const ITEM = () => ({
		subject: 'Portfolio review', start: Date.UTC(2031, 4, 14, 8, 0), end: Date.UTC(2031, 4, 14, 9, 0),
		location: '', places: /** @type {Place[]} */ ([]), body: '', bodyType: 'html', properties: /** @type {Record<string, any>} */ ({}),
		itemId: /** @type {string | null} */ (null), seriesId: /** @type {string | null} */ (null), recurrence: /** @type {any} */ (null),
		shared: /** @type {any} */ (null), session: /** @type {Record<string, string>} */ ({}), notifications: /** @type {Record<string, any>} */ ({}),
		itemType: 'appointment',
	});

	const CONTEXT = () => ({
		host: /** @type {string | null} */ ('Outlook'), platform: /** @type {string | null} */ ('OfficeOnline'), version: '20260911001.08',
		language: 'en-US', sets: /** @type {Record<string, string>} */ ({ mailbox: '1.16', nestedappauth: '1.1', dialogapi: '1.2', dialogorigin: '1.1' }),
		theme: /** @type {any} */ ({ bodyBackgroundColor: '#ffffff', bodyForegroundColor: '#242424', controlBackgroundColor: '#f5f5f5', controlForegroundColor: '#242424' }),
		profile: { emailAddress: 'anna.keller@alpinebank.example', displayName: 'Anna Keller', timeZone: 'W. Europe Standard Time', accountType: 'office365' },
		/** No item: an address hidden from the address list, nothing selected. */
		itemless: false,
	});

	/** @param {string} name @param {string} message @param {number} code */
	const failure = (name, message, code) => Object.assign(new Error(message), { name, code });
	const tooLong = (/** @type {string} */ what) => failure('DataExceedsMaximumSize', `The ${what} is too long.`, 9006);

	/**
	 * How Outlook rewrites what is inserted: scripts and comments go, ids are prefixed.
	 * @param {string} html
	 */
	const rewrite = (html) => html.replace(/<script[\s\S]*?<\/script>|<!--[\s\S]*?-->/gi, '').replace(/(<[^>]*?\sid=")(?!x_|LPNoLP)/gi, '$1x_');

	/** @param {string} html */
	const plain = (html) => html.replace(/<br[^>]*>|<\/(p|div|li|h\d|tr)>/gi, '\n').replace(/<[^>]*>/g, '').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&nbsp;/g, ' ').replace(/&amp;/g, '&');

	class OfficeMailbox {
		/** @param {{ item?: any, context?: any, faults?: Record<string, Fault>, rewrites?: boolean }} [given] */
		constructor(given = {}) {
			this.item = { ...ITEM(), ...given.item };
			this.context = { ...CONTEXT(), ...given.context };
			/** @type {Record<string, Fault>} */
			this.faults = given.faults ?? {};
			this.rewrites = given.rewrites ?? true;
			/** Every call, in order. @type {{ name: string, args: any[], at: number, error?: string }[]} */
			this.calls = [];
			this.running = 0;
			/** Outlook's limits page names three. */
			this.mostAtOnce = 0;
			/** Told after every change of the item. @type {Set<(name: string) => void>} */
			this.listeners = new Set();
			/** Told of each call that is never answered. @type {Set<(name: string) => void>} */
			this.hanging = new Set();
			/** Opens a dialog in the stub's place. @type {((url: string, options: any, tell: (event: any) => void) => { close: () => void, send?: (message: string) => void }) | null} */
			this.dialog = null;
		}

		/** @param {string} name */
		missing(name) {
			return this.faults[name]?.missing === true;
		}

		/** What the near side must know before the first call. */
		snapshot() {
			return { ...this.context, seriesId: this.item.seriesId, itemType: this.item.itemType, missing: Object.keys(this.faults).filter((n) => this.faults[n].missing) };
		}

		/** @param {string} name "subject.getAsync" @param {any[]} args without callback @returns {Promise<any>} */
		async call(name, args) {
			/** @type {(typeof this.calls)[0]} */
			const entry = { name, args, at: Date.now() };
			this.calls.push(entry);
			this.mostAtOnce = Math.max(this.mostAtOnce, ++this.running);
			try {
				const fault = this.due(name);
				/* Never in the same turn: a callback comes later. */
				await new Promise((resolve) => setTimeout(resolve, fault?.delay ?? 0));
				if (fault?.hang) {
					this.hanging.forEach((tell) => tell(name));
					await new Promise(() => {});
				}
				if (fault?.fail && !fault.done)
					throw failure(fault.fail.name ?? 'InternalServerError', fault.fail.message ?? 'The Exchange server returned an error. Please look at the diagnostics object for more information.', fault.fail.code ?? 9017);
				const value = this.act(name, args);
				if (fault?.fail)
					throw failure(fault.fail.name ?? 'NetworkProblem', fault.fail.message ?? 'The user is no longer connected to the network. Please check your network connection and try again.', fault.fail.code ?? 9018);
				return value;
			} catch (e) {
				entry.error = /** @type {Error} */ (e).name;
				throw e;
			} finally {
				this.running--;
			}
		}

		/** The fault of this call, counted down. @param {string} name */
		due(name) {
			const fault = this.faults[name];
			if (fault === undefined)
				return undefined;
			if (fault.after !== undefined && fault.after > 0) {
				fault.after--;
				return undefined;
			}
			if (fault.times !== undefined && fault.times-- <= 0) {
				delete this.faults[name];
				return undefined;
			}
			return { ...fault };
		}

		/** @param {string} name @param {any[]} args */
		act(name, args) {
			const known = /** @type {any} */ (this)[`on_${name.replace('.', '_')}`];
			if (typeof known !== 'function')
				throw failure('OperationNotSupported', `${name} is not known here`, 5000);
			const value = known.apply(this, args);
			if (!/\.get|getAll|load|getShared|getItemId/.test(name))
				for (const tell of this.listeners)
					tell(name);
			return value;
		}

		/** The person changes the item in the form. @param {any} change */
		edit(change) {
			Object.assign(this.item, change);
			for (const tell of this.listeners)
				tell('edit');
		}

		on_subject_getAsync() { return this.item.subject; }
		/** @param {string} text */
		on_subject_setAsync(text) {
			if (text.length > SUBJECT_MAX)
				throw tooLong('subject');
			this.item.subject = text;
		}

		on_start_getAsync() { return this.item.start; }
		on_end_getAsync() { return this.item.end; }
		on_location_getAsync() { return this.item.location; }
		/** @param {string} text */
		on_location_setAsync(text) {
			if (text.length > LOCATION_MAX)
				throw tooLong('location');
			this.item.location = text;
			this.item.places = text === '' ? [] : [{ id: text, displayName: text, type: 'custom' }];
		}

		on_enhancedLocation_getAsync() {
			return this.item.places.map((/** @type {Place} */ p) => ({ displayName: p.displayName, emailAddress: p.type === 'room' ? p.id : '', locationIdentifier: { id: p.id, type: p.type } }));
		}

		/** @param {{ id: string, type: string }[]} list */
		on_enhancedLocation_addAsync(list) {
			for (const { id, type } of list)
				if (!this.item.places.some((/** @type {Place} */ p) => p.id === id && p.type === type))
					this.item.places.push({ id, displayName: id, type });
			this.placed();
		}

		/** @param {{ id: string, type: string }[]} list */
		on_enhancedLocation_removeAsync(list) {
			this.item.places = this.item.places.filter((/** @type {Place} */ p) => !list.some(({ id, type }) => p.id === id && p.type === type));
			this.placed();
		}

		placed() {
			this.item.location = this.item.places.map((/** @type {Place} */ p) => p.displayName).join('; ');
		}

		on_body_getTypeAsync() { return this.item.bodyType; }
		/** @param {string} type */
		on_body_getAsync(type) {
			const { body, bodyType } = this.item;
			if (type === 'html')
				return bodyType === 'html' ? body : `<html><body>${body.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/\n/g, '<br>')}</body></html>`;
			return bodyType === 'html' ? plain(body) : body;
		}

		/** @param {string} data @param {string} type */
		taken(data, type, max = BODY_MAX) {
			if (data.length > max)
				throw tooLong('data parameter');
			if (type === 'html' && this.item.bodyType === 'text')
				throw failure('InvalidFormatError', 'The coercion type is not supported: the body is plain text.', 9017);
			if (this.item.bodyType === 'text')
				return data;
			return type === 'html' ? this.rewrites ? rewrite(data) : data : data.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/\n/g, '<br>');
		}

		/** @param {string} data @param {string} type */
		on_body_setAsync(data, type) { this.item.body = this.taken(data, type); }
		/** @param {string} data @param {string} type */
		on_body_prependAsync(data, type) {
			const part = this.taken(data, type, PREPEND_MAX);
			this.item.body = /<body[^>]*>/i.test(this.item.body) ? this.item.body.replace(/<body[^>]*>/i, (/** @type {string} */ tag) => tag + part) : part + this.item.body;
		}

		/** At the cursor, which stands at the beginning. @param {string} data @param {string} type */
		on_body_setSelectedDataAsync(data, type) { this.on_body_prependAsync(data, type); }

		on_loadCustomPropertiesAsync() { return copied(this.item.properties); }
		/** @param {Record<string, any>} all */
		on_customProperties_saveAsync(all) {
			if (JSON.stringify(all).length > PROPERTIES_MAX)
				throw failure('InternalServerError', 'The custom properties are larger than 2,500 characters.', 9017);
			this.item.properties = copied(all);
		}

		on_item_getItemIdAsync() {
			if (this.item.itemId === null)
				throw failure('ItemNotSaved', 'The ID can\u2019t be retrieved until the item is saved.', 9016);
			return this.item.itemId;
		}

		on_item_saveAsync() {
			this.item.itemId ??= 'AAMkAD/saved+by=';
			return this.item.itemId;
		}

		on_item_getSharedPropertiesAsync() {
			if (this.item.shared === null)
				throw failure('OperationNotSupported', 'The item is not in a shared folder or shared mailbox.', 9037);
			return { ...this.item.shared };
		}

		on_recurrence_getAsync() { return this.item.recurrence; }
		on_sessionData_getAllAsync() { return { ...this.item.session }; }
		/** @param {string} name */
		on_sessionData_getAsync(name) {
			if (!(name in this.item.session))
				throw failure('KeyNotFound', 'The specified key was not found.', 9020);
			return this.item.session[name];
		}

		/** @param {string} name @param {string} value */
		on_sessionData_setAsync(name, value) {
			const next = { ...this.item.session, [name]: value };
			if (JSON.stringify(next).length > SESSION_MAX)
				throw tooLong('session data');
			this.item.session = next;
		}

		/** @param {string} name */
		on_sessionData_removeAsync(name) { delete this.item.session[name]; }
		on_sessionData_clearAsync() { this.item.session = {}; }

		on_notificationMessages_getAllAsync() {
			return Object.entries(this.item.notifications).map(([key, m]) => ({ key, ...m }));
		}

		/** @param {string} key @param {any} message */
		on_notificationMessages_addAsync(key, message) {
			if (key in this.item.notifications)
				throw failure('DuplicateNotificationKey', 'A notification with that key is there already.', 9014);
			this.on_notificationMessages_replaceAsync(key, message);
		}

		/** "If a notification message with the specified key doesn't exist, replaceAsync will add the notification." @param {string} key @param {any} message */
		on_notificationMessages_replaceAsync(key, message) {
			const all = this.item.notifications;
			if (!(key in all) && Object.keys(all).length >= NOTIFICATIONS_MAX)
				throw failure('NumberOfNotificationMessagesExceeded', 'An item has at most five notifications.', 9015);
			all[key] = { ...message };
		}

		/** @param {string} key */
		on_notificationMessages_removeAsync(key) {
			if (!(key in this.item.notifications))
				throw failure('NotificationKeyNotFound', 'There is no notification with that key.', 9013);
			delete this.item.notifications[key];
		}
	}

	/** @param {any} value */
	function copied(value) {
		return JSON.parse(JSON.stringify(value));
	}

	/** @type {any} */ (globalThis).OfficeMailbox = OfficeMailbox;
})();
