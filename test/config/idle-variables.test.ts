import { describe, expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { idleVariables as idleAmong } from "../../src/config/idle-variables.ts";
import { variablesOf } from "../../src/config/variables.ts";
import { call } from "../cli/helpers.ts";
import { load } from "./helpers.ts";

const VARIABLES = variablesOf(MODULES);
const idleVariables = (env: Readonly<Record<string, string>>) => idleAmong(env, VARIABLES);

describe("variables without effect", () => {
  it.each([
    ["GEMINI_API_KEY", `provider: openai, base_url, api_key: "\${GEMINI_API_KEY}"`],
    ["GROQ_API_KEY", "GROQ_API_KEY has no effect: name it in an agent's file"],
    ["DATABASE_URL", "events are in a SQLite file of PARLEY_DATA_DIR, or in Redis where REDIS_URL is set"],
    ["POSTGRES_PASSWORD", "POSTGRES_PASSWORD has no effect: events are in a SQLite file"],
    ["SENTRY_DSN", "errors are lines of the log"],
    ["JWT_SECRET", "JWT_SECRET has no effect: set PARLEY_ADMIN_TOKEN"],
    ["OTTO_ENV", "set PARLEY_ENV"],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "traces go as JSON over HTTP"],
    ["REDIS_HOST", "REDIS_HOST has no effect: set REDIS_URL, such as redis://HOST:6379"],
    ["LOG_LEVEL", "LOG_LEVEL has no effect: set PARLEY_LOG_LEVEL"],
    ["RATE_LIMIT_REQUESTS", "RATE_LIMIT_REQUESTS has no effect: set limits in gateway.yaml"],
    ["AOF_RATE_LIMIT_WINDOW", "AOF_RATE_LIMIT_WINDOW has no effect: set limits in gateway.yaml"],
    ["OTTO_MAX_DAILY_COST_CENTS", "has no effect: set budgets.global.cost_cents in gateway.yaml"],
    ["AOF_MEMORY_BACKEND", "AOF_MEMORY_BACKEND has no effect: memory is kept with the events"],
    [
      "TELEGRAM_TOKEN",
      "TELEGRAM_TOKEN is not a variable that Parley reads; did you mean TELEGRAM_BOT_TOKEN?",
    ],
    ["DISCORD_TOKEN", "did you mean DISCORD_BOT_TOKEN?"],
    ["SLACK_SECRET", "did you mean SLACK_SIGNING_SECRET or SLACK_CLIENT_SECRET?"],
    ["WHATSAPP_TOKEN", "did you mean WHATSAPP_VERIFY_TOKEN or WHATSAPP_ACCESS_TOKEN?"],
    ["DISCORD_PUBLICKEY", "did you mean DISCORD_PUBLIC_KEY?"],
    ["PARLEY_KILLSWITCH", "did you mean PARLEY_KILL_SWITCH?"],
    ["AOF_WEBHOOK_PROT", "did you mean AOF_WEBHOOK_PORT?"],
  ])("%s is noted, with what to set instead", (name, note) => {
    expect(idleVariables({ [name]: "x" })).toEqual([expect.stringContaining(note)]);
  });

  it("are none of those that are read, empty, of other programs, or links to services", () => {
    const read = VARIABLES.filter(({ idle }) => idle === undefined).flatMap(({ name, aliases }) => [
      name,
      ...aliases,
    ]);
    const others = [
      "HOME",
      "PATH",
      "REDIS",
      "SLACKER",
      "RATE_LIMITS",
      "AWS_REGION",
      "AWS_PROFILE",
      "AWS_ROLE_ARN",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
      "REDIS_SERVICE_HOST",
      "PARLEY_PORT_8080_TCP",
    ];
    expect(idleVariables(Object.fromEntries([...read, ...others].map((name) => [name, "x"])))).toEqual([]);
    expect(idleVariables({ SLACK_TOKEN: "", REDIS_PORT: "tcp://10.0.0.1:6379" })).toEqual([]);
  });

  it("are noted by config validate and doctor", async () => {
    const env = { TELEGRAM_TOKEN: "77:x" };
    expect((await call(["config", "validate"], { env })).stderr).toContain(
      "did you mean TELEGRAM_BOT_TOKEN?",
    );
    expect((await call(["doctor"], { env })).stdout).toContain("did you mean TELEGRAM_BOT_TOKEN?");
  });
});

it("says nothing of a variable that a file names", () => {
  const agent = `metadata: { name: assistant }\nspec:\n  model: { provider: demo }\n  system_prompt: \${GOOGLE_API_KEY:-x}\n`;
  const notes = (text: string) => {
    const loaded = load({ "agents/a.yaml": text }, { env: { GOOGLE_API_KEY: "key" } });
    return loaded.ok ? loaded.config.notes.join() : "wrong";
  };
  expect(notes(agent)).not.toContain("GOOGLE_API_KEY");
  expect(notes(agent.replace(`\${GOOGLE_API_KEY:-x}`, "x"))).toContain("GOOGLE_API_KEY has no effect");
});
