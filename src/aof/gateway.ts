import { patternFault } from "../config/pattern.ts";
import { CONTROL_COMMANDS } from "../domain/command.ts";
import { isChat, type PlatformModule } from "../ports/platform.ts";
import { idsOf } from "./ids.ts";
import { looksSecret, withVariables } from "./secrets.ts";
import { type Entry, Mapping, type Place, type Report } from "./source.ts";
import { flagOf, type Hints, listOf, rawText, reportRest } from "./values.ts";

/** What a trigger of AOF says: who may use which platform, and who answers what. */
export interface TriggerOut {
  readonly platform: string;
  readonly place: Place;
  readonly access: Readonly<Record<AccessKey, readonly string[]>>;
  readonly commands: readonly { readonly command: string; readonly agent: string; readonly place: Place }[];
  readonly patterns: readonly string[];
  readonly agent: { readonly name: string; readonly place: Place } | null;
}

export const ACCESS = ["tenants", "channels", "users", "direct_messages", "roles"] as const;
export type AccessKey = (typeof ACCESS)[number];
/** What AOF calls each list. */
const LISTS: Readonly<Record<Exclude<AccessKey, "direct_messages">, readonly string[]>> = {
  tenants: ["guild_ids", "workspaces", "team_ids", "allowed_tenants"],
  channels: ["channels", "allowed_channels", "allowed_groups"],
  users: ["users", "allowed_users", "allowed_numbers"],
  roles: ["allowed_roles", "roles"],
};

const HINTS: Hints = {
  events:
    "not needed: what the platform delivers is set up there (parley setup); in rooms the bot answers when it is named, see respond_to",
  api_version: "has no counterpart: the version is that of the adapter; left out",
  business_account_id: "not needed; left out",
  bot_name: "has no counterpart: the name is the app's at the platform; left out",
  on_error: "has no counterpart: what people are told when a run fails is Parley's own; left out",
};

export interface TriggerContext {
  readonly report: Report;
  readonly modules: readonly PlatformModule[];
  readonly own: ReadonlySet<string>;
}

export function moduleOf(name: string, modules: readonly PlatformModule[]): PlatformModule | undefined {
  return modules.find((one) => isChat(one) && one.name === name.trim().toLowerCase());
}

/** Null: of something that Parley does not listen to. */
export function triggerFrom(file: Mapping, around: TriggerContext): TriggerOut | null {
  const { report, modules } = around;
  const spec = file.mapping("spec") ?? new Mapping(file.place, []);
  file.take("api_version", "apiversion");
  file.take("kind");
  file.take("metadata");
  const type = spec.take("type", "platform");
  const name = rawText(type?.value instanceof Mapping ? type.value.take("type") : type, report) ?? "";
  const module = moduleOf(name, modules);
  const isOn = flagOf(spec.take("enabled"), report);
  if (module === undefined || isOn === false) {
    const known = modules.filter(isChat).map((one) => one.label);
    const why =
      module === undefined
        ? `left out with all of this trigger: there are ${known.join(", ")}`
        : "left out with all of this trigger: it is not enabled";
    report(spec.place, why);
    return null;
  }
  const config = spec.mapping("config") ?? new Mapping(spec.place, []);
  reportVariables(config, module, report);
  const access = accessFrom(config, module, around);
  const patterns = idsOf(config.take("patterns"), report).flatMap(({ id, entry }) => {
    const fault = patternFault(id.slice(0, 500));
    if (fault === null && !id.includes("${")) return [id];
    report(entry.place, `left out: ${fault ?? "expected a pattern without variables"}`);
    return [];
  });
  const commands = (spec.mapping("commands")?.takeRest() ?? []).flatMap(([command, entry]) =>
    commandFrom(command, entry, report),
  );
  const byDefault = spec.take("default_agent", "agent");
  const agent = rawText(byDefault, report);
  reportRest(config, report, HINTS);
  reportRest(spec, report, HINTS);
  reportRest(file, report, HINTS);
  return {
    platform: module.name,
    place: spec.place,
    access,
    commands,
    patterns,
    agent: agent === undefined || byDefault === undefined ? null : { name: agent, place: byDefault.place },
  };
}

