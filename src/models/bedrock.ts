import { ModelError } from "../domain/errors.ts";
import type { ChatModel } from "../ports/model.ts";
import type { BedrockAccess } from "../shared/bedrock-access.ts";
import { CLIENT_OPTIONS, type ClaudeClient, type ClaudeOptions, createClaudeModel } from "./anthropic.ts";
import { heardBy } from "./heard.ts";

/**
 * Claude on Amazon Bedrock: the Messages API in Amazon's frames, signed as Amazon has it. Its client is an optional package,
 * because most of the libraries that it brings are of no use to anybody else.
 */
export function createBedrockModel(options: ClaudeOptions & { readonly access: BedrockAccess }): ChatModel {
  return createClaudeModel(options, {
    name: "bedrock",
    words: { title: "Amazon Bedrock", baseUrlVariable: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME" },
    client: () => createClient(options),
  });
}

async function createClient({
  access: { region, baseUrl, apiKey, keys },
  timeoutMs,
  gate,
}: Pick<ClaudeOptions, "timeoutMs" | "gate"> & { readonly access: BedrockAccess }): Promise<ClaudeClient> {
  const { AnthropicBedrock } = await import("@anthropic-ai/bedrock-sdk").catch((cause: unknown) => {
    const what =
      "Amazon Bedrock: expected the optional package @anthropic-ai/bedrock-sdk, which cannot be loaded";
    throw new ModelError("MODEL_NOT_FOUND", what, { retryable: false, cause });
  });
  const options = {
    awsRegion: region,
    ...(baseUrl !== null && { baseURL: baseUrl }),
    // Null, and not left out: the client would look for one in the environment by itself.
    apiKey: apiKey?.reveal() ?? null,
    timeout: timeoutMs,
    ...(gate && { fetch: heardBy(gate) }),
    ...CLIENT_OPTIONS,
  };
  if (keys === null) return new AnthropicBedrock(options);
  return new AnthropicBedrock({
    ...options,
    awsAccessKey: keys.accessKeyId.reveal(),
    awsSecretKey: keys.secretAccessKey.reveal(),
    awsSessionToken: keys.sessionToken?.reveal() ?? null,
  });
}
