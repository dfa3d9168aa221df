import { Secret } from "../shared/secret.ts";
import type { AgentSpec } from "./agent-schema.ts";
import type { References } from "./env-reader.ts";
import type { Path } from "./problems.ts";
import type { YamlFile } from "./read-yaml.ts";
import type { ToolSpecs } from "./tools-schema.ts";

type Values = Readonly<Record<string, string | Secret>>;
type ToolSpec = ToolSpecs[number];

/**
 * Headers, variables and passwords of tools with `${NAME}` in them are secrets: the whole value, and what each variable holds, which
 * may be sent back without the word before it. What is written out in a file is none.
 */
export function withToolSecrets(
  spec: AgentSpec,
  yaml: YamlFile,
  base: Path,
  references: References,
): AgentSpec {
  const sealed = (values: Values, path: Path): Values =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        const used = yaml.variables([...path, name]);
        for (const variable of used) new Secret(references.get(variable) ?? "");
        return [name, used.length === 0 ? value : new Secret(String(value))];
      }),
    );
  const tools = spec.tools.map((tool, i): ToolSpec => {
    const path = [...base, "spec", "tools", i];
    if (tool.type === "builtin" || tool.type === "agent") return tool;
    if (tool.type === "command") return { ...tool, env: sealed(tool.env, [...path, "env"]) };
    const { config } = tool;
    if (config.transport === "stdio")
      return { ...tool, config: { ...config, env: sealed(config.env, [...path, "config", "env"]) } };
    const headers = sealed(config.headers, [...path, "config", "headers"]);
    const { auth } = config;
    if (auth === undefined) return { ...tool, config: { ...config, headers } };
    const { client_secret, refresh_token } = auth;
    const passwords = {
      ...(client_secret !== undefined && { client_secret }),
      ...(refresh_token !== undefined && { refresh_token }),
    };
    const sealedAuth = { ...auth, ...sealed(passwords, [...path, "config", "auth"]) };
    return { ...tool, config: { ...config, headers, auth: sealedAuth } };
  });
  return { ...spec, tools };
}
