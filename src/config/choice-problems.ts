import type { ChoiceSource } from "../domain/choice-source.ts";
import type { PlatformModule } from "../ports/platform.ts";
import { fitsAny } from "../shared/glob.ts";
import type { AgentFile } from "./agent-schema.ts";
import { closest } from "./closest.ts";
import type { Path, Problem } from "./problems.ts";
import type { YamlFile } from "./read-yaml.ts";
import type { GatewaySpec } from "./schema.ts";
import type { ToolSpecs } from "./tools-schema.ts";

/** What platforms name as sources of choices must be there, and only read, as far as the files say. */
export function choiceProblems(
  { platforms }: Pick<GatewaySpec, "platforms">,
  modules: readonly PlatformModule[],
  found: readonly { readonly agent: AgentFile }[],
  yaml: YamlFile,
): Problem[] {
  const agents = new Map(found.map(({ agent }) => [agent.metadata.name, agent.spec.tools]));
  return modules.flatMap((module) => {
    const options = platforms[module.name];
    if (options === undefined) return [];
    const named = module.choiceSources?.(options) ?? [];
    return named.flatMap(({ path, source }) => {
      const at: Path = ["spec", "platforms", module.name, ...path];
      const tools = agents.get(source.agent);
      if (tools === undefined) {
        const message = expectedOf("an agent", [...agents.keys()], source.agent);
        return [yaml.problem([...at, "agent"], message)];
      }
      const fault = toolFault(source, tools);
      return fault === null ? [] : [yaml.problem([...at, "tool"], fault)];
    });
  });
}

/** What a server does not say here, it is asked for when its tool is called. */
function toolFault({ agent, tool }: ChoiceSource, tools: ToolSpecs): string | null {
  const own = tools.find(({ name, type }) => name === tool && type !== "mcp" && type !== "agent");
  const server = tools.find(({ name, type }) => type === "mcp" && tool.startsWith(`${name}__`));
  const spec = own ?? server;
  if (spec === undefined || spec.type === "agent") {
    const names = tools.flatMap(({ name, type }) =>
      type === "agent" ? [] : [type === "mcp" ? `${name}__…` : name],
    );
    return expectedOf(`a tool of ${agent} that only reads`, names, tool);
  }
  if (spec.type !== "mcp") {
    if (spec.approve.length > 0) return `expected a tool that needs no approval, got ${tool}, which does`;
    const effect = spec.type === "command" ? spec.effect : spec.builtin === "notes" ? "write" : "read";
    return effect === "read"
      ? null
      : `expected a tool that only reads, got ${tool}, whose effect is ${effect}`;
  }
  const name = tool.slice(spec.name.length + 2);
  if (fitsAny(name, spec.deny) || !fitsAny(name, [...spec.allow, ...spec.approve]))
    return `expected a tool that ${agent} may use, got ${tool}, which allow of ${spec.name} does not name`;
  if (fitsAny(name, spec.approve)) return `expected a tool that needs no approval, got ${tool}, which does`;
  const other = Object.entries(spec.effects).find(
    ([glob, effect]) => effect !== "read" && fitsAny(name, [glob]),
  );
  return other === undefined
    ? null
    : `expected a tool that only reads, got ${tool}, whose effect is ${other[1]} by ${other[0]}`;
}

function expectedOf(what: string, names: readonly string[], got: string): string {
  const near = closest(got, names);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return `expected the name of ${what} (${names.join(", ") || "there is none"}), got ${got}${hint}`;
}
