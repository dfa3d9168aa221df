import { beforeEach, expect, it } from "vitest";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

let admin: Admin;
let env: Record<string, string>;
beforeEach(async () => {
  admin = await openAdmin();
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
});

const asked = async (...args: readonly string[]) => await call(["kill-switch", ...args], { env });

it("kill-switch on, status and off say what is paused, by whom and why", async () => {
  expect(await asked("status")).toMatchObject({ code: 0, stdout: "off\n" });
  const on = await asked("on", "--reason", "nonsense \u001b[2J");
  expect(on.code).toBe(0);
  expect(on.stdout).toMatch(
    /^on: everything is paused\neverything: paused since 20\S+Z by \S+@\S+ \(nonsense \\u\{1b\}\[2J\)\n$/,
  );
  expect(admin.killSwitch.isPaused()).toBe(true);
  expect((await asked("status")).stdout).toBe(on.stdout);
  expect(await asked("off")).toMatchObject({ code: 0, stdout: "off\n" });
  expect(admin.killSwitch.isPaused()).toBe(false);
});

it("kill-switch pauses one agent or one platform, and prints it as JSON", async () => {
  await asked("on", "--platform", "slack");
  const { stdout } = await asked("on", "--agent", "assistant", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    on: false,
    by_configuration: false,
    switch: null,
    agents: [{ name: "assistant", reason: null }],
    platforms: [{ name: "slack" }],
  });
});

it.each([
  [["on", "--agent", "nobody"], "agent: expected one of assistant, got another"],
  [["on", "--agent", "assistant", "--platform", "slack"], "Expected an agent or a platform, got both"],
  [["on", "--platform", "pigeon"], "platform: "],
])("kill-switch %j is wrong usage", async (args, message) => {
  const { code, stderr } = await asked(...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  expect((await asked("status")).stdout).toBe("off\n");
});
