import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { HOOK_TYPES } from "../../src/domain/hook.ts";
import { Secret } from "../../src/shared/secret.ts";
import { webhookHeaders } from "../../src/shared/standard-webhooks.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/hooks.md"), "utf8");
const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const BODY = '{"type":"hook.test","data":{"hook":"é"}}';
const NOW = 1_700_000_000;
const headers = webhookHeaders({ id: "msg_1", timestampSeconds: NOW, body: BODY }, [
  new Secret(OTHER),
  new Secret(KEY),
]);

const codeIn = (language: string) =>
  new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(PAGE)?.[1] ?? expect.fail(language);
/** What the page's own code says of: what was signed, another body, another secret, an old message. */
const EXPECTED = [true, false, false, false];

it("has an example in JavaScript that takes what is signed and nothing else", async () => {
  const { verify } = await import(`data:text/javascript,${encodeURIComponent(codeIn("js"))}`);
  const body = Buffer.from(BODY);
  expect([
    verify(headers, body, KEY, NOW + 299),
    verify(headers, Buffer.from(`${BODY} `), KEY, NOW),
    verify(headers, body, "whsec_AAAAAAAAAAAAAAAAAAAAAA==", NOW),
    verify(headers, body, KEY, NOW + 301),
  ]).toEqual(EXPECTED);
});

it("has an example in Python that says the same", () => {
  const script = `${codeIn("python")}
import json, sys
headers, body = json.loads(sys.argv[1]), sys.argv[2].encode()
print(json.dumps([
  verify(headers, body, "${KEY}", ${NOW + 299}),
  verify(headers, body + b" ", "${KEY}", ${NOW}),
  verify(headers, body, "whsec_AAAAAAAAAAAAAAAAAAAAAA==", ${NOW}),
  verify(headers, body, "${KEY}", ${NOW + 301}),
]))`;
  const said = execFileSync("python3", ["-c", script, JSON.stringify(headers), BODY], { encoding: "utf8" });
  expect(JSON.parse(said)).toEqual(EXPECTED);
});

it("has a row for each type", () => {
  expect(HOOK_TYPES.filter((type) => !PAGE.includes(`| \`${type}\` |`))).toEqual([]);
});
