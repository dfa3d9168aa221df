import type { AgentSpec } from "./agent-schema.ts";
import type { Environment } from "./environment.ts";
import type { GatewaySpec } from "./schema.ts";

type Keys = Pick<Environment, "anthropic" | "openai" | "bedrock">;
type Asking = Pick<AgentSpec["model"], "provider" | "base_url" | "api_key">;

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

type Model = AgentSpec["model"];

/** All that are written, by what they are of. */
export interface WrittenModels {
  readonly agents: ReadonlyMap<string, Pick<AgentSpec, "model" | "guard">>;
  readonly gateway: Pick<GatewaySpec, "routes" | "commands">;
}

export function writtenModels({ agents, gateway }: WrittenModels): readonly (readonly [string, Model])[] {
  const own = [...agents].map(([name, { model }]) => [`the agent ${name}`, model] as const);
  return [...own, ...routeModels(gateway).map(({ of, model }) => [of, model] as const)];
}

/** Of routes and commands, by the names that runs have them by. */
export function routeModels({ routes, commands }: WrittenModels["gateway"]): readonly {
  readonly key: string;
  readonly of: string;
  readonly model: Model;
}[] {
  return [
    ...routes.flatMap(({ model }, i) =>
      model === undefined ? [] : [{ key: routeKey(i), of: `the route ${i + 1}`, model }],
    ),
    ...commands.flatMap(({ command, model }) =>
      model === undefined ? [] : [{ key: command, of: `the command ${command}`, model }],
    ),
  ];
}

export function routeKey(index: number): string {
  return `routes[${index}]`;
}

/** Whether any model of a provider is called, which has a price. */
export function callsModels(config: WrittenModels & { readonly environment: Keys }): boolean {
  return modelsIn(config).some(
    (one) =>
      one.provider !== "demo" && one.provider !== "http" && missingFor(one, config.environment) === null,
  );
}

/** A note for each key that is set, and that nobody uses. */
export function idleKeys(config: WrittenModels, { anthropic, openai }: Keys): string[] {
  const providers = new Set(modelsIn(config).map(({ provider }) => provider));
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

function modelsIn(config: WrittenModels) {
  const models = writtenModels(config).flatMap(([, model]) => [
    model,
    ...model.fallback,
    model.cheaper ?? [],
  ]);
  const guards = [...config.agents.values()].flatMap(({ guard }) => guard?.model ?? []);
  return [...models.flat(), ...guards];
}

/** A note for each guard that cannot be asked. */
export function idleGuards(agents: WrittenModels["agents"], keys: Keys): string[] {
  return [...agents].flatMap(([name, { guard }]) => {
    const missing = guard === undefined ? null : missingFor(guard.model, keys);
    if (guard === undefined || missing === null) return [];
    const what = `the guard ${guard.model.model} of the agent ${name} cannot be asked: ${missing} is not set`;
    return [`${what}; tools that do more than read are refused`];
  });
}

/** A note for each fallback, and each cheaper model, that cannot be asked. Of a model without a key the demo stands in, which is said elsewhere. */
export function idleFallbacks(models: ReturnType<typeof writtenModels>, keys: Keys): string[] {
  return models.flatMap(([of, model]) => {
    if (missingFor(model, keys) !== null) return [];
    const others = [
      ...model.fallback.map((one) => ({ ...one, what: "fallback" })),
      ...(model.cheaper === undefined ? [] : [{ ...model.cheaper, what: "cheaper model" }]),
    ];
    return others.flatMap(({ what, ...one }) => {
      const missing = missingFor(one, keys);
      return missing === null ? [] : [`the ${what} ${one.model} of ${of} is left out: ${missing} is not set`];
    });
  });
}
