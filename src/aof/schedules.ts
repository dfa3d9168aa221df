import { isTimeZone } from "../config/budgets-schema.ts";
import { cronFault } from "../config/cron.ts";
import { isChat, type PlatformModule } from "../ports/platform.ts";
import { moduleOf } from "./gateway.ts";
import { idsOf } from "./ids.ts";
import { looksSecret } from "./secrets.ts";
import { type Entry, Mapping, type Place, type Report } from "./source.ts";
import { escaped, flagOf, type Hints, listOf, rawText, reportRest, textOf } from "./values.ts";

/** What AOF asks by the clock: a trigger of the type Schedule, or a flow that begins with one. */
export interface ScheduleOut {
  readonly place: Place;
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string | undefined;
  /** Whether it names a time zone that there is not. */
  readonly isLost: boolean;
  readonly isOn: boolean;
  readonly agent: { readonly name: string; readonly place: Place } | null;
  readonly text: string | undefined;
  /** Where the answer is said, as far as AOF says it. */
  readonly platform: string | undefined;
  readonly tenant: string | undefined;
  readonly channel: string | undefined;
  /** Agents that the flow describes in place. */
  readonly agents: readonly Mapping[];
}

export interface ScheduleContext {
  readonly report: Report;
  readonly modules: readonly PlatformModule[];
}

const TYPE = /^\s*(?:schedule[ds]?|cron)\s*$/i;
const TEXT = ["prompt", "input", "text", "message", "goal"] as const;
const TEXT_CHARS_MAX = 10_000;
const FLOW: Hints = {
  nodes: "left out: the agent is asked at once, and finds out with its tools what other nodes did",
  connections: "left out: no node follows another here",
  variables: "left out, but for the place where the answer is said",
};

/** The triggers of the clock that a document has, which are looked at before anything is taken. */
function timersOf(file: Mapping): readonly Mapping[] {
  const spec = file.peek("spec");
  if (!(spec instanceof Mapping)) return [];
  if (file.peek("kind") === "Trigger") return isTimer(spec) ? [spec] : [];
  const several = spec.peek("triggers");
  const all = [
    spec.peek("trigger"),
    ...(Array.isArray(several) ? (several as readonly Entry[]) : []).map(({ value }) => value),
  ];
  return all.filter((one) => one instanceof Mapping).filter(isTimer);
}

function isTimer(trigger: Mapping): boolean {
  const type = trigger.peek("type");
  return typeof type === "string" && TYPE.test(type);
}

export function isScheduled(file: Mapping): boolean {
  return timersOf(file).length > 0;
}

