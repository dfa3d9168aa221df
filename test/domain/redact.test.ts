import { expect, it } from "vitest";
import { DeliveryError, GatewayError, ModelError } from "../../src/domain/errors.ts";
import { KnownSecrets } from "../../src/domain/known-secrets.ts";
import { quoted, redacted, redactedJson } from "../../src/domain/redact.ts";
import { Secret } from "../../src/shared/secret.ts";

const KEY = 'canary+key/"7f_3"=e9';
new Secret(KEY);
new Secret("4711:canary-half-behind-the-colon");
new Secret("rediss://canary-user:canary%2Bpass%21word@redis.example:6379/3");
new Secret("redis://canary.example:6379");
new Secret("canarys");
new Secret("\\c\\a\\n\\y");

const base64 = (text: string) => Buffer.from(text).toString("base64");

it.each([
  ["as it is", KEY],
  ["percent-encoded", encodeURIComponent(KEY)],
  ["percent-encoded in small letters", encodeURIComponent(KEY).toLowerCase()],
  ["in JSON", JSON.stringify(KEY)],
  ["as Markdown escapes it", KEY.replaceAll(/\W|_/g, "\\$&")],
  ["in base64", base64(KEY)],
  ["in base64 behind one letter", base64(`u${KEY}`)],
  ["in base64 behind a user's name", base64(`us:${KEY}`)],
  ["in base64 between others", base64(`user:${KEY}:more`)],
  ["in base64 for addresses", Buffer.from(`user:${KEY}`).toString("base64url")],
  ["the key after an id", "canary-half-behind-the-colon"],
  ["the whole of both", "bot4711:canary-half-behind-the-colon/getMe"],
  ["an address with a password", "rediss://canary-user:canary%2Bpass%21word@redis.example:6379/3"],
  ["the password alone", "canary+pass!word"],
  ["one that is half of backslashes", "\\c\\a\\n\\y"],
])("a secret is taken out of what others say: %s", (_how, said) => {
  const text = redacted(`before ${said} after`);
  expect(text).toMatch(/^before .*\*\*\*.* after$/s);
  for (const whole of [said, KEY, "canary", base64(KEY).slice(4, 16)]) expect(text).not.toContain(whole);
});

it.each([
  "a word of fewer than eight letters: canarys",
  "an address without a password: redis://canary.example:6379",
  "what is alike: canary-half",
])("leaves whole: %s", (text) => {
  expect(redacted(text)).toBe(text);
});

it("every error of an upstream is without secrets in message and stack, as it is made", () => {
  for (const error of [
    new GatewayError("STORE_UNAVAILABLE", `ERR ${KEY}`),
    new DeliveryError("rejected", `chat.postMessage: ${KEY}`),
    new ModelError("MODEL_AUTH", `Anthropic: 401, ${KEY}`, { retryable: false }),
  ]) {
    expect(error.message).toContain("***");
    expect(`${error.message} ${error.stack}`).not.toContain("canary");
  }
});

it("is taken out of values and of names of fields, and the rest stays what it was", () => {
  const input = { path: "/a", [KEY]: [1, null, { deep: `x ${KEY} y` }] };
  expect(redactedJson(input)).toEqual({ path: "/a", "***": [1, null, { deep: "x *** y" }] });
  const clean = { path: "/a" };
  expect(redactedJson(clean)).toBe(clean);
});

it("a text that is cut holds no half of a secret", () => {
  for (let before = 0; before < 60; before++) {
    const text = quoted(`${"x".repeat(before)}${KEY}${"y".repeat(20_000)}`, 40);
    expect(text.length).toBeLessThanOrEqual(40);
    expect(text).not.toContain("can");
  }
});

it("secrets of more workspaces than are remembered do not crowd out the gateway's own", () => {
  const tokenOf = (n: number) => `xoxb-${100_000_000_000 + n}-workspace${n}`;
  for (let n = 0; n < 1_200; n++) new Secret(tokenOf(n), true);
  expect(redacted(`${KEY} ${tokenOf(0)} ${tokenOf(1_199)}`)).toBe("*** *** ***");
  expect(redacted("xoxb-100000000000-nobody")).toBe("xoxb-100000000000-nobody");
});

it("of more secrets than are remembered the newest are found, and those alone", () => {
  const known = new KnownSecrets(3);
  const secrets = Array.from({ length: 9 }, (_, n) => `secret-${n}-${n}`);
  for (const secret of [...secrets, ...secrets]) known.add(secret);
  expect(known.perhapsIn(`xx ${secrets.join(" ")} xx`)).toEqual(secrets.slice(-3));
  expect(known.perhapsIn("secret- secret-9-9")).toEqual([]);
});
