import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "./rule-files.ts";

export interface Service {
  readonly image?: string;
  readonly restart?: string;
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks?: Readonly<Record<string, { readonly ipv4_address?: string }>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly container_name?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly deploy?: {
    readonly replicas?: number;
    readonly resources?: { readonly limits: { readonly cpus: string; readonly memory: string } };
  };
}

const RESET = Symbol("!reset");
const tag = { tag: "!reset", collection: "seq", identify: () => false, resolve: () => RESET } as const;

/** What Compose makes of these files of `deploy`, one on top of another, by the rules of its specification that they use. */
export function composed(...names: readonly string[]): Readonly<Record<string, Service>> {
  const files = names.map((name) => {
    const text = readFileSync(join(ROOT, "deploy", name), "utf8");
    return parse(text, { merge: true, customTags: (tags) => [...tags, tag as never] }) as Mapping;
  });
  const { services } = files.reduce<Mapping>((below, above) => onTop(below, above) as Mapping, {});
  return services as unknown as Readonly<Record<string, Service>>;
}

type Mapping = { readonly [key: string]: unknown };

const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Of lists these are replaced; the others grow. */
const REPLACED = ["command", "entrypoint", "test"];

function onTop(below: unknown, above: unknown, key = ""): unknown {
  if (above === RESET) return undefined;
  if (isMapping(below) && isMapping(above)) {
    const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
    return Object.fromEntries(
      [...keys].map((name) => [name, name in above ? onTop(below[name], above[name], name) : below[name]]),
    );
  }
  if (Array.isArray(below) && Array.isArray(above) && !REPLACED.includes(key))
    return [...new Set<unknown>([...below, ...above])];
  return above;
}
