import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Admin, aRun, openAdmin, TOKEN } from "../support/admin.ts";
import { claimAll } from "../support/store.ts";
import { call, emptyFolder, run } from "./helpers.ts";

let admin: Admin;
let url: string;
let env: Record<string, string>;

beforeEach(async () => {
  admin = await openAdmin();
  // The command tells how long ago it was.
  admin.clock.advance(Date.now() - admin.clock.nowMs());
  url = await admin.listen();
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: url };
});

/** All that ask a gateway's admin API. */
const EVERY_COMMAND = [
  "dead list",
  "dead show slack:1",
  "dead replay --all --yes",
  "dead drop --all --dry-run",
  "events list",
  "events show slack:1",
  "replay slack:1 --yes",
  "tail",
];

async function addressOf(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const dead = (...args: string[]) => call(["dead", ...args], { env });
const stateOf = async (id: string) => (await admin.store.journal.find(id))?.state;

/** Two inbound letters and an outbound one. */
async function threeLetters(): Promise<void> {
  await admin.bury({ id: "slack:T1/C1:1" }, "MODEL_OVERLOADED: busy");
  await admin.bury(
    { id: "telegram:2", platform: "telegram", conversation: "telegram:b" },
    "DELIVERY_REJECTED: gone",
    aRun({}),
  );
  await admin.bury({ id: "slack:3", conversation: "slack:c" }, "gave up");
}

describe("parley dead list", () => {
  it("says that there is nothing", async () => {
    expect(await dead("list")).toEqual({ code: 0, signal: null, stdout: "", stderr: "No dead letters.\n" });
    expect((await dead("list", "--kind", "outbound")).stderr).toBe("No dead letters match.\n");
    expect((await dead("list", "--json")).stdout).toBe("[]\n");
  });

  it("prints a table, or JSON", async () => {
    await threeLetters();
    const { code, stdout, stderr } = await dead("list");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replaceAll(/^\d+s /gm, "0s ").split("\n")).toEqual([
      "DIED  KIND      TRIES  CAUSE                    ID",
      "0s    inbound   1      gave up                  slack:3",
      "0s    outbound  1      DELIVERY_REJECTED: gone  telegram:2",
      "0s    inbound   1      MODEL_OVERLOADED: busy   slack:T1/C1:1",
      "",
    ]);
    const json = JSON.parse((await dead("list", "--json", "--platform", "slack")).stdout);
    expect(json.map(({ id }: { id: string }) => id)).toEqual(["slack:3", "slack:T1/C1:1"]);
  });

  it("follows the pages, and says when there are more", async () => {
    for (let n = 0; n < 501; n++) await admin.bury({ id: `slack:${n}`, conversation: `slack:c${n}` });
    const some = await dead("list");
    expect(some.stdout.split("\n")).toHaveLength(52);
    expect(some.stderr).toBe("There are more; --limit shows more than 50.\n");
    expect((await dead("list", "--json")).stderr).toBe(some.stderr);
    const all = await dead("list", "--limit", "999", "--json");
    expect(JSON.parse(all.stdout)).toHaveLength(501);
    expect(all.stderr).toBe("");
  });

  it("cannot be made to lie by what it shows", async () => {
    await admin.bury({ id: "test:\u001b[1A\u202e" }, "\u001b]0;title\u0007\nslack:1");
    const { stdout } = await dead("list");
    expect(stdout).toContain("\\u{1b}]0;title\\u{7}\\nslack:1");
    expect(stdout).toContain("test:\\u{1b}[1A\\u{202e}");
    await admin.bury({ id: "test:2", text: "\u009b31m" });
    for (const args of [["list"], ["show", "test:2"], ["replay", "--all", "--yes"]]) {
      const json = (await dead(...args, "--json")).stdout;
      expect(json).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
      expect(json).toMatch(/\\u009b31m|\\u202e/);
    }
  });
});

