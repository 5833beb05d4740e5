// @ts-check
/* The cord between an event and its conversation, and the bead that runs along it. */

const RUN_MS = 900;

export class Thread {
	/** @param {SVGElement} svg @param {HTMLElement} stage */
	constructor(svg, stage) {
		this.svg = svg;
		this.stage = stage;
		this.cord = /** @type {SVGPathElement} */ (svg.querySelector('.cord'));
		this.bead = /** @type {SVGCircleElement} */ (svg.querySelector('.bead'));
		/** @type {{ from: HTMLElement, to: HTMLElement } | null} */
		this.ends = null;
		this.runs = 0;
	}

	/** @param {HTMLElement | undefined} from @param {HTMLElement | undefined} to */
	show(from, to) {
		this.ends = from === undefined || to === undefined ? null : { from, to };
		this.svg.classList.toggle('on', this.lay());
	}

	/** Follows scrolling and moving; false: an end is out of sight. */
	lay() {
		if (this.ends === null || !this.ends.from.isConnected || !this.ends.to.isConnected)
			return false;
		const stage = this.stage.getBoundingClientRect();
		const a = clip(this.ends.from);
		const b = clip(this.ends.to);
		if (a === null || b === null)
			return false;
		const below = b.top > a.bottom && b.left < a.right;
		const x1 = (below ? (a.left + a.right) / 2 : a.right - 3) - stage.left;
		const y1 = (below ? a.bottom : (a.top + a.bottom) / 2) - stage.top;
		const x2 = b.left - stage.left;
		const y2 = (b.top + b.bottom) / 2 - stage.top;
		const bend = Math.max(36, Math.abs(x2 - x1) * 0.45);
		this.cord.setAttribute('d', `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`);
		return true;
	}

	/** A bead from the event to the conversation. @param {HTMLElement | undefined} from @param {HTMLElement | undefined} to */
	run(from, to) {
		this.show(from, to);
		if (this.ends === null || !this.svg.classList.contains('on') || matchMedia('(prefers-reduced-motion: reduce)').matches)
			return;
		const mine = ++this.runs;
		const began = performance.now();
		this.svg.classList.add('running');
		const step = () => {
			if (mine !== this.runs)
				return;
			const t = Math.min(1, (performance.now() - began) / RUN_MS);
			if (!this.lay() || t >= 1) {
				this.svg.classList.remove('running');
				setTimeout(() => mine === this.runs && this.svg.classList.remove('on'), 700);
				return;
			}
			const at = this.cord.getPointAtLength(this.cord.getTotalLength() * (1 - (1 - t) ** 3));
			this.bead.setAttribute('cx', String(at.x));
			this.bead.setAttribute('cy', String(at.y));
			requestAnimationFrame(step);
		};
		requestAnimationFrame(step);
	}
}

/** The visible part of a node inside its scroll box. @param {HTMLElement} node */
function clip(node) {
	const r = node.getBoundingClientRect();
	const box = node.closest('.scroll')?.getBoundingClientRect();
	const top = Math.max(r.top, box?.top ?? r.top);
	const bottom = Math.min(r.bottom, box?.bottom ?? r.bottom);
	return bottom - top < 6 ? null : { left: r.left, right: r.right, top, bottom };
}
