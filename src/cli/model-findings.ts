import type { AgentSpec } from "../config/agent-schema.ts";
import type { Environment } from "../config/environment.ts";
import { missingFor } from "../config/model-keys.ts";
import type { Secret } from "../shared/secret.ts";
import { type Asked, ask, isRedirect } from "./ask.ts";
import { type Finding, fail, ok, warn } from "./findings.ts";

/** One provider, as far as it is configured. */
interface Access {
  readonly title: string;
  readonly key: string;
  readonly base: string;
  /** A server of one's own may have no list of models. */
  readonly isElsewhere: boolean;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Keys = Pick<Environment, "anthropic" | "openai" | "bedrock">;
type Agents = ReadonlyMap<string, Pick<AgentSpec, "model">>;

/**
 * What the providers say of the keys, by their lists of models: that costs nothing. `timeoutMs` null: nobody is asked;
 * `agents` null: nobody knows which there are.
 */
export async function modelFindings(
  environment: Keys,
  agents: Agents | null,
  timeoutMs: number | null,
): Promise<{ readonly findings: readonly Finding[]; readonly answers: readonly Asked[] }> {
  const { findings, answers } = await keyFindings(environment, timeoutMs);
  const lacking = agents === null ? [] : lackingFindings(agents, environment);
  const none = ok("model", "no agent needs a key");
  const all = [...findings, ...lacking];
  return { findings: all.length > 0 || agents === null ? all : [none], answers };
}

/** Agents for which the demo model stands in. */
function lackingFindings(agents: Agents, environment: Keys): Finding[] {
  const lacking = [...agents].flatMap(([name, { model }]) => {
    const key = missingFor(model, environment);
    return key === null ? [] : [{ name, key }];
  });
  return [...new Set(lacking.map(({ key }) => key))].map((key) => {
    const names = lacking.filter((one) => one.key === key).map(({ name }) => name);
    const whose = `the demo model answers for ${names.join(", ")}`;
    return warn("model", `no ${key}: ${whose}`, `set ${key} for real answers`);
  });
}

async function keyFindings(
  environment: Keys,
  timeoutMs: number | null,
): Promise<{ readonly findings: readonly Finding[]; readonly answers: readonly Asked[] }> {
  const those = accessOf(environment);
  const { bedrock } = environment;
  // It has no list that the right to call models is enough for.
  const ofBedrock =
    bedrock === null
      ? []
      : [ok("model", `Amazon Bedrock would be asked in ${bedrock.region}, and was not tried`)];
  if (timeoutMs === null) {
    const untried = ({ title }: Access) => ok("model", `the key for ${title} is set, and was not tried`);
    return { findings: [...those.map(untried), ...ofBedrock], answers: [] };
  }
  const asked = await Promise.all(
    those.map(async (one) => ({ one, answer: await ask(one.url, { headers: one.headers }, timeoutMs) })),
  );
  return {
    findings: [...asked.map(({ one, answer }) => findingOf(one, answer)), ...ofBedrock],
    answers: asked.map(({ answer }) => answer),
  };
}

function accessOf({ anthropic, openai }: Pick<Environment, "anthropic" | "openai">): Access[] {
  return [
    ...(anthropic === null ? [] : [ofAnthropic(anthropic)]),
    ...(openai.apiKey === null ? [] : [ofOpenAi(openai.apiKey, openai.baseUrl)]),
  ];
}

function ofAnthropic({ apiKey, baseUrl }: NonNullable<Environment["anthropic"]>): Access {
  return {
    ...{ title: "Anthropic", key: "ANTHROPIC_API_KEY", base: "ANTHROPIC_BASE_URL" },
    isElsewhere: baseUrl !== null,
    url: `${baseUrl ?? "https://api.anthropic.com"}/v1/models?limit=1`,
    headers: { "x-api-key": apiKey.reveal(), "anthropic-version": "2023-06-01" },
  };
}

function ofOpenAi(apiKey: Secret, baseUrl: string | null): Access {
  return {
    ...{ title: "OpenAI", key: "OPENAI_API_KEY", base: "OPENAI_BASE_URL" },
    isElsewhere: baseUrl !== null,
    url: `${baseUrl ?? "https://api.openai.com/v1"}/models`,
    headers: { authorization: `Bearer ${apiKey.reveal()}` },
  };
}

function findingOf({ title, key, base, isElsewhere }: Access, answer: Asked): Finding {
  const look = `check the network and ${base}`;
  if (answer.kind === "unreachable")
    return fail("model", `the ${title} API cannot be reached (${answer.code})`, look);
  const { status } = answer;
  if (status === 401 || status === 403)
    return fail(
      "model",
      `the ${title} API refuses the key (${status})`,
      `put a valid one in ${key}, and start again`,
    );
  if (status === 429)
    return warn("model", `the ${title} API asks to be called later (429)`, "try again in a while");
  if (status === 404 && isElsewhere)
    return warn("model", `what answers at ${base} has no list of models: the key was not tried`, null);
  if (status === 200 && isObjectOfJson(answer.body)) return ok("model", `the ${title} API takes the key`);
  if (isRedirect(status))
    return fail("model", `the ${title} API leads elsewhere (${status}), which is not followed`, look);
  return fail("model", `the ${title} API does not answer as it should (${status})`, look);
}

function isObjectOfJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}
