import type { ModelCall } from "./model-server.ts";

/** A process that was killed, and when. */
export interface Death {
  /** As its calls of the model name it. */
  readonly who: string;
  readonly atMs: number;
}

/** What is wrong with the calls of the model. */
export interface CallJudgement {
  /** Two at once in one conversation. */
  readonly overlapping: readonly string[];
  /** A message whose run was begun again although nobody died in it. */
  readonly repeated: readonly string[];
  /** A message that was run before an earlier one of its conversation. */
  readonly reordered: readonly string[];
  /** A run that did not remember exactly what was said before. */
  readonly forgetful: readonly string[];
  /** Runs that a death cut off, and that were begun again. */
  readonly resumed: number;
}

export interface CallEvidence {
  /** By the word of the model's provider. */
  readonly calls: readonly ModelCall[];
  readonly deaths: readonly Death[];
  /** When the platforms first heard of the answer to a message. */
  readonly saidAtMs: ReadonlyMap<string, number>;
}

export function judgeCalls({ calls, deaths, saidAtMs }: CallEvidence): CallJudgement {
  const diedAtMs = new Map(deaths.map(({ who, atMs }) => [who, atMs]));
  const found = {
    overlapping: [] as string[],
    repeated: [] as string[],
    reordered: [] as string[],
    forgetful: [] as string[],
    resumed: 0,
  };
  for (const ofConversation of Map.groupBy(calls, ({ topic }) => topic.replace(/-\d+$/, "")).values()) {
    const inTime = ofConversation.toSorted((a, b) => a.beganAtMs - b.beganAtMs);
    for (const [at, call] of inTime.entries()) {
      if (!remembersAll(call)) found.forgetful.push(`${call.topic} after ${call.history.join()}`);
      const before = inTime[at - 1];
      if (before === undefined) continue;
      const pair = `${before.topic} by ${before.by}, ${call.topic} by ${call.by}`;
      if (before.endedAtMs > call.beganAtMs) found.overlapping.push(pair);
      if (numberOf(call) < numberOf(before)) found.reordered.push(pair);
      if (call.topic !== before.topic) continue;
      // Only death cuts a run off, and not once its answer is kept, which it is before a word of it is said.
      const wasCutOff = (diedAtMs.get(before.by) ?? Infinity) <= call.beganAtMs;
      const wasKept = (saidAtMs.get(call.topic) ?? Infinity) < call.beganAtMs;
      if (wasCutOff && !wasKept) found.resumed++;
      else found.repeated.push(pair);
    }
  }
  return found;
}

function numberOf({ topic }: ModelCall): number {
  return Number(topic.slice(topic.lastIndexOf("-") + 1));
}

/** As far back as it goes, the history is what was asked before, each once and in order. */
function remembersAll(call: ModelCall): boolean {
  const { topic, history } = call;
  const conversation = topic.slice(0, topic.lastIndexOf("-"));
  const number = numberOf(call);
  const first = number - history.length;
  const isWhole = history.every((earlier, at) => earlier === `${conversation}-${first + at}`);
  return isWhole && first >= 0 && (number === 0 || history.length > 0);
}
