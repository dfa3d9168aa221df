import { Document, Scalar, visit } from "yaml";
import { variablesOf } from "../config/variables.ts";
import type { PlatformModule } from "../ports/platform.ts";
import { type AgentOut, agentFrom } from "./agent.ts";
import { contextFrom } from "./context.ts";
import { daemonFrom } from "./daemon.ts";
import { triggerFrom } from "./gateway.ts";
import type { RatesOf } from "./model.ts";
import { gatewaySpec } from "./routes.ts";
import { isScheduled, schedulesFrom } from "./schedules.ts";
import { Mapping, type Place, type Remark, type Report, readDocuments } from "./source.ts";

export interface AofFile {
  /** As it is named in remarks. */
  readonly file: string;
  readonly text: string;
}

export interface Imported {
  /** By their names in the folder of the configuration. */
  readonly files: ReadonlyMap<string, string>;
  /** By file and line. */
  readonly remarks: readonly Remark[];
  /** Whether some file could not be read as YAML, so that nobody knows what is missing. */
  readonly isPartial: boolean;
}

const HEAD = "# Written by `parley import aof`; docs/coming-from-aof.md says what became of what.\n";
const AGENTS_MAX = 500;
const SCHEDULES_MAX = 200;

/** Files of AOF as files of Parley, and what became of each key that is not simply there. Never throws. */
export function importAof(
  sources: readonly AofFile[],
  { modules, rates }: { readonly modules: readonly PlatformModule[]; readonly rates: RatesOf },
): Imported {
  const remarks: Remark[] = [];
  const report: Report = (place, words) => void remarks.push({ ...place, words });
  const own = new Set(variablesOf(modules).flatMap(({ name, secret }) => (secret ? [name] : [])));
  let isPartial = false;
  const documents = sources.flatMap(({ file, text }) => {
    const read = readDocuments(file, text, report);
    if (read === null) isPartial = true;
    return (read ?? []).map((document) => ({ document, kind: kindOf(document) }));
  });
  const of = (kind: Kind) => documents.flatMap((one) => (one.kind === kind ? [one.document] : []));

  for (const { document, kind } of documents) if (kind === "other") reportOther(document, report);
  const [daemon = null] = of("DaemonConfig").map((one) => daemonFrom(one, { report, modules, own }));
  for (const { place } of of("DaemonConfig").slice(1))
    report(place, "a second DaemonConfig: what it says was left out");
  const contexts = of("Context").map((one) => ({ place: one.place, out: contextFrom(one, report) }));
  const context = contexts.length === 1 ? (contexts[0]?.out ?? null) : null;
  if (contexts.length > 1)
    for (const { place } of contexts)
      report(
        place,
        "left out: which of several contexts an agent works in is not said here; write env and approve at its tools",
      );
  const schedules = of("scheduled").flatMap((one) => schedulesFrom(one, { report, modules }));
  const names = new Names(report, "agent");
  const agents = [
    ...of("Agent"),
    ...of("AgentList").flatMap((one) => itemsOf(one, report)),
    ...schedules.flatMap((one) => one.agents),
  ]
    .slice(0, AGENTS_MAX)
    .map((one) =>
      agentFrom(one, {
        report,
        rates,
        own,
        context,
        runSeconds: daemon?.runSeconds,
        approvers: daemon?.approvers ?? [],
        nameOf: (given, place) => names.of(given, place),
      }),
    );
  const triggers = of("Trigger").flatMap((one) => triggerFrom(one, { report, modules, own }) ?? []);
  const scheduleNames = new Names(report, "schedule");
  const spec = gatewaySpec({
    agents,
    triggers,
    schedules: schedules.slice(0, SCHEDULES_MAX),
    daemon,
    context,
    report,
    modules,
    known: (given) => names.known(given),
    scheduleNameOf: (given, place) => scheduleNames.of(given, place),
  });

  const files = new Map([
    ["gateway.yaml", HEAD + yamlOf({ apiVersion: "parley/v1", kind: "Gateway", spec })],
    ...agents.map((agent): [string, string] => [`agents/${agent.name}.yaml`, agentText(agent)]),
  ]);
  return {
    files: documents.some(({ kind }) => kind !== "other") ? files : new Map(),
    remarks: once(remarks).sort(byPlace),
    isPartial,
  };
}

