import { isSecretName, looksSecret, variableOf, withoutSecrets, withVariables } from "./secrets.ts";
import { type Entry, Mapping, type Report } from "./source.ts";
import { rawText } from "./values.ts";

/** What tools of an agent are given, beside what they say themselves. */
export interface Surroundings {
  readonly report: Report;
  /** Variables that Parley alone reads. */
  readonly own: ReadonlySet<string>;
  /** Of the agent and of its context. */
  readonly env: readonly Entry[];
  /** Tools whose names hold one of these ask before each call. */
  readonly asking: readonly string[];
}

const NAME = /^[A-Za-z_]\w{0,99}$/;

/** Variables of a tool's process. Those of the tool itself win. */
export function environmentOf(
  entries: readonly (Entry | undefined)[],
  tool: string,
  { report, own, env }: Surroundings,
): Readonly<Record<string, string>> {
  const found = [...env, ...entries.filter((one) => one !== undefined)].flatMap((entry) =>
    pairsOf(entry, report),
  );
  return Object.fromEntries(
    found.flatMap(([name, entry]) => {
      if (!NAME.test(name)) {
        report(entry.place, "left out: expected the name of a variable");
        return [];
      }
      const value = valueFor(name, entry, { tool, own, report });
      return value === undefined ? [] : [[name, value.slice(0, 10_000)]];
    }),
  );
}

/** `env: { NAME: value }`, or a list of `{ name, value }` as Kubernetes has it. */
function pairsOf(entry: Entry, report: Report): (readonly [string, Entry])[] {
  if (entry.value instanceof Mapping) return [...entry.value.all()];
  if (!Array.isArray(entry.value)) {
    report(entry.place, "left out: expected a mapping of variables");
    return [];
  }
  return (entry.value as readonly Entry[]).flatMap((one): (readonly [string, Entry])[] => {
    const pair = one.value instanceof Mapping ? one.value.all() : [];
    const [, given] = pair.find(([key]) => key === "name") ?? [];
    const name = rawText(given, report);
    if (name === undefined) {
      report(one.place, "left out: expected name and value");
      return [];
    }
    const [, value = { place: one.place, value: `\${${name}}` }] =
      pair.find(([key]) => key === "value") ?? [];
    // What a cluster keeps secret is a variable here.
    return [[name, value]];
  });
}

interface Asked {
  readonly tool: string;
  readonly own: ReadonlySet<string>;
  readonly report: Report;
}

/** A value of a variable or a header. One that is a secret, or may be one, is read from the environment. */
export function valueFor(name: string, entry: Entry, { tool, own, report }: Asked): string | undefined {
  const raw = rawText(entry, report);
  if (raw === undefined) return undefined;
  const variables = { own, prefix: tool, place: entry.place };
  if (raw.includes("${")) return withVariables(withoutSecrets(raw, entry.place, report), variables, report);
  if (!isSecretName(name) && !looksSecret(raw)) return raw;
  if (raw === "") return raw;
  const variable = NAME.test(name) && !own.has(name) && !name.includes("-") ? name : variableOf(tool, name);
  const free = NAME.test(variable) && /^[A-Z_]/.test(variable) ? variable : variableOf(tool, name);
  report(entry.place, `not copied, because it may be a secret; set ${free}`);
  return `\${${free}:-}`;
}
