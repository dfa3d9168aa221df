import { type McpTool, mcpTool } from "./mcp.ts";
import { NO_PROGRAMS, PROGRAMS } from "./programs.ts";
import { type Entry, Mapping, type Place, type Report } from "./source.ts";
import { toolNameOf } from "./tool-name.ts";
import { environmentOf, type Surroundings } from "./tool-values.ts";
import { flagOf, listOf, literal, rawText, reportRest, secondsOf, textOf } from "./values.ts";

type Tool = Readonly<Record<string, unknown>> & { readonly name: string };
const TOOLS_MAX = 50;

/** All tools of an agent, of whatever form: shorthand, by type, by source, or of a server. */
export function toolsFrom(spec: Mapping, around: Surroundings): readonly Tool[] {
  const { report } = around;
  const restrictions = spec.mapping("tool_restrictions");
  const given = listOf(spec.take("tools"));
  const chosen: Chosen = new Map();
  const own = given.flatMap((entry) => toolFrom(entry, { ...around, restrictions, chosen }));
  const servers = listOf(spec.take("mcp_servers")).flatMap((entry) => serverFrom(entry, chosen, around));
  for (const [server, { place }] of chosen)
    report(place, `left out: no server ${server} is described in this file; add it to tools with type: mcp`);
  reportRest(restrictions, report, {});
  return unique([...own, ...servers], spec.place, report);
}

/** Tools that a file names one by one, of servers that it describes elsewhere. */
type Chosen = Map<string, { readonly place: Place; readonly names: string[] }>;
interface Around extends Surroundings {
  readonly restrictions: Mapping | undefined;
  readonly chosen: Chosen;
}

function toolFrom(entry: Entry, around: Around): Tool[] {
  const { report } = around;
  if (!(entry.value instanceof Mapping)) {
    const name = rawText(entry, report);
    return name === undefined ? [] : shorthand(name, entry.place, around);
  }
  const tool = entry.value;
  const config = tool.mapping("config") ?? new Mapping(entry.place, []);
  const name = rawText(tool.take("name") ?? config.take("name"), report);
  const type = (rawText(tool.take("type", "source"), report) ?? "").toLowerCase();
  const isOn = flagOf(tool.take("enabled"), report);
  const out = isOn === false ? [] : described({ tool, config, name, type, place: entry.place }, around);
  if (isOn === false) report(entry.place, "left out: it is not enabled");
  else {
    reportRest(config, report, HINTS);
    reportRest(tool, report, HINTS);
  }
  return out;
}
const HINTS = {
  working_directory: "has no counterpart: a tool runs in a folder of its own in the data folder; left out",
  working_dir: "has no counterpart: a tool runs in a folder of its own in the data folder; left out",
  reconnect: "not needed: a server that is lost is connected to again",
  auto_reconnect: "not needed: a server that is lost is connected to again",
};

interface Described {
  readonly tool: Mapping;
  readonly config: Mapping;
  readonly name: string | undefined;
  readonly type: string;
  readonly place: Place;
}

function described({ tool, config, name, type, place }: Described, around: Around): Tool[] {
  const { report } = around;
  const server = rawText(tool.take("server") ?? config.take("server"), report);
  const command = config.take("command", "cmd");
  const isMcp = type === "mcp" || server !== undefined || config.peek("transport") !== undefined;
  if (isMcp && command === undefined && server !== undefined) {
    const known = around.chosen.get(server) ?? { place, names: [] };
    around.chosen.set(server, { ...known, names: [...known.names, ...(name === undefined ? [] : [name])] });
    return [];
  }
  const timeout = secondsOf(
    config.take("timeout_seconds", "timeout_secs", "timeout", "command_timeout") ??
      tool.take("timeout_secs", "timeout_seconds"),
    3_600,
    report,
  );
  if (isMcp) return some(mcpTool({ name, config, command, timeout, place }, around));
  const description = textOf(tool.take("description"), report)?.slice(0, 2_000);
  const common = {
    ...(description !== undefined && { description }),
    ...(timeout !== undefined && { timeout_seconds: timeout }),
  };
  const base = config.take("base_url", "url", "endpoint");
  if (type === "http" || base !== undefined) return fetching(base, { name, place, common }, around);
  const verbs = namesIn(config.take("allowed_commands", "allowed_args", "allowed_verbs"), report);
  const programs = listOf(command)
    .flatMap((one) => rawText(one, report) ?? [])
    .map((one) => one.trim());
  const [program = name ?? "", ...fixed] =
    programs.length === 1 ? (programs[0] ?? "").split(/\s+/) : programs;
  const env = environmentOf([config.take("env", "environment")], name ?? program, around);
  const more = { ...common, ...(Object.keys(env).length > 0 && { env }) };
  // `allowed_commands` of a shell are programs, those of a program its first arguments.
  if (type === "shell" || NO_PROGRAMS.has(program.toLowerCase())) {
    if (verbs === undefined || verbs.length === 0) {
      report(place, "left out: a shell has no counterpart; name its programs as tools with type: command");
      return [];
    }
    report(place, "became a tool for each program that it allows; there is no shell between them");
    return [...new Set(verbs)].flatMap((one) =>
      programTools(one, { place, more, name: undefined, allowed: undefined }, around),
    );
  }
  if (fixed.length > 0) report(place, `only the program ${program} was taken of its command line`);
  return programTools(program, { place, more, name, allowed: verbs }, around);
}

