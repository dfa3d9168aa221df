import { AsyncLocalStorage } from "node:async_hooks";
import { hostname } from "node:os";
import {
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { GatewayError } from "../domain/errors.ts";
import type { Attributes, Span, SpanOptions, TraceIds, TraceParent, Tracing } from "./trace.ts";
import { ERROR_TYPE } from "./trace-names.ts";

export interface OtelOptions {
  /** Of the collector; spans go to `/v1/traces` below it. */
  readonly endpoint: string;
  /** As they are now; asked for each time that something is sent. */
  readonly headers: () => Record<string, string>;
  readonly serviceName: string;
  readonly version: string;
  /** Of traces that begin here, this share is told; what was begun elsewhere says itself. */
  readonly share: number;
}

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;
/** Longer, and whoever stops us does not wait. */
const CLOSE_MS = 2_000;

/**
 * Traces over OTLP. Loaded only where there is a collector. Nothing is registered as global: SDKs of providers would tell of
 * each model call a second time.
 */
export function openTracing({ endpoint, headers, serviceName, version, share }: OtelOptions): Tracing {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, headers: async () => headers() });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": serviceName,
      "service.version": version,
      "service.instance.id": `${hostname()}:${process.pid}`,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer("parley", version);
  const inside = new AsyncLocalStorage<OtelSpan>();

  function start(name: string, { kind, parent, attributes, startMs }: SpanOptions): OtelSpan {
    return tracer.startSpan(
      name,
      {
        ...(kind !== undefined && { kind: KINDS[kind] }),
        ...(attributes !== undefined && { attributes: defined(attributes) }),
        ...(startMs !== undefined && { startTime: startMs }),
      },
      parent === undefined ? contextOf(inside.getStore()) : remote(parent),
    );
  }

  return {
    isOn: true,
    async span(name, options, work) {
      const span = start(name, options);
      const handle = handleOf(span);
      try {
        return await inside.run(span, () => work(handle));
      } catch (error) {
        handle.fail(codeOf(error));
        throw error;
      } finally {
        handle.end();
      }
    },
    begin: (name, options) => handleOf(start(name, options)),
    current() {
      const span = inside.getStore();
      return span === undefined ? undefined : parentOf(span);
    },
    ids() {
      const span = inside.getStore();
      return span === undefined ? null : idsOf(span);
    },
    async close() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([provider.shutdown().catch(() => {}), late]);
    },
  };
}

function handleOf(span: OtelSpan): Span & { end(): void } {
  let isDropped = false;
  return {
    set: (attributes) => void span.setAttributes(defined(attributes)),
    fail(code) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute(ERROR_TYPE, code);
    },
    drop() {
      isDropped = true;
    },
    // One that never ends is never told.
    end: () => isDropped || span.end(),
    ids: idsOf(span),
    parent: parentOf(span),
  };
}

function contextOf(span: OtelSpan | undefined): Context {
  return span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span);
}

function remote(parent: TraceParent): Context {
  const [, traceId = "", spanId = "", flags = "00"] = parent.split("-");
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...{ traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true },
  });
}

function parentOf(span: OtelSpan): TraceParent {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

function idsOf(span: OtelSpan): TraceIds {
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

function codeOf(error: unknown): string {
  if (error instanceof GatewayError) return error.code;
  return error instanceof Error ? error.name : "error";
}

function defined(attributes: Attributes) {
  const set = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as Record<string, string | number | boolean | string[]>;
}
