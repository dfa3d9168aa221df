import { z } from "zod";
import type { PlatformModule } from "../ports/platform.ts";
import { isObject } from "../shared/json.ts";
import { agentFile, agentListFile } from "./agent-schema.ts";
import type { Path } from "./problems.ts";
import { gatewayFileOf } from "./schema.ts";

/** JSON Schemas (draft 7, which editors know best) of the files as they are written, before defaults. */
export function jsonSchemaOf(name: JsonSchemaName, modules: readonly PlatformModule[]): object {
  const known = made[name].get(modules);
  if (known !== undefined) return known;
  const schema =
    name === "gateway"
      ? jsonSchema(gatewayFileOf(modules), "Parley gateway")
      : jsonSchema(z.union([agentFile, agentListFile]), "Parley agent");
  made[name].set(modules, schema);
  return schema;
}
type Made = WeakMap<readonly PlatformModule[], object>;
/** Each file with a problem asks for one; making it takes longer than reading the file. */
const made: Readonly<Record<JsonSchemaName, Made>> = { gateway: new WeakMap(), agent: new WeakMap() };
export const JSON_SCHEMAS = ["gateway", "agent"] as const;
export type JsonSchemaName = (typeof JSON_SCHEMAS)[number];

function jsonSchema(schema: z.ZodType, title: string): object {
  return { ...z.toJSONSchema(schema, { io: "input", target: "draft-7" }), title };
}

/** The keys a schema knows at a path: of all branches where it has several. */
export function keysAt(schema: unknown, path: Path): readonly string[] {
  if (!isObject(schema)) return [];
  const branches = [schema.anyOf, schema.oneOf].flatMap((list) => (Array.isArray(list) ? list : []));
  const inside = branches.flatMap((branch) => keysAt(branch, path));
  const [key, ...rest] = path;
  const properties = isObject(schema.properties) ? schema.properties : {};
  if (key === undefined) return [...new Set([...Object.keys(properties), ...inside])];
  const next =
    typeof key === "number" ? schema.items : Object.hasOwn(properties, key) && properties[String(key)];
  return [...new Set([...keysAt(next, rest), ...inside])];
}

/** The schema as its file in `config/` holds it: short lists on one line, as the formatter writes them. */
export function formatSchema(schema: object): string {
  return `${layOut(schema, "", 0)}\n`;
}

function layOut(value: unknown, indent: string, before: number): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const flat = `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    if (value.every((item) => !isObject(item)) && before + flat.length < LINE_CHARS_MAX) return flat;
    return `[\n${value.map((item) => deeper + layOut(item, deeper, deeper.length)).join(",\n")}\n${indent}]`;
  }
  if (!isObject(value) || Object.keys(value).length === 0) return JSON.stringify(value);
  const lines = Object.entries(value).map(([key, inner]) => {
    const label = `${deeper}${JSON.stringify(key)}: `;
    return label + layOut(inner, deeper, label.length);
  });
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

const LINE_CHARS_MAX = 110;
