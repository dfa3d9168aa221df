import { expect, it } from "vitest";
import type { Finding } from "../../src/cli/findings.ts";
import { emptyFolder, run } from "../cli/helpers.ts";
import { eventually } from "../support/eventually.ts";
import { startWithPlatforms } from "./gateway-with-platforms.ts";
import { CHAT_PLATFORMS } from "./platforms.ts";

const NONSENSE = {
  SLACK_BOT_TOKEN: "xoxb-nonsense",
  DISCORD_BOT_TOKEN: "nonsense",
  TELEGRAM_BOT_TOKEN: "77:nonsense",
  WHATSAPP_ACCESS_TOKEN: "nonsense",
};

it("nonsense tokens are told by /ready and by doctor, which end well with true ones", {
  timeout: 120_000,
}, async () => {
  await using setup = await startWithPlatforms(NONSENSE);
  const { gateway, platforms } = setup;
  const ready = async () => {
    const response = await fetch(`${gateway.url}/ready`);
    const body = (await response.json()) as { status: string; components: Record<string, { code?: string }> };
    return { http: response.status, ...body };
  };
  await eventually(async () => {
    const { components } = await ready();
    expect(CHAT_PLATFORMS.map((name) => components[name]?.code)).toEqual(Array(4).fill("PLATFORM_REFUSED"));
  }, 60_000);
  expect(await ready()).toMatchObject({ http: 200, status: "degraded" });

  const doctor = async (env: Record<string, string>) => {
    const result = await run(["doctor", "--json"], {
      env: { PARLEY_RUN: "compiled", PARLEY_PORT: "0", ...platforms.env, ...env },
      cwd: emptyFolder(),
    });
    for (const token of Object.values({ ...platforms.env, ...env }))
      if (/token|xoxb/.test(token)) expect(result.stdout + result.stderr).not.toContain(token);
    const findings = JSON.parse(result.stdout) as Finding[];
    return { code: result.code, of: (name: string) => findings.find(({ check }) => check === name)?.status };
  };
  const bad = await doctor(NONSENSE);
  expect([bad.code, ...CHAT_PLATFORMS.map(bad.of)]).toEqual([1, "fail", "fail", "fail", "fail"]);
  const good = await doctor({});
  expect([good.code, ...CHAT_PLATFORMS.map(good.of)]).toEqual([0, "ok", "ok", "ok", "ok"]);
});
