import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { MODULES } from "../../adapters/index.ts";
import type { Stub, StubAnswer } from "../ports/stub.ts";
import { EXIT } from "../shared/exit.ts";
import { inert, paragraph, printable } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

const PORT = 8099;
/** Of a file that goes out with an answer, and more. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;
const STUBBED = MODULES.filter(({ stub }) => stub !== undefined);

interface StubOptions {
  readonly port: number;
  readonly json?: true;
}

export function addStub(program: Command, terminal: Terminal, settle: Settle): void {
  program
    .command("stub")
    .addArgument(
      new Argument("[platforms...]", "whose API (default: all)").choices(STUBBED.map(({ name }) => name)),
    )
    .option("-p, --port <port>", "port to listen on, on this machine alone; 0 takes a free one", port, PORT)
    .option("--json", "print variables and calls as JSON, an object a line")
    .addHelpText(
      "after",
      `
The other half of parley send: that sends what a platform would, this takes what the gateway answers. It prints the
variables that lead a gateway there, with made-up secrets, then each call that it gets. What is in the environment or in
.env already stays, and is not printed.

It answers as far as a gateway needs to go on. It checks no token, keeps nothing, and takes what the platform would
refuse: that a message shows up here says nothing of lengths, markup, permissions or rates there.

Example:
  parley stub > stub.log &             the variables are its first lines: put them into .env
  parley serve &
  parley send ${STUBBED[0]?.name} --text hello       the answer is a line in stub.log`,
    )
    .action(async (names: readonly string[], options: StubOptions) => {
      const chosen = STUBBED.filter(({ name }) => names.length === 0 || names.includes(name));
      const stubs = await Promise.all(
        chosen.map(async ({ name, stub }) => ({ name, stub: (await stub?.()) as Stub })),
      );
      const stopped = terminal.interrupted?.();
      const server = serve(stubs, options, terminal);
      const url = await listen(server, options.port);
      tell(stubs, url, options, terminal);
      if (stopped === undefined) await once(server, "close");
      else if (!stopped.aborted) await once(stopped, "abort");
      server.closeAllConnections();
      server.close();
      settle(EXIT.interrupted);
    });
}

function port(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new InvalidArgumentError("Expected a port from 0 to 65535.");
}

type Named = readonly { readonly name: string; readonly stub: Stub }[];

function tell(stubs: Named, url: string, { json }: StubOptions, terminal: Terminal): void {
  const make = (chars: number) => randomBytes(chars / 2).toString("hex");
  const isSet = (name: string) => [name, `${name}_FILE`].some((one) => (terminal.env[one] ?? "") !== "");
  const variables = stubs.flatMap(({ stub }) => Object.entries(stub.variables(url, make)));
  const made = variables.filter(([name]) => !isSet(name));
  if (json) terminal.out(`${JSON.stringify({ url, variables: Object.fromEntries(made) })}\n`);
  else terminal.out(made.map(([name, value]) => `${name}=${value}\n`).join(""));
  const kept = variables.filter(([name]) => isSet(name)).map(([name]) => name);
  if (kept.length > 0) terminal.talk(`Set already, and left as they are: ${kept.join(", ")}.\n`);
  terminal.talk(
    `${stubs.map(({ name }) => name).join(", ")} on ${url}; Ctrl-C ends it.` +
      `${made.length > 0 ? " Put these variables into .env, and start the gateway." : ""}\n`,
  );
}

function serve(stubs: Named, options: StubOptions, terminal: Terminal): Server {
  let n = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await textOf(request);
    if (body === null) return void response.writeHead(413, { connection: "close" }).end();
    const { method = "GET", url: path = "/" } = request;
    const call = {
      method,
      path,
      body,
      type: request.headers["content-type"] ?? "",
      n: ++n,
      nowMs: Date.now(),
    };
    for (const { name, stub } of stubs) {
      const answer = stub.answer(call);
      if (answer === null) continue;
      reply(response, answer);
      return terminal.out(lineOf(name, answer, call.nowMs, options));
    }
    reply(response, { status: 404, name: "unknown", body: "no platform has this path\n" });
    // It may hold a token.
    terminal.talk(`${method} of a path that none of them has\n`);
  };
  return createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
}

async function listen(server: Server, port: number): Promise<string> {
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(
      EXIT.unreachable,
      `expected port ${port} to be free, got ${code}; --port takes another`,
    );
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Null: it is too long. */
async function textOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reply(response: ServerResponse, { status = 200, body }: StubAnswer): void {
  const isText = typeof body === "string";
  response.writeHead(status, { "content-type": isText ? "text/plain" : "application/json" });
  response.end(isText ? body : body === undefined ? "" : JSON.stringify(body));
}

function lineOf(platform: string, answer: StubAnswer, nowMs: number, { json }: StubOptions): string {
  const { name, place, text, status = 200 } = answer;
  const at = new Date(nowMs).toISOString();
  if (json) {
    const call = { at, platform, call: name, status, place: place ?? null, text: text ?? null };
    return `${inert(JSON.stringify(call))}\n`;
  }
  const where = place === undefined ? "" : `  ${printable(place)}`;
  const failed = status < 400 ? "" : `  answered ${status}`;
  const said = text === undefined || text === "" ? "" : `\n${paragraph(text)}`;
  return `${at.slice(11, 19)}  ${platform.padEnd(8)}  ${name}${where}${failed}${said}\n`;
}
