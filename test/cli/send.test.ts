// biome-ignore-all lint/suspicious/noTemplateCurlyInString: hostile to a shell, which is the point
import { createHmac } from "node:crypto";
import nacl from "tweetnacl";
import { describe, expect, it, onTestFinished } from "vitest";
import { leaveDevKey } from "../../src/app/developers.ts";
import { SAMPLES } from "../../src/cli/samples.ts";
import { readEnvironment } from "../../src/config/environment.ts";
import { PLATFORMS, type Platform } from "../../src/domain/event.ts";
import { type FakeAnswer, type FakeCall, type FakeServer, fakeServer } from "../fakes/server.ts";
import { call, emptyFolder, run, shell } from "./helpers.ts";

const HOSTILE = [
  "it's",
  `"double" and 'single' and \\ back`,
  "$HOME $(id) `id` ${PATH} !!",
  "two\nlines\tand a tab",
  "; echo gone && exit 1 | cat > x",
  "@file #not a comment",
  "émoji 🙂 \u2028 中",
  "'",
  "-H 'x: y'",
  "a%20b+c&d=e",
];

const NOTHING: Pick<FakeCall, "headers" | "body" | "path"> = { headers: {}, body: "", path: "" };

async function gateway(answer: FakeAnswer = { body: { status: "accepted" } }): Promise<FakeServer> {
  const server = await fakeServer(() => answer);
  onTestFinished(() => server.close());
  return server;
}

