import { Secret } from "../../../src/shared/secret.ts";
import { adapterContract } from "../../contract/adapter.ts";
import { fakeToy } from "../../fakes/toy.ts";
import { createToyAdapter, TOY_CHARS_MAX, TOY_REASONS, toySampler } from "../../support/toy-platform.ts";

const SECRET = "a-secret-of-the-toy-platform";

/** The smallest that keeps the contract: no signature, no marks, nothing that can be changed, a look before it speaks. */
adapterContract("toy", {
  async setUp({ timeoutMs }) {
    const fake = await fakeToy(SECRET);
    const settings = { kind: "on" as const, secrets: [new Secret(SECRET)], apiUrl: fake.url };
    return {
      fake,
      adapter: createToyAdapter(settings, false, timeoutMs),
      textOf: (part) => part,
      said: () => fake.said.map(({ to: place, text }) => ({ place, text })),
    };
  },
  sampler: toySampler,
  eventKinds: toySampler.kinds,
  secret: SECRET,
  otherSecret: "another-secret-than-that",
  authHeaders: [],
  withToken(sample, token) {
    const { token: _, ...fields } = JSON.parse(sample.body) as Record<string, unknown>;
    return { ...sample, body: JSON.stringify(token === null ? fields : { token, ...fields }) };
  },
  reasons: Object.values(TOY_REASONS),
  signsBody: false,
  textCharsMax: TOY_CHARS_MAX,
  liveMentions: [],
  says: ({ method }) => method === "POST",
  rateLimited: (seconds) => ({ status: 429, headers: { "retry-after": String(seconds) }, body: {} }),
  rejected: { status: 403, body: { error: "room" } },
  refused: [{ status: 401, body: { error: "token" } }],
  credentials: [SECRET],
});