describe("parley dead show", () => {
  it("prints all there is, with what was said as it was said", async () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 2,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costCents: 0.25,
    };
    await admin.bury(
      { id: "slack:T1/C1:1", text: "first line\nsecond \u001b[31mline" },
      "DELIVERY_REJECTED: gone",
      aRun({ text: "the **answer**", usage }),
    );
    const { code, stdout, stderr } = await dead("show", "slack:T1/C1:1");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const line of [
      "State         dead, outbound: its answer could not be said",
      "Cause         DELIVERY_REJECTED: gone",
      "From          ann (U1), mention",
      "Outcome       answered; 1 message",
      "Usage         10 tokens in, 2 out; 0.25 cents",
      "Message\n  first line\n  second \\u{1b}[31mline",
      "Answer\n  the **answer**",
    ])
      expect(stdout).toContain(`${line}\n`);
    expect(JSON.parse((await dead("show", "--json", "slack:T1/C1:1")).stdout)).toMatchObject({
      kind: "outbound",
    });
  });

  it("ends with 1 when there is none, or when it is alive", async () => {
    expect(await dead("show", "slack:x")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "parley: There is no event of this id\n",
    });
    await admin.finish({ id: "slack:1" }, { kind: "done", outcome: "answered", turns: [] });
    expect((await dead("show", "slack:1")).stderr).toBe(
      "parley: Expected a dead letter, got an event that is done\n",
    );
  });
});

describe("parley dead replay", () => {
  it("replays what is named, and says how far it is", async () => {
    await threeLetters();
    expect(await dead("replay", "--yes", "slack:T1/C1:1", "telegram:2")).toEqual({
      code: 0,
      signal: null,
      stdout: "",
      stderr: "1 of 2\n2 of 2\n2 of 2 dead letters replayed.\n",
    });
    expect(await admin.store.journal.find("telegram:2")).toMatchObject({
      state: "queued",
      replays: [{ mode: "resume", by: expect.stringMatching(/^\S+@\S+$/) }],
    });
    expect(await stateOf("slack:3")).toBe("dead");
  });

  it("says which it could not replay and why, and ends with 1", async () => {
    await threeLetters();
    await dead("replay", "--yes", "slack:3");
    const { code, stderr } = await dead("replay", "--yes", "slack:3", "slack:none", "telegram:2");
    expect(code).toBe(1);
    expect(stderr).toContain("unknown      -        slack:none: There is no such event\n");
    expect(stderr).toContain("changed      inbound  slack:3: It is queued now\n");
    expect(stderr).toContain("1 of 3 dead letters replayed.\n");
  });

  it("replays what fits a filter, or all", async () => {
    await threeLetters();
    expect((await dead("replay", "--platform", "slack", "--limit", "1", "--yes")).code).toBe(0);
    expect(await stateOf("slack:T1/C1:1")).toBe("queued");
    expect((await dead("replay", "--all", "--yes")).stderr).toContain("2 of 2 dead letters replayed.\n");
    expect(await claimAll(admin.queue)).toHaveLength(3);
    expect(await dead("replay", "--all", "--yes")).toMatchObject({
      code: 0,
      stderr: "No dead letters match.\n",
    });
  });

  it("does nothing in a dry run but print what it would do", async () => {
    await threeLetters();
    expect(await dead("replay", "--all", "--dry-run")).toMatchObject({
      code: 0,
      stdout: [
        "would replay inbound  slack:T1/C1:1\n",
        "would replay outbound telegram:2\n",
        "would replay inbound  slack:3\n",
      ].join(""),
      stderr: "3 of 3 dead letters would be replayed.\n",
    });
    expect(await stateOf("slack:3")).toBe("dead");
  });

  it("prints JSON lines for a program", async () => {
    await threeLetters();
    const { stdout } = await dead("replay", "--all", "--yes", "--json");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { n: 1 },
      { n: 2 },
      { n: 3 },
      { complete: true },
    ]);
  });

  it("asks first, about just what it then does", async () => {
    await threeLetters();
    const questions: string[] = [];
    const answer = (isYes: boolean) => async (question: string) => {
      questions.push(question);
      return isYes;
    };
    const no = await call(["dead", "replay", "--all"], { env, confirm: answer(false) });
    expect(no).toMatchObject({ code: 1, stderr: "Nothing was done.\n" });
    expect(await stateOf("slack:3")).toBe("dead");
    const yes = await call(["dead", "replay", "--all"], {
      env,
      confirm: async (question) => {
        await admin.bury({ id: "slack:late", conversation: "slack:late" });
        return await answer(true)(question);
      },
    });
    expect(yes).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("3 of 3 dead letters replayed.\n"),
    });
    expect(questions).toEqual(Array(2).fill("Replay 3 dead letters (2 inbound, 1 outbound)?"));
    expect(await stateOf("slack:late")).toBe("dead");
  });

  it("asks nothing when nothing can be done", async () => {
    const confirm = () => Promise.reject(new Error("asked"));
    expect(await call(["dead", "replay", "--all"], { env, confirm })).toMatchObject({
      code: 0,
      stderr: "No dead letters match.\n",
    });
    await admin.bury({ id: "slack:old", occurredAtMs: 1 });
    expect(await call(["dead", "replay", "--all"], { env, confirm })).toMatchObject({
      code: 1,
      stderr: "refused      inbound  slack:old: too_old: over 86400 s\n",
    });
  });

  it("ends with 1 after a yes, too, when there was some that could not be replayed", async () => {
    await threeLetters();
    await admin.bury({ id: "slack:old", occurredAtMs: 1 });
    const { code, stderr } = await call(["dead", "replay", "--all"], { env, confirm: async () => true });
    expect(code).toBe(1);
    expect(stderr).toContain("slack:old: too_old");
    expect(stderr).toContain("3 of 3 dead letters replayed.\n");
  });

  it("stops at Ctrl-C, and says how far it got", async () => {
    for (let n = 0; n < 300; n++) await admin.bury({ id: `slack:${n}`, conversation: `slack:c${n}` });
    const ctrlC = new AbortController();
    const { code, stderr } = await call(["dead", "replay", "--all", "--yes", "--json"], {
      env,
      interrupted: () => ctrlC.signal,
      onOut: () => ctrlC.abort("interrupted"),
    });
    expect(code).toBe(130);
    expect(stderr).toMatch(/Interrupted: at least \d+ of 300 dead letters replayed\.\n$/);
    expect((await admin.store.journal.stats()).dead).toBeGreaterThan(0);
  });
});

