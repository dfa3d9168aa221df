import { expect, it } from "vitest";
import type { AofFile } from "../../src/aof/index.ts";
import { load, problemsOf } from "../config/helpers.ts";
import { seeded } from "../support/seeded.ts";
import { CORPUS, corpusOf, imported, linesOf } from "./support.ts";

const ODD = [
  "null",
  "[]",
  "{}",
  "[[]]",
  "-1",
  "1e999",
  "''",
  "{ a: { b: [1, { c: d }] } }",
  "true",
  "12345678901234567890",
  `"\${"`,
  `"\${A:-\${B}}"`,
  `"$\${X}"`,
  '"\\u0000\\ud800"',
  "*nowhere",
  "&a [*a]",
  "!!binary x",
  "|\n   a",
  "'#'",
  "__proto__",
  "constructor",
  "toString",
  '"a b/../c"',
  "[null, null]",
];
const KEYS = [
  "__proto__",
  "constructor",
  "model",
  "tools",
  "Tools",
  "spec",
  "kind",
  "config",
  "name",
  "''",
  "? [a]",
  "env",
  "commands",
  "metadata",
];

type Random = () => number;
const shares = (seed: number): Random => {
  const next = seeded(seed);
  return () => next(1_000_000) / 1_000_000;
};
const pick = <T>(random: Random, all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;

function mutated(text: string, random: Random): string {
  const lines = text.split("\n");
  for (let n = 1 + Math.floor(random() * 4); n > 0; n--) {
    const at = Math.floor(random() * lines.length);
    const line = lines[at] ?? "";
    const how = Math.floor(random() * 8);
    if (how === 0) lines.splice(at, 1);
    else if (how === 1) lines.splice(at, 0, line);
    else if (how === 2) lines[at] = line.replace(/:.*$/, `: ${pick(random, ODD)}`);
    else if (how === 3) lines[at] = line.replace(/[\w-]+(?=:)/, pick(random, KEYS));
    else if (how === 4) lines[at] = ` ${line}`;
    else if (how === 5) lines[at] = line.slice(0, Math.floor(random() * line.length));
    else if (how === 6) lines[at] = line.replace(/[\w"${}./:-]+(?=[,\]}])/, pick(random, ODD));
    else lines[at] = line.replace(/^\s+/, "");
  }
  return lines.join("\n");
}

/** One folder of the corpus, with some of its files changed. */
function folderOf(random: Random): readonly AofFile[] {
  return corpusOf(pick(random, CORPUS)).map(({ file, text }) => ({
    file,
    text: random() < 0.7 ? mutated(text, random) : text,
  }));
}

it("never throws, names a line of the file in each remark, and gives nothing away, whatever the files hold", () => {
  const random = shares(7);
  for (let i = 0; i < 1_500; i++) {
    const files = folderOf(random);
    const result = imported(files);
    for (const { file, line, key, words } of result.remarks) {
      const source = files.find((one) => one.file === file);
      const last = source?.text.split("\n").length ?? 0;
      expect(line, `${i} ${file}:${line}`).toBeGreaterThanOrEqual(1);
      expect(line, `${i} ${file}:${line}`).toBeLessThanOrEqual(last);
      expect(key, String(i)).not.toBe("");
      expect(words, String(i)).not.toBe("");
    }
    if (result.isPartial) expect(result.remarks.length).toBeGreaterThan(0);
    const all = [...result.files.values(), ...linesOf(result)].join("\n");
    // What a mutation has cut is no longer known for a secret; what stands whole is.
    expect(all, String(i)).not.toMatch(/xoxb-PLANTED|ghp_PLANTED|sk-ant-PLANTED|PLANTED-redis/);
  }
});

it("writes what a gateway can start with, from whatever could be read", () => {
  const random = shares(11);
  let tried = 0;
  for (let i = 0; tried < 25; i++) {
    const { files, isPartial } = imported(folderOf(random));
    if (isPartial || files.size === 0) continue;
    tried++;
    const loaded = load(Object.fromEntries(files), { isPriced: () => true });
    expect(problemsOf(loaded), `${i}`).toEqual([]);
  }
});
