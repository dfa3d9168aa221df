import type { Api } from "./api.ts";
import { follow } from "./stream.ts";

/** What the gateway says of itself in the page. */
export interface Facts {
  readonly isApiOn: boolean;
  readonly playground: "open" | "key" | "off";
  /** The demo model answers for an agent that has no key. */
  readonly isDemo: boolean;
  readonly version: string;
}

export interface Context {
  /** Null: nobody is logged in. */
  readonly api: Api;
  readonly facts: Facts;
  /** Aborted when the view is left. */
  readonly signal: AbortSignal;
  /** What is behind the name of the view in the address. */
  readonly parameter: string;
  /** Tells the person something for a moment. */
  readonly say: (text: string, tone?: "good" | "bad") => void;
  /** Shows whether the view follows what happens. */
  readonly standing: (isLive: boolean) => void;
}

export interface View {
  readonly name: string;
  readonly title: string;
  /** Whether it needs the admin API. */
  readonly isForOperators: boolean;
  open(into: HTMLElement, context: Context): void;
}

const QUIET_MS = 400;
/** Each look is a request, and a line in the log of the gateway. */
const APART_MS = 1_500;
const OFTEN_MS = 15_000;

/**
 * Shows it now, again when something has happened (at most so often), when the connection stands again, and from time to time;
 * not while nobody can see it. Gives what shows it at once.
 */
export function keepShown(context: Context, show: () => Promise<void>, path = "/stream"): () => void {
  const { api, signal, standing } = context;
  let timer: number | undefined;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let isShowing = false;
  let isDue = false;
  const now = async () => {
    window.clearTimeout(timer);
    timer = undefined;
    if (signal.aborted) return;
    isDue = isShowing || document.hidden;
    if (isDue) return;
    isShowing = true;
    await show();
    isShowing = false;
    shownAtMs = performance.now();
    if (isDue) soon();
  };
  const soon = () => {
    const waitMs = Math.max(QUIET_MS, APART_MS - (performance.now() - shownAtMs));
    timer ??= window.setTimeout(() => void now(), waitMs);
  };
  const often = window.setInterval(() => void now(), OFTEN_MS);
  document.addEventListener("visibilitychange", () => isDue && void now(), { signal });
  signal.addEventListener("abort", () => {
    window.clearTimeout(timer);
    window.clearInterval(often);
  });
  void now();
  void follow(api, path, {
    signal,
    heard: soon,
    standing(isLive) {
      standing(isLive);
      if (isLive) void now();
    },
  });
  return () => void now();
}
