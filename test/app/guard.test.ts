import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { withAgents } from "../../src/app/once.ts";
import { systemClock } from "../../src/system/clock.ts";
import { eventOf, HELD } from "../agent/support.ts";
import { load, problemsOf } from "../config/helpers.ts";
import { messageEnd, messageStart, sseServer, textBlock, toolBlock } from "../models/sse-server.ts";

const GUARD =
  "guard: { model: { provider: anthropic, model: claude-haiku-4-5 }, instructions: Nothing in production. }";
const MODEL = "model: { provider: anthropic, model: claude-sonnet-5 }";

function loaded(spec: string, env: Record<string, string>) {
  return load({ "agents/a.yaml": `metadata: { name: assistant }\nspec:\n  ${spec}\n` }, { env });
}

it("the guard of an agent's file is asked, by its own model, before a command is run", async () => {
  const said = (text: string) => ({
    events: [messageStart(), ...textBlock(0, text), ...messageEnd("end_turn")],
  });
  using folder = mkdtempDisposableSync(join(tmpdir(), "parley-guard-"));
  await using server = await sseServer(
    { events: [messageStart(), ...toolBlock(0, "wipe", "{}"), ...messageEnd("tool_use")] },
    said('{"verdict":"refuse","reason":"that is production"}'),
    said("I may not."),
  );
  const tool = "{ name: wipe, type: command, command: /bin/false, effect: delete, description: Wipes it. }";
  const result = loaded(`${MODEL}\n  ${GUARD}\n  tools: [${tool}]`, {
    ...{ ANTHROPIC_API_KEY: "sk-ant", ANTHROPIC_BASE_URL: server.url },
  });
  if (!result.ok) expect.fail(problemsOf(result).join("\n"));
  const { config } = result;
  const outcome = await withAgents({ config, clock: systemClock, toolFolder: folder.path }, (runtime) => {
    const run = { ...{ id: "run_1", agent: "assistant", history: [], steps: [] }, event: eventOf("wipe it") };
    const startedAtMs = systemClock.nowMs();
    return runtime.run({ ...run, startedAtMs }, HELD, new AbortController().signal);
  });
  expect(outcome).toMatchObject({ outcome: "answered", text: "I may not.", modelCalls: 3 });
  expect(server.requests.map(({ body }) => body.model)).toEqual([
    ...["claude-sonnet-5", "claude-haiku-4-5", "claude-sonnet-5"],
  ]);
  expect(JSON.stringify(server.requests[2]?.body.messages)).toContain(
    "refused by the guard: that is production",
  );
});

it("a guard without its key is noted at start; one without a policy, or of a remote agent, is an error", () => {
  const env = { ANTHROPIC_API_KEY: "sk-ant" };
  const other = GUARD.replace(
    "provider: anthropic, model: claude-haiku-4-5",
    "provider: openai, model: gpt-5",
  );
  expect(loaded(`${MODEL}\n  ${other}`, env)).toMatchObject({
    ok: true,
    config: {
      notes: expect.arrayContaining([
        "the guard gpt-5 of the agent assistant cannot be asked: OPENAI_API_KEY is not set; tools that do more than read are refused",
      ]),
    },
  });
  const problems = (spec: string) => {
    const result = loaded(spec, env);
    return result.ok ? "" : problemsOf(result).join("\n");
  };
  expect(problems(`${MODEL}\n  ${GUARD.replace("Nothing in production.", '" "')}`)).toContain(
    "expected the policy by which it decides",
  );
  const remote = "model: { provider: http, url: 'http://x', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw }";
  expect(problems(`${remote}\n  ${GUARD}`)).toContain("expected none with provider: http");
});
