import type { AgentFile } from "./agent-schema.ts";
import { closest } from "./closest.ts";
import type { Path, Problem } from "./problems.ts";
import type { YamlFile } from "./read-yaml.ts";
import type { GatewaySpec } from "./schema.ts";

/** What is wrong with models that are written somewhere. */

type Model = AgentFile["spec"]["model"];
type Named = Pick<Model, "provider" | "model" | "price" | "fallback"> & Partial<Pick<Model, "cheaper">>;
/** Absent: nothing is said of prices. */
export interface Priced {
  /** Whether the cost of this model is known. */
  readonly isPriced?: (provider: string, model: string) => boolean;
  /** Names of models whose cost is known, for who has misspelt one. */
  readonly pricedModels?: (provider: string) => readonly string[];
}

/** An agent, the file it is in, and where in that file. */
export interface Found {
  readonly agent: AgentFile;
  readonly yaml: YamlFile;
  readonly base: Path;
}

export function unpricedOfAgent({ agent, yaml, base }: Found, priced: Priced): Problem[] {
  const { model, guard } = agent.spec;
  const ofGuard =
    guard === undefined
      ? []
      : unpriced({ ...guard.model, fallback: [] }, [...base, "spec", "guard", "model"], yaml, priced);
  return [...unpriced(model, [...base, "spec", "model"], yaml, priced), ...ofGuard];
}

/** Of routes and commands. An agent that answers for itself has no model that another could stand for. */
export function routeModelProblems(
  { routes, commands }: GatewaySpec,
  yaml: YamlFile,
  found: readonly Found[],
  priced: Priced,
): Problem[] {
  const remote = new Set(
    found.filter(({ agent }) => agent.spec.model.provider === "http").map(({ agent }) => agent.metadata.name),
  );
  const ofRoutes = routes.flatMap(({ model, agent }, i) => {
    if (model === undefined) return [];
    const path = ["spec", "routes", i, "model"];
    if (remote.has(agent))
      return [
        yaml.problem(path, `expected none for ${agent}, whose provider: http answers for itself, got one`),
      ];
    return unpriced(model, path, yaml, priced);
  });
  const ofCommands = commands.flatMap(({ model }, i) =>
    model === undefined ? [] : unpriced(model, ["spec", "commands", i, "model"], yaml, priced),
  );
  return [...ofRoutes, ...ofCommands];
}

/** A cost nobody knows would make every budget a lie, so it is an error and never zero. */
function unpriced(model: Named, path: Path, yaml: YamlFile, { isPriced, pricedModels }: Priced): Problem[] {
  if (isPriced === undefined) return [];
  const models = [
    { ...model, path },
    ...model.fallback.map((one, i) => ({ ...one, path: [...path, "fallback", i] })),
    ...(model.cheaper === undefined ? [] : [{ ...model.cheaper, path: [...path, "cheaper"] }]),
  ];
  return models
    .filter(
      (one) =>
        one.provider !== "demo" &&
        one.provider !== "http" &&
        one.price === undefined &&
        !isPriced(one.provider, one.model),
    )
    .map((one) => {
      const near = closest(one.model, pricedModels?.(one.provider) ?? []);
      const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
      return yaml.problem(
        [...one.path, "model"],
        `expected a model whose price is known, got ${one.model}${hint}; add price: with input_per_million and output_per_million`,
      );
    });
}
