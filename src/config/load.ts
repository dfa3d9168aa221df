import { relative, resolve } from "node:path";
import type { z } from "zod";
import type { PlatformModule } from "../ports/platform.ts";
import { isObject } from "../shared/json.ts";
import type { Secret } from "../shared/secret.ts";
import { TOKEN, type Variable } from "../shared/variable.ts";
import { type AgentSpec, agentFile, agentListFile } from "./agent-schema.ts";
import { asOurs, isOfAof } from "./aof-agent.ts";
import { digestOf, type SecretFile, secretFilesOf } from "./changes.ts";
import { choiceProblems } from "./choice-problems.ts";
import { closest } from "./closest.ts";
import { commandClashes, menuProblems } from "./command-problems.ts";
import { agentNotes, type ContextTokensOf, gatewayNotes } from "./conflicts.ts";
import { type Env, References } from "./env-reader.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { configurationAt, type Folder, folderExists, readFolder, type SourceFile } from "./files.ts";
import { type JsonSchemaName, jsonSchemaOf, keysAt } from "./json-schema.ts";
import { idleFallbacks, idleGuards, idleKeys, writtenModels } from "./model-keys.ts";
import { type Found, type Priced, routeModelProblems, unpricedOfAgent } from "./model-problems.ts";
import { placeNotes, placeProblems, spokenNotes } from "./places.ts";
import { findings, got, type Path, type Problem } from "./problems.ts";
import { readYaml, type YamlFile } from "./read-yaml.ts";
import { type GatewaySpec, gatewayFileOf } from "./schema.ts";
import { storeNotes, storeProblems, withAbsoluteFiles } from "./store-problems.ts";
import { withToolSecrets } from "./tool-secrets.ts";
import { type ToolDefaults, withDefaults } from "./tools-schema.ts";
import { variablesOf } from "./variables.ts";

/** Everything an operator has decided. */
export interface Config {
  /** What it was read for. */
  readonly modules: readonly PlatformModule[];
  readonly gateway: GatewaySpec;
  /** By name; never empty. */
  readonly agents: ReadonlyMap<string, AgentSpec>;
  readonly environment: Environment;
  /** Whether there is a gateway.yaml at all. */
  readonly isDescribed: boolean;
  /** Which files these are. */
  readonly digest: string;
  /** Each secret of the environment, by its variable. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** By variable, where those that come from files are. */
  readonly secretFiles: ReadonlyMap<string, SecretFile>;
  /** What is not wrong, but worth a line at start-up. */
  readonly notes: readonly string[];
}

export type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface LoadOptions extends Priced {
  /** All platforms that there are; adapters/index.ts has the list. */
  readonly modules: readonly PlatformModule[];
  /** Overrides PARLEY_CONFIG; relative to `cwd`. */
  readonly folder?: string | undefined;
  readonly env: Env;
  readonly cwd: string;
  /** Absent: nothing is said of that. */
  readonly contextTokensOf?: ContextTokensOf;
}

/** What answers when nobody has described an agent. */
const BUILT_IN = agentFile.parse({
  metadata: { name: "assistant" },
  spec: { model: { provider: "anthropic", model: "claude-sonnet-5" } },
});

/**
 * Reads the environment and every file of the configuration folder. All problems of all of them come at once.
 * Never throws. Without a folder (and without one asked for) the defaults hold.
 */
