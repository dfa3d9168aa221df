/** What a span tells beside its name and its time. Never text of a message. */
export type Attributes = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** As W3C Trace Context writes it: what is begun elsewhere goes on with it. */
export type TraceParent = string;

export interface SpanOptions {
  readonly kind?: "server" | "client" | "producer" | "consumer";
  /** Where it was begun; absent: in the span that this is called in. */
  readonly parent?: TraceParent | undefined;
  readonly attributes?: Attributes;
  /** When it began, where that was before now. */
  readonly startMs?: number;
}

export interface Span {
  set(attributes: Attributes): void;
  /** It did not go well; the code of an error. */
  fail(code: string): void;
  /** It is not told to anybody. */
  drop(): void;
  /** Null: nothing is traced. */
  readonly ids: TraceIds | null;
  /** For whoever goes on elsewhere. Absent: nothing is traced. */
  readonly parent?: TraceParent;
}

/** On each line of the log. */
export interface TraceIds {
  readonly trace_id: string;
  readonly span_id: string;
}

/** What is done for a message, in one tree from its webhook to its answer, across replicas. */
export interface Tracing {
  readonly isOn: boolean;
  /** Does the work in a span, which ends with it; a rejection is its failure. The work begins before this returns. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** A span without work of its own, which is ended by hand. */
  begin(name: string, options: SpanOptions): Span & { end(): void };
  /** The span that this is called in, for whoever goes on elsewhere. */
  current(): TraceParent | undefined;
  ids(): TraceIds | null;
  /** Tells what was not told yet. Never rejects. */
  close(): Promise<void>;
}

const NO_SPAN = { set: () => {}, fail: () => {}, drop: () => {}, end: () => {}, ids: null };

/** Nothing is traced, and nothing is loaded for it. */
export const NO_TRACING: Tracing = {
  isOn: false,
  span: (_, __, work) => work(NO_SPAN),
  begin: () => NO_SPAN,
  current: () => undefined,
  ids: () => null,
  close: async () => {},
};

const TRACE_PARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** From whoever sends it; undefined where it is none. */
export function traceParentOf(header: string | null | undefined): TraceParent | undefined {
  return header != null && TRACE_PARENT.test(header) ? header : undefined;
}
