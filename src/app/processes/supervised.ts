import cluster from "node:cluster";
import process from "node:process";
import type { Clock } from "../../ports/clock.ts";
import type { FileAnswer, FileQuestion, Siblings } from "../../ports/siblings.ts";
import { EXIT } from "../../shared/exit.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { KeptRequest } from "../kept-request.ts";
import type { StopRequest } from "../stopping.ts";
import { within } from "../within.ts";
import type { FromProcess, ToProcess } from "./messages.ts";

/** Longer than the supervisor takes over a process that is stuck. */
const SCRAPE_TIMEOUT_MS = 5_000;
/** Longer than the supervisor waits for the others. */
const SIBLINGS_TIMEOUT_MS = 25_000;

/** The supervisor, as one of its processes sees it. */
export interface Supervised {
  /** Whichever process is asked, it answers for all. */
  readonly metrics: Metrics;
  readonly siblings: Siblings;
  send(message: FromProcess): void;
  onStop(stop: (how: StopRequest) => void): void;
  /** What was asked for before is asked for then. */
  onReload(reload: () => void): void;
}

export function connectToSupervisor(own: Metrics, clock: Clock): Supervised {
  const scraped = new Map<number, (text: string) => void>();
  const answered = new Map<number, (answer: FileAnswer | null) => void>();
  let answer: (question: FileQuestion) => Promise<FileAnswer | null> = async () => null;
  const stops = new Set<(how: StopRequest) => void>();
  const reload = new KeptRequest();
  let ids = 0;

  const send = (message: FromProcess) => {
    if (process.connected) process.send?.(message, () => {}); // A supervisor that is gone is told of by `disconnect`.
  };
  const stop = (how: StopRequest) => {
    // Not started yet: there is nothing to hand back.
    if (stops.size === 0) process.exit(how === "drain" ? EXIT.ok : EXIT.interrupted);
    for (const one of stops) one(how);
  };

  process.on("message", (message: ToProcess) => {
    if (message.kind === "drain") stop("drain");
    else if (message.kind === "stop-at-once") stop("at-once");
    else if (message.kind === "reload") reload.ask();
    else if (message.kind === "scraped") scraped.get(message.id)?.(message.text);
    else if (message.kind === "answered") answered.get(message.id)?.(message.answer);
    else if (message.kind === "asked")
      void answer(message.question)
        .catch(() => null)
        .then((said) => send({ kind: "answer", id: message.id, answer: said }));
    else if (message.kind === "snapshot")
      void own.snapshot().then((snapshot) => send({ kind: "snapshot", id: message.id, snapshot }));
  });
  send({ kind: "here" });
  // Node would end us here and now; what runs is handed back first.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  process.once("disconnect", () => stop("orphaned"));

  /** Null: it has not answered in time. */
  async function asking<Answer>(
    message: (id: number) => FromProcess,
    open: Map<number, (answer: Answer) => void>,
    timeoutMs: number,
  ): Promise<Answer | null> {
    const id = ++ids;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    open.set(id, resolve);
    send(message(id));
    const said = await within(promise, timeoutMs, clock);
    open.delete(id);
    return said;
  }

  const scrape = async (): Promise<string> =>
    (await asking((id) => ({ kind: "scrape", id }), scraped, SCRAPE_TIMEOUT_MS)) ?? (await own.scrape());
  const ask = (question: FileQuestion): Promise<FileAnswer | null> =>
    asking((id) => ({ kind: "ask", id, question }), answered, SIBLINGS_TIMEOUT_MS);

  return {
    metrics: { ...own, scrape },
    siblings: {
      ask,
      answerBy(by) {
        answer = by;
      },
    },
    send,
    onStop: (one) => void stops.add(one),
    onReload: reload.answerBy,
  };
}
