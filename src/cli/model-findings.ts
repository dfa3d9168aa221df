import type { Environment } from "../config/environment.ts";
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

/** What the providers say of the keys, by their lists of models: that costs nothing. `timeoutMs` null: nobody is asked. */
export async function modelFindings(
  environment: Pick<Environment, "anthropic" | "openai" | "bedrock">,
  timeoutMs: number | null,
): Promise<{ readonly findings: readonly Finding[]; readonly answers: readonly Asked[] }> {
  const those = accessOf(environment);
  const { bedrock } = environment;
  // It has no list that the right to call models is enough for.
  const ofBedrock =
    bedrock === null
      ? []
      : [ok("model", `Amazon Bedrock would be asked in ${bedrock.region}, and was not tried`)];
  if (those.length === 0) {
    const fix = "set ANTHROPIC_API_KEY or OPENAI_API_KEY for real answers";
    const findings = [...ofBedrock, warn("model", "no key: the default agent is the demo model", fix)];
    return { findings, answers: [] };
  }
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
