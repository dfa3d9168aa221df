import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeEach, describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/admin/operations.ts";
import { type Admin, aRun, jsonBody, linesOf, openAdmin } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, claimOne } from "../support/store.ts";

interface Described {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses: Record<string, { content: Record<string, { schema: object }> }>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Record<string, Record<string, Described>>;
  readonly components: { readonly schemas: Record<string, object> };
}

let admin: Admin;
let document: Document;
/** Complains about what is not as the document says. */
let matches: (path: string, method: string, status: number, answer: unknown) => string;

beforeEach(async () => {
  admin = await openAdmin();
  document = (await (await admin.ask("/openapi.json")).json()) as Document;
  // Formats are checked by the patterns beside them.
  const ajv = new Ajv2020({ strict: true, allErrors: true, validateFormats: false });
  const { components, paths } = JSON.parse(
    JSON.stringify(document).replaceAll('"#/components/schemas/', '"parley#/$defs/'),
  ) as Document;
  ajv.addSchema({ $id: "parley", $defs: components.schemas });
  matches = (path, method, status, answer) => {
    const content = Object.values(paths[path]?.[method]?.responses[status]?.content ?? {})[0];
    if (content === undefined) return `${method} ${path} describes no ${status}`;
    return ajv.validate(content.schema, answer) ? "" : ajv.errorsText();
  };
});

const MESSY = {
  id: "slack:T1/C1:1",
  thread: "1.2",
  attachments: [{ id: "F1", kind: "image", name: null, mime: "image/png", sizeBytes: 7 }],
} as const;

