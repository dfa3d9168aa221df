import { describe, expect, it, onTestFinished } from "vitest";
import { fakeServer } from "../fakes/server.ts";
import { call, emptyFolder } from "./helpers.ts";

const [TOKEN, SECRET, VERIFY] = [
  "EAAG-token-never-shown",
  "app-secret-never-shown",
  "verify-token-never-shown",
];
const URL = "https://bot.example.com";
const HOOK = `${URL}/webhooks/whatsapp`;
const GOOD = ["whatsapp_business_messaging", "whatsapp_business_management"];

interface Meta {
  secret: string;
  scopes: readonly string[];
  expiresAt: number;
  subscribed: string[];
  webhook: Record<string, unknown> | null;
}

/** Of the Graph API what setting up touches: one app, two business accounts, one of which has our number. */
async function live(changes: Partial<Meta> = {}) {
  const meta: Meta = {
    secret: SECRET,
    scopes: GOOD,
    expiresAt: 0,
    subscribed: [],
    webhook: null,
    ...changes,
  };
  const no = { status: 400, body: { error: { code: 100 } } };
  const fake = await fakeServer(({ method, path, headers, body }) => {
    const [, , first = "", second = ""] = path.split(/[/?]/);
    const asApp = headers.authorization === `Bearer 4711|${meta.secret}`;
    if (!asApp && headers.authorization !== `Bearer ${TOKEN}`)
      return { status: 401, body: { error: { code: 190 } } };
    if (first === "1234567") return { body: { id: "1234567" } };
    if (first === "app") return { body: { id: "4711" } };
    if (first === "debug_token") {
      const granular = [{ scope: GOOD[1], target_ids: ["100", "200"] }];
      return asApp
        ? { body: { data: { scopes: meta.scopes, expires_at: meta.expiresAt, granular_scopes: granular } } }
        : no;
    }
    if (second === "phone_numbers") return { body: { data: first === "200" ? [{ id: "1234567" }] : [] } };
    if (second === "subscribed_apps" && method === "POST") {
      meta.subscribed.push(first);
      return { body: { success: true } };
    }
    if (second === "subscribed_apps") {
      const data = meta.subscribed.includes(first) ? [{ whatsapp_business_api_data: { id: "4711" } }] : [];
      return { body: { data } };
    }
    if (second !== "subscriptions" || first !== "4711" || !asApp) return no;
    if (method === "GET") return { body: { data: meta.webhook === null ? [] : [meta.webhook] } };
    const { fields, ...hook } = JSON.parse(body) as { fields: string };
    meta.webhook = { ...hook, active: true, fields: fields.split(",").map((name) => ({ name })) };
    return { body: { success: true } };
  });
  onTestFinished(() => fake.close());
  const env = {
    WHATSAPP_ACCESS_TOKEN: TOKEN,
    WHATSAPP_APP_SECRET: `${SECRET},the-old-secret-of-it`,
    WHATSAPP_VERIFY_TOKEN: VERIFY,
    WHATSAPP_PHONE_NUMBER_ID: "1234567",
    WHATSAPP_API_URL: fake.url,
  };
  const setup = async (...args: string[]) => {
    const ran = await call(["setup", "whatsapp", ...args], { env, cwd: emptyFolder() });
    expect(ran.stdout + ran.stderr).not.toContain("never-shown");
    return ran;
  };
  return { meta, fake, setup };
}

describe("parley setup whatsapp", () => {
  it("prints the webhook, and asks nobody when offline", async () => {
    const { setup, fake } = await live();
    const { code, stdout } = await setup("--offline", "--json", "--url", URL);
    expect([code, JSON.parse(stdout).webhook]).toMatchObject([
      0,
      { callback_url: HOOK, fields: ["messages"] },
    ]);
    expect(fake.calls).toEqual([]);
  });

  it("sets the webhook and subscribes the account that has the number, says what it changed, and then finds nothing wrong", async () => {
    const { setup, meta } = await live();
    const dry = await setup("--apply", "--dry-run", "--url", URL);
    expect(dry).toMatchObject({ code: 0, stdout: `~ webhook ${HOOK}\n+ business account 200\n` });
    expect([meta.webhook, meta.subscribed]).toEqual([null, []]);
    expect((await setup("--check", "--url", URL)).code).toBe(1);

    expect(await setup("--apply", "--url", URL)).toMatchObject({ code: 0, stdout: dry.stdout });
    expect(meta.webhook).toMatchObject({
      callback_url: HOOK,
      verify_token: VERIFY,
      fields: [{ name: "messages" }],
    });
    expect(meta.subscribed).toEqual(["200"]);
    const checked = await setup("--check", "--url", URL);
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining(`webhook leads to ${HOOK}`)]);

    // The verify token is told again, since nobody can ask which one Meta has.
    meta.webhook = { ...meta.webhook, verify_token: "another" };
    expect(await setup("--apply", "--url", URL)).toMatchObject({ code: 0, stdout: "" });
    expect([meta.webhook?.verify_token, meta.subscribed]).toEqual([VERIFY, ["200"]]);
  });

  it.each<[string, Partial<Meta>, number, string]>([
    [
      "permissions that are missing",
      { scopes: ["public_profile"] },
      1,
      "lacks whatsapp_business_messaging and",
    ],
    ["a token that ends", { expiresAt: 1_900_000_000 }, 1, "the access token ends at 2030-03-17T"],
    ["a secret of another app", { secret: "of-another-app" }, 1, "WHATSAPP_APP_SECRET is not of the app"],
    [
      "an old secret that holds still",
      { secret: "the-old-secret-of-it" },
      1,
      "the app has no webhook for messages",
    ],
  ])("finds %s", async (_, changes, code, words) => {
    const { setup } = await live(changes);
    expect(await setup("--check")).toMatchObject({ code, stdout: expect.stringContaining(words) });
  });

  it("does not call wrong what it may not see", async () => {
    const { setup, meta } = await live({ scopes: [...GOOD.slice(0, 1)] });
    await setup("--apply", "--url", URL);
    const checked = await setup("--check", "--url", URL);
    expect([checked.code, checked.stdout]).toEqual([
      0,
      expect.stringMatching(/warn .*lacks whatsapp_business_management/),
    ]);
    expect(meta.subscribed).toEqual(["200"]);
  });

  it("wants an address, and an account where none has the number", async () => {
    const { setup } = await live();
    expect(await setup("--apply")).toMatchObject({ code: 78, stderr: expect.stringContaining("--url") });
    expect((await setup("--apply", "--dry-run", "--url", URL, "--waba-id", "300")).stdout).toContain(
      "account 300",
    );
  });
});
