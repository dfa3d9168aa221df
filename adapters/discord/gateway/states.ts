import type { Mailbox, SocketState } from "../../../src/ports/adapter.ts";
import type { Told } from "./shard.ts";

const WORST: readonly SocketState["status"][] = ["failed", "connecting", "ok"];

/** How all shards stand, in one word: that of the worst. */
export class States {
  readonly #states: SocketState[];
  readonly #mailbox: Pick<Mailbox, "report" | "connected" | "reconnects">;
  #last = "";

  constructor(shards: number, mailbox: Pick<Mailbox, "report" | "connected" | "reconnects">) {
    this.#mailbox = mailbox;
    this.#states = Array.from({ length: shards }, () => ({ status: "connecting", details: "connects" }));
  }

  of(shard: number, tooFewShards: () => void): Told {
    return {
      state: (status, details) => {
        this.#states[shard] = { status, details };
        this.#report();
      },
      connected: (isUp) => this.#mailbox.connected(shard, isUp),
      reconnects: (reason) => this.#mailbox.reconnects(reason),
      tooFewShards,
    };
  }

  #report(): void {
    const worst = WORST.flatMap((status) => this.#states.filter((state) => state.status === status))[0];
    if (worst === undefined) return;
    const count = this.#states.length;
    const alike = this.#states.filter(({ status }) => status === worst.status).length;
    const details = count === 1 ? worst.details : `${alike} of ${count} shards: ${worst.details}`;
    const told = `${worst.status} ${details}`;
    if (told === this.#last) return;
    this.#last = told;
    this.#mailbox.report({ status: worst.status, details });
  }
}
