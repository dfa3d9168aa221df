import type { AgentSpec } from "./agent-schema.ts";
import type { Environment } from "./environment.ts";

type Keys = Pick<Environment, "anthropic" | "openai" | "bedrock">;
type Asking = Pick<AgentSpec["model"], "provider" | "base_url" | "api_key">;
type Agents = ReadonlyMap<string, Pick<AgentSpec, "model">>;

/** Null: all that the model needs is there. Else the variable whose value is missing. */
export function missingFor(
  { provider, base_url, api_key }: Asking,
  { anthropic, openai, bedrock }: Keys,
): string | null {
  if (provider === "anthropic" && anthropic === null) return "ANTHROPIC_API_KEY";
  // Who it is may be told by AWS itself.
  if (provider === "bedrock" && bedrock === null) return "AWS_REGION";
  // Many servers that are compatible ask for no key.
  const isElsewhere = base_url !== undefined || openai.baseUrl !== null;
  const isOpen = isElsewhere || api_key !== undefined || openai.apiKey !== null;
  return provider === "openai" && !isOpen ? "OPENAI_API_KEY" : null;
}

/** Whether any agent calls a model of a provider, which has a price. */
export function callsModels({
  agents,
  environment,
}: {
  readonly agents: Agents;
  readonly environment: Keys;
}): boolean {
  return modelsIn(agents).some(
    (one) => one.provider !== "demo" && one.provider !== "http" && missingFor(one, environment) === null,
  );
}

/** A note for each key that is set, and that no agent uses. */
export function idleKeys(agents: Agents, { anthropic, openai }: Keys): string[] {
  const providers = new Set(modelsIn(agents).map(({ provider }) => provider));
  const set = [
    { variable: "ANTHROPIC_API_KEY", provider: "anthropic", isSet: anthropic !== null },
    { variable: "OPENAI_API_KEY", provider: "openai", isSet: openai.apiKey !== null },
  ] as const;
  return set
    .filter(({ provider, isSet }) => isSet && !providers.has(provider))
    .map(
      ({ variable, provider }) =>
        `${variable} has no effect: no agent asks a model of ${provider}; set model: { provider: ${provider}, model: … } in its file`,
    );
}

function modelsIn(agents: Agents) {
  return [...agents.values()].flatMap(({ model }) => [model, ...model.fallback, model.cheaper ?? []].flat());
}

/** A note for each fallback, and each cheaper model, that cannot be asked. Of a model without a key the demo stands in, which is said elsewhere. */
export function idleFallbacks(agents: Agents, keys: Keys): string[] {
  return [...agents].flatMap(([name, { model }]) => {
    if (missingFor(model, keys) !== null) return [];
    const others = [
      ...model.fallback.map((one) => ({ ...one, what: "fallback" })),
      ...(model.cheaper === undefined ? [] : [{ ...model.cheaper, what: "cheaper model" }]),
    ];
    return others.flatMap(({ what, ...one }) => {
      const missing = missingFor(one, keys);
      return missing === null
        ? []
        : [`the ${what} ${one.model} of the agent ${name} is left out: ${missing} is not set`];
    });
  });
}
