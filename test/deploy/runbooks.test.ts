import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brokenLinks } from "./links.ts";
import { ALERTS, RULES } from "./rule-files.ts";
import { CAPACITY, linesIn, OPERATING, PAGES, RUNBOOKS } from "./runbook-pages.ts";
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

  it.each([...PAGES, ...OPERATING, CAPACITY])("$name asks Prometheus for what is there", ({ text }) => {
    for (const query of linesIn(text, "promql")) expect(unknownIn(query, knownSeries(RULES))).toEqual([]);
  });

  it.each([...PAGES.map(({ name }) => name), "README.md"])(
    "%s leads to pages and headings that are there",
    (name) => {
      expect(brokenLinks(join(RUNBOOKS, name))).toEqual([]);
    },
  );
});