export function schedulesFrom(file: Mapping, { report, modules }: ScheduleContext): readonly ScheduleOut[] {
  const timers = timersOf(file);
  const spec = file.mapping("spec") ?? new Mapping(file.place, []);
  const metadata = file.mapping("metadata");
  const isFlow = rawText(file.take("kind"), report) !== "Trigger";
  file.take("api_version", "apiversion");
  const named = rawText(metadata?.take("name"), report) ?? "schedule";
  const about = textOf(metadata?.take("description"), report);
  metadata?.takeRest();
  const isOn = flagOf(spec.take("enabled"), report) !== false;
  const asked = isFlow ? askedByFlow(spec, report) : askedByTrigger(spec, report);
  const said = saidBy(spec, modules);
  const all = timers.map((timer): ScheduleOut => {
    const config = timer.mapping("config") ?? timer;
    const own = rawText(timer === spec ? undefined : timer.take("name"), report);
    const cron = config.take("cron", "schedule", "expression");
    const zone = config.take("timezone", "time_zone", "tz");
    const isLost = zone !== undefined && !isTimeZone(rawText(zone, report)?.trim() ?? "");
    if (isLost) report(zone.place, "left out: expected the name of a time zone such as UTC or Europe/Berlin");
    const text = textOf(config.take(...TEXT), report);
    const platform = rawText(config.take("platform"), report);
    const tenants = idsOf(config.take("guild_ids", "team_ids", "workspaces", "tenant", "team_id"), report);
    const channels = idsOf(config.take("channels", "channel", "chat_ids", "chat_id", "channel_id"), report);
    timer.take("type");
    if (timer !== spec) reportRest(timer, report);
    if (config !== timer) reportRest(config, report);
    return {
      place: cron?.place ?? timer.place,
      name: own ?? (timers.length > 1 ? `${named}-${timers.indexOf(timer) + 1}` : named),
      cron: rawText(cron, report)?.trim() ?? "",
      timeZone: isLost ? undefined : rawText(zone, report)?.trim(),
      isLost,
      isOn,
      agent: asked.agent,
      text: (text ?? asked.text ?? about)?.slice(0, TEXT_CHARS_MAX),
      platform: moduleOf(platform ?? "", modules)?.name ?? said?.platform,
      tenant: tenants[0]?.id,
      channel: channels[0]?.id ?? said?.channel,
      agents: timers[0] === timer ? asked.agents : [],
    };
  });
  // Others of its triggers, and what a flow does beside asking an agent.
  for (const { place } of listOf(spec.take("triggers")).filter(
    ({ value }) => !timers.some((one) => one === value),
  ))
    report(place, "left out: of a flow, what is asked by the clock is taken");
  if (isFlow) spec.take("trigger");
  reportRest(spec, report, FLOW);
  reportRest(file, report);
  return all;
}

interface Asked {
  readonly agent: ScheduleOut["agent"];
  readonly text: string | undefined;
  readonly agents: readonly Mapping[];
}

function askedByTrigger(spec: Mapping, report: Report): Asked {
  const byDefault = spec.take("default_agent", "agent");
  const name = rawText(byDefault, report);
  const commands = (spec.mapping("commands")?.takeRest() ?? []).flatMap(([, { place, value }]) =>
    value instanceof Mapping ? [{ place, agent: value.take("agent"), about: value.take("description") }] : [],
  );
  const [command] = commands;
  for (const { place } of commands.slice(1))
    report(place, "left out: a schedule asks one thing; give the other a schedule of its own");
  const other = rawText(command?.agent, report);
  const agent = name ?? other;
  return {
    agent: agent === undefined ? null : { name: agent, place: (byDefault ?? command)?.place ?? spec.place },
    text: textOf(spec.take(...TEXT) ?? command?.about, report),
    agents: [],
  };
}

/** The first agent that a flow asks, and what. */
function askedByFlow(spec: Mapping, report: Report): Asked {
  const context = spec.peek("context");
  const prompt = context instanceof Mapping ? context.take(...TEXT) : undefined;
  const listed = spec.peek("agents");
  const one = spec.take("agent") ?? (Array.isArray(listed) ? (listed as readonly Entry[])[0] : undefined);
  const node = nodesOf(spec).find((each) => typeof configOf(each).peek("agent") === "string");
  const config = node && configOf(node);
  const entry = one ?? config?.take("agent");
  const isWhole = entry?.value instanceof Mapping && entry.value.peek("spec") instanceof Mapping;
  const name = entry?.value instanceof Mapping ? entry.value.peek("name") : rawText(entry, report);
  return {
    agent: entry === undefined || typeof name !== "string" ? null : { name, place: entry.place },
    text: textOf(config?.take(...TEXT) ?? prompt ?? spec.take(...TEXT), report),
    agents: isWhole && entry.value instanceof Mapping ? [entry.value] : [],
  };
}

function nodesOf(spec: Mapping): readonly Mapping[] {
  const lists = [spec.peek("nodes"), spec.peek("steps")].filter((one) => Array.isArray(one));
  return (lists.flat() as readonly Entry[]).flatMap((one) =>
    one.value instanceof Mapping ? [one.value] : [],
  );
}

