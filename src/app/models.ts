import { createHash } from "node:crypto";
import type { AgentSpec } from "../config/agent-schema.ts";
import type { Config } from "../config/load.ts";
import { callsModels, missingFor } from "../config/model-keys.ts";
import type { PriceSpec } from "../config/model-schema.ts";
import type { GatewaySpec } from "../config/schema.ts";
import { GatewayError } from "../domain/errors.ts";
import type { Accounts, ModelGate } from "../models/account.ts";
import { createDemoModel } from "../models/demo.ts";
import type { Price, PriceOverride } from "../models/price.ts";
import { createRemoteModel } from "../models/remote/index.ts";
import type { WebSearch } from "../models/web-search.ts";
import type { Clock } from "../ports/clock.ts";
import type { ChatModel } from "../ports/model.ts";

type ModelSpec = AgentSpec["model"]["fallback"][number] | AgentSpec["model"];
type Bounds = Pick<AgentSpec["model"], "max_tokens" | "timeout_seconds" | "temperature" | "server_tools">;
/** Throws CONFIG_INVALID where its price is not known, or a key is missing. */
export type ModelOf = (spec: ModelSpec, bounds: Bounds) => ChatModel;

/**
 * What makes models. Loaded only where one is called: the price table and the providers' libraries are much of the memory
 * of an idle process.
 */
export async function modelsOf(
  config: Pick<Config, "agents" | "gateway" | "environment">,
  clock: Clock,
  accounts: Accounts,
): Promise<ModelOf> {
  const ownOf: ModelOf = (spec, { timeout_seconds }) => {
    if (!("url" in spec) || spec.url === undefined || spec.secret === undefined)
      return createDemoModel({ clock });
    const { url, secret } = spec;
    return createRemoteModel({ url, secret, timeoutMs: timeout_seconds * 1000, clock });
  };
  if (!callsModels(config)) return ownOf;
  const [
    { createAnthropicModel },
    { createBedrockModel },
    { createOpenAiModel },
    { contextTokensOf, priceOf },
  ] = await Promise.all([
    import("../models/anthropic.ts"),
    import("../models/bedrock.ts"),
    import("../models/openai.ts"),
    import("../models/price-table.ts"),
  ]);
  const { anthropic, openai, bedrock } = config.environment;
  const priceFor = ({ provider, model, price }: ModelSpec): Price => {
    const known = priceOf(provider, model, price && overrideOf(price));
    if (known !== undefined) return known;
    const what = `Expected a known price for the model ${model}; set model.price in its agent file`;
    throw new GatewayError("CONFIG_INVALID", what);
  };
  const gateOf = (
    provider: keyof GatewaySpec["providers"],
    model: string,
    whose: readonly string[],
  ): ModelGate => {
    const account = accounts.of(provider, digestOf(whose));
    const { concurrent_calls } = config.gateway.providers[provider];
    return account.gateOf(model, concurrent_calls === "off" ? Infinity : concurrent_calls);
  };
  const calledOf: ModelOf = (spec, bounds) => {
    if (spec.provider === "demo" || spec.provider === "http") return ownOf(spec, bounds);
    const common = {
      model: spec.model,
      maxTokens: bounds.max_tokens,
      timeoutMs: bounds.timeout_seconds * 1000,
      price: priceFor(spec),
      clock,
    };
    const missing = missingFor(spec, config.environment);
    if (spec.provider === "openai" && missing === null) {
      const baseUrl = spec.base_url ?? openai.baseUrl;
      const apiKey = spec.api_key ?? openai.apiKey;
      return createOpenAiModel({
        ...common,
        ...(baseUrl !== null && { baseUrl }),
        api: spec.api ?? "responses",
        apiKey,
        gate: gateOf("openai", spec.model, [baseUrl ?? "", apiKey?.reveal() ?? ""]),
        temperature: bounds.temperature,
      });
    }
    if (spec.provider === "bedrock" && bedrock !== null) {
      const { region, baseUrl, apiKey, keys } = bedrock;
      const whose = [region, baseUrl ?? "", (apiKey ?? keys?.accessKeyId)?.reveal() ?? ""];
      return createBedrockModel({ ...common, access: bedrock, gate: gateOf("bedrock", spec.model, whose) });
    }
    if (anthropic === null || missing !== null)
      throw new GatewayError(
        "CONFIG_INVALID",
        `Expected ${missing} for the model ${spec.model}, got nothing`,
      );
    const { apiKey, baseUrl } = anthropic;
    const gate = gateOf("anthropic", spec.model, [baseUrl ?? "", apiKey.reveal()]);
    const webSearch = webSearchOf(bounds);
    return createAnthropicModel({
      ...{ ...common, apiKey, gate },
      ...(webSearch !== undefined && { webSearch }),
      ...(baseUrl !== null && { baseUrl }),
    });
  };
  return (spec, bounds) => {
    const contextTokens = contextTokensOf(spec.provider, spec.model);
    return { ...calledOf(spec, bounds), ...(contextTokens !== undefined && { contextTokens }) };
  };
}

function webSearchOf({ server_tools }: Bounds): WebSearch | undefined {
  const search = server_tools?.web_search;
  if (search === undefined) return undefined;
  return {
    usesMax: search.max_uses,
    allowedDomains: search.allowed_domains,
    blockedDomains: search.blocked_domains,
    dollarsPerThousand: search.price_per_thousand,
  };
}

/** Whose account it is: keys are told apart, and not kept. */
function digestOf(whose: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(whose)).digest("base64url");
}

const FREE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

function overrideOf(price: PriceSpec): PriceOverride {
  if (price === "free") return FREE;
  return {
    input: price.input_per_million,
    output: price.output_per_million,
    cacheRead: price.cache_read_per_million,
    cacheWrite: price.cache_write_per_million,
  };
}
