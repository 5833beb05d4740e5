// @ts-check
/*
 * What the stub of Office does between windows: dialogs with their messages, and the link between a framed page
 * of the add-in and the simulated Outlook around it. Classic script; stands between office-mailbox.js and
 * office-stub.js. Messages are same-origin, { officeStub: kind, ... }.
 */

(() => {
	/** @type {any} */
	const scope = globalThis;
	const CLOSED_LOOK_MS = 100;
	const USER_CLOSED = 12006;
	const POPUP_BLOCKED = 12009;
	const ALREADY_OPEN = 12007;
	const MESSAGE_RECEIVED = 'dialogMessageReceived';
	const EVENT_RECEIVED = 'dialogEventReceived';

	/** @param {number} code @param {string} message */
	const failed = (code, message) => ({ status: 'failed', value: undefined, error: { code, name: 'DialogError', message } });

	/** Opens a browser window. @param {string} url @param {any} options @param {(event: any) => void} tell */
	function openWindow(url, options, tell) {
		const child = scope.open(url, '', `popup,width=${options.width ?? 480},height=${options.height ?? 600}`);
		if (child === null)
			return null;
		const hear = (/** @type {MessageEvent} */ e) => {
			if (e.source === child && e.data?.officeStub === 'message')
				tell({ message: e.data.text, origin: e.origin });
		};
		scope.addEventListener('message', hear);
		const look = setInterval(() => {
			if (child.closed) {
				stop();
				tell({ error: USER_CLOSED });
			}
		}, CLOSED_LOOK_MS);
		const stop = () => {
			clearInterval(look);
			scope.removeEventListener('message', hear);
		};
		return {
			close: () => {
				stop();
				child.close();
			},
			send: (/** @type {string} */ text) => child.postMessage({ officeStub: 'parent-message', text }, scope.location.origin),
		};
	}

	/** Office.context.ui of the page that opens dialogs. @param {any} call @param {any} faults */
	function opener(call, faults) {
		let open = false;
		/** @param {string} url @param {any[]} rest */
		function displayDialogAsync(url, ...rest) {
			const callback = rest.find((r) => typeof r === 'function');
			const options = rest.find((r) => typeof r === 'object' && r !== null) ?? {};
			if (open)
				return void setTimeout(() => callback?.(failed(ALREADY_OPEN, 'A dialog is open already.')), 0);
			/** @type {Map<string, Set<(arg: any) => void>>} */
			const handlers = new Map();
			const tell = (/** @type {any} */ event) => {
				open = 'error' in event ? false : open;
				handlers.get('error' in event ? EVENT_RECEIVED : MESSAGE_RECEIVED)?.forEach((h) => h(event));
			};
			open = true;
			call('ui.displayDialogAsync', [url, { ...options }]).catch((/** @type {any} */ e) => {
				/* The far side has no such call; a failure that was ordered has its own code. */
				if (e.code !== 5000)
					throw e;
			}).then(() => {
				const made = (faults.mailbox?.dialog ?? openWindow)(url, options, tell);
				if (made === null)
					throw Object.assign(new Error('The user\u2019s browser blocked the dialog.'), { code: POPUP_BLOCKED });
				callback?.({ status: 'succeeded', value: {
					addEventHandler: (/** @type {string} */ type, /** @type {any} */ handler) => handlers.set(type, (handlers.get(type) ?? new Set()).add(handler)),
					close: () => {
						open = false;
						made.close();
					},
					messageChild: (/** @type {string} */ text) => made.send?.(text),
				} });
			}).catch((/** @type {any} */ e) => {
				open = false;
				callback?.(failed(e.code ?? 12002, e.message));
			});
		}
		return {
			get displayDialogAsync() { return faults.missing('ui.displayDialogAsync') ? undefined : displayDialogAsync; },
			messageParent: () => { throw new Error('this page is not a dialog'); },
			openBrowserWindow: (/** @type {string} */ url) => void scope.open(url, '_blank', 'noopener'),
		};
	}

	/** Office.context.ui in a dialog. */
	function child() {
		return {
			messageParent: (/** @type {string} */ text, /** @type {any} */ options) => scope.opener.postMessage({ officeStub: 'message', text }, options?.targetOrigin ?? scope.location.origin),
			addHandlerAsync: (/** @type {string} */ _type, /** @type {(arg: any) => void} */ handler) => scope.addEventListener('message', (/** @type {MessageEvent} */ e) => {
				if (e.source === scope.opener && e.data?.officeStub === 'parent-message')
					handler({ message: e.data.text, origin: e.origin });
			}),
		};
	}

	/** The page is in a frame: everything is asked of the window around it. @param {any} near */
	function framed(near) {
		const { parent, location } = scope;
		/** @type {Map<number, { resolve: (v: any) => void, reject: (e: any) => void }>} */
		const waiting = new Map();
		let next = 1;
		const post = (/** @type {any} */ message) => parent.postMessage(message, location.origin);
		const call = (/** @type {string} */ name, /** @type {any[]} */ args) => new Promise((resolve, reject) => {
			waiting.set(next, { resolve, reject });
			post({ officeStub: 'call', id: next++, name, args });
		});
		const timer = setTimeout(near.outside, near.waitMs);
		scope.addEventListener('message', (/** @type {MessageEvent} */ e) => {
			if (e.source !== parent || e.origin !== location.origin || e.data?.officeStub === undefined)
				return;
			const m = e.data;
			if (m.officeStub === 'context') {
				clearTimeout(timer);
				near.arrive(m.context, call, { missing: (/** @type {string} */ n) => m.context.missing.includes(n), throwing: () => false });
				if (m.run)
					near.run(m.run).then(() => post({ officeStub: 'completed' }), (/** @type {Error} */ error) => post({ officeStub: 'completed', error: error.message }));
			} else if (m.officeStub === 'theme')
				near.theme(m.theme);
			else if (m.officeStub === 'fire')
				near.fire(m.type, m.arg);
			else if (m.officeStub === 'token')
				bridged.get(m.id)?.(m.answer);
			else if (m.officeStub === 'answer') {
				const asked = waiting.get(m.id);
				waiting.delete(m.id);
				if (m.error === undefined)
					asked?.resolve(m.value);
				else
					asked?.reject(Object.assign(new Error(m.error.message), m.error));
			}
		});
		bridge((request, tell) => {
			bridged.set(request.requestId, tell);
			post({ officeStub: 'token', id: request.requestId, request });
		});
		post({ officeStub: 'hello' });
	}

	/** @type {Map<string, (answer: any) => void>} */
	const bridged = new Map();

	/**
	 * window.nestedAppAuthBridge as a host gives it to MSAL.
	 * @param {(request: any, tell: (answer: any) => void) => void} ask
	 */
	function bridge(ask) {
		/** @type {Set<(e: any) => void>} */
		const listeners = new Set();
		scope.nestedAppAuthBridge = {
			addEventListener: (/** @type {string} */ _type, /** @type {any} */ fn) => void listeners.add(fn),
			removeEventListener: (/** @type {string} */ _type, /** @type {any} */ fn) => void listeners.delete(fn),
			postMessage: (/** @type {string} */ text) => {
				const request = JSON.parse(text);
				ask(request, (answer) => {
					const reply = JSON.stringify({ messageType: 'NestedAppAuthResponse', requestId: request.requestId, ...answer });
					listeners.forEach((fn) => fn(reply));
				});
			},
		};
	}

	scope.officeStubDialogs = { opener, child, framed, bridge, openWindow };
	/* In one page: officeStub.token(request) answers what MSAL asks of the host. */
	const token = scope.officeStub?.token;
	if (typeof token === 'function')
		bridge((request, tell) => Promise.resolve(token(request)).then(tell));
})();
