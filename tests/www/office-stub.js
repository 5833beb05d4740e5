// @ts-check
/*
 * The near side of the stub: a global Office with what Microsoft documents, and nothing else. Classic script;
 * office-mailbox.js stands before it in the same file or page. Where the appointment is:
 *  - globalThis.officeStub = { mailbox?, item?, context?, faults? } set before: in this page (tests, node's vm);
 *  - else in the parent window, when that answers (the demo);
 *  - else nowhere: a page outside of Outlook, or a dialog that talks to its opener.
 * globalThis.officeStub then has mailbox, run(name) (presses a function command), theme(colours) and select(there): another
 * item is in view, or none.
 */

(() => {
	/** @type {any} */
	const scope = globalThis;
	const given = scope.officeStub;
	const PARENT_MS = 1500;
	const KEY_MAX = 32;
	const MESSAGE_MAX = 150;
	/** @typedef {(name: string, args: any[]) => Promise<any>} Call */

	const enums = {
		AsyncResultStatus: { Succeeded: 'succeeded', Failed: 'failed' },
		CoercionType: { Html: 'html', Text: 'text' },
		HostType: { Outlook: 'Outlook', Word: 'Word', Excel: 'Excel' },
		PlatformType: { PC: 'PC', OfficeOnline: 'OfficeOnline', Mac: 'Mac', iOS: 'iOS', Android: 'Android', Universal: 'Universal' },
		EventType: { DialogMessageReceived: 'dialogMessageReceived', DialogEventReceived: 'dialogEventReceived', DialogParentMessageReceived: 'dialogParentMessageReceived', OfficeThemeChanged: 'officeThemeChanged', ItemChanged: 'olkItemSelectedChanged', AppointmentTimeChanged: 'olkAppointmentTimeChanged', RecurrenceChanged: 'olkRecurrenceChanged' },
		MailboxEnums: {
			ItemNotificationMessageType: { ProgressIndicator: 'progressIndicator', InformationalMessage: 'informationalMessage', ErrorMessage: 'errorMessage', InsightMessage: 'insightMessage' },
			ItemType: { Message: 'message', Appointment: 'appointment' }, RestVersion: { v1_0: 'v1.0', v2_0: 'v2.0', Beta: 'beta' }, ActionType: { ShowTaskPane: 'showTaskPane' },
			LocationType: { Custom: 'custom', Room: 'room' }, DelegatePermissions: { Read: 1, Write: 2, DeleteOwn: 4, DeleteAll: 8, EditOwn: 16, EditAll: 32 },
		},
	};

	/** The arguments before the callback, its options and the callback. @param {any[]} args */
	function split(args) {
		const rest = [...args];
		const callback = typeof rest.at(-1) === 'function' ? rest.pop() : undefined;
		const last = rest.at(-1);
		const options = typeof last === 'object' && last !== null && !Array.isArray(last) && ('asyncContext' in last || 'coercionType' in last) ? rest.pop() : {};
		return { rest, options, callback };
	}

	/** @param {Promise<any>} work @param {((result: any) => void) | undefined} callback @param {any} [asyncContext] @param {(v: any) => any} [as] */
	function answer(work, callback, asyncContext, as = (v) => v) {
		work.then((value) => callback?.({ status: 'succeeded', value: as(value), asyncContext, error: undefined }),
			(e) => callback?.({ status: 'failed', value: undefined, asyncContext, error: { code: e.code ?? 9017, name: e.name, message: e.message } }));
	}

	/** What Outlook refuses before it asks anyone. @param {string} name @param {any[]} rest */
	function checkNotification(name, [key, message]) {
		if (!/addAsync|replaceAsync/.test(name))
			return;
		if (typeof key !== 'string' || key === '' || key.length > KEY_MAX)
			throw new RangeError('Sys.ArgumentOutOfRangeException: key');
		if (typeof message?.message !== 'string' || message.message === '' || message.message.length > MESSAGE_MAX)
			throw new RangeError('Sys.ArgumentOutOfRangeException: message');
		const informational = message.type === 'informationalMessage' || message.type === 'insightMessage';
		if (!Object.values(enums.MailboxEnums.ItemNotificationMessageType).includes(message.type) || informational && typeof message.icon !== 'string' ||
			message.type === 'informationalMessage' && typeof message.persistent !== 'boolean' || !informational && (message.icon !== undefined || message.persistent !== undefined) ||
			message.type !== 'insightMessage' && message.actions !== undefined)
			throw new TypeError('Sys.ArgumentException: notification');
	}

	/** @param {any} props as loaded @param {Call} call */
	function customProperties(props, call) {
		const own = { ...props };
		return {
			get: (/** @type {string} */ n) => own[n], set: (/** @type {string} */ n, /** @type {any} */ v) => { own[n] = v; }, remove: (/** @type {string} */ n) => { delete own[n]; }, getAll: () => ({ ...own }),
			saveAsync: (/** @type {any[]} */ ...args) => {
				const callback = args.find((a) => typeof a === 'function');
				answer(call('customProperties.saveAsync', [own]), callback, args.find((a) => typeof a !== 'function'));
			},
		};
	}

	const METHODS = {
		subject: ['getAsync', 'setAsync'], start: ['getAsync'], end: ['getAsync'], location: ['getAsync', 'setAsync'], enhancedLocation: ['getAsync', 'addAsync', 'removeAsync'],
		body: ['getTypeAsync', 'getAsync', 'setAsync', 'prependAsync', 'setSelectedDataAsync'], recurrence: ['getAsync'],
		sessionData: ['getAllAsync', 'getAsync', 'setAsync', 'removeAsync', 'clearAsync'], notificationMessages: ['getAllAsync', 'addAsync', 'replaceAsync', 'removeAsync'],
		item: ['getItemIdAsync', 'saveAsync', 'getSharedPropertiesAsync'],
	};
	const HTML_OR_TEXT = /^body\.(set|prepend|setSelectedData)Async$/;

	/** @param {string} name @param {Call} call @param {(name: string) => boolean} throwing */
	function method(name, call, throwing) {
		return (/** @type {any[]} */ ...args) => {
			const { rest, options, callback } = split(args);
			if (throwing(name))
				throw new Error(`${name} has thrown`);
			if (name.startsWith('notificationMessages.'))
				checkNotification(name, rest);
			/* Without coercionType data is text. */
			const sent = HTML_OR_TEXT.test(name) ? [String(rest[0]), options.coercionType ?? 'text'] : rest;
			answer(call(name, sent), callback, options.asyncContext, /^(start|end)\./.test(name) ? (ms) => new Date(ms) : undefined);
		};
	}

	/** @param {any} context snapshot @param {Call} call @param {{ missing: (n: string) => boolean, throwing: (n: string) => boolean }} faults @param {any} handlers */
	function item(context, call, faults, handlers) {
		/** @type {any} */
		const out = { itemType: context.itemType, seriesId: context.seriesId, addHandlerAsync: handlers.add, removeHandlerAsync: handlers.remove };
		for (const [part, methods] of Object.entries(METHODS)) {
			const place = part === 'item' ? out : {};
			for (const m of methods)
				Object.defineProperty(place, m, { enumerable: true, get: () => faults.missing(`${part}.${m}`) ? undefined : method(`${part}.${m}`, call, faults.throwing) });
			if (part !== 'item')
				Object.defineProperty(out, part, { enumerable: true, get: () => faults.missing(part) ? undefined : place });
		}
		Object.defineProperty(out, 'loadCustomPropertiesAsync', { enumerable: true, get: () => faults.missing('loadCustomPropertiesAsync') ? undefined : (/** @type {any[]} */ ...args) => {
			const callback = args.find((a) => typeof a === 'function');
			answer(call('loadCustomPropertiesAsync', []), callback, args.find((a) => typeof a !== 'function'), (props) => customProperties(props, call));
		} });
		return out;
	}

	/** @param {string} set @param {string} [version] @param {Record<string, string>} sets */
	function supported(sets, set, version = '1.0') {
		const have = sets[set.toLowerCase()];
		if (have === undefined)
			return false;
		const [a, b] = have.split('.').map(Number);
		const [c, d = 0] = String(version).split('.').map(Number);
		return a > c || a === c && b >= d;
	}

	/** Event handlers of one object. */
	function handlerTable() {
		/** @type {Map<string, Set<(arg: any) => void>>} */
		const table = new Map();
		return {
			add: (/** @type {string} */ type, /** @type {any} */ handler, /** @type {any[]} */ ...rest) => {
				table.set(type, (table.get(type) ?? new Set()).add(handler));
				answer(Promise.resolve(), rest.find((r) => typeof r === 'function'));
			},
			remove: (/** @type {string} */ type, /** @type {any[]} */ ...rest) => {
				table.delete(type);
				answer(Promise.resolve(), rest.find((r) => typeof r === 'function'));
			},
			fire: (/** @type {string} */ type, /** @type {any} */ arg) => table.get(type)?.forEach((h) => h(arg)),
		};
	}

	/** @type {any} */
	const Office = { ...enums, context: {} };
	/** @type {Map<string, (event: any) => void>} */
	const commands = new Map();
	Office.actions = { associate: (/** @type {string} */ name, /** @type {any} */ fn) => void commands.set(name, fn) };
	const mailboxHandlers = handlerTable();
	const itemHandlers = handlerTable();
	/** @type {(info: any) => void} */
	let ready = () => {};
	const isReady = new Promise((resolve) => { ready = resolve; });
	/* office.js takes no press of a button before somebody has asked for it. */
	let isAsked = false;
	Office.onReady = (/** @type {any} */ callback) => {
		isAsked = true;
		return isReady.then((info) => {
			callback?.(info);
			return info;
		});
	};

	/** Presses a function command; resolves when it has completed. @param {string} name @param {number} [ms] */
	async function run(name, ms = 60_000) {
		await isReady;
		const end = Date.now() + ms;
		while ((!commands.has(name) || !isAsked && Office.initialize === undefined) && Date.now() < end)
			await new Promise((resolve) => setTimeout(resolve, 5));
		let completions = 0;
		return new Promise((resolve, reject) => {
			const fn = commands.get(name);
			if (fn === undefined)
				return reject(new Error(`no command ${name} was associated`));
			if (!isAsked && Office.initialize === undefined)
				return reject(new Error('office.js does not listen: nobody has asked whether it is ready'));
			const timer = setTimeout(() => reject(new Error(`${name} did not complete within ${ms} ms`)), ms);
			fn({ source: { id: name }, completed: (/** @type {any} */ options) => {
				if (++completions > 1)
					officeStub.completedTwice = true;
				clearTimeout(timer);
				resolve(options ?? null);
			} });
		});
	}

	/** @param {any} colours */
	function theme(colours) {
		Office.context.officeTheme = colours;
		mailboxHandlers.fire('officeThemeChanged', { type: 'officeThemeChanged', officeTheme: colours });
	}

	/** @type {any} */
	const officeStub = { ...given, mailbox: null, run, theme, completedTwice: false, fire: itemHandlers.fire };

	/** Gives Office its context. @param {any} c snapshot @param {Call} call @param {any} faults */
	function arrive(c, call, faults) {
		Office.context = {
			displayLanguage: c.language, contentLanguage: c.language, officeTheme: c.theme ?? undefined, diagnostics: { host: c.host, platform: c.platform, version: c.version }, host: c.host, platform: c.platform,
			requirements: { isSetSupported: (/** @type {string} */ set, /** @type {string} */ version) => supported(c.sets, set, version) },
			ui: officeDialogs.opener(call, faults),
			mailbox: {
				item: c.itemless ? null : item(c, call, faults, itemHandlers), userProfile: { ...c.profile }, diagnostics: { hostName: 'OutlookWebApp', hostVersion: c.version },
				convertToRestId: (/** @type {string} */ id) => id.replaceAll('/', '-').replaceAll('+', '_'), addHandlerAsync: mailboxHandlers.add, removeHandlerAsync: mailboxHandlers.remove,
			},
		};
		const there = Office.context.mailbox.item;
		officeStub.select = (/** @type {boolean} */ isThere) => {
			Office.context.mailbox.item = isThere ? there : null;
			mailboxHandlers.fire('olkItemSelectedChanged', { type: 'olkItemSelectedChanged' });
		};
		if (c.host === null)
			Office.context = {};
		ready({ host: c.host, platform: c.platform });
	}

	/** @type {any} */
	const officeDialogs = scope.officeStubDialogs;
	scope.Office = Office;
	scope.officeStub = officeStub;

	if (given !== undefined) {
		const mailbox = officeStub.mailbox = given.mailbox ?? new scope.OfficeMailbox(given);
		setTimeout(() => arrive(mailbox.snapshot(), (name, args) => mailbox.call(name, args), { missing: (/** @type {string} */ n) => mailbox.missing(n), throwing: (/** @type {string} */ n) => mailbox.faults[n]?.throws === true, mailbox }), given.readyDelay ?? 0);
	} else if (scope.parent !== undefined && scope.parent !== scope) {
		officeDialogs.framed({ arrive, run, theme, fire: itemHandlers.fire, outside: () => ready({ host: null, platform: null }), waitMs: PARENT_MS });
	} else if (scope.opener) {
		Office.context = { ui: officeDialogs.child(), requirements: { isSetSupported: () => true }, displayLanguage: 'en-US' };
		setTimeout(() => ready({ host: 'Outlook', platform: 'OfficeOnline' }), 0);
	} else {
		setTimeout(() => ready({ host: null, platform: null }), 30);
	}
})();
