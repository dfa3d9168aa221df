/**
 * Names of the semantic conventions of OpenTelemetry. Those of `gen_ai` are still in development and change: here, and nowhere
 * else.
 */
export const OPERATION = "gen_ai.operation.name";
export const AGENT_NAME = "gen_ai.agent.name";
export const CONVERSATION = "gen_ai.conversation.id";
export const PROVIDER = "gen_ai.provider.name";
export const REQUEST_MODEL = "gen_ai.request.model";
export const MAX_TOKENS = "gen_ai.request.max_tokens";
export const FINISH_REASONS = "gen_ai.response.finish_reasons";
export const INPUT_TOKENS = "gen_ai.usage.input_tokens";
export const OUTPUT_TOKENS = "gen_ai.usage.output_tokens";
export const TOOL_NAME = "gen_ai.tool.name";
export const TOOL_TYPE = "gen_ai.tool.type";
export const INVOKE_AGENT = "invoke_agent";
export const CHAT = "chat";
export const EXECUTE_TOOL = "execute_tool";
export const ERROR_TYPE = "error.type";
export const MESSAGING_SYSTEM = "messaging.system";
export const MESSAGE_ID = "messaging.message.id";
/** Our own. */
export const PLATFORM = "parley.platform";
export const OUTCOME = "parley.outcome";
export const ATTEMPT = "parley.attempt";
export const RUN_ID = "parley.run.id";
export const COST_CENTS = "parley.cost_cents";
export const PART_ID = "parley.part.id";
