import { isSecretName, looksSecret, variableOf, withVariables } from "./secrets.ts";
import type { Entry, Mapping, Place } from "./source.ts";
import { toolNameOf } from "./tool-name.ts";
import { environmentOf, type Surroundings, valueFor } from "./tool-values.ts";
import { countOf, listOf, literal, mappingOf, rawText } from "./values.ts";

export type McpTool = Readonly<Record<string, unknown>> & { readonly name: string };

interface Given {
  readonly name: string | undefined;
  readonly config: Mapping;
  readonly command: Entry | undefined;
  readonly timeout: number | undefined;
  readonly place: Place;
  /** Of its tools, those that the file names one by one. */
  readonly only?: readonly string[] | undefined;
}

/** A server of tools. AOF lets an agent use all of them unless it says which. */
export function mcpTool(given: Given, around: Surroundings): McpTool | null {
  const { config, timeout, place, only } = given;
  const { report } = around;
  const name = toolNameOf(given.name ?? "mcp", place, report);
  const transport = (rawText(config.take("transport"), report) ?? "").toLowerCase();
  const address = config.take("url", "endpoint");
  const isStdio = transport === "stdio" || (transport === "" && given.command !== undefined);
  const reached = isStdio
    ? processOf(given, name, around)
    : serverOf({ address, transport, config, name, place }, around);
  if (reached === null) return null;
  const listed = listOf(config.take("tools", "allowed_tools")).flatMap(
    (one) => rawText(one, report)?.slice(0, 200) ?? [],
  );
  const allow = [...new Set([...listed, ...(only ?? [])])].filter((one) => one !== "").slice(0, 200);
  if (allow.length === 0)
    report(place, 'allow: ["*"]: AOF lets the agent use all tools of a server; name those it needs');
  const approve = around.asking.map((word) => `*${word}*`);
  return {
    name,
    type: "mcp",
    config: reached,
    allow: allow.length === 0 ? ["*"] : allow,
    ...(approve.length > 0 && { approve }),
    ...(timeout !== undefined && { timeout_seconds: timeout }),
  };
}

function processOf({ command, config, place }: Given, name: string, around: Surroundings): object | null {
  const { report, own } = around;
  const parts = [...listOf(command), ...listOf(config.take("args"))];
  const texts = parts.flatMap((entry) => {
    const raw = rawText(entry, report);
    return raw === undefined ? [] : [{ raw, entry }];
  });
  const [first, ...rest] = texts;
  if (first === undefined || first.raw.trim() === "") {
    report(place, "left out: expected a command");
    return null;
  }
  // `command: npx -y server` is a line, of which a list makes words.
  const isLine = !Array.isArray(command?.value) && /\s/.test(first.raw.trim());
  const [program = "", ...more] = isLine ? first.raw.trim().split(/\s+/) : [first.raw.trim()];
  const args = [...more.map((raw) => ({ raw, entry: first.entry })), ...rest];
  const env = environmentOf([config.take("env", "environment")], name, around);
  return {
    transport: "stdio",
    command: withVariables(
      program,
      { own, prefix: name, place: first.entry.place, fallback: "not-set" },
      report,
    ).slice(0, 1_000),
    args: args
      .slice(0, 200)
      .map(({ raw, entry }, i) => argumentOf(raw, args[i - 1]?.raw, { entry, name, around })),
    ...(Object.keys(env).length > 0 && { env }),
  };
}

/** `--token abc` and `--token=abc` say secrets, too. */
function argumentOf(
  raw: string,
  before: string | undefined,
  { entry, name, around: { report, own } }: { entry: Entry; name: string; around: Surroundings },
): string {
  const [, flag = "", value = raw] = /^(--?[\w-]+=)(.*)$/s.exec(raw) ?? [];
  const isNamed =
    flag === "" ? /^--?[\w-]+$/.test(before ?? "") && isSecretName(before ?? "") : isSecretName(flag);
  if (value !== "" && !raw.includes("${") && (isNamed || looksSecret(value))) {
    const variable = variableOf(name, flag === "" ? (before ?? "secret") : flag);
    report(entry.place, `not copied, because it may be a secret; set ${variable}`);
    return `${flag}\${${variable}:-}`;
  }
  const clean = raw.includes("${")
    ? withVariables(raw, { own, prefix: name, place: entry.place }, report)
    : literal(raw, entry, report);
  return clean.slice(0, 10_000);
}

interface Reached {
  readonly address: Entry | undefined;
  readonly transport: string;
  readonly config: Mapping;
  readonly name: string;
  readonly place: Place;
}

function serverOf({ address, transport, config, name, place }: Reached, around: Surroundings): object | null {
  const { report, own } = around;
  const raw = rawText(address, report)?.trim();
  if (raw === undefined || address === undefined) {
    report(place, "left out: expected a command or a url");
    return null;
  }
  const isWhole = /^\$\{[A-Za-z_]\w*\}$/.test(raw);
  const url = withVariables(
    withoutPassword(raw),
    { own, prefix: name, place: address.place, fallback: isWhole ? "https://not-set.invalid/" : "not-set" },
    report,
  );
  if (withoutPassword(raw) !== raw || hasSecret(raw))
    report(address.place, "holds a secret, which was not copied: send it in headers, as a variable");
  const tested = URL.parse(url.replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1"));
  if (tested === null || !/^https?:$/.test(tested.protocol)) {
    report(place, "left out: expected url to be an http:// or https:// address");
    return null;
  }
  const reconnect = config.take("reconnect_delay_ms", "reconnect_ms", "reconnect_interval_ms");
  const reconnect_ms = countOf(reconnect, { min: 10, max: 600_000 }, report);
  const headers = headersOf(config.take("headers"), name, around);
  const kind = transport === "sse" ? "sse" : "http";
  if (transport !== "" && transport !== kind)
    report(place, `transport: ${kind}, because the one it names does not exist here`);
  return {
    transport: kind,
    url: hasSecret(url) ? url.replace(/[?#].*$/s, "") : url,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(kind === "sse" && reconnect_ms !== undefined && { reconnect_ms }),
  };
}

function withoutPassword(url: string): string {
  return url.replace(/^(https?:\/\/)[^/?#]*@/i, "$1");
}

function hasSecret(url: string): boolean {
  const query = /[?#](.*)$/s.exec(url)?.[1] ?? "";
  return looksSecret(url) || query.split("&").some((pair) => isSecretName(pair.split("=")[0] ?? ""));
}

function headersOf(
  entry: Entry | undefined,
  tool: string,
  around: Surroundings,
): Readonly<Record<string, string>> {
  const { report, own } = around;
  return Object.fromEntries(
    (mappingOf(entry, report)?.takeRest() ?? []).flatMap(([name, one]) => {
      if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name)) {
        report(one.place, "left out: expected the name of a header");
        return [];
      }
      const value = valueFor(name, one, { tool, own, report });
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
