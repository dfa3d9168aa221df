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
  /** What signs: the signing secret, webhook secret or app secret; for Discord the 32-byte seed in hex. */
  readonly secret: string;
  readonly user?: string;
  readonly channel?: string;
  readonly thread?: string;
  /** A made-up one when absent. */
  readonly bot?: SampledBot;
}

/** JSON as platforms write it that escape whatever is not ASCII, and slashes: those bytes are what they sign. */
export function escapedJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export interface Sampler {
  /** The first is the default. */
  readonly kinds: readonly string[];
  build(options: SampleOptions): SampleRequest;
}
