import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

export interface BedrockServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: {
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: Record<string, unknown>;
  }[];
}

export interface BedrockScript {
  readonly status?: number;
  readonly body?: object;
  readonly events?: readonly object[];
  /** The connection ends in the middle of the stream. */
  readonly isCut?: true;
}

/** Answers as Amazon Bedrock's InvokeModelWithResponseStream does: each event of the Messages API in a frame of its own. */
export async function bedrockServer({
  status = 200,
  body,
  events = [],
  isCut,
}: BedrockScript): Promise<BedrockServer> {
  const requests: BedrockServer["requests"] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      requests.push({
        path: decodeURIComponent(incoming.url ?? ""),
        headers: incoming.headers,
        body: JSON.parse(text) as Record<string, unknown>,
      });
      const isStream = body === undefined;
      outgoing.writeHead(status, {
        "content-type": isStream ? "application/vnd.amazon.eventstream" : "application/json",
      });
      const said = isStream ? Buffer.concat(events.map(frameOf)) : Buffer.from(JSON.stringify(body));
      if (isCut === true) outgoing.write(said, () => outgoing.destroy());
      else outgoing.end(said);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A message of `application/vnd.amazon.eventstream`: lengths, headers, payload, each part with its checksum. */
function frameOf(event: object): Buffer {
  const bytes = Buffer.from(JSON.stringify(event)).toString("base64");
  const payload = Buffer.from(JSON.stringify({ bytes }));
  const headers = Buffer.concat(
    Object.entries({
      ":event-type": "chunk",
      ":content-type": "application/json",
      ":message-type": "event",
    }).map(headerOf),
  );
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(12 + headers.length + payload.length + 4, 0);
  prelude.writeUInt32BE(headers.length, 4);
  const checked = Buffer.concat([prelude, checksumOf(prelude), headers, payload]);
  return Buffer.concat([checked, checksumOf(checked)]);
}

const TEXT = 7;

function headerOf([name, value]: readonly [string, string]): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(value.length);
  return Buffer.concat([
    Buffer.from([name.length]),
    Buffer.from(name),
    Buffer.from([TEXT]),
    length,
    Buffer.from(value),
  ]);
}

function checksumOf(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}
