import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { toolPath } from "../support/tools.ts";
import { ALERTS, ROOT } from "./rule-files.ts";

const FILE = join(ROOT, "deploy/alertmanager/alertmanager.yml");

async function amtool(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(toolPath("amtool"), args)).stdout;
}

describe("Alertmanager", () => {
  it("takes its configuration", async () => {
    expect(await amtool("check-config", FILE)).toContain("SUCCESS");
  });

  it.each([
    ["critical", "pager"],
    ["warning", "slack"],
    ["info", "mail"],
  ])("sends what is %s to %s", async (severity, receiver) => {
    const args = [
      "config",
      "routes",
      "test",
      `--config.file=${FILE}`,
      "alertname=Any",
      `severity=${severity}`,
    ];
    expect((await amtool(...args)).trim()).toBe(receiver);
  });

  it("knows the severity of each alert", () => {
    for (const { labels } of ALERTS) expect(["critical", "warning", "info"]).toContain(labels?.severity);
  });
});
