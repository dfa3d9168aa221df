// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to variables are what is tested

import { inspect } from "node:util";
import { expect, it } from "vitest";
import { AGENT, load, problemsOf } from "./helpers.ts";

const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_YW5vdGhlci1zZWNyZXQtdGhhbi10aGF0";

const withInbound = (...webhooks: readonly string[]) =>
  load(
    {
      "gateway.yaml": [
        "spec:",
        "  routes: [{ agent: assistant }]",
        "  inbound:",
        ...webhooks.map((one) => `    - ${one}`),
      ].join("\n"),
      "agents/assistant.yaml": AGENT,
    },
    { env: { CI_SECRET: KEY, CALLBACK_SECRET: OTHER } },
  );

it("an inbound webhook has a name and a secret, which no print shows; the rest has defaults", () => {
  const loaded = withInbound(
    '{ name: ci, secret: "${CI_SECRET}", callback: { url: "http://10.0.0.1/x", secret: "${CALLBACK_SECRET}" } }',
  );
  if (!loaded.ok) return expect.fail(problemsOf(loaded).join("\n"));
  const [webhook = expect.fail()] = loaded.config.gateway.inbound;
  expect(webhook).toMatchObject({
    name: "ci",
    text: "{/text}",
    callback: { url: "http://10.0.0.1/x", timeout_seconds: 10 },
  });
  expect(webhook.secret.map((one) => one.reveal())).toEqual([KEY]);
  expect(inspect(webhook, { depth: 9 }) + JSON.stringify(webhook)).not.toMatch(/MfKQ9|YW5vd/);
});

it.each([
  [`{ name: "a/b", secret: "${KEY}" }`, "[0].name: expected 1 to 63 letters"],
  ["{ name: ci }", "[0].secret: expected whsec_"],
  ['{ name: ci, secret: "s3cret" }', "[0].secret: expected whsec_"],
  [
    `{ name: ci, secret: "${KEY}", agent: asistant }`,
    "[0].agent: expected the name of an agent (assistant), got asistant (did you mean assistant?)",
  ],
  [`{ name: ci, secret: "${KEY}", text: "{build}" }`, "[0].text: expected JSON pointers in braces"],
  [`{ name: ci, secret: "${KEY}", text: "{/a{/b}" }`, "[0].text: expected JSON pointers in braces"],
  [
    `{ name: ci, secret: "${KEY}", callback: { url: "ftp://x.example.com", secret: "${OTHER}" } }`,
    "[0].callback.url: expected an http:// or https:// address",
  ],
  [
    `{ name: ci, secret: ["${OTHER}", "${KEY}"], callback: { url: "https://x.example.com", secret: "${KEY}" } }`,
    "[0].callback.secret: expected another secret than what comes is signed with, got the same",
  ],
])("%s is refused with what was expected", (webhook, problem) => {
  const problems = problemsOf(withInbound(webhook)).join("\n");
  expect(problems).toContain(`spec.inbound${problem}`);
  expect(problems).not.toMatch(/s3cret|MfKQ9/);
});

it("two of one name are refused", () => {
  const one = `{ name: ci, secret: "${KEY}" }`;
  expect(problemsOf(withInbound(one, one))[0]).toContain(
    "spec.inbound[1].name: expected webhooks with names of their own, got one named as inbound[0] is",
  );
});
