import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ALERTS, RULES } from "./rule-files.ts";
import { linesIn, PAGES, RUNBOOKS } from "./runbook-pages.ts";
import { knownSeries, unknownIn } from "./series.ts";

const HEADINGS = ["Alert", "Impact", "Investigation", "Remediation", "Prevention"];

describe("each runbook", () => {
  it.each(PAGES)("$name has the five headings, each with something below it", ({ text }) => {
    const sections = text.split(/^## /m).slice(1);
    expect(sections.map((section) => section.split("\n", 1)[0])).toEqual(HEADINGS);
    for (const section of sections) expect(section.split("\n").slice(1).join("").trim()).not.toBe("");
  });

  it.each(PAGES)("$name names the alerts that lead to it, and no other", ({ name, text }) => {
    const leading = ALERTS.filter(({ annotations }) => annotations?.runbook_url === `docs/runbooks/${name}`);
    const named = [...text.matchAll(/`(Parley[A-Z]\w+)`/g)].map(([, alert]) => alert ?? "");
    expect(new Set(named)).toEqual(new Set(leading.map(({ alert }) => alert)));
    expect(named).toHaveLength(leading.length);
  });

  it.each(PAGES)("$name asks Prometheus for what is there", ({ text }) => {
    for (const query of linesIn(text, "promql")) expect(unknownIn(query, knownSeries(RULES))).toEqual([]);
  });

  it.each([...PAGES, { name: "README.md", text: readFileSync(join(RUNBOOKS, "README.md"), "utf8") }])(
    "$name leads to pages and headings that are there",
    ({ text }) => {
      for (const [, path = "", anchor] of text.matchAll(/\]\(([^)#]+)(?:#([^)]+))?\)/g)) {
        const file = join(RUNBOOKS, path);
        expect(existsSync(file), path).toBe(true);
        if (anchor !== undefined) expect(anchorsIn(file)).toContain(anchor);
      }
    },
  );
});

/** As the usual renderers make them. */
function anchorsIn(file: string): readonly string[] {
  const headings = readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