function configOf(node: Mapping): Mapping {
  const config = node.peek("config");
  return config instanceof Mapping ? config : node;
}

/** Where a flow says what came out: its node of a chat platform. */
function saidBy(spec: Mapping, modules: readonly PlatformModule[]) {
  for (const node of nodesOf(spec)) {
    const type = node.peek("type");
    const module = typeof type === "string" ? moduleOf(type, modules) : undefined;
    if (module === undefined) continue;
    const channel = configOf(node).peek("channel") ?? configOf(node).peek("chat_id");
    const variables = spec.peek("variables");
    return {
      platform: module.name,
      channel: typeof channel === "string" ? withValues(channel, variables) : undefined,
    };
  }
  return undefined;
}

/** `${CHANNEL}`, which the flow itself gives a value. */
function withValues(text: string, variables: unknown): string {
  if (!(variables instanceof Mapping)) return text;
  return text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => {
    const value = variables.all().find(([key]) => key === name)?.[1].value;
    return typeof value === "string" ? value : whole;
  });
}

export interface WrittenContext extends ScheduleContext {
  /** Gives a name that no other schedule has. */
  readonly nameOf: (given: string, place: Place) => string;
  /** What an agent of that name is called here. */
  readonly known: (name: string) => string | undefined;
  /** Where nothing says which. */
  readonly agent: string | undefined;
  /** The one chat platform of the folder, where nothing says which. */
  readonly platform: string | undefined;
}

const ID = /^[A-Z]{1,2}[A-Z0-9]{6,}$|^-?\d{3,}$/;

/** As `schedules` of gateway.yaml has it. Whatever AOF leaves open is off until it stands there. */
export function writtenSchedule(one: ScheduleOut, around: WrittenContext): object[] {
  const { report, modules, known } = around;
  const { place } = one;
  const fault = cronFault(one.cron);
  if (fault !== null) {
    report(place, `left out: ${fault}`);
    return [];
  }
  const agent = one.agent === null ? around.agent : (known(one.agent.name) ?? around.agent);
  if (agent === undefined) {
    report(
      one.agent?.place ?? place,
      "left out with its schedule: there is no agent of that name in the folder",
    );
    return [];
  }
  const open: string[] = [];
  if (one.agent === null || known(one.agent.name) === undefined) open.push("agent");
  if (one.agent !== null && known(one.agent.name) === undefined)
    report(one.agent.place, "left out: there is no agent of that name in the folder");
  if (one.isLost) open.push("time_zone");
  const speaking = modules.filter((one) => one.speaksFirst && isChat(one));
  const wanted = one.platform ?? around.platform;
  const platform = speaking.find(({ name }) => name === wanted)?.name;
  if (platform === undefined) open.push("to.platform");
  const tenant = idIn(one.tenant);
  if (tenant === undefined) open.push("to.tenant");
  const given = one.channel?.replace(/^#(?=.)/, "");
  const channel = given === undefined || looksSecret(given) ? undefined : given;
  if (idIn(channel) === undefined) open.push("to.channel");
  if (one.text === undefined) open.push("text");
  const isOn = one.isOn && open.length === 0;
  if (open.length > 0)
    report(
      place,
      `became a schedule that is off: AOF does not say ${open.join(", ")}; write it, then enabled: true`,
    );
  return [
    {
      name: around.nameOf(one.name, place),
      ...(!isOn && { enabled: false }),
      cron: one.cron,
      ...(one.timeZone !== undefined && { time_zone: one.timeZone }),
      agent,
      to: {
        platform: platform ?? speaking[0]?.name,
        tenant: tenant ?? "not-set",
        channel: escaped(channel ?? "not-set"),
      },
      text: one.text ?? `What is due: ${escaped(one.name)}`,
    },
  ];
}

function idIn(text: string | undefined): string | undefined {
  return text !== undefined && ID.test(text) ? text : undefined;
}
