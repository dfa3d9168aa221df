import type { Child, Ending, FromProcess, ToProcess } from "../../../src/app/processes/messages.ts";

/** A process as the supervisor sees it, which does what the test says. */
export class FakeChild implements Child {
  readonly n: number;
  readonly heard: ToProcess[] = [];
  killed = false;
  /** What it does with a message; nothing when absent. */
  answer: (message: ToProcess) => void = () => {};
  #tell: (message: FromProcess) => void = () => {};
  #end: (ending: Ending) => void = () => {};

  constructor(n: number) {
    this.n = n;
  }

  send(message: ToProcess): void {
    this.heard.push(message);
    this.answer(message);
  }

  kill(): void {
    this.killed = true;
    this.ends({ signal: "SIGKILL" });
  }

  onMessage(heard: (message: FromProcess) => void): void {
    this.#tell = heard;
  }

  onEnd(ended: (ending: Ending) => void): void {
    this.#end = ended;
  }

  tells(message: FromProcess): void {
    this.#tell(message);
  }

  comesUp(): void {
    this.tells({ kind: "up", banner: `banner of ${this.n}` });
  }

  ends(ending: Ending): void {
    this.#end(ending);
  }
}
