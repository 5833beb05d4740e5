// @ts-check
/*
 * Outlook on the web as Microsoft's office.js sees it: the window around the add-in's frame. Answers the messages of
 * office.js over an appointment of OfficeMailbox (office-mailbox.js stands before it in the page), as far as the add-in
 * asks; the shapes were read off office.js 1.1.110. Classic script. globalThis.officeHost is what a test looks at.
 */

(() => {
	/** @type {any} */
	const scope = globalThis;
	const INSTANCE = 'instance1';
	const REQUEST = 0;
	const RESPONSE = 1;
	const HTML = 3;
	const COMMAND_COMPLETED = 94;
	const NOTICES = ['informationalMessage', 'progressIndicator', 'errorMessage', 'insightMessage'];
	const mailbox = new scope.OfficeMailbox(scope.officeHostGiven ?? {});
	/** completed: how often a function command said so; unknown: calls that are not known here. @type {any} */
	const host = scope.officeHost = { mailbox, completed: 0, unknown: [], listener: null };

	const format = (/** @type {any} */ p) => (p.coercionType === HTML ? 'html' : 'text');
	const notice = (/** @type {any} */ p) => [p.key, { type: NOTICES[p.type], message: p.message, ...(p.icon === undefined ? {} : { icon: p.icon }), ...(p.persistent === undefined ? {} : { persistent: p.persistent }) }];

	/** The calls of an item by number: their names, and what their parameters are. @type {Record<number, [string, ((p: any) => any[])?]>} */
	const CALLS = {
		3: ['loadCustomPropertiesAsync'], 4: ['customProperties.saveAsync', (p) => [p.customProperties]], 14: ['body.getTypeAsync'], 18: ['subject.getAsync'], 23: ['body.prependAsync', (p) => [p.data, format(p)]],
		26: ['location.getAsync'], 27: ['location.setAsync', (p) => [p.location]], 33: ['notificationMessages.addAsync', notice], 35: ['notificationMessages.replaceAsync', notice], 36: ['notificationMessages.removeAsync', (p) => [p.key]],
		37: ['body.getAsync', (p) => [format(p)]], 38: ['body.setAsync', (p) => [p.data, format(p)]], 103: ['recurrence.getAsync'], 108: ['item.getSharedPropertiesAsync'], 164: ['item.getItemIdAsync'],
		185: ['sessionData.setAsync', (p) => [p.name, p.value]], 186: ['sessionData.getAsync', (p) => [p.name]], 189: ['sessionData.removeAsync', (p) => [p.name]],
	};

	/** @param {number} number @param {any} p @returns {Promise<any>} */
	async function call(number, p) {
		const [name, args = () => []] = number === 24 ? [p.TimeProperty === 1 ? 'start.getAsync' : 'end.getAsync'] : CALLS[number] ?? [];
		if (name === undefined) {
			host.unknown.push(number);
			return { error: true, errorCode: 9020, data: null };
		}
		try {
			const value = await mailbox.call(name, args(p ?? {}));
			return number === 3 ? { wasSuccessful: true, customProperties: JSON.stringify(value) } : { wasSuccessful: true, data: value ?? null };
		} catch (e) {
			return { error: true, errorCode: /** @type {any} */ (e).code ?? 9017, wasSuccessful: false, data: null };
		}
	}

	/** @param {any} m @returns {any} */
	function reply({ _actionName: name, _data: data }) {
		if (name === 'ContextActivationManager_getAppContextAsync')
			return {
				_id: INSTANCE, _appName: 64, _appVersion: '16.01', _appUILocale: 'en-US', _dataLocale: 'en-US', _docUrl: scope.location.href, _clientMode: 0, _settings: {}, _reason: 'documentOpened',
				_osfControlType: 0, _correlationId: 'c', _appInstanceId: INSTANCE, _requirementMatrix: JSON.stringify({ mailbox: '1.15', dialogapi: '1.2' }), _hostFullVersion: '16.0', _appDomains: [], _addinName: 'Unblu', _clientWindowWidth: 800, _clientWindowHeight: 600,
			};
		if (name === 'GetInitialData')
			return { itemType: 5, userDisplayName: 'Anna Keller', userEmailAddress: 'anna.keller@alpinebank.example', userTimeZone: 'W. Europe Standard Time', timeZoneOffsets: [], hostVersion: '16.0.1', isRestIdSupported: true, permissionLevel: 3, seriesId: null };
		if (name === 'ExecuteMethod')
			return call(data.MethodData.DispatchId, data.ApiParams);
		if (name === 'executeMethod' && data.DdaMethod.DispatchId === COMMAND_COMPLETED)
			host.completed++;
		return { Version: 1, Error: 0 };
	}

	/** @param {any} m of office.js @param {number} type @param {any} data */
	function send(m, type, data) {
		scope.frames[0].postMessage(JSON.stringify({ _messageType: RESPONSE, _actionName: m._actionName, _conversationId: m._conversationId, _correlationId: m._correlationId, _origin: scope.location.origin, _errorCode: 0, _responseType: type, _serializerVersion: 1, _data: data }), scope.location.origin);
	}

	scope.addEventListener('message', async (/** @type {MessageEvent} */ e) => {
		const m = e.source === scope.frames[0] && typeof e.data === 'string' ? JSON.parse(e.data) : {};
		if (m._messageType !== REQUEST)
			return;
		if (m._actionName === 'appCommandInvoked')
			host.listener = m;
		send(m, 0, await reply(m));
	});

	/** Opens a page of the add-in as Outlook does. @param {string} page */
	host.open = (page) => {
		Object.assign(host, { completed: 0, listener: null });
		const frame = document.createElement('iframe');
		frame.name = JSON.stringify({ baseFrameName: 'addin' });
		frame.style.cssText = 'width: 320px; height: 700px';
		frame.src = `/addin/${page}?_host_Info=Outlook$Web$16.01$en-US$$$$0#&_serializer_version=1&_xdm_Info=conversation1|${INSTANCE}|${scope.location.origin}`;
		document.body.replaceChildren(frame);
	};

	/** Presses the button of a function command, once office.js listens for it. @param {string} name */
	host.press = (name) => send(host.listener, 1, ['command1', name, JSON.stringify({ source: { id: 'button' } })]);
})();