describe("parley dead drop", () => {
  it("puts letters away, with who did it", async () => {
    await threeLetters();
    const { code, stderr } = await dead("drop", "--cause", "gave UP", "--yes");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "1 of 1\n1 of 1 dead letter dropped.\n" });
    expect(await admin.store.journal.find("slack:3")).toMatchObject({
      state: "dropped",
      cause: expect.stringMatching(/^dropped by \S+@\S+$/),
    });
    expect(JSON.parse((await dead("list", "--json")).stdout)).toHaveLength(2);
  });
});

describe("a command that changes something", () => {
  it.each(["replay", "drop"])("%s does not guess what is meant", async (action) => {
    expect(await dead(action, "--yes")).toMatchObject({
      code: 2,
      stderr: "parley: expected ids, a filter such as --since 2h, or --all; got none of them\n",
    });
    expect(await dead(action, "--all")).toMatchObject({
      code: 2,
      stderr: "parley: expected --yes where nobody can be asked\n",
    });
    expect(await dead(action, "--since", "1w", "--yes")).toMatchObject({
      code: 2,
      stderr: 'parley: since: expected an ISO time, or a span such as 30m, 2h or 7d, got "1w"\n',
    });
  });
});

describe("a command that asks a gateway", () => {
  it("says how to get a token when there is none", async () => {
    const { code, stderr } = await call(["dead", "list"], { env: { PARLEY_URL: url } });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^parley: expected PARLEY_ADMIN_TOKEN or PARLEY_ADMIN_TOKEN_FILE, got neither\..*openssl/,
    );
  });

  it("takes the token from a file, and the address from --url or the port", async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, "token"), `${TOKEN}\n`);
    const fromFile = { PARLEY_ADMIN_TOKEN_FILE: "token", PARLEY_PORT: new URL(url).port };
    expect((await call(["dead", "list"], { env: fromFile, cwd })).code).toBe(0);
    const wrongPort = { ...env, PARLEY_URL: "http://127.0.0.1:9" };
    expect((await call(["dead", "list", "--url", `${url}/`], { env: wrongPort })).code).toBe(0);
    expect((await call(["dead", "list", "--url", "example.com"], { env })).code).toBe(2);
    expect(
      (await call(["dead", "list"], { env: { ...env, PARLEY_ADMIN_TOKEN_FILE: "token" }, cwd })).code,
    ).toBe(2);
  });

  it("ends with 1 for a wrong token, and where the API is off", async () => {
    expect(await call(["dead", "list"], { env: { ...env, PARLEY_ADMIN_TOKEN: "wrong" } })).toMatchObject({
      code: 1,
      stderr: `parley: the gateway at ${url} does not take this PARLEY_ADMIN_TOKEN\n`,
    });
    const off = await (await openAdmin({ token: null })).listen();
    const { code, stderr } = await call(["dead", "list", "--url", off], { env });
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("The admin API is off"),
    });
  });

  it("ends with 69 when there is nobody, and with 1 when somebody else is there", async () => {
    const { code, stderr } = await call(["dead", "list", "--url", "http://127.0.0.1:9"], { env });
    expect({ code, stderr }).toMatchObject({
      code: 69,
      stderr: expect.stringContaining("is the gateway running?"),
    });
    const stranger = createServer((_, answer) => answer.writeHead(418).end("<html>"));
    const elsewhere = await addressOf(stranger);
    expect(await call(["dead", "list", "--url", elsewhere], { env })).toMatchObject({
      code: 1,
      stderr: `parley: expected Parley at ${elsewhere}, got another answer (418)\n`,
    });
    expect((await call(["dead", "replay", "--all", "--yes", "--url", elsewhere], { env })).code).toBe(1);
  });

  it.each(EVERY_COMMAND)("takes no page of a proxy for an answer to %s", async (command) => {
    const proxy = createServer((_, answer) => {
      answer.writeHead(200, { "content-type": "text/html" }).end("<html>\u001b]0;title\u0007\n");
    });
    const there = await addressOf(proxy);
    expect(await call([...command.split(" "), "--url", there], { env })).toEqual({
      code: 1,
      signal: null,
      stdout: "",
      stderr: `parley: expected Parley at ${there}, got another answer (200)\n`,
    });
  });

  it("asks a stranger once, even one who answers with JSON", async () => {
    let asked = 0;
    const other = createServer((_, answer) => {
      asked++;
      answer.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    const there = await addressOf(other);
    expect(await dead("list", "--url", there)).toMatchObject({
      code: 1,
      stderr: `parley: expected Parley at ${there}, got another answer (200)\n`,
    });
    expect(asked).toBe(1);
  });

  it.each([...EVERY_COMMAND, "send test", "doctor"])(
    "never shows the login in an address given to %s",
    async (command) => {
      for (const login of [
        "http://ann:hunter2@127.0.0.1:9",
        "ann:hunter2@host:8080",
        "htp://ann:hunter2@h",
      ]) {
        const { code, stdout, stderr } = await call([...command.split(" "), "--url", login], { env });
        expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
        expect(stderr).toMatch(/^parley: expected --url /);
        expect(stderr).not.toMatch(/ann|hunter2/);
      }
    },
  );

  it("never shows the login in PARLEY_URL", async () => {
    const secret = { ...env, PARLEY_URL: "http://ann:hunter2@127.0.0.1:9" };
    expect(await call(["dead", "list"], { env: secret })).toMatchObject({
      code: 2,
      stderr: "parley: expected PARLEY_URL without a user name and password, got one with them\n",
    });
  });

  it("says which token no gateway can have, without it", async () => {
    expect(await call(["dead", "list"], { env: { ...env, PARLEY_ADMIN_TOKEN: "hünter" } })).toMatchObject({
      code: 2,
      stderr: "parley: PARLEY_ADMIN_TOKEN: expected ASCII characters without spaces, got something else\n",
    });
  });

  it("ends with 69 when the connection breaks midway", async () => {
    const breaking = createServer((_, answer) => {
      answer.writeHead(200, { "content-type": "application/x-ndjson" });
      answer.write(
        '{"id":"slack:1","kind":"inbound","result":"replayed","message":null,"n":1,"of":2}\n',
        () => answer.destroy(),
      );
    });
    const there = await addressOf(breaking);
    expect(await call(["dead", "replay", "--all", "--yes", "--url", there], { env })).toMatchObject({
      code: 69,
      stderr: "1 of 2\nparley: the connection broke after 1 dead letter; ask again for the rest\n",
    });
  });

  it("works as a process, with data on stdout and talk on stderr", { timeout: 20_000 }, async () => {
    await threeLetters();
    const { code, stdout, stderr } = await run(["dead", "replay", "--all", "--yes", "--json"], { env });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "1 of 3\n2 of 3\n3 of 3\n3 of 3 dead letters replayed.\n",
    });
    expect(stdout.trimEnd().split("\n")).toHaveLength(4);
  });
});
