import { createDiscordAdapter } from "../../../../adapters/discord/adapter.ts";
import type { TriggerEvent } from "../../../../src/domain/event.ts";
import type { Ack, Inbound, Mailbox, SocketState } from "../../../../src/ports/adapter.ts";
import type { Clock } from "../../../../src/ports/clock.ts";
import { Secret } from "../../../../src/shared/secret.ts";
import { systemClock } from "../../../../src/system/clock.ts";
import type { FakeDiscord } from "../../../fakes/discord.ts";

export const TOKEN = "OTAw.GaTeWa.y-token";
/** Everything is waited for so many times shorter. */
export const FASTER = 20;

/** What was slept, as it was asked for, goes into `slept`. */
const clockOf = (slept: number[]): Clock => ({
  nowMs: () => systemClock.nowMs(),
  sleep(ms, signal) {
    slept.push(ms);
    return systemClock.sleep(ms / FASTER, signal);
  },
  timer: (ms, ring) => systemClock.timer(ms / FASTER, ring),
});

/** What one process after the other has of the store. */
export class Kept implements Mailbox {
  readonly notes = new Map<string, string>();
  readonly events: TriggerEvent[] = [];
  readonly withdrawn: string[] = [];
  readonly ignored: string[] = [];
  readonly states: SocketState[] = [];
  readonly reasons: string[] = [];
  readonly up = new Map<number, boolean>();
  readonly slept: number[] = [];
  read = 0;
  /** How often something was not taken. */
  refused = 0;
  /** Ids of all events that were offered. */
  readonly asked = new Set<string>();
  isAway = false;
  #watchers = new Set<() => void>();

  take(inbound: Inbound): Promise<Ack | null> {
    if ("events" in inbound) for (const { id } of inbound.events) this.asked.add(id);
    if (this.isAway) {
      this.refused++;
      void this.#changed({ status: 503 });
      return Promise.resolve(null);
    }
    if ("withdrawn" in inbound) this.withdrawn.push(...(inbound.withdrawn ?? []));
    if (inbound.kind === "ignored") this.ignored.push(inbound.reason);
    if (inbound.kind === "events") {
      const news = inbound.events.filter(({ id }) => !this.events.some((one) => one.id === id));
      const isForUs = inbound.events.some(({ trigger }) => trigger !== "ambient");
      if (isForUs) this.events.push(...news);
      if (!isForUs) return this.#changed(inbound.ignoredAck ?? inbound.ack);
    }
    return this.#changed("ack" in inbound ? inbound.ack : { status: 400 });
  }
  recall = async (name: string) => this.notes.get(name) ?? null;
  note = async (name: string, value: string) => {
    this.notes.set(name, value);
    void this.#changed({ status: 200 });
    return true;
  };
  report(state: SocketState) {
    this.states.push(state);
    void this.#changed({ status: 200 });
  }
  connected(shard: number, isUp: boolean) {
    this.up.set(shard, isUp);
    void this.#changed({ status: 200 });
  }
  reconnects(reason: string) {
    this.reasons.push(reason);
    void this.#changed({ status: 200 });
  }
  readBack(messages: number) {
    this.read += messages;
    void this.#changed({ status: 200 });
  }

  get texts(): readonly string[] {
    return this.events.map(({ text }) => text);
  }

  until(look: () => boolean, what: string, timeoutMs = 15_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const watch = () => {
        if (!look()) return;
        clearTimeout(timer);
        this.#watchers.delete(watch);
        resolve();
      };
      const timer = setTimeout(
        () => reject(new Error(`Expected ${what}, got ${JSON.stringify([this.texts, this.states])}`)),
        timeoutMs,
      );
      this.#watchers.add(watch);
      watch();
    });
  }

  #changed(ack: Ack): Promise<Ack> {
    queueMicrotask(() => {
      for (const watcher of this.#watchers) watcher();
    });
    return Promise.resolve(ack);
  }
}

export interface HoldOptions {
  readonly token?: string;
  readonly edits?: "ignore" | "rerun";
  readonly deletes?: "keep" | "forget";
  readonly structured?: "text" | "embeds";
}

/** One process that is elected. */
export function holdOn(fake: FakeDiscord, mailbox: Kept, over: HoldOptions = {}): { stop(): Promise<void> } {
  const { token = TOKEN, edits = "ignore", deletes = "forget", structured = "text" } = over;
  const clock = clockOf(mailbox.slept);
  const adapter = createDiscordAdapter({
    publicKeys: [],
    botToken: new Secret(token),
    apiUrl: fake.apiUrl,
    gateway: { clock, replies: "reply", changes: { edits, deletes } },
    structured,
    clock,
    timeoutMs: 5_000,
    random: () => 0.5,
  });
  const ending = new AbortController();
  const ended = adapter.socket?.listen(mailbox, ending.signal);
  return {
    async stop() {
      ending.abort("stopped");
      await ended;
    },
  };
}
