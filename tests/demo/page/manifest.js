// @ts-check
/* What Outlook takes from the add-in's manifest: the buttons of the event form, with label, icon and what they do. */

const SURFACE = 'AppointmentOrganizerCommandSurface';
const ICON = '32';

/** @typedef {{ id: string, label: string, title: string, icon: string, page: string, run: string | null }} Button page: path of what is loaded; run: a function command in it */

/** @param {Element | Document} from @param {string} name @returns {Element[]} */
const all = (from, name) => [...from.getElementsByTagNameNS('*', name)];
/** @param {Element} from @param {string} name */
const first = (from, name) => /** @type {Element | undefined} */ (all(from, name)[0]);

/** The origin is the product's own; the demo reaches it through its front door. @param {string} url */
function pathOf(url) {
	const { pathname, search } = new URL(url);
	return pathname + search;
}

/** @param {Document} doc @returns {Button[]} */
export function buttonsOf(doc) {
	const overrides = all(doc, 'VersionOverrides').at(-1);
	if (overrides === undefined)
		return [];
	const resources = new Map(['Image', 'Url', 'String'].flatMap((kind) => all(overrides, kind)).map((n) => [n.getAttribute('id') ?? '', n.getAttribute('DefaultValue') ?? '']));
	const text = (/** @type {Element | undefined} */ n) => resources.get(n?.getAttribute('resid') ?? '') ?? '';
	const surface = all(overrides, 'ExtensionPoint').find((n) => n.getAttribute('xsi:type') === SURFACE);
	const commands = text(first(overrides, 'FunctionFile'));
	return surface === undefined ? [] : all(surface, 'Control').map((control) => {
		const run = first(control, 'FunctionName')?.textContent?.trim() ?? null;
		const page = pathOf(run === null ? text(first(control, 'SourceLocation')) : commands);
		const icon = all(control, 'Image').find((n) => n.getAttribute('size') === ICON);
		return { id: run !== null ? 'command' : page.includes('?') ? 'debug' : 'pane', label: text(first(control, 'Label')), title: text(first(control, 'Description')), icon: pathOf(text(icon)), page, run };
	});
}

/** @param {string} base path of the add-in @returns {Promise<Button[]>} */
export async function readManifest(base) {
	const reply = await fetch(`${base}/manifest.xml`);
	if (!reply.ok)
		throw new Error(`manifest.xml: ${reply.status}`);
	return buttonsOf(new DOMParser().parseFromString(await reply.text(), 'text/xml'));
}
