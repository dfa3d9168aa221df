import { Agent, request } from "node:http";
import type { SampleRequest } from "../../adapters/shared/sample.ts";
import { type Gate, type Measured, measured, usersAt } from "./gates.ts";

export interface DriveOptions {
  readonly gate: Gate;
  readonly url: string;
  /** The webhook with this number: of another person in another conversation each. */
  readonly webhook: (n: number) => SampleRequest;
  /** Resolves when it has been answered. */
  readonly answered?: ((n: number) => Promise<void>) | undefined;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const TIMEOUT_MS = 60_000;
/** More than that in hand, and the other side is not keeping up; what is due then counts as failed. */
const IN_HAND_MAX = 10_000;
const TICK_MS = 10;
/** As many people as the guides have; a proxy before a gateway has fewer. */
const SOCKETS_MAX = 100;

/** Sends what the gate says, and measures each from the moment when it was due. */
export async function drive(options: DriveOptions): Promise<Measured> {
  const { gate, nowMs, sleep } = options;
  const startedMs = nowMs();
  const sender = senderOf(options);
  const second = () => (nowMs() - startedMs) / 1000;
  const inHand = new Set<Promise<void>>();
  const keep = (work: Promise<void>) => {
    inHand.add(work);
    void work.finally(() => inHand.delete(work));
  };

  if (gate.users !== undefined) {
    const stages = gate.users;
    let users = 0;
    const user = async (number: number) => {
      while (number <= (usersAt(stages, second()) ?? 0)) {
        await sender.send(nowMs());
        await sleep((gate.pause_seconds ?? 0) * 1000);
      }
      users--;
    };
    for (let wanted = usersAt(stages, 0); wanted !== null; wanted = usersAt(stages, second())) {
      while (users < wanted) keep(user(++users));
      await sleep(TICK_MS);
    }
  } else {
    const { per_second: rate = 0, seconds = 0 } = gate;
    const total = Math.round(rate * seconds);
    for (let due = 0; due < total; ) {
      for (; due < total && due / rate <= second(); due++) {
        if (inHand.size < IN_HAND_MAX) keep(sender.send(startedMs + (due / rate) * 1000));
        else sender.fail("not begun: too many in hand");
      }
      await sleep(TICK_MS);
    }
  }
  const seconds = second();
  await Promise.all(inHand);
  sender.close();
  return measured(sender.latenciesMs, sender.causes, seconds);
}

function senderOf({ url, webhook, answered, nowMs }: DriveOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  const latenciesMs: number[] = [];
  const causes: Record<string, number> = {};
  let sent = 0;
  const fail = (cause: string) => {
    causes[cause] = (causes[cause] ?? 0) + 1;
  };
  return {
    ...{ latenciesMs, causes, fail },
    async send(dueMs: number): Promise<void> {
      const n = sent++;
      try {
        const status = await post(url, webhook(n), agent);
        if (status !== 200) return fail(`status ${status}`);
        await answered?.(n);
        latenciesMs.push(nowMs() - dueMs);
      } catch (error) {
        fail((error as NodeJS.ErrnoException).code ?? String(error));
      }
    },
    close: () => agent.destroy(),
  };
}

function post(url: string, { method, path, headers, body }: SampleRequest, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request(new URL(path, url), { method, agent, headers, timeout: TIMEOUT_MS }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer.statusCode ?? 0));
      answer.once("error", reject);
    });
    asking.once("timeout", () => asking.destroy(new Error("no answer in time")));
    asking.once("error", reject);
    asking.end(body);
  });
}