function some(tool: McpTool | null): Tool[] {
  return tool === null ? [] : [tool];
}

function namesIn(entry: Entry | undefined, report: Report): string[] | undefined {
  if (entry === undefined) return undefined;
  return listOf(entry).flatMap((one) => {
    const name = rawText(one, report)?.trim();
    return name === undefined || name === "" ? [] : [literal(name, one, report)];
  });
}

function shorthand(name: string, place: Place, around: Around): Tool[] {
  const env = environmentOf([], name, around);
  const more = Object.keys(env).length > 0 ? { env } : {};
  return programTools(name, { place, more, name: undefined, allowed: undefined }, around);
}

interface Program {
  readonly place: Place;
  readonly more: Readonly<Record<string, unknown>>;
  readonly name: string | undefined;
  readonly allowed: readonly string[] | undefined;
}

const PROGRAM = /^[\w./-]{1,200}$/;

/** What only looks runs by itself; what changes something runs once a person has approved the call. */
function programTools(
  given: string,
  { place, more, name, allowed: listed }: Program,
  around: Around,
): Tool[] {
  const { report } = around;
  // `kubectl_get` is the one thing that it may do with kubectl.
  const [, of = "", verb = ""] = /^([a-z]+)_([a-z]+)$/.exec(given) ?? [];
  const isPart = Object.hasOwn(PROGRAMS, of);
  const [program, allowed] = isPart ? [of, [verb]] : [given, listed];
  const short = program.split("/").at(-1) ?? program;
  const isFunction = short.includes("_") && !program.includes("/");
  if (!PROGRAM.test(program) || isFunction || NO_PROGRAMS.has(short.toLowerCase())) {
    report(
      place,
      "has no counterpart; see docs/agents.md for tools of type mcp, command and builtin; left out",
    );
    return [];
  }
  const title = toolNameOf(name ?? (isPart ? given : short), place, report);
  const known = Object.hasOwn(PROGRAMS, short) ? PROGRAMS[short] : undefined;
  const limits = restrictionsOf(short, around);
  const common = { ...more, type: "command", command: program };
  if (known === undefined) {
    if (allowed !== undefined && allowed.length > 0) {
      report(place, "asks before each call: what its first arguments do is not known; see approve");
      return [
        { name: title, ...common, allowed_commands: [...new Set(allowed)].slice(0, 200), approve: ["*"] },
      ];
    }
    report(place, `became a command with up to ${ARGS} arguments, which asks before each call; see approve`);
    return [{ name: title, ...common, ...ANY_ARGUMENTS, approve: ["*"] }];
  }
  const verbs = limits([...new Set(allowed ?? [...known.read, ...known.change])]).filter(
    (one) => !one.startsWith("-"),
  );
  const read = verbs.filter((one) => known.read.includes(one));
  const change = verbs.filter((one) => !known.read.includes(one)).slice(0, 200);
  if (change.length > 0 && read.length > 0)
    report(place, `became two tools: ${title} looks, ${changeName(title)} changes and asks before each call`);
  else if (change.length > 0)
    report(place, "asks before each call, because it changes something; see approve");
  else if (read.length === 0) report(place, "left out: nothing of it is allowed");
  return [
    ...(read.length > 0 ? [{ name: title, ...common, allowed_commands: read, effect: "read" }] : []),
    ...(change.length > 0
      ? [
          {
            name: read.length > 0 ? changeName(title) : title,
            ...common,
            allowed_commands: change,
            effect: "delete",
            approve: ["*"],
          },
        ]
      : []),
  ];
}

