import { withoutSecrets } from "./secrets.ts";
import { type Entry, Mapping, type Place, type Report } from "./source.ts";
import { countOf, listOf, numberOf, rawText, reportRest, secondsOf, textOf, within } from "./values.ts";

/** US dollars per million tokens, the dearest where a price has steps; undefined: not known. */
export type RatesOf = (provider: string, model: string) => Rates | undefined;
export interface Rates {
  readonly input_per_million: number;
  readonly output_per_million: number;
  readonly cache_read_per_million: number;
  readonly cache_write_per_million: number;
}

type Spec = Readonly<Record<string, unknown>>;
export interface ModelOut {
  readonly spec: Spec;
  /** For the head of the file: what stands in for what. */
  readonly comment: string | null;
}

interface Server {
  readonly base_url: string;
  readonly key: string | null;
}
/** Providers that have a server which speaks as OpenAI's does. */
const SERVERS: Readonly<Record<string, Server>> = {
  google: { base_url: "https://generativelanguage.googleapis.com/v1beta/openai", key: "GOOGLE_API_KEY" },
  groq: { base_url: "https://api.groq.com/openai/v1", key: "GROQ_API_KEY" },
  mistral: { base_url: "https://api.mistral.ai/v1", key: "MISTRAL_API_KEY" },
  deepseek: { base_url: "https://api.deepseek.com/v1", key: "DEEPSEEK_API_KEY" },
  ollama: { base_url: "http://127.0.0.1:11434/v1", key: null },
};
const ALIASES: Readonly<Record<string, string>> = { gemini: "google", claude: "anthropic", gpt: "openai" };
const KNOWN = ["anthropic", "openai", "bedrock", "azure", "mock", "demo", ...Object.keys(SERVERS)];
/** Whose a model is that is named alone. */
const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/^claude/i, "anthropic"],
  [/^(?:gpt|o\d|chatgpt)/i, "openai"],
  [/^gemini/i, "google"],
  [/^(?:llama|qwen|gemma|phi)/i, "ollama"],
];

const DEMO: Spec = { provider: "demo" };