describe("parley send", () => {
  it("posts to the test webhook and prints status and answer", async () => {
    const server = await gateway({ body: { status: "accepted", id: "test:1", reply: "You said: hello" } });
    const args = [
      "send",
      "test",
      "--text",
      "hello",
      "--user",
      "ann",
      "--wait",
      "5",
      "--url",
      `${server.url}/`,
    ];
    const result = await call(args, { env: { PARLEY_DEV_KEY: "the-operators-own-key" } });
    expect(result).toMatchObject({
      code: 0,
      stdout: '200 accepted\n{"status":"accepted","id":"test:1","reply":"You said: hello"}\n',
      stderr: "Event test:1.\n",
    });
    expect(server.calls[0]).toMatchObject({ method: "POST", path: "/webhooks/test?wait=5" });
    expect(server.calls[0]?.headers["x-dev-key"]).toBe("the-operators-own-key");
    expect(JSON.parse(server.calls[0]?.body ?? "")).toMatchObject({ message: "hello", user: "ann" });
  });

  it("takes the key that a gateway here has made, for this machine alone", async () => {
    const server = await gateway({ status: 401, body: {} });
    const cwd = emptyFolder();
    const made = "made-at-the-start-and-no-other-key";
    leaveDevKey(readEnvironment({ PARLEY_DATA_DIR: "kept" }, cwd, []).environment, () => made);
    const env = { PARLEY_DATA_DIR: "kept" };
    const { code, stderr } = await call(["send", "test", "--url", server.url], { cwd, env });
    expect([code, stderr]).toEqual([1, expect.stringContaining("Set PARLEY_DEV_KEY")]);
    expect(server.calls[0]?.headers["x-dev-key"]).toBe(made);
    const own = { ...env, PARLEY_DEV_KEY: "the-operators-own-key" };
    await call(["send", "test", "--url", server.url], { cwd, env: own });
    expect(server.calls[1]?.headers["x-dev-key"]).toBe("the-operators-own-key");
    const elsewhere = ["send", "test", "--print-curl", "--url", "http://parley.example"];
    expect((await call(elsewhere, { cwd, env })).stdout).not.toContain("x-dev-key");
  });

  it("prints what became of it as JSON when asked", async () => {
    const body = { status: "accepted", id: "test:dev:abc", reply: "hi" };
    const server = await gateway({ body, headers: { "x-request-id": "req_1" } });
    const { stdout } = await call(["send", "test", "--id", "abc", "--json", "--url", server.url]);
    expect(JSON.parse(stdout)).toEqual({
      status: 200,
      request_id: "req_1",
      outcome: "accepted",
      event_id: "test:dev:abc",
      reply: "hi",
    });
  });

  it("believes what the gateway tells whoever has the developer's key, and shows that to nobody else", async () => {
    const headers = {
      "x-request-id": "req_1",
      "x-parley-outcome": "ignored",
      "x-parley-reason": "not_addressed",
      "x-parley-event": "slack%3AT1%3AC1%3A1.%C3%BC",
    };
    const server = await gateway({ body: "", headers });
    const env = { SLACK_SIGNING_SECRET: "s", PARLEY_DEV_KEY: "the-operators-own-key" };
    const result = await call(["send", "slack", "--json", "--url", server.url], { env });
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toEqual({
      status: 200,
      request_id: "req_1",
      outcome: "ignored",
      reason: "not_addressed",
      event_id: "slack:T1:C1:1.ü",
    });
    expect(server.calls[0]?.headers["x-dev-key"]).toBe("the-operators-own-key");
    const talk = await call(["send", "slack", "--url", server.url], { env });
    expect(talk.stdout).toBe("200 ignored: not_addressed\n");
    expect(talk.stderr).toBe("Event slack:T1:C1:1.ü.\nparley explain req_1 says what to do.\n");
    const curl = await call(["send", "slack", "--print-curl", "--url", server.url], { env });
    expect(curl.stdout).not.toContain("the-operators-own-key");
  });

  it("says what is missing where nobody tells what became of it", async () => {
    const server = await gateway({ body: "" });
    const env = { SLACK_SIGNING_SECRET: "s" };
    expect(await call(["send", "slack", "--url", server.url], { env })).toMatchObject({
      code: 0,
      stdout: "200 acknowledged\n",
      stderr: expect.stringContaining("Set PARLEY_ADMIN_TOKEN or PARLEY_DEV_KEY"),
    });
    expect(await call(["send", "slack", "--wait", "1", "--url", server.url], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("expected PARLEY_ADMIN_TOKEN"),
    });
    expect(server.calls).toHaveLength(1);
  });

  it.each([
    ["done", 0],
    ["dead", 1],
  ])("follows what was merged to the event that answered it, which is %s", async (state, code) => {
    const server = await fakeServer(({ path }) => {
      if (path.includes("/explain/"))
        return { body: { id: "req_1", outcome: "accepted", reason: null, event: { id: "slack:2" } } };
      if (path.endsWith(encodeURIComponent("slack:2")))
        return { body: { id: "slack:2", state: "merged", merged_into: "slack:1", progress: null } };
      if (path.endsWith(encodeURIComponent("slack:1")))
        return { body: { id: "slack:1", state, merged_into: null, progress: { answer: { text: "Both." } } } };
      return { body: "", headers: { "x-request-id": "req_1" } };
    });
    onTestFinished(() => server.close());
    const env = { SLACK_SIGNING_SECRET: "s", PARLEY_ADMIN_TOKEN: "t".repeat(32) };
    const send = ["send", "slack", "--wait", "60", "--url", server.url];
    expect(await call(send, { env })).toMatchObject({
      code,
      stdout: `200 accepted\nmerged: answered together with slack:1, which is ${state}\nBoth.\n`,
    });
    const json = await call([...send, "--json"], { env });
    expect(json.code).toBe(code);
    expect(JSON.parse(json.stdout)).toMatchObject({
      state: "merged",
      merged_into: "slack:1",
      reply: "Both.",
    });
  });

  it.each([
    ["what became of it", "/explain/", { outcome: "acknowledged" }],
    ["how it ended", "/events/", { outcome: "accepted", event_id: "slack:1" }],
  ])("says what the webhook was answered where %s cannot be asked", async (_, silent, known) => {
    const server = await fakeServer(({ path }) => {
      if (path.includes(silent))
        return { status: 503, body: { error: { code: "x", message: "the store is away" } } };
      if (!path.includes("/explain/")) return { body: "", headers: { "x-request-id": "req_1" } };
      return { body: { id: "req_1", outcome: "accepted", reason: null, event: { id: "slack:1" } } };
    });
    onTestFinished(() => server.close());
    const env = { SLACK_SIGNING_SECRET: "s", PARLEY_ADMIN_TOKEN: "t".repeat(32) };
    const waiting = await call(["send", "slack", "--json", "--wait", "1", "--url", server.url], { env });
    expect([waiting.code, JSON.parse(waiting.stdout)]).toEqual([
      1,
      { status: 200, request_id: "req_1", ...known },
    ]);
    expect(waiting.stderr).toContain("It could not be asked what became of it: the store is away");
    const sent = await call(["send", "slack", "--url", server.url], { env });
    expect([sent.code, sent.stdout]).toEqual([0, `200 ${known.outcome}\n`]);
  });

  it.each([
    [400, "malformed"],
    [401, "forged"],
    [403, "handshake-refused"],
    [413, "too-large"],
    [415, "unsupported"],
    [503, "unavailable"],
  ])("takes a %i for %s", async (status, outcome) => {
    const server = await gateway({ status, body: { error: { code: "x", message: "why" } } });
    const { code, stdout } = await call(["send", "slack", "--secret", "s", "--json", "--url", server.url]);
    expect([code, JSON.parse(stdout)]).toEqual([1, { status, request_id: null, outcome, reason: "why" }]);
  });

  it("addresses the bot of the token by the name that getMe tells, or the one that is given", async () => {
    const telegram = await gateway({
      body: { ok: true, result: { id: 4242, is_bot: true, username: "ops_bot" } },
    });
    const server = await gateway({ body: "" });
    const env = {
      TELEGRAM_WEBHOOK_SECRET: "s",
      TELEGRAM_BOT_TOKEN: "4242:abc",
      TELEGRAM_API_ROOT: `${telegram.url}/`,
    };
    const send = (...args: string[]) => call(["send", "telegram", "--url", server.url, ...args], { env });
    const sent = () => JSON.parse(server.calls.at(-1)?.body ?? "") as { message: Record<string, unknown> };
    await send("--kind", "command", "--text", "x");
    expect(sent().message.text).toBe("/ask@ops_bot x");
    expect(telegram.calls.map(({ path }) => path)).toEqual(["/bot4242:abc/getMe"]);
    await send("--kind", "mention", "--bot", "@other_bot", "--text", "x");
    expect(sent().message.text).toBe("@other_bot x");
    await send("--kind", "reply");
    expect(sent().message.reply_to_message).toMatchObject({ from: { id: 4242, is_bot: true } });
    expect(telegram.calls).toHaveLength(1);
    await telegram.close();
    expect(await send("--kind", "topic")).toMatchObject({
      code: 69,
      stderr: expect.stringContaining("--bot NAME"),
    });
  });

  it("repeats no token that the platform's refusal holds", async () => {
    const token = "4242:AAcanary-of-at-least-20-characters";
    const telegram = await gateway({ status: 401, body: { ok: false, description: `what is ${token}?` } });
    const env = {
      TELEGRAM_WEBHOOK_SECRET: "s",
      TELEGRAM_BOT_TOKEN: token,
      TELEGRAM_API_ROOT: telegram.url,
    };
    const result = await call(["send", "telegram", "--kind", "command", "--url", telegram.url], { env });
    expect(result.stderr).toContain("got 401 what is ***?");
    expect(result.stdout + result.stderr).not.toContain("canary");
  });

  it("comes from the workspace of the token, to its bot", async () => {
    const slack = await gateway({ body: { ok: true, team_id: "T77", user_id: "U77" } });
    const server = await gateway({ body: "" });
    const env = { SLACK_SIGNING_SECRET: "s", SLACK_BOT_TOKEN: "xoxb-1", SLACK_API_URL: `${slack.url}/api/` };
    await call(["send", "slack", "--url", server.url, "--text", "x"], { env });
    expect(slack.calls[0]).toMatchObject({ path: "/api/auth.test", method: "POST" });
    expect(JSON.parse(server.calls[0]?.body ?? "")).toMatchObject({
      team_id: "T77",
      authorizations: [{ team_id: "T77", user_id: "U77" }],
      event: { team: "T77", text: "<@U77> x" },
    });
  });

  it("finds the gateway at the port of the environment", async () => {
    const server = await gateway();
    const result = await call(["send", "test"], { env: { PARLEY_PORT: new URL(server.url).port } });
    expect(result).toMatchObject({ code: 0, stdout: '200 accepted\n{"status":"accepted"}\n' });
  });

  it("finds it at PARLEY_URL, too, where what became of it is asked as well", async () => {
    const server = await gateway();
    const env = { PARLEY_URL: server.url, PARLEY_PORT: "9", TELEGRAM_WEBHOOK_SECRET: "s".repeat(16) };
    const result = await call(["send", "telegram", "--kind", "message"], { env });
    expect([result.code, server.calls.map(({ path }) => path)]).toEqual([0, ["/webhooks/telegram"]]);
  });

  it("works as a process of its own", async () => {
    const server = await gateway();
    const result = await run(["send", "test", "--text", "it's", "--url", server.url]);
    expect(result).toEqual({
      code: 0,
      signal: null,
      stdout: '200 accepted\n{"status":"accepted"}\n',
      stderr: "",
    });
    expect(JSON.parse(server.calls[0]?.body ?? "")).toMatchObject({ message: "it's" });
  });

  it("makes a new delivery each time, unless it is given an id", async () => {
    const server = await gateway();
    for (const id of [[], [], ["--id", "1"], ["--id", "1"]])
      await call(["send", "test", "--url", server.url, ...id]);
    const [a, b, c, d] = server.calls.map((call) => (JSON.parse(call.body) as { id: string }).id);
    expect(a).not.toBe(b);
    expect([c, d]).toEqual(["1", "1"]);
  });

  it("signs for Slack with the first of two secrets", async () => {
    const server = await gateway();
    const env = { SLACK_SIGNING_SECRET: "old,new" };
    expect(await call(["send", "slack", "--kind", "slash", "--url", server.url], { env })).toMatchObject({
      code: 0,
    });
    const { headers, body, path } = server.calls[0] ?? NOTHING;
    const base = `v0:${String(headers["x-slack-request-timestamp"])}:${body}`;
    expect(path).toBe("/webhooks/slack");
    expect(headers["x-slack-signature"]).toBe(`v0=${createHmac("sha256", "old").update(base).digest("hex")}`);
  });

  it("makes a Discord key pair, and signs with it", async () => {
    const made = await call(["send", "discord", "--generate-key", "--json"]);
    const pair = JSON.parse(made.stdout) as { public_key: string; seed: string };
    const server = await gateway();
    const env = { DISCORD_PRIVATE_SEED: pair.seed, DISCORD_APPLICATION_ID: "77" };
    expect(await call(["send", "discord", "--url", server.url], { env })).toMatchObject({ code: 0 });
    const { headers, body } = server.calls[0] ?? NOTHING;
    const bytes = (hex: unknown) => new Uint8Array(Buffer.from(String(hex), "hex"));
    const signed = new Uint8Array(Buffer.from(`${String(headers["x-signature-timestamp"])}${body}`));
    const signature = bytes(headers["x-signature-ed25519"]);
    expect(nacl.sign.detached.verify(signed, signature, bytes(pair.public_key))).toBe(true);
    expect(JSON.parse(body)).toMatchObject({ application_id: "77" });
  });

  it.each(PLATFORMS)("builds every kind that it lists for %s", async (platform) => {
    const forms: Readonly<Partial<Record<Platform, string>>> = {
      discord: "ab".repeat(32),
      in: "whsec_aW5ib3VuZC1zZWNyZXQtb2YtdGVzdHM=",
    };
    const secret = forms[platform] ?? "secret";
    for (const kind of SAMPLES[platform].kinds) {
      const args = ["send", platform, "--kind", kind, "--secret", secret, "--print-curl"];
      expect(await call(args)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^curl -sS .*\n$/s) });
    }
  });

  it.each([
    [["slack"], "expected --secret or SLACK_SIGNING_SECRET, got neither"],
    [["discord"], "parley send discord --generate-key makes a pair"],
    [["discord", "--secret", "short"], "Ed25519 seed"],
    [["slack", "--secret", "s", "--kind", "slah"], "got slah (did you mean slash?)"],
    [["telegram", "--secret", "s", "--wait", "1"], "expected PARLEY_ADMIN_TOKEN"],
    [["discord", "--secret", "ab", "--bot", "x"], "expected --bot with slack or telegram only"],
    [["telegram", "--secret", "s", "--bot", "a b"], "expected --bot to be a name"],
    [["test", "--wait", "soon"], "Expected whole seconds from 0 to 120."],
    [["test", "--url", "file:///etc/passwd"], "expected --url to begin with http:// or https://"],
    [["slack", "--generate-key"], "expected --generate-key with discord only"],
  ])("ends with 2 for %j", async (args, message) => {
    const { code, stderr } = await call(["send", ...args]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it("ends with 1 when the gateway refuses", async () => {
    const server = await gateway({ status: 401, body: { error: { code: "unauthorized" } } });
    const result = await call(["send", "slack", "--secret", "wrong", "--url", server.url]);
    expect(result).toMatchObject({ code: 1, stdout: '401 forged\n{"error":{"code":"unauthorized"}}\n' });
  });

  it("ends with 69 and a hint when nothing answers", async () => {
    const server = await gateway();
    await server.close();
    const { code, stdout, stderr } = await call(["send", "test", "--url", server.url]);
    expect({ code, stdout }).toEqual({ code: 69, stdout: "" });
    expect(stderr).toContain("got ECONNREFUSED; is the gateway running? Start it with parley serve");
  });

  it("does not follow a redirect", async () => {
    const elsewhere = await gateway();
    const server = await gateway({ status: 302, headers: { location: elsewhere.url } });
    expect(await call(["send", "test", "--url", server.url])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("302 refused: a redirect, which is not followed"),
    });
    expect(elsewhere.calls).toEqual([]);
  });
});