function changeName(title: string): string {
  return `${title.slice(0, 24)}-change`;
}

const ARGS = 8;
const ANY_ARGUMENTS = {
  args: Array.from({ length: ARGS }, (_, i) => `{arg${i + 1}}`),
  // With a pattern it may begin with a dash, as options do: a person sees the whole call before it is made.
  input: Object.fromEntries(
    Array.from({ length: ARGS }, (_, i) => [`arg${i + 1}`, { pattern: ".", required: false }]),
  ),
};

/** Where only a part of what a verb does is allowed or blocked, the stricter reading holds. */
function restrictionsOf(
  program: string,
  { restrictions, report }: Around,
): (verbs: readonly string[]) => readonly string[] {
  const own = restrictions?.mapping(program);
  const lists = (...names: string[]) => {
    const entry = own?.take(...names);
    return { entry, names: namesIn(entry, report) };
  };
  const allowed = lists("allowed_verbs", "allowed_commands");
  const blocked = lists("blocked_verbs", "blocked_commands");
  reportRest(own, report);
  const several = [allowed, blocked].flatMap(({ entry, names }) =>
    entry !== undefined && names?.some((one) => one.includes(" ")) ? [entry.place] : [],
  );
  for (const place of several)
    report(
      place,
      "holds verbs of several words: those allowed were left out, those blocked block their first word",
    );
  const whole = allowed.names?.filter((one) => !one.includes(" "));
  const first = new Set(blocked.names?.map((one) => one.split(" ")[0]));
  return (verbs) => verbs.filter((one) => (whole === undefined || whole.includes(one)) && !first.has(one));
}

/** Pages of one host, over HTTPS. */
function fetching(
  base: Entry | undefined,
  { name, place, common }: { name: string | undefined; place: Place; common: object },
  { report }: Around,
): Tool[] {
  const address = URL.parse((rawText(base, report) ?? "").replaceAll(/\$\{[A-Za-z_]\w*:-([^}]*)\}/g, "$1"));
  const host = address?.hostname ?? "";
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(host)) {
    report(
      place,
      "left out: tools over HTTP are type: builtin, builtin: fetch with the hosts that it may read",
    );
    return [];
  }
  report(place, `became fetch, which reads pages of ${host} over HTTPS and sends no headers`);
  const hosts = [address?.port ? `${host}:${address.port}` : host];
  const { description: _, ...rest } = common as { description?: string };
  return [
    { name: toolNameOf(name ?? "fetch", place, report), type: "builtin", builtin: "fetch", hosts, ...rest },
  ];
}

function serverFrom(entry: Entry, chosen: Chosen, around: Surroundings): Tool[] {
  const { report } = around;
  if (!(entry.value instanceof Mapping)) {
    report(entry.place, "left out: a server that is described elsewhere; add it to tools with type: mcp");
    return [];
  }
  const config = entry.value;
  const name = rawText(config.take("name"), report);
  const timeout = secondsOf(config.take("timeout_secs", "timeout_seconds", "timeout"), 3_600, report);
  const named = name === undefined ? undefined : chosen.get(name);
  if (name !== undefined) chosen.delete(name);
  const tool = mcpTool(
    { name, config, command: config.take("command"), timeout, place: entry.place, only: named?.names },
    around,
  );
  reportRest(config, report, HINTS);
  return some(tool);
}

function unique(tools: readonly Tool[], place: Place, report: Report): readonly Tool[] {
  const seen = new Set<string>();
  const all = tools.filter(({ name }) => {
    if (!seen.has(name)) return seen.add(name);
    report(place, `a second tool of the name ${name} was left out`);
    return false;
  });
  if (all.length > TOOLS_MAX)
    report(place, `${all.length - TOOLS_MAX} tools over ${TOOLS_MAX} were left out`);
  return all.slice(0, TOOLS_MAX);
}
