import { GatewayError } from "../../domain/errors.ts";
import type { ScriptName } from "./scripts.ts";

export type Argument = string | number;

/** How long to wait for an answer: `brief` while somebody outside waits, `long` where a late answer is worth having. */
export type Patience = "brief" | "long";

/** The way to Redis. All failures are GatewayErrors; STORE_UNAVAILABLE says that it may work later. */
export interface Link {
  /** One script, one round trip. What was sent when it rejects may have been carried out all the same. */
  run(script: ScriptName, args: readonly Argument[], patience: Patience): Promise<unknown>;
  /** Resolves once it listens. Messages are lost while the connection is. */
  subscribe(channel: string, heard: (message: string) => void): Promise<void>;
  /** Called each time the connection has come back, and it listens again. */
  onBack(back: () => void): void;
  /** Bytes that Redis uses. */
  usedBytes(): Promise<number>;
  /**
   * Has Redis write its files anew, so that they hold nothing that it does not. Resolves once they are; gives what is not, a line
   * each.
   */
  rewriteFiles(): Promise<readonly string[]>;
  /** At once. Nothing may be asked after that. */
  close(): Promise<void>;
}

export function unavailable(why: string): GatewayError {
  return new GatewayError("STORE_UNAVAILABLE", `Redis cannot be used now: ${why}`);
}

export function closed(): GatewayError {
  return new GatewayError("STORE_CLOSED", "The store is closed");
}

export function isUnavailable(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.code === "STORE_UNAVAILABLE";
}