/** Tokens and secrets are variables with names of their own; what they are called in AOF does not matter, but what they hold. */
export function reportVariables(config: Mapping, module: PlatformModule, report: Report): void {
  for (const { name, aliases } of module.variables) {
    const words = [name, ...aliases].map((one) => one.replace(/^[A-Z]+_/, "").toLowerCase());
    const keys = [
      ...words,
      ...words.map((one) => `${one}_env`),
      ...OTHERS.filter(([, end]) => name.endsWith(end)).map(([key]) => key),
    ];
    for (const key of keys) {
      for (let entry = config.take(key); entry !== undefined; entry = config.take(key)) {
        const value = typeof entry.value === "string" ? entry.value : "";
        const variable = key.endsWith("_env")
          ? value
          : (/^\$\{([A-Za-z_]\w*)(?::-.*)?\}$/.exec(value)?.[1] ?? null);
        if (variable === name) continue;
        const from = variable === null || !/^[A-Za-z_]\w*$/.test(variable) ? "this" : variable;
        report(entry.place, `not copied: set ${name} to what ${from} holds`);
      }
    }
  }
}
/** Other names that AOF has for them. */
const OTHERS = [
  ["token", "_BOT_TOKEN"],
  ["bot_token", "_ACCESS_TOKEN"],
  ["bot_token_env", "_ACCESS_TOKEN"],
  ["secret_token", "_WEBHOOK_SECRET"],
] as const;

function accessFrom(
  config: Mapping,
  module: PlatformModule,
  { report, own }: TriggerContext,
): TriggerOut["access"] {
  const ids = (entry: Entry | undefined) =>
    idsOf(entry, report).flatMap(({ id, entry: one }) => {
      if (looksSecret(id)) {
        report(one.place, "left out: it looks like a secret, and not like an id");
        return ["not-set"];
      }
      if (id.includes("${"))
        return [
          withVariables(id, { own, prefix: module.name, place: one.place, fallback: "not-set" }, report),
        ];
      return [id.replace(/^[#@](?=.)/, "")];
    });
  const listed = (key: keyof typeof LISTS) => LISTS[key].flatMap((name) => ids(config.take(name)));
  const channels =
    config.peek("channels") === undefined
      ? []
      : listOf({ place: config.place, value: config.peek("channels") ?? null });
  const names = channels.filter(
    ({ value }) => typeof value === "string" && !/^[A-Z]{1,2}[A-Z0-9]{6,}$|^-?\d+$|\$\{/.test(value),
  );
  if (names[0] !== undefined)
    report(
      names[0].place,
      "a channel goes by its id here: until that stands in place of its name, nobody is answered there",
    );
  // Of chats, those of groups have a negative number, and that of one person is that person's.
  const chats = ids(config.take("chat_ids"));
  const everyone = listed("users").filter((id) => id !== "*");
  const people = chats.filter((id) => !id.startsWith("-"));
  const groups = chats.filter((id) => id.startsWith("-"));
  const roles = module.knowsRoles === true ? listed("roles") : [];
  const numbers = everyone.map((id) => (/^\+[\d\s().-]{6,}$/.test(id) ? id.replaceAll(/\D/g, "") : id));
  return {
    tenants: listed("tenants"),
    channels: [
      ...listed("channels"),
      ...groups,
      ...(people.length > 0 && groups.length === 0 ? ["none"] : []),
    ],
    users: numbers,
    direct_messages: chats.length > 0 ? (people.length > 0 ? people : ["none"]) : [],
    roles,
  };
}

function commandFrom(command: string, entry: Entry, report: Report): TriggerOut["commands"] {
  const binding = entry.value instanceof Mapping ? entry.value : null;
  const agent = rawText(binding === null ? entry : binding.take("agent"), report);
  const name = command.startsWith("/") ? command : `/${command}`;
  const word = name.slice(1);
  if (agent === "builtin" || CONTROL_COMMANDS.some((one) => one === word)) {
    const why = CONTROL_COMMANDS.some((one) => one === word)
      ? `left out: Parley answers ${name} itself`
      : "left out: there are no menus; parley has /help, /status, /reset and /stop";
    report(entry.place, why);
  } else if (agent === undefined)
    report(entry.place, "left out: expected an agent; fleets and flows have no counterpart");
  else if (name.length > 200 || /\s/.test(name)) report(entry.place, "left out: a command is one word");
  else {
    reportRest(binding ?? undefined, report, {
      description:
        "has no counterpart: what commands are for is said where the platform registers them; left out",
      requires_approval: "has no counterpart at a command: tools ask, see approve; left out",
    });
    return [{ command: name, agent, place: entry.place }];
  }
  return [];
}
