import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LOG_PARTS } from "../../src/domain/controls.ts";
import { Levels } from "../../src/telemetry/levels.ts";

const [DEBUG, INFO, WARN] = [20, 30, 40];

it("a line goes by its first word or its platform, and of two by the one that says more", () => {
  const levels = new Levels("info", { slack: "debug", reply: "error", store: "silent" });
  expect(levels.least).toBe("debug");
  for (const [line, level, isTaken] of [
    [[{ platform: "slack" }, "webhook.received"], DEBUG, true],
    [[{ platform: "telegram" }, "webhook.received"], DEBUG, false],
    [[{ platform: "telegram" }, "webhook.received"], INFO, true],
    [[{ platform: "telegram" }, "reply.sent"], WARN, false],
    [[{ platform: "slack" }, "reply.sent"], DEBUG, true],
    [[{ note: "slow" }, "store.note"], WARN, false],
    [["store.note"], WARN, false],
    [["gateway.stopped"], INFO, true],
    [["gateway.stopped"], DEBUG, false],
    [[new Error("no fields")], INFO, true],
    [[], INFO, true],
  ] as const)
    expect([line, level, levels.takes(line, level)]).toEqual([line, level, isTaken]);
});

it("without a level of its own for anything, all are taken that the logger lets through", () => {
  const levels = new Levels("warn", { slack: "debug" });
  levels.set("silent", {});
  expect(levels.least).toBe("silent");
  expect(levels.takes([{ platform: "slack" }, "x.y"], DEBUG)).toBe(true);
});

/** What comes after a level of the log, up to the name of the line. */
const LINE =
  /\blog(?:ger)?(?:\.(?:fatal|error|warn|info|debug|trace)|\[[^\]]+\])\([^;]*?["`]([a-z_]+)\.(?:[a-z_]+|\$\{\w+\})["`]\s*,?\s*\)/g;

it("every line that is logged begins with a word that can be given a level", () => {
  const files = ["src", "adapters"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  const words = files
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => [...readFileSync(name, "utf8").matchAll(LINE)].map(([, word = ""]) => word));
  expect(new Set(words).size).toBeGreaterThan(25);
  expect([...new Set(words)].filter((word) => !LOG_PARTS.includes(word))).toEqual([]);
});
