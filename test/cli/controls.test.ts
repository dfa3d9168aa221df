import { beforeEach, expect, it } from "vitest";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

let admin: Admin;
let env: Record<string, string>;
beforeEach(async () => {
  admin = await openAdmin();
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
});

const asked = async (...args: readonly string[]) => await call(args, { env });

it("log-level says what is logged, sets it, and puts it back", async () => {
  expect(await asked("log-level")).toMatchObject({ code: 0, stdout: "info, as configured\n" });
  expect((await asked("log-level", "debug")).stdout).toMatch(
    /^debug, set at 20\S+Z by \S+@\S+; configured: info\n$/,
  );
  expect(JSON.parse((await asked("log-level", "--json")).stdout)).toMatchObject({
    level: "debug",
    configured: "info",
  });
  expect((await asked("log-level", "configured")).stdout).toBe("info, as configured\n");
  expect(await asked("log-level", "loud")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/level: expected .*debug/),
  });
});

it("log-level says and sets what lines of one part or about one platform log, and names what there is", async () => {
  await asked("log-level", "debug", "--of", "slack");
  const { stdout } = await asked("log-level", "error", "--of", "hook");
  expect(stdout).toMatch(
    /^info, as configured\nhook: error, set at 20\S+Z by \S+; configured: as all\nslack: debug, set at /,
  );
  expect(JSON.parse((await asked("log-level", "--json")).stdout).of).toMatchObject([
    { name: "hook", level: "error", configured: null },
    { name: "slack", level: "debug", configured: null },
  ]);
  await asked("log-level", "configured", "--of", "hook");
  expect((await asked("log-level", "configured", "--of", "slack")).stdout).toBe("info, as configured\n");
  expect(await asked("log-level", "debug", "--of", "slak")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/of: expected .*slack/),
  });
  expect(await asked("log-level", "--of", "slack")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("expected a level with --of slack"),
  });
});

it("limits are shown, set one by one, and put back", async () => {
  const configured = (await asked("limits", "show")).stdout;
  expect((await asked("limits", "list")).stdout).toBe(configured);
  expect(configured).toBe(
    "user: 20 in 60 s, as configured\nconversation: 60 in 60 s, as configured\n" +
      "tenant: 600 in 60 s, as configured\nglobal: off, as configured\n",
  );
  await asked("limits", "set", "user", "off");
  const { stdout } = await asked("limits", "set", "global", "5/10");
  expect(stdout).toMatch(/^user: off, set at 20\S+Z by \S+; configured: 20 in 60 s$/m);
  expect(stdout).toMatch(/^global: 5 in 10 s, set at 20\S+Z by \S+; configured: off$/m);
  expect(admin.controls.now.limits.global?.value).toEqual({ messages: 5, per_seconds: 10 });
  await asked("limits", "set", "user", "configured");
  await asked("limits", "set", "global", "configured");
  expect((await asked("limits", "show")).stdout).toBe(configured);
});