export function loadConfig(options: LoadOptions): Loaded {
  const { modules } = options;
  const references = new References(options.env, options.cwd);
  const reading: Reading = { references, variables: variablesOf(modules), modules };
  const { environment, secrets, ...read } = readEnvironment(options.env, options.cwd, modules);
  const given =
    options.folder === undefined ? environment.configFolder : resolve(options.cwd, options.folder);
  const path = configurationAt(given);
  const isAsked = options.folder !== undefined || environment.configFolderGiven;
  const folder = openFolder(path, isAsked, options.cwd);

  const gatewayYaml = folder.gateway === null ? null : yamlOf(folder.gateway, reading);
  const gateway = check(gatewayYaml ?? emptyYaml("gateway.yaml"), gatewayFileOf(modules), [
    "gateway",
    reading,
  ]);
  const spec = gateway.value?.spec ?? null;
  const agentYamls = folder.agents.map((file) => yamlOf(file, reading));
  const agents = agentYamls.map((yaml) => readAgents(yaml, reading));
  const found = agents.flatMap((one) => one.found);
  const none = folder.agents.length === 0;

  const problems = [
    ...read.problems,
    ...folder.problems,
    ...gateway.problems,
    ...agents.flatMap((one) => one.problems),
    ...duplicates(found),
    ...found.flatMap((one) => unpricedOfAgent(one, options)),
    // With a broken agent file, its name would look unknown.
    ...(agents.some((one) => one.problems.length > 0) || spec === null
      ? []
      : unknownAgents(spec, none ? ["assistant"] : found.map((one) => one.agent.metadata.name), gatewayYaml)),
    ...(agents.some((one) => one.problems.length > 0) ? [] : unknownColleagues(found)),
    ...placeProblems(found, modules),
    ...(spec === null ? [] : menuProblems(spec.commands, gatewayYaml, found)),
    ...(spec === null || gatewayYaml === null
      ? []
      : [
          ...hiddenRoutes(spec, gatewayYaml),
          ...(agents.some((one) => one.problems.length > 0)
            ? []
            : choiceProblems(spec, modules, found, gatewayYaml)),
          ...commandClashes(spec.commands, gatewayYaml),
          ...routeModelProblems(spec, gatewayYaml, found, options),
          ...storeProblems(spec, { environment, yaml: gatewayYaml, cwd: options.cwd }),
        ]),
  ];
  if (problems.length > 0 || spec === null) return { ok: false, problems };

  const specs = new Map(
    none
      ? [[BUILT_IN.metadata.name, BUILT_IN.spec]]
      : found.map(({ agent, yaml, base }) => [
          agent.metadata.name,
          withToolDefaults(withToolSecrets(agent.spec, yaml, base, references), spec.tools),
        ]),
  );
  return {
    ok: true,
    config: {
      modules,
      gateway: withAbsoluteFiles(spec, options.cwd),
      agents: specs,
      environment: { ...environment, configFolder: path, configFolderGiven: isAsked },
      isDescribed: folder.gateway !== null,
      digest: digestOf(folder),
      secrets,
      secretFiles: secretFilesOf(options, reading.variables, references),
      notes: [
        ...read.notes.filter((note) => !isOfUsed(note, [gatewayYaml, ...agentYamls])),
        ...folder.notes,
        ...storeNotes(spec, environment),
        ...(gatewayYaml === null ? [] : gatewayNotes(spec, gatewayYaml, specs)),
        ...found.flatMap(({ agent, yaml, base }) =>
          agentNotes(agent.spec, yaml, { base, environment, ...options }),
        ),
        ...placeNotes(found, { spec, environment, modules }),
        ...(gatewayYaml === null ? [] : spokenNotes(gatewayYaml, { spec, environment, modules })),
        ...idleFallbacks(writtenModels({ agents: specs, gateway: spec }), environment),
        ...idleGuards(specs, environment),
        ...idleKeys({ agents: specs, gateway: spec }, environment),
      ],
    },
  };
}

function withToolDefaults(of: AgentSpec, defaults: ToolDefaults): AgentSpec {
  return { ...of, tools: withDefaults(of.tools, defaults) };
}

/** A variable that Parley itself does not know has an effect where a file names it. */
function isOfUsed(note: string, yamls: readonly (YamlFile | null)[]): boolean {
  const [, name = ""] = /^([A-Za-z_]\w*) (?:has no effect|is not a variable)/.exec(note) ?? [];
  return yamls.some((yaml) => yaml?.used.has(name));
}

