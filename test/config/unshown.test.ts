import { expect, it } from "vitest";
import { load, problemsOf } from "./helpers.ts";

const PASSWORD = "n0t-t0-be-sh0wn";

/** What is said of an agent with this in its spec. */
function saidOf(spec: string): string {
  return problemsOf(load({ "agents/a.yaml": `metadata: { name: assistant }\nspec: { ${spec} }\n` })).join(
    "\n",
  );
}

const remote = (more: string) => `model: { provider: http, ${more} }`;
const server = (more: string) =>
  `model: { provider: demo }, tools: [{ name: t, type: mcp, config: { transport: http, ${more} } }]`;
const grant = (more: string) => server(`url: "https://a.example", auth: { client_id: c, ${more} }`);
const SHOWN = "something else, which is not shown";

it.each([
  ["secret of a remote agent", remote(`url: "https://a.example", secret: "${PASSWORD}"`), SHOWN],
  ["long secret", remote(`url: "https://a.example", secret: "${PASSWORD.repeat(20)}"`), SHOWN],
  ["secret that looks like a variable", remote(`url: "https://a.example", secret: "\${${PASSWORD}"`), SHOWN],
  ["secret that looks like an alias", remote(`url: "https://a.example", secret: *${PASSWORD} `), SHOWN],
  ["secret that looks like a tag", remote(`secret: !${PASSWORD} x`), "expected YAML"],
  ["secret that looks like a block", `model:\n    secret: |${PASSWORD}\n`, "expected YAML"],
  ["header", server(`url: "https://a.example", headers: "Bearer ${PASSWORD}"`), SHOWN],
  ["password in the address of a model", remote(`url: "ftp://u:${PASSWORD}@a.example"`), "//***@a.example"],
  [
    "password in the address of a server",
    server(`url: "https://u:${PASSWORD}@a.example"`),
    "//***@a.example",
  ],
  [
    "password in an address of tokens",
    grant(`token_url: "http://u:${PASSWORD}@a.example", client_secret: s`),
    "//***@a.example",
  ],
])("a %s that is wrong is named, and not shown", (_what, spec, words) => {
  const said = saidOf(spec);
  expect(said).toContain(words);
  expect(said).not.toContain(PASSWORD);
});

it.each([
  ["url", remote(`url: "https://u:${PASSWORD}@a.example", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`)],
  [
    "base_url",
    `model: { provider: openai, model: m, price: free, base_url: "https://u:${PASSWORD}@a.example" }`,
  ],
])("a model whose %s has a password in it, which no client calls, is refused", (key, spec) => {
  expect(saidOf(spec)).toMatch(
    new RegExp(
      `spec\\.model\\.${key}: expected an address without a user name and password, got one with them$`,
    ),
  );
});

it("a header whose name cannot be one is told what is expected", () => {
  expect(saidOf(server(`url: "https://a.example", headers: { "a b": c }`))).toMatch(
    /headers\.a b: expected the name of a header as the key, got /,
  );
});
