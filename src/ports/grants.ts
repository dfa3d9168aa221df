import type { Decider } from "../domain/signal.ts";

/** One tool of one agent in one conversation. */
export interface GrantedTool {
  readonly conversation: string;
  readonly agent: string;
  readonly tool: string;
}

/** A tool that is used without asking, until then, because somebody has said so. */
export interface Grant {
  readonly agent: string;
  readonly tool: string;
  readonly untilMs: number;
  readonly by: Decider;
}

export interface Grants {
  /** The last one counts. */
  allow(tool: GrantedTool, until: Pick<Grant, "untilMs" | "by">): Promise<void>;
  /** Null: there is none, or its time is over. */
  find(tool: GrantedTool, nowMs: number): Promise<Grant | null>;
  list(conversation: string, nowMs: number): Promise<readonly Grant[]>;
  revoke(conversation: string): Promise<void>;
  /** Deletes those whose time is over. Gives how many. */
  forget(nowMs: number): Promise<number>;
}