function openFolder(path: string, isAsked: boolean, cwd: string): Folder {
  if (folderExists(path)) {
    const folder = readFolder(path, cwd);
    const note = `no agent in ${relative(cwd, path) || path}/agents: the built-in assistant answers`;
    return folder.agents.length > 0 ? folder : { ...folder, notes: [...folder.notes, note] };
  }
  const name = relative(cwd, path) || path;
  const missing = {
    file: name,
    line: null,
    column: null,
    path: "",
    message: "expected a folder, got nothing",
  };
  return {
    gateway: null,
    agents: [],
    problems: isAsked ? [missing] : [],
    notes: isAsked ? [] : [`no folder ${name}: the defaults hold and the built-in assistant answers`],
  };
}

interface Reading {
  readonly references: References;
  readonly variables: readonly Variable[];
  readonly modules: readonly PlatformModule[];
}

/** Parley reads its secrets by itself, and they print nowhere: no file may expand one that is its own. */
function yamlOf(source: SourceFile, { references, variables }: Reading): YamlFile {
  const refused = new Set(
    variables.filter(({ secret, isShared }) => secret && isShared !== true).map(({ name }) => name),
  );
  return readYaml(source.file, source.text, { variable: references.get, refused });
}

function emptyYaml(file: string): YamlFile {
  return readYaml(file, "", { variable: () => undefined, refused: new Set() });
}

function check<T extends z.ZodType>(
  yaml: YamlFile,
  schema: T,
  [name, reading]: readonly [JsonSchemaName, Reading],
): { value: z.output<T> | null; problems: readonly Problem[] } {
  if (!yaml.isYaml) return { value: null, problems: yaml.problems };
  // An agent of AOF that says nothing but what means the same here is one of ours; else its author is told of all keys.
  const ours = name === "agent" && isOfAof(yaml.value) ? asOurs(yaml.value) : yaml.value;
  const fitting = schema.safeParse(ours);
  if (fitting.success) return { value: fitting.data, problems: yaml.problems };
  const result = ours === yaml.value ? fitting : schema.safeParse(yaml.value);
  if (result.success) return { value: result.data, problems: yaml.problems };
  const known = jsonSchemaOf(name, reading.modules);
  const input = { got: yaml.got, keysAt: (path: Path) => keysAt(known, path) };
  const wrong = findings(result.error.issues, input).map((one) =>
    yaml.problem(
      one.path,
      (one.path.join() === "apiVersion" && foreignFormat(yaml.value, reading)) || one.message,
      one.isKey,
    ),
  );
  // A value that could not be expanded has its problem already.
  const isNew = (problem: Problem) => !yaml.problems.some((one) => one.path === problem.path);
  return { value: null, problems: [...yaml.problems, ...wrong.filter(isNew)].sort(byPlace) };
}

/** A file of AOF, whose keys are much alike: what each is called here. */
function foreignFormat(value: unknown, { variables }: Reading): string | null {
  if (!isOfAof(value)) return null;
  const keys = value.kind === "DaemonConfig" ? daemonKeys(variables) : AGENT_KEYS;
  return `expected parley/v1, got ${got(value.apiVersion)}: this is a file of AOF. Here, ${keys}; \`parley import aof\` translates them`;
}

const AGENT_KEYS =
  'model "anthropic:NAME" is model: { provider: anthropic, model: NAME }; instructions is system_prompt; max_tokens ' +
  "stands in model; max_iterations and max_execution_time_secs are limits.max_iterations and " +
  "limits.max_execution_time_seconds; memory is { scope, ttl_seconds, max_messages }; triggers are routes in gateway.yaml; " +
  "tools are a list of { name, type, … } with type mcp, command, builtin or agent; temperature stands in model";
const daemonKeys = (variables: readonly Variable[]) =>
  "DaemonConfig is Gateway, without metadata; server.port and server.host are the variables PARLEY_PORT and " +
  "PARLEY_HOST; enabled is auto, or false; secrets (bot_token_env and the like) are variables with names of their own, " +
  `such as ${variables.find(({ form }) => form === TOKEN)?.name ?? "ANTHROPIC_API_KEY"}; ` +
  "agents are the files of the folder agents beside this one; runtime.default_agent is the " +
  "last of routes, runtime.max_concurrent_tasks is queue.concurrency; flows and fleets have no counterpart yet";