describe("parley send --print-curl", () => {
  it("sends nothing itself", async () => {
    const server = await gateway();
    await call(["send", "test", "--print-curl", "--url", server.url]);
    expect(server.calls).toEqual([]);
  });

  it("prints a line that a shell runs to the letter, whatever the text", async () => {
    const server = await gateway();
    for (const text of HOSTILE) {
      const { stdout } = await call(["send", "test", "--text", text, "--print-curl", "--url", server.url]);
      expect(await shell(stdout)).toMatchObject({ code: 0, stdout: '{"status":"accepted"}', stderr: "" });
      expect(JSON.parse(server.calls.at(-1)?.body ?? "")).toMatchObject({ message: text });
    }
  });

  it("keeps the signature valid for a form, byte by byte", async () => {
    const server = await gateway();
    for (const text of HOSTILE) {
      const args = ["send", "slack", "--kind", "slash", "--secret", "it's $ecret", "--text", text];
      const { stdout } = await call([...args, "--print-curl", "--url", server.url]);
      expect(await shell(stdout)).toMatchObject({ code: 0 });
      const { headers, body } = server.calls.at(-1) ?? NOTHING;
      const base = `v0:${String(headers["x-slack-request-timestamp"])}:${body}`;
      const mac = createHmac("sha256", "it's $ecret").update(base).digest("hex");
      expect(headers["x-slack-signature"]).toBe(`v0=${mac}`);
      const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
      expect(new URLSearchParams(body).get("text")).toBe(escaped);
    }
  });

  it("works through a pipe, as the help shows it", async () => {
    const server = await gateway();
    const { stdout } = await run([
      "send",
      "test",
      "--text",
      HOSTILE.join(" "),
      "--print-curl",
      "--url",
      server.url,
    ]);
    expect(await shell(stdout)).toMatchObject({ code: 0 });
    expect(JSON.parse(server.calls[0]?.body ?? "")).toMatchObject({ message: HOSTILE.join(" ") });
  });

  it("makes a GET of WhatsApp's handshake, without a body", async () => {
    const server = await gateway();
    const args = ["send", "whatsapp", "--kind", "verify", "--id", "42", "--print-curl", "--url", server.url];
    const { stdout } = await call(args, { env: { WHATSAPP_VERIFY_TOKEN: "a,b c" } });
    await shell(stdout);
    const sent = server.calls[0];
    expect(sent).toMatchObject({ method: "GET", body: "" });
    expect(new URL(sent?.path ?? "", server.url).searchParams.get("hub.verify_token")).toBe("a,b c");
  });
});
