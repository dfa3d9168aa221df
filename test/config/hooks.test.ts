// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to variables are what is tested

import { inspect } from "node:util";
import { expect, it } from "vitest";
import { HOOK_TYPES } from "../../src/domain/hook.ts";
import { AGENT, load, problemsOf } from "./helpers.ts";

const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const withHooks = (...hooks: readonly string[]) =>
  load(
    {
      "gateway.yaml": ["spec:", "  hooks:", ...hooks.map((hook) => `    - ${hook}`)].join("\n"),
      "agents/a.yaml": AGENT,
    },
    { env: { HOOK_SECRET: KEY } },
  );

it("a hook has an address and a secret, which no print shows; the rest has defaults", () => {
  const loaded = withHooks('{ url: "https://ops.example.com/x?key=1", secret: "${HOOK_SECRET}" }');
  if (!loaded.ok) return expect.fail(problemsOf(loaded).join("\n"));
  const [hook = expect.fail()] = loaded.config.gateway.hooks;
  expect(hook).toMatchObject({ events: HOOK_TYPES, include_text: false, timeout_seconds: 10, attempts: 16 });
  expect(hook.name).toMatch(/^hook-[0-9a-f]{8}$/);
  expect(hook.secret.map((one) => one.reveal())).toEqual([KEY]);
  expect(inspect(hook, { depth: 9 }) + JSON.stringify(hook)).not.toContain("MfKQ9");
});

it("two secrets may hold while one is rotated", () => {
  const loaded = withHooks(`{ name: ops, url: "http://10.0.0.1/x", secret: ["\${HOOK_SECRET}", "${KEY}"] }`);
  expect(loaded.ok && loaded.config.gateway.hooks[0]?.secret).toHaveLength(2);
});

it.each([
  [`{ url: "ftp://x.example.com", secret: "${KEY}" }`, "[0].url: expected an http:// or https:// address"],
  [
    `{ url: "https://u:p@x.example.com", secret: "${KEY}" }`,
    "[0].url: expected an address without a user name and password",
  ],
  ['{ url: "https://x.example.com", secret: "s3cret" }', "[0].secret: expected whsec_ and at least 16 bytes"],
  ['{ url: "https://x.example.com" }', "[0].secret: expected"],
  [
    `{ url: "https://x.example.com", secret: "${KEY}", events: [event.daed] }`,
    '[0].events[0]: expected run.finished or event.dead or budget.warning or approval.requested or approval.decided or breaker.opened or breaker.closed or model.refused, got "event.daed" (did you mean event.dead?)',
  ],
  [
    `{ url: "https://x.example.com", secret: "${KEY}", include_texts: true }`,
    "[0].include_texts: expected include_text, got the unknown key include_texts (did you mean include_text?)",
  ],
])("%s is refused with what was expected", (hook, problem) => {
  const problems = problemsOf(withHooks(hook));
  expect(problems.join("\n")).toContain(`spec.hooks${problem}`);
  expect(problems.join("\n")).not.toMatch(/s3cret|u:p@/);
});

it("two of one name, or of one address without names, are refused", () => {
  const one = `{ url: "https://x.example.com", secret: "${KEY}" }`;
  expect(problemsOf(withHooks(one, one))[0]).toContain(
    "spec.hooks[1]: expected hooks with names of their own, got one named as hooks[0] is; give it a name",
  );
});
