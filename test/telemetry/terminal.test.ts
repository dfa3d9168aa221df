import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { terminalText } from "../../src/telemetry/terminal.ts";

const TIME = "2026-11-28T15:11:19.195Z";
const textOf = (fields: object, isAll = false) => {
  const text = terminalText(JSON.stringify({ level: 30, time: TIME, ...fields }), isAll);
  return text === null ? null : stripVTControlCharacters(text).replace(/^\[\d\d:\d\d:\d\d\] /, "");
};

const RECEIVED = { request_id: "req_1", platform: "slack", msg: "webhook.received" };
const FINISHED = {
  event_id: "slack:1",
  conversation_id: "slack:T1:C1",
  run_id: "run_1",
  agent: "assistant",
  attempt: 1,
  outcome: "answered",
  model_calls: 1,
  input_tokens: 130,
  output_tokens: 42,
  cost_cents: 0.30000004,
  duration_ms: 1234,
  msg: "run.finished",
};

describe("the log at a terminal", () => {
  it("says what the store notes without its name", () => {
    expect(textOf({ note: "Made a new database, /data/parley.db", msg: "store.note" })).toBe(
      "INFO: Made a new database, /data/parley.db\n",
    );
  });

  it("has one line a message, in words", () => {
    const lines = [
      { ...RECEIVED, outcome: "accepted", event_id: "slack:1" },
      FINISHED,
      { platform: "slack", part: 0, msg: "reply.sent" },
    ].map((fields) => textOf(fields));
    expect(lines).toEqual([
      null,
      "INFO: slack:T1:C1: assistant answered in 1.2 s, 130 + 42 tokens, 0.3 cents\n",
      null,
    ]);
  });

  it("says how a run ended otherwise, and why", () => {
    expect(textOf({ ...FINISHED, attempt: 3, outcome: "failed", cause: "MODEL_DOWN: no answer" })).toBe(
      "INFO: slack:T1:C1: assistant failed after 1.2 s, 130 + 42 tokens, 0.3 cents, attempt 3, MODEL_DOWN: no answer\n",
    );
  });

  it("says what a request came to that no run will tell of", () => {
    expect(textOf({ ...RECEIVED, outcome: "ignored", reason: "not_addressed" })).toBe(
      "INFO: slack: ignored: not_addressed\n",
    );
    expect(textOf({ ...RECEIVED, outcome: "handshake" })).toBe("INFO: slack: handshake\n");
  });

  it("has any other line with its fields, on one line", () => {
    expect(textOf({ port: 8080, platforms: ["test"], msg: "gateway.started" })).toBe(
      'INFO: gateway.started: port 8080, platforms ["test"]\n',
    );
  });

  it("obeys nothing that a name or a cause brings", () => {
    const text = terminalText(
      JSON.stringify({
        level: 30,
        time: TIME,
        ...FINISHED,
        conversation_id: "test:\x1b]0;x\x07",
        cause: "a\nb\u202e",
      }),
      false,
    );
    expect(text).toContain("test:\ufffd]0;x\ufffd: assistant");
    expect(text).toContain("a\ufffdb\ufffd\n");
  });

  it.each([40, 50, 60])("keeps what went wrong whole (level %d)", (level) => {
    const err = { type: "Error", message: "no", stack: "Error: no\n    at there" };
    const text = textOf({ ...RECEIVED, level, outcome: "forged", peer: "192.0.2.1", err });
    for (const word of ["webhook.received", "req_1", "slack", "forged", "192.0.2.1", "at there"])
      expect(text).toContain(word);
  });

  it("leaves nothing out for who asked for more", () => {
    expect(textOf({ ...RECEIVED, outcome: "accepted" }, true)).toContain("req_1");
    expect(textOf({ platform: "slack", part: 0, msg: "reply.sent" }, true)).toContain('"part":0');
    expect(textOf({ level: 20, note: "x", msg: "fine" })).toContain('"note":"x"');
  });
});