const KINDS = ["Agent", "AgentList", "Trigger", "Context", "DaemonConfig"] as const;
type Kind = (typeof KINDS)[number] | "scheduled" | "other";
const TIMED = ["Trigger", "AgentFlow", "Flow", "AgentWorkflow", "Workflow"];

function kindOf(document: Mapping): Kind {
  const kind = document.peek("kind");
  if (TIMED.some((one) => one === kind) && isScheduled(document)) return "scheduled";
  const known = KINDS.find((one) => one === kind);
  if (known !== undefined) return known;
  // The flat form of an agent, which has no kind.
  const isFlat =
    kind === undefined && document.peek("name") !== undefined && document.peek("model") !== undefined;
  return isFlat ? "Agent" : "other";
}

function reportOther(document: Mapping, report: Report): void {
  const kind = document.take("kind");
  if (kind === undefined)
    report({ ...document.place, key: "kind" }, "is missing, so this is no file of AOF; left out");
  else
    report(
      kind.place,
      `has no counterpart: what is read is ${KINDS.join(", ")}, and flows that begin by the clock; left out`,
    );
}

function itemsOf(list: Mapping, report: Report): Mapping[] {
  const items = list.take("agents", "items");
  list.take("kind");
  list.take("api_version");
  for (const [, { place }] of list.takeRest()) report(place, "has no counterpart; left out");
  const all = Array.isArray(items?.value) ? items.value : [];
  return (all as readonly { place: Place; value: unknown }[]).flatMap(({ place, value }) => {
    if (value instanceof Mapping) return [value];
    report(place, "left out: expected an agent");
    return [];
  });
}

/** Names of agents, which are those of their files, too; and of schedules. */
class Names {
  readonly #report: Report;
  readonly #fallback: string;
  readonly #taken = new Map<string, string>();

  constructor(report: Report, fallback: string) {
    this.#report = report;
    this.#fallback = fallback;
  }

  of(given: string, place: Place): string {
    const clean = given
      .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
      .replaceAll(/^[^A-Za-z0-9]+|-+$/g, "")
      .slice(0, 60);
    const base = clean === "" ? this.#fallback : clean;
    const lower = new Set([...this.#taken.values()].map((one) => one.toLowerCase()));
    let name = base;
    // File systems there are for which A.yaml and a.yaml are one.
    for (let i = 2; lower.has(name.toLowerCase()); i++) name = `${base.slice(0, 55)}-${i}`;
    if (name !== given) this.#report(place, `is called ${name} here`);
    if (!this.#taken.has(given)) this.#taken.set(given, name);
    else this.#taken.set(`${given}\0${name}`, name);
    return name;
  }

  /** What a reference to that name means here. */
  known(given: string): string | undefined {
    return this.#taken.get(given);
  }
}

function agentText({ name, labels, spec, comment }: AgentOut): string {
  const metadata = { name, ...(Object.keys(labels).length > 0 && { labels }) };
  const why = comment === null ? "" : `# ${comment.replaceAll(/\s+/g, " ")}\n`;
  return HEAD + why + yamlOf({ apiVersion: "parley/v1", kind: "Agent", metadata, spec });
}

function yamlOf(value: object): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      // Without quotes, what a variable holds could become a number, or nothing.
      if (typeof node.value === "string" && /\$\{/.test(node.value) && !node.value.includes("\n"))
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** What several tools share is said of the file that it stands in. */
function once(remarks: readonly Remark[]): Remark[] {
  return [
    ...new Map(
      remarks.map((one) => [JSON.stringify([one.file, one.line, one.key, one.words]), one]),
    ).values(),
  ];
}

function byPlace(a: Remark, b: Remark): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line;
}
