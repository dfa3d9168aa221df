import type { TriggerEvent } from "./event.ts";

/** Who said or pressed something, as the platform told. */
export type Sender = Pick<TriggerEvent["sender"], "id" | "name">;

/** Who decides a question, and where from, as `platform:tenant`; absent: from where it was asked, or by the API. */
export interface Decider extends Sender {
  readonly from?: string;
}

/** What somebody says to a run while it goes on, or waits. */
export type Signal =
  /** End it, and say so. */
  | { readonly kind: "stop"; readonly by: Sender }
  /** A newer message of the same lane wants to be answered first. */
  | { readonly kind: "interrupt"; readonly byEvent: string }
  /** Whoever wrote this message has taken it back (`Memory.withdraw`). Nobody else's run is meant, also not of its lane. */
  | { readonly kind: "withdraw"; readonly eventId: string }
  /** By the question's own id, and not the call's: models give the same ids to calls of other runs. */
  | {
      readonly kind: "decide";
      readonly approvalId: string;
      readonly verdict: "approved" | "denied";
      readonly by: Decider;
      readonly reason?: string;
      readonly atMs?: number;
      /** Where several have to approve, whose word this is: each counts beside the others. */
      readonly ballot?: string;
      /** Also for the next calls of the tool, where that is offered. */
      readonly always?: true;
      /** Where there are choices, which of them, from 1; absent: the first. */
      readonly choice?: number;
    };

/** Of signals with the same key the first counts, and no other is kept. */
export function signalKey(signal: Signal): string {
  switch (signal.kind) {
    case "stop":
      return STOP_KEY;
    case "interrupt":
      return `interrupt ${signal.byEvent}`;
    case "withdraw":
      return WITHDRAW_KEY;
    case "decide":
      return `decide ${signal.approvalId}${signal.ballot === undefined ? "" : ` ${signal.ballot}`}`;
  }
}

/** Always has room: a run can be ended whatever else was said to it. */
export const STOP_KEY = "stop";

export function isStopped(signals: readonly Signal[]): boolean {
  return signals.some(({ kind }) => kind === "stop");
}

/** Stays with its event until that is over, as a stop does: it is not remembered. */
export const WITHDRAW_KEY = "withdraw";

export function isWithdrawn(eventId: string, signals: readonly Signal[]): boolean {
  return signals.some((signal) => signal.kind === "withdraw" && signal.eventId === eventId);
}
