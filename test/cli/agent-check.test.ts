import { expect, it } from "vitest";
import { pageAgent } from "../models/page-agent.ts";
import { exampleServer, LANGUAGES, SECRET } from "../models/remote-server.ts";
import { sseServer } from "../models/sse-server.ts";
import { call } from "./helpers.ts";

const check = (url: string, ...args: string[]) =>
  call(["agent-check", url, ...args], { env: { AGENT_SECRET: SECRET } });

it.each(LANGUAGES)("finds nothing wrong with the example in %s", async (language) => {
  const { code, stdout } = await check(await exampleServer(language));
  expect(stdout).not.toContain("FAIL");
  expect(stdout.match(/^ok {3}/gm)).toHaveLength(5);
  expect(code).toBe(0);
});

it("finds nothing wrong with one that was written from the page alone", async () => {
  const { url } = await pageAgent(SECRET);
  const { code, stdout } = await check(url);
  expect(stdout).not.toContain("FAIL");
  expect(code).toBe(0);
});

it("names what is wrong with one that believes everybody and says something else each time", async () => {
  const events = (text: string) => ({ events: [{ type: "text", text }, { type: "end" }] });
  await using server = await sseServer(events("one"), events("two"));
  const { code, stdout } = await check(server.url, "--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual([
    { check: "a signed turn is answered", ok: true, details: "3 characters" },
    { check: "the same turn_id gives the same answer", ok: false, details: "the answers differ" },
    expect.objectContaining({ check: "what the turn cost is told", ok: false }),
    { check: "another key is refused", ok: false, details: "expected 401, got 200" },
    { check: "a signature of an hour ago is refused", ok: false, details: "expected 401, got 200" },
  ]);
});

it("says what it needs, and where it cannot go", async () => {
  expect(await check("ftp://x")).toMatchObject({ code: 2 });
  expect(await call(["agent-check", "http://127.0.0.1:9/"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Expected --secret or AGENT_SECRET"),
  });
  expect(await check("http://127.0.0.1:9/")).toMatchObject({ code: 69 });
});
