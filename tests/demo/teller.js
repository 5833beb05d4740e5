// @ts-check
/* Tells the story on stdout: chapters, steps, what was seen and how long it took. */

const NAME_WIDTH = 26;

export class Teller {
	/** @param {{ write: (text: string) => void, colour: boolean }} out */
	constructor(out) {
		this.out = out;
		this.steps = 0;
		/** @type {string[]} */
		this.wrong = [];
	}

	/** @param {string} code @param {string} text */
	paint(code, text) {
		return this.out.colour ? `\u001b[${code}m${text}\u001b[0m` : text;
	}

	/** @param {string} text */
	line(text) {
		this.out.write(`${text}\n`);
	}

	/** What fails in a chapter ends it; the next one is played all the same. @param {string} title @param {() => Promise<void>} play */
	async chapter(title, play) {
		this.line(`\n${this.paint('1', title)}`);
		const before = this.wrong.length;
		try {
			await play();
		} catch (e) {
			if (this.wrong.length === before)
				this.failed(title, e);
		}
	}

	/** @param {string} name @param {() => Promise<string>} run what was seen; throws when it was wrong */
	async step(name, run) {
		const began = performance.now();
		this.steps++;
		try {
			const seen = await run();
			this.line(`  ${this.paint('32', 'ok')}  ${name.padEnd(NAME_WIDTH)} ${seen}  ${this.paint('2', `${((performance.now() - began) / 1000).toFixed(1)} s`)}`);
		} catch (e) {
			this.failed(name, e);
			throw e;
		}
	}

	/** @param {string} name @param {any} e */
	failed(name, e) {
		this.wrong.push(name);
		this.line(`  ${this.paint('31', 'WRONG')}  ${name}: ${e?.message ?? e}`);
	}
}
