import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dashboards } from "../../deploy/grafana/dashboards.ts";
import { ROOT, RULES } from "./rule-files.ts";
import { knownSeries, unknownIn } from "./series.ts";

const FOLDER = join(ROOT, "deploy/grafana");

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly expr: string }[];
}

const panelsOf = (text: string) => (JSON.parse(text) as { panels: readonly Panel[] }).panels;

describe("the dashboards", () => {
  it("are what their code makes", () => {
    // When this fails: node deploy/grafana/dashboards.ts
    const made = Object.fromEntries(dashboards());
    const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
    expect(files.sort()).toEqual(Object.keys(made).sort());
    for (const name of files) expect(readFileSync(join(FOLDER, name), "utf8")).toBe(made[name]);
  });

  it.each([...dashboards()].map(([name, text]) => ({ name, panels: panelsOf(text) })))(
    "$name asks for what a gateway exports, and no panel hides another",
    ({ panels }) => {
      const known = knownSeries(RULES);
      const asking = panels.filter(({ type }) => type !== "row");
      expect(asking.length).toBeGreaterThan(3);
      for (const { title, targets = [] } of asking) {
        expect(targets.length).toBeGreaterThan(0);
        for (const { expr } of targets) expect(unknownIn(expr, known), title).toEqual([]);
      }
      const places = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
      expect(new Set(places).size).toBe(places.length);
    },
  );
});
