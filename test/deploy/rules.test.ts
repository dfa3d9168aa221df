import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { toolPath } from "../support/tools.ts";
import { ALERTS, groupsIn, ROOT, RULE_FILES, RULES } from "./rule-files.ts";
import { knownSeries, unknownIn } from "./series.ts";
import { type Pace, WORLDS, type World, type Worlds } from "./worlds.ts";

const run = promisify(execFile);

async function promtool(...args: readonly string[]): Promise<string> {
  return await run(toolPath("promtool"), args).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stdout: string; stderr: string }) => {
      throw new Error(error.stdout + error.stderr);
    },
  );
}

const SEVERITIES = ["critical", "warning", "info"];

describe("the rules", () => {
  it("are what promtool takes, and so is the configuration that names them", async () => {
    expect(await promtool("check", "rules", ...RULE_FILES)).not.toContain("FAILED");
    await promtool("check", "config", join(ROOT, "deploy/prometheus/prometheus.yml"));
  });

  it.each(RULES.map(({ alert, record, expr }) => ({ name: alert ?? record, expr })))(
    "$name names what a gateway exports",
    ({ expr }) => {
      expect(unknownIn(expr, knownSeries(RULES))).toEqual([]);
    },
  );

  it("would not pass with a metric, a label or a grouping that is not there", () => {
    const known = knownSeries(RULES);
    expect(
      unknownIn("sum by (shelf) (parley_runs_total{agent='a',colour='b'}) / parley_none", known),
    ).toEqual(["metric parley_none", "parley_runs_total{colour}", "label shelf"]);
    expect(() => unknownIn("sum(rate(parley_runs_total[5m])", known)).toThrow("Expected PromQL");
  });
});

describe("each alert", () => {
  it.each(ALERTS)(
    "$alert says how bad it is, whose it is, and leads to a page",
    ({ labels, annotations }) => {
      expect(SEVERITIES).toContain(labels?.severity);
      expect(labels?.team).toBe("parley");
      expect(annotations).toMatchObject({ summary: expect.any(String), description: expect.any(String) });
      const page = annotations?.runbook_url ?? "";
      expect(page).toMatch(/^docs\/runbooks\/[a-z-]+\.md$/);
      expect(existsSync(join(ROOT, page))).toBe(true);
    },
  );

  it("has its own name, and worlds to be tried in", () => {
    const names = ALERTS.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(WORLDS).sort()).toEqual([...names].sort());
  });

  it("fires in its world and in no other, and nothing fires where all is well", async () => {
    const folder = mkdtempSync(join(tmpdir(), "parley-rules-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const paces = new Map(Object.values(WORLDS).map(({ pace }) => [JSON.stringify(pace), pace]));
    const files = [...paces].map(([key, pace], n) => {
      const file = join(folder, `${n}.yml`);
      const worlds = Object.entries(WORLDS).filter(([, one]) => JSON.stringify(one.pace) === key);
      writeFileSync(file, stringify(testsOf(worlds, pace)));
      return file;
    });
    await promtool("test", "rules", ...files);
    // Some ten seconds of a core, on a busy machine longer.
  }, 240_000);
});

/** In the form of `promtool test rules`. */
function testsOf(worlds: readonly (readonly [alert: string, worlds: Worlds])[], pace: Pace = USUAL) {
  const silent = new Map(worlds.map(([, one]) => [JSON.stringify(one.silent), one.silent]));
  const files = pace === USUAL ? RULE_FILES.filter((file) => !file.endsWith("/slo.rules.yml")) : RULE_FILES;
  const names = groupsIn(files).map(({ name }) => name);
  return {
    rule_files: files,
    evaluation_interval: pace.every,
    // What is recorded comes before who reads it: a value is looked for five minutes back, and an evaluation may be further.
    group_eval_order: [...names.filter(isRecording), ...names.filter((name) => !isRecording(name))],
    tests: [
      ...worlds.map(([alert, { fires }]) => testOf(fires, pace, [alert, ...(fires.also ?? [])])),
      ...[...silent.values()].map((world) => testOf(world, pace, [])),
    ],
  };
}

function isRecording(group: string): boolean {
  return /-(?:recording|targets|short|long)$/.test(group);
}

const USUAL: Pace = { step: "30s", every: "1m" };

function testOf({ series, minutes }: World, { step }: Pace, firing: readonly string[]) {
  return {
    interval: step,
    input_series: Object.entries(series).map(([one, values]) => ({ series: one, values })),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"} == 1)',
        eval_time: `${minutes}m`,
        exp_samples: [...firing]
          .sort()
          .map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
      },
    ],
  };
}