function byPlace(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function readAgents(
  yaml: YamlFile,
  reading: Reading,
): { found: readonly Found[]; problems: readonly Problem[] } {
  if (isObject(yaml.value) && yaml.value.kind === "AgentList") {
    const { value, problems } = check(yaml, agentListFile, ["agent", reading]);
    return { found: (value?.items ?? []).map((agent, i) => ({ agent, yaml, base: ["items", i] })), problems };
  }
  const { value, problems } = check(yaml, agentFile, ["agent", reading]);
  return { found: value === null ? [] : [{ agent: value, yaml, base: [] }], problems };
}

function duplicates(found: readonly Found[]): Problem[] {
  return found.flatMap(({ agent, yaml, base }, i) => {
    const first = found.slice(0, i).find((one) => one.agent.metadata.name === agent.metadata.name);
    if (first === undefined) return [];
    const message = `expected a name of its own, got ${agent.metadata.name}, which ${first.yaml.file} has too`;
    return [yaml.problem([...base, "metadata", "name"], message)];
  });
}

/** To whom an agent may hand over, and whom it may ask. */
function unknownColleagues(found: readonly Found[]): Problem[] {
  return found.flatMap(({ agent, yaml, base }) => {
    const { name: own } = agent.metadata;
    const names = found.map((one) => one.agent.metadata.name).filter((name) => name !== own);
    const others = [
      ...agent.spec.hand_over.map((one, i) =>
        typeof one === "string"
          ? { name: one, path: ["hand_over", i] }
          : { name: one.agent, path: ["hand_over", i, "agent"] },
      ),
      ...agent.spec.tools.flatMap((tool, i) =>
        tool.type === "agent" ? [{ name: tool.agent, path: ["tools", i, "agent"] }] : [],
      ),
    ];
    return others
      .filter(({ name }) => !names.includes(name))
      .map(({ name, path }) =>
        yaml.problem([...base, "spec", ...path], expectedAgent(name, names, "another agent")),
      );
  });
}

function expectedAgent(name: string, names: readonly string[], what: string): string {
  const near = closest(name, names);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return `expected the name of ${what} (${names.join(", ") || "there is none"}), got ${name}${hint}`;
}

function unknownAgents(spec: GatewaySpec, names: readonly string[], yaml: YamlFile | null): Problem[] {
  const scheduled = spec.schedules.flatMap(({ agent }, i) =>
    names.includes(agent) || yaml === null
      ? []
      : [yaml.problem(["spec", "schedules", i, "agent"], expectedAgent(agent, names, "an agent"))],
  );
  const inbound = spec.inbound.flatMap(({ agent }, i) =>
    agent === undefined || names.includes(agent) || yaml === null
      ? []
      : [yaml.problem(["spec", "inbound", i, "agent"], expectedAgent(agent, names, "an agent"))],
  );
  const routed = spec.routes.flatMap((route, i) => {
    if (names.includes(route.agent)) return [];
    const message = expectedAgent(route.agent, names, "an agent");
    const path = ["spec", "routes", i, "agent"];
    if (yaml?.at(path) !== undefined) return [yaml.problem(path, message)];
    const file = yaml?.file ?? "gateway.yaml";
    const unwritten = `${message}; without routes, everything goes to assistant`;
    return [{ file, line: null, column: null, path: "spec.routes", message: unwritten }];
  });
  return [...routed, ...scheduled, ...inbound];
}

/** What stands behind a route for everything is never reached, which nobody means. */
function hiddenRoutes(spec: GatewaySpec, yaml: YamlFile): Problem[] {
  const isForAll = (i: number) => Object.keys(spec.routes[i]?.match ?? {}).length === 0;
  const first = spec.routes.findIndex((_, i) => isForAll(i));
  if (first === -1 || first === spec.routes.length - 1) return [];
  const message = `expected the route for everything to be the last, got ${spec.routes.length - 1 - first} more after it`;
  return [yaml.problem(["spec", "routes", first], message)];
}