/** The `model` of an agent, from all the places where AOF has it. */
export function modelFrom(spec: Mapping, { rates, report }: { rates: RatesOf; report: Report }): ModelOut {
  const entry = spec.take("model");
  const llm = spec.mapping("llm");
  const inside = entry?.value instanceof Mapping ? entry.value : undefined;
  const named = (inside ?? llm)?.take("model", "name") ?? (inside === undefined ? entry : undefined);
  const given = (inside ?? llm)?.take("provider") ?? spec.take("provider");
  const where = [
    inside,
    llm,
    ...["model_config", "parameters", "model_params"].map((key) => spec.mapping(key)),
    spec,
  ];
  const first = (...names: readonly string[]): Entry | undefined => {
    for (const one of where) {
      const found = one?.take(...names);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const name = named === undefined ? undefined : rawText(named, report);
  const base = first("base_url", "endpoint", "api_base");
  const found = resolved(name, {
    provider: rawText(given, report),
    baseUrl: base === undefined ? undefined : textOf(base, report),
    place: (entry ?? named ?? given)?.place ?? spec.place,
    rates,
    report,
  });
  const key = first("api_key", "api_key_env");
  if (key !== undefined)
    report(key.place, "not copied: keys of models are variables (docs/configuration.md)");
  const temperature = first("temperature");
  const degree = numberOf(temperature, report);
  const isHeard = found.spec.provider === "openai";
  if (temperature !== undefined && degree !== undefined && !isHeard)
    report(temperature.place, `kept, without effect with provider: ${String(found.spec.provider)}`);
  const max_tokens = countOf(first("max_tokens"), { min: 1, max: 1_000_000 }, report);
  const timeout_seconds = secondsOf(first("timeout_seconds", "timeout_secs", "timeout"), 3_600, report);
  const fallback = listOf(first("fallback_models", "fallback", "fallbacks")).flatMap((one) =>
    fallbackFrom(one, rates, report),
  );
  for (const one of where.slice(0, -1)) reportRest(one, report);
  return {
    comment: found.comment,
    spec: {
      ...found.spec,
      ...(max_tokens !== undefined && { max_tokens }),
      ...(timeout_seconds !== undefined && { timeout_seconds }),
      ...(degree !== undefined &&
        temperature !== undefined && {
          temperature: within(degree, { min: 0, max: 2 }, temperature, report),
        }),
      ...(fallback.length > 0 && { fallback: fallback.slice(0, 5) }),
    },
  };
}

function fallbackFrom(entry: Entry, rates: RatesOf, report: Report): Spec[] {
  const inside = entry.value instanceof Mapping ? entry.value : undefined;
  const name = rawText(inside === undefined ? entry : inside.take("model", "name"), report);
  const provider = rawText(inside?.take("provider"), report);
  reportRest(inside, report);
  if (name === undefined) return [];
  const { spec } = resolved(name, {
    provider,
    baseUrl: undefined,
    place: entry.place,
    rates,
    report,
    isNext: true,
  });
  return spec.provider === "demo" ? [] : [spec];
}

interface Asked {
  readonly provider: string | undefined;
  readonly baseUrl: string | undefined;
  readonly place: Place;
  readonly rates: RatesOf;
  readonly report: Report;
  /** A fallback: the demo in place of a model that cannot answer would be no answer. */
  readonly isNext?: true;
}

function resolved(
  given: string | undefined,
  { provider, baseUrl, place, rates, report, isNext }: Asked,
): ModelOut {
  const standIn = (why: string): ModelOut => {
    report(
      place,
      isNext === true ? `${why}; left out` : `${why}; the demo model answers until spec.model names another`,
    );
    return { spec: DEMO, comment: `${why}. Until spec.model names another model, the demo model answers.` };
  };
  if (/^(?:mock|demo)$/i.test(provider ?? "")) return { spec: DEMO, comment: null };
  if (given === undefined || given.trim() === "") return standIn("names no model");
  const { whose, model } = split(withoutSecrets(given.trim(), place, report).slice(0, 200), provider);
  if (whose === "mock" || whose === "demo") return { spec: DEMO, comment: null };
  const price = whose === undefined ? undefined : rates(whose, model);
  if (whose === "anthropic" || whose === "bedrock" || (whose === "openai" && baseUrl === undefined)) {
    if (price !== undefined) return { spec: { provider: whose, model }, comment: null };
    return standIn(`the price of ${oneLine(model)} (${whose}) is not known, and model.price has to say it`);
  }
  const server = whose === undefined ? undefined : whose === "openai" ? OPEN : SERVERS[whose];
  if (server === undefined) return standIn(`${oneLine(given)} has no counterpart here`);
  const address = baseUrl !== undefined && /^https?:\/\/[^\s@$]+$/.test(baseUrl) ? baseUrl : server.base_url;
  const rate = whose === "ollama" ? "free" : price;
  if (rate === undefined || address === "")
    return standIn(`the price of ${oneLine(model)} (${whose}) is not known, and model.price has to say it`);
  // What holds the place of a key is too short to be taken for one in what is said.
  const key = server.key === null ? "none" : `\${${server.key}:-not-set}`;
  const set = server.key === null ? "" : `; set ${server.key}`;
  report(place, `asked as provider: openai at ${address}, which speaks as OpenAI does${set}`);
  return {
    spec: {
      provider: "openai",
      model,
      base_url: address,
      api: "chat",
      ...(server !== OPEN && { api_key: key }),
      price: rate,
    },
    comment: null,
  };
}
/** Some other server, which is asked with OPENAI_API_KEY as AOF does. */
const OPEN: Server = { base_url: "", key: "OPENAI_API_KEY" };

/** `google:gemini-2.5-flash`, `anthropic/claude-x`, or the name alone. */
function split(given: string, provider: string | undefined): { whose: string | undefined; model: string } {
  const [, before = "", after = ""] = /^([A-Za-z_-]+)[:/](.+)$/s.exec(given) ?? [];
  const known = (name: string) => {
    const own = ALIASES[name.toLowerCase()] ?? name.toLowerCase();
    return KNOWN.includes(own) ? own : undefined;
  };
  if (provider !== undefined && provider !== "") {
    const whose = known(provider);
    return { whose, model: before !== "" && known(before) === whose ? after : given };
  }
  const whose = before === "" ? undefined : known(before);
  if (whose !== undefined) return { whose, model: after };
  return { whose: BY_NAME.find(([form]) => form.test(given))?.[1], model: given };
}

export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ").slice(0, 100);
}
