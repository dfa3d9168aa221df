import type { FileAnswer, FileQuestion } from "../../ports/siblings.ts";
import type { Snapshot } from "../../telemetry/metrics.ts";

/** From a process to its supervisor. */
export type FromProcess =
  /** It hears what it is told from now on; what was said before is lost. */
  | { readonly kind: "here" }
  /** It listens. `banner` is what a person at the terminal wants to know. */
  | { readonly kind: "up"; readonly banner: string }
  /** It ends with this exit code, for this reason. */
  | { readonly kind: "failed"; readonly code: number; readonly reason: string }
  /** Somebody asked it for the metrics of all. */
  | { readonly kind: "scrape"; readonly id: number }
  /** Its own metrics, as they were asked for. */
  | { readonly kind: "snapshot"; readonly id: number; readonly snapshot: Snapshot }
  /** It asks the others. */
  | { readonly kind: "ask"; readonly id: number; readonly question: FileQuestion }
  /** What it says to one of them. */
  | { readonly kind: "answer"; readonly id: number; readonly answer: FileAnswer | null };

/** From a supervisor to a process. */
export type ToProcess =
  | { readonly kind: "drain" }
  | { readonly kind: "stop-at-once" }
  /** Read the configuration again. */
  | { readonly kind: "reload" }
  | { readonly kind: "snapshot"; readonly id: number }
  | { readonly kind: "scraped"; readonly id: number; readonly text: string }
  /** Another asks. */
  | { readonly kind: "asked"; readonly id: number; readonly question: FileQuestion }
  /** What came of its own question. */
  | { readonly kind: "answered"; readonly id: number; readonly answer: FileAnswer | null };

/** One process, as its supervisor sees it. */
export interface Child {
  /** Does nothing when it is gone. */
  send(message: ToProcess): void;
  /** SIGKILL. */
  kill(): void;
  onMessage(heard: (message: FromProcess) => void): void;
  /** Called once. */
  onEnd(ended: (ending: Ending) => void): void;
}

/** An exit code, or the signal that ended it. */
export type Ending = { readonly code: number } | { readonly signal: string };