describe("openapi.json", () => {
  it("describes every operation, under its own id", () => {
    expect(document).toMatchObject({ openapi: "3.1.0", info: { version: "1.2.3" } });
    const { "/ws": live, ...routes } = document.paths;
    const described = Object.values(routes).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(described.sort()).toEqual(Object.keys(OPERATIONS).sort());
    const parameters = live?.get?.parameters.map(({ name }) => name);
    expect(parameters).toEqual(["platform", "conversation", "tenant", "state"]);
  });

  it("describes nothing that is not answered", async () => {
    const { "/ws": _, ...routes } = document.paths;
    for (const [path, methods] of Object.entries(routes)) {
      for (const method of Object.keys(methods)) {
        const response = await admin.ask(path.replace("{id}", "x"), { method: method.toUpperCase() });
        const text = response.headers.get("content-type") === "application/json" ? await response.text() : "";
        expect(text, `${method} ${path}`).not.toContain("No such route");
      }
    }
  });

  it("describes what is said over WebSocket", () => {
    const matchesLive = (frame: object) => matches("/ws", "get", 101, frame);
    expect(matchesLive({ type: "watching", id: "default", tenant: null })).toBe("");
    expect(matchesLive({ type: "dropped", cause: "slow", count: 3 })).toBe("");
    expect(matchesLive({ type: "dropped", cause: "elsewhere", count: 3 })).not.toBe("");
  });

  it("names every parameter that a request may have", () => {
    const namesOf = (path: string, method: string) =>
      document.paths[path]?.[method]?.parameters.map((parameter) => `${parameter.in} ${parameter.name}`);
    expect(namesOf("/events", "get")).toEqual(
      ["state", "platform", "conversation", "tenant", "since", "until", "limit", "before"].map(
        (name) => `query ${name}`,
      ),
    );
    expect(namesOf("/dead/{id}/replay", "post")).toEqual(["path id", "header X-Parley-Operator"]);
    expect(document.paths["/dead/replay"]?.post?.requestBody).toMatchObject({
      content: { "application/json": { schema: { properties: { dry_run: {}, limit: {}, ids: {} } } } },
    });
  });

  it.each([
    ["/events", "get", "/events?limit=5", {}, 200],
    ["/events", "get", "/events?limit=0", {}, 400],
    ["/events", "get", "/events", { headers: { authorization: "" } }, 401],
    ["/events/{id}", "get", "/events/slack%3AT1%2FC1%3A1", {}, 200],
    ["/events/{id}", "get", "/events/x", {}, 404],
    ["/events/{id}/replay", "post", "/events/slack%3A3/replay", {}, 202],
    ["/events/{id}/replay", "post", "/events/slack%3A5/replay", {}, 409],
    ["/dead", "get", "/dead", {}, 200],
    ["/dead/{id}", "get", "/dead/slack%3AT1%2FC1%3A1", {}, 200],
    ["/dead/{id}", "get", "/dead/slack%3A3", {}, 409],
    ["/dead/{id}/replay", "post", "/dead/slack%3A2/replay", {}, 202],
    ["/dead/{id}/replay", "post", "/dead/slack%3A4/replay", {}, 422],
    ["/dead/{id}", "delete", "/dead/slack%3A2", {}, 200],
    ["/dead/replay", "post", "/dead/replay", { body: "{}" }, 415],
    ["/refusals", "get", "/refusals?limit=1", {}, 200],
    ["/refusals", "get", "/refusals?outcome=accepted", {}, 400],
    ["/explain/{id}", "get", "/explain/req_1", {}, 200],
    ["/explain/{id}", "get", "/explain/slack%3AT1%2FC1%3A1", {}, 200],
    ["/explain/{id}", "get", "/explain/x", {}, 404],
    ["/usage", "get", "/usage?user=slack%3AT1%3AU1&agent=a", {}, 200],
    ["/usage", "get", "/usage?day=today", {}, 400],
    ["/approvals", "get", "/approvals?state=decided&limit=3", {}, 200],
    ["/approvals", "get", "/approvals?state=open", {}, 400],
    ["/approvals/{id}", "post", "/approvals/apr_1", jsonBody({ verdict: "denied" }), 404],
    ["/approvals/{id}", "post", "/approvals/apr_1", jsonBody({ verdict: "yes" }), 400],
    ["/openapi.json", "get", "/openapi.json", {}, 200],
  ] as const)("%s %s answers as described: %s", async (path, method, target, init, status) => {
    await aFewEvents();
    const response = await admin.ask(target, { method: method.toUpperCase(), ...init });
    const answer = await response.json();
    expect([response.status, matches(path, method, status, answer)]).toEqual([status, ""]);
  });

  it("describes each line of a bulk request, and each change on the stream", async () => {
    const stream = await admin.ask("/stream");
    const reader = stream.body?.getReader();
    await reader?.read();
    await aFewEvents();
    const lines = await linesOf(
      await admin.ask("/dead/replay", jsonBody({ ids: ["slack:2", "slack:none"] })),
    );
    expect(lines.map((line) => matches("/dead/replay", "post", 200, line))).toEqual(["", "", ""]);
    const text = new TextDecoder().decode((await reader?.read())?.value);
    const lives = [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? ""));
    expect(lives.length).toBeGreaterThan(3);
    expect(lives.map((life) => matches("/stream", "get", 200, life)).join("")).toBe("");
  });

  it("would find an answer that is not as described", () => {
    expect(matches("/events", "get", 200, { events: [{}], next: null })).toContain(
      "must have required property",
    );
  });
});

/** Two dead letters with all there can be, one that is done, one too old, and one that waits. */
async function aFewEvents(): Promise<void> {
  const usage = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0, costCents: 0.1 };
  const steps = [
    { kind: "model", text: "", toolCalls: [{ id: "t", name: "n", input: {} }], usage, stop: "tools" },
    { kind: "tool-started", callId: "t" },
    { kind: "tool", callId: "t", result: "r", isError: true },
  ] as const;
  await admin.bury(MESSY, "gave up", aRun({}, { steps }));
  await admin.bury({ id: "slack:2" });
  await admin.ask("/dead/slack%3A2/replay", { method: "POST" });
  await admin.queue.settle(await claimOne(admin.queue), { kind: "dead", cause: "again" });
  await admin.finish({ id: "slack:3" }, { kind: "done", outcome: "answered", turns: [] });
  await admin.bury({ id: "slack:4", occurredAtMs: 1 }, "too slow", aRun({ cause: "x" }));
  await admin.inbox.accept(anOffer(anEvent({ id: "slack:5" })));
  for (const requestId of ["req_1", "req_2"]) admin.recorder.note({ ...ALL_THERE_CAN_BE, requestId });
}

const ALL_THERE_CAN_BE = {
  platform: "slack",
  outcome: "refused",
  reason: "not_allowed: user",
  peer: "192.0.2.1",
  eventId: "slack:2",
  conversation: "slack:T1:C1",
} as const;
