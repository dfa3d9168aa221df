import type { JsonObject } from "../shared/json.ts";
import type { EnvReader } from "./env-reader.ts";

/** A webhook exactly as the platform would send it: for `parley send`, for tests, for benchmarks. */
export interface SampleRequest {
  readonly method: "POST" | "GET";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Whom a sample is addressed to. */
export interface SampledBot {
  readonly id: string;
  /** Without the `@`. */
  readonly name?: string;
  /** The workspace that it is installed in. */
  readonly tenant?: string;
}

export interface SampleOptions {
  /** One of the sampler's kinds. */
  readonly kind: string;
  readonly text: string;
  /** Makes the delivery unique: two samples with the same id are one event delivered twice. */
  readonly id: string;
  readonly nowMs: number;
  /** What signs. */
  readonly secret: string;
  readonly user?: string;
  readonly channel?: string;
  readonly thread?: string;
  /** A made-up one when absent. */
  readonly bot?: SampledBot;
}

export interface Sampler {
  /** The first is the default. */
  readonly kinds: readonly string[];
  build(options: SampleOptions): SampleRequest;
}

/** How `parley send` makes the webhooks of a platform. */
export interface Sending {
  readonly kinds: readonly string[];
  /** The variable whose value signs. */
  secretVariable(kind: string): string;
  /** False: the webhook may be open. */
  readonly needsSecret: boolean;
  /** Throws TypeError or RangeError with an explanation when an option does not fit. */
  build(options: SampleOptions, env: EnvReader): SampleRequest;
  /** Whom a sample is addressed to; absent: nobody can be named. */
  readonly bot?: BotFinder;
  /** A key pair of a made-up platform, for one that signs with a key which it keeps. */
  readonly keyPair?: () => KeyPair;
  /** What to know of a request that is sent later. */
  readonly later?: string;
}

export interface BotFinder {
  /** What names it: `its user id`. */
  readonly what: string;
  /** As far as it can be found out. Throws TypeError when `given` does not fit. */
  find(asked: BotQuestion): Promise<SampledBot | null | { readonly unknown: string }>;
}

export interface BotQuestion {
  readonly given: string | undefined;
  readonly kind: string;
  readonly env: EnvReader;
  /** Asks the platform's API. `why` is what was wrong, where the body does not tell what was asked. */
  readonly ask: (
    url: string,
    init: RequestInit,
  ) => Promise<{ readonly body: JsonObject; readonly why: string }>;
  /** To the person at the terminal. */
  readonly talk: (text: string) => void;
}

export interface KeyPair {
  readonly json: Readonly<Record<string, string>>;
  /** For the gateway, then for `parley send`. */
  readonly variables: Readonly<Record<string, string>>;
}
