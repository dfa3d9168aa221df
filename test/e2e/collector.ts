import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isFailed: boolean;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
}

interface Told {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly kind: number;
        readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
        readonly status: { readonly code?: number };
      }[];
    }[];
  }[];
}

const FAILED = 2;

/** Takes traces as an OpenTelemetry collector does, in JSON over HTTP. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  async function take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    if (incoming.url !== "/v1/traces") {
      outgoing.writeHead(404).end();
      return;
    }
    const told = JSON.parse(Buffer.concat(chunks).toString()) as Told;
    for (const { scopeSpans } of told.resourceSpans)
      for (const one of scopeSpans.flatMap((scope) => scope.spans))
        spans.push({
          ...{ name: one.name, traceId: one.traceId, spanId: one.spanId, kind: one.kind },
          parentSpanId: one.parentSpanId ?? "",
          attributes: Object.fromEntries(
            one.attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
          ),
          isFailed: one.status.code === FAILED,
          headers: incoming.headers,
        });
    outgoing.writeHead(200, { "content-type": "application/json" }).end("{}");
  }
  const server = createServer((incoming, outgoing) => {
    take(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