it.each([
  [["set", "planet", "5/10"], "scope: expected one of user, conversation, tenant, global, got planet"],
  [["set", "user", "many"], "limit: expected MESSAGES/SECONDS, off or configured, got many"],
  [["set", "user", "0/10"], "user"],
])("limits %j is wrong usage", async (args, message) => {
  expect(await asked("limits", ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
});

it("an empty change of limits is refused", async () => {
  const init = { method: "PUT", body: "{}", headers: { "content-type": "application/json" } };
  const answer = await admin.ask("/limits", init);
  expect([answer.status, await answer.text()]).toEqual([
    400,
    expect.stringContaining("at least one of user"),
  ]);
});

it("breakers shows what is left alone and why, and reset has it called again", async () => {
  const breaker = admin.breakers.of("anthropic/claude-sonnet-5");
  breaker.enter()("ok");
  breaker.enter()("refused", { code: "MODEL_REFUSED", message: "no credit" });
  const { stdout } = await asked("breakers", "list");
  expect(stdout).toMatch(/^KIND +STATE +CALLS +FAILED +OPENED +SINCE/);
  expect(stdout).toMatch(/^model +open +2 +1 +1 +2023-11-14T22:13:20.000Z.* anthropic\/claude-sonnet-5$/m);
  expect(stdout).toMatch(/^platform +closed +0 +0 +0 +slack$/m);
  expect(await asked("breakers", "reset", "anthropic/claude-sonnet-5")).toMatchObject({
    code: 0,
    stderr: "anthropic/claude-sonnet-5 is called again, on all replicas within two seconds\n",
  });
  expect(breaker.state()).toBe("closed");
  expect(JSON.parse((await asked("breakers", "list", "--json")).stdout)).toMatchObject({
    breakers: [{ state: "closed", calls: 0, failures: 0, opens: 1, code: null, retry_at: null }, {}],
  });
  expect(await asked("breakers", "reset", "pigeon")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("There is no breaker of this name"),
  });
});

it("breakers configure says what would hold, sets it, and puts it back; the audit has before and after", async () => {
  const set = (...args: readonly string[]) => asked("breakers", "configure", ...args);
  expect(await set("slack", "--failures", "3", "--open", "5", "--dry-run")).toMatchObject({
    code: 0,
    stdout: "slack: 3 in a row, or 0.5 of a minute; then open for 5 s; nothing was changed\n",
  });
  expect(admin.controls.now.breakers).toEqual({});
  expect((await set("slack", "--failures", "3", "--open", "5")).stdout).toMatch(
    /^slack: 3 in a row, or 0\.5 of a minute; then open for 5 s; set at 20\S+Z by \S+@\S+\n$/,
  );
  const breaker = admin.breakers.of("slack");
  for (let n = 0; n < 3; n++) breaker.enter()("failed");
  expect(breaker.state()).toBe("open");
  expect(JSON.parse((await set("slack", "--rate", "0.9", "--json")).stdout)).toMatchObject({
    ...{ name: "slack", failure_threshold: 3, failure_rate: 0.9, open_seconds: 5, dry_run: false },
    set: { by: expect.any(String) },
  });
  expect(JSON.parse((await asked("breakers", "list", "--json")).stdout).breakers).toMatchObject([
    { failure_threshold: 10, failure_rate: 0.5, open_seconds: 60, set: null },
    { failure_threshold: 3, failure_rate: 0.9, open_seconds: 5, set: {} },
  ]);
  expect((await set("slack", "--default", "--rate", "0.4")).stdout).toContain("10 in a row, or 0.4 of");
  expect((await set("slack", "--default")).stdout).toBe(
    "slack: 10 in a row, or 0.5 of a minute; then open for 60 s; as by default\n",
  );
  const audit = await admin.ask("/audit?action=breaker.configured");
  const { entries } = (await audit.json()) as { entries: readonly object[] };
  expect(entries).toHaveLength(4);
  expect(entries.at(-1)).toMatchObject({
    subject: "slack",
    before: { failure_threshold: 10, open_seconds: 60 },
    after: { failure_threshold: 3, open_seconds: 5 },
  });
});

it("breakers configure refuses what is no rule, no breaker, or one too many", async () => {
  const set = (...args: readonly string[]) => asked("breakers", "configure", ...args);
  expect(await set("slack")).toMatchObject({ code: 2, stderr: expect.stringContaining("or --default") });
  expect(await set("slack", "--failures", "many")).toMatchObject({ code: 2 });
  expect(await set("slack", "--failures", "0")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("failure_threshold: "),
  });
  expect(await set("pigeon", "--failures", "2")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("There is no breaker of this name"),
  });
  const put = (name: string, body: object) =>
    admin.ask(`/breakers/${name}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  expect(await (await put("slack", { dry_run: true })).text()).toContain("at least one of failure_threshold");
  // What every object has is none, either.
  for (const name of ["constructor", "__proto__"])
    expect((await put(name, { open_seconds: 5, dry_run: true })).status).toBe(404);
  for (let n = 0; n < 10; n++) {
    const order = { kind: "breaker-rules", name: `m${n}`, rules: { openMs: 1 }, by: "x", atMs: n } as const;
    await admin.controls.set(order);
  }
  expect((await put("slack", { open_seconds: 5 })).status).toBe(400);
  // One that is not in use any more can be put back.
  expect((await put("m3", { open_seconds: null })).status).toBe(200);
  expect((await put("slack", { open_seconds: 5 })).status).toBe(200);
});
