import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSlackAdapter, type SlackAdapter } from "../../../adapters/slack/adapter.ts";
import type { Deed } from "../../../src/domain/audit.ts";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { ReplyPart } from "../../../src/domain/reply.ts";
import type { PageAnswer } from "../../../src/ports/pages.ts";
import type { Store } from "../../../src/ports/store.ts";
import { Seal } from "../../../src/shared/seal.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { createSecrets } from "../../../src/store/secrets.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { type FakeSlack, fakeSlack } from "../../fakes/slack.ts";
import { FakeClock } from "../../support/clock.ts";
import { openTestStore } from "../../support/store.ts";
import { messageBody, NOW_MS, request, SECRET } from "./setup.ts";

const never = new AbortController().signal;
const KEY = randomBytes(32);
let fake: FakeSlack;
let clock: FakeClock;
let store: Store;
let slack: SlackAdapter;
let deeds: Omit<Deed, "atMs">[];
beforeEach(async () => {
  deeds = [];
  fake = await fakeSlack({ token: "nobody's" });
  clock = new FakeClock(NOW_MS);
  store = await openTestStore(clock);
  slack = replica();
});
afterEach(() => fake.close());

/** Another of them has the same store, and remembers other things. */
function replica(publicUrl: string | null = "https://bot.example"): SlackAdapter {
  return createSlackAdapter({
    signingSecrets: [new Secret(SECRET)],
    apiUrl: fake.apiUrl,
    clock,
    timeoutMs: 30_000,
    oauth: {
      oauth: { clientId: "111.222", clientSecret: new Secret("client-secret-of-the-app") },
      features: [
        { words: "answer", scopes: ["chat:write"], events: [] },
        { words: "give a long answer as a file", scopes: ["files:write"], events: [] },
      ],
      publicUrl,
      kept: {
        ...{ secrets: createSecrets(new Seal([KEY]), store), holds: store.holds, notes: store.notes },
        audit: { write: async (deed) => void deeds.push(deed) },
      },
    },
  });
}

async function visit(
  path: string,
  options: { query?: string; cookie?: string; host?: string; on?: SlackAdapter } = {},
) {
  const { query = "", cookie, host, on = slack } = options;
  const page = on.pages?.find((one) => one.path === path);
  if (page === undefined) throw new Error(`Expected a page at ${path}, got none`);
  const headers: Record<string, string | undefined> = { cookie, host };
  return await page.answer({
    query: new URLSearchParams(query),
    header: (name) => headers[name],
    requestId: "req_1",
  });
}

interface Begun {
  readonly to: URL;
  readonly state: string;
  readonly cookie: string;
}

async function begin(on = slack): Promise<Begun> {
  const answer = await visit("/slack/install", { on });
  const to = new URL(answer.headers.location ?? "");
  const [cookie = ""] = (answer.headers["set-cookie"] ?? "").split(";");
  return { to, cookie, state: to.searchParams.get("state") ?? "" };
}

const back = (query: Record<string, string>, cookie?: string, on = slack): Promise<PageAnswer> =>
  visit("/slack/oauth_redirect", {
    query: new URLSearchParams(query).toString(),
    on,
    ...(cookie !== undefined && { cookie }),
  });

async function install(team: string, more: object = {}, on = slack): Promise<void> {
  const { state, cookie } = await begin(on);
  fake.installs.allow(`code-${team}`, { team, name: `Team ${team}`, ...more });
  const answer = await back({ code: `code-${team}`, state }, cookie, on);
  expect([answer.status, answer.html]).toEqual([200, expect.stringContaining(`Team ${team}`)]);
}

function parsed(team: string, inner: object = {}, outer: object = {}, on = slack) {
  const authorizations = [{ team_id: team, user_id: "UBOT", is_bot: true, is_enterprise_install: false }];
  return on.parse(asVerified(request(messageBody(inner, { team_id: team, authorizations, ...outer }))));
}

function heard(team: string, inner: object = {}, outer: object = {}): TriggerEvent {
  const inbound = parsed(team, inner, outer);
  const event = inbound.kind === "events" ? inbound.events[0] : undefined;
  if (event === undefined) throw new Error(`Expected an event, got ${inbound.kind}`);
  return event;
}

const answer = (event: TriggerEvent, text: string, on = slack) =>
  on.send(
    {
      partId: `${event.id}/0`,
      to: event.replyTo,
      part: JSON.stringify({ text }) as ReplyPart,
      index: 0,
      sendsBefore: 0,
      mayRepeat: false,
    },
    never,
  );
const said = () => fake.messages.map(({ team, text }) => [team, text]);
const tokenOf = (team: string) => {
  const last = [...fake.installs.tokens].findLast(([, one]) => one.team === team);
  if (last === undefined) throw new Error(`Expected a token of ${team}, got none`);
  return last[1];
};

describe("the way into a workspace", () => {
  it("leads to Slack's own page, with the scopes that it is told and a state that belongs to this browser", async () => {
    const answer = await visit("/slack/install");
    const to = new URL(answer.headers.location ?? "");
    expect([answer.status, to.origin + to.pathname]).toEqual([302, "https://slack.com/oauth/v2/authorize"]);
    expect(Object.fromEntries(to.searchParams)).toEqual({
      client_id: "111.222",
      scope: "chat:write,files:write",
      redirect_uri: "https://bot.example/slack/oauth_redirect",
      state: expect.stringMatching(/^[\w.-]{80}$/),
    });
    expect(answer.headers["set-cookie"]).toMatch(
      /^__Host-parley_install=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect((await begin()).state).not.toBe((await begin()).state);
  });

  it.each([
    ["http://127.0.0.1:8080", undefined, false],
    ["http://localhost:8080", undefined, false],
    [null, "127.0.0.1:8080", false],
    [null, "bot.example", true],
  ])("keeps its cookie to https but on this machine: %s, %s", async (publicUrl, host, isSecure) => {
    const answer = await visit("/slack/install", {
      on: replica(publicUrl),
      ...(host !== undefined && { host }),
    });
    expect(answer.headers["set-cookie"]?.endsWith("; Secure")).toBe(isSecure);
  });

  it("installs it, keeps the token encrypted, and says so in a page that runs nothing", async () => {
    const { state, cookie } = await begin();
    fake.installs.allow("c1", { team: "T1", name: '<img src=x onerror="alert(1)">&Co' });
    const page = await back({ code: "c1", state }, cookie);
    expect(page.status).toBe(200);
    expect(page.html).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;Co");
    expect(page.html).not.toContain("<img");
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(page.headers["set-cookie"]).toContain("Max-Age=0");
    expect(fake.installs.exchanges).toEqual([
      {
        client_id: "111.222",
        client_secret: "client-secret-of-the-app",
        code: "c1",
        redirect_uri: "https://bot.example/slack/oauth_redirect",
      },
    ]);
    const kept = await store.vault.list({ prefix: "", limit: 10 });
    expect(kept.map(({ name }) => name)).toContain("installation:slack:T1");
    expect(JSON.stringify(kept)).not.toContain("xoxb");
  });

  it.each<[string, (begun: Begun, other: Begun) => [string, string | undefined]]>([
    ["without its cookie", ({ state }) => [state, undefined]],
    ["with the cookie of another browser", ({ state }, { cookie }) => [state, cookie]],
    ["with the state of another browser", ({ cookie }, { state }) => [state, cookie]],
    ["with no state", ({ cookie }) => ["", cookie]],
    ["with a state that is changed", ({ state, cookie }) => [`9${state.slice(1)}`, cookie]],
    ["with an empty cookie", ({ state }) => [state, "__Host-parley_install="]],
  ])("is closed %s, and nothing is exchanged", async (_name, pick) => {
    const [state, cookie] = pick(await begin(), await begin());
    fake.installs.allow("c1", { team: "T1", name: "One" });
    expect((await back({ code: "c1", state }, cookie)).status).toBe(400);
    expect(fake.installs.exchanges).toEqual([]);
    expect(await store.vault.list({ prefix: "", limit: 10 })).toEqual([]);
  });

  it("is open once, over all replicas, and for ten minutes", async () => {
    const { state, cookie } = await begin();
    fake.installs.allow("c1", { team: "T1", name: "One" });
    expect((await back({ code: "c1", state }, cookie)).status).toBe(200);
    for (const on of [slack, replica()])
      expect((await back({ code: "c2", state }, cookie, on)).status).toBe(400);
    const late = await begin();
    clock.advance(600_000);
    expect((await back({ code: "c3", state: late.state }, late.cookie)).status).toBe(400);
    expect(fake.installs.exchanges).toHaveLength(1);
  });

  it("keeps no more of states than were used lately", async () => {
    await install("T1");
    clock.advance(600_001);
    await install("T2");
    const names = (await store.vault.list({ prefix: "install-state:", limit: 10 })).map(({ name }) => name);
    expect(names).toHaveLength(1);
  });

  it("is not gone by who does not allow it, and says so nicely", async () => {
    const { state, cookie } = await begin();
    const page = await back({ error: "access_denied", state }, cookie);
    expect([page.status, page.html]).toEqual([200, expect.stringContaining("You did not allow it")]);
    expect(fake.installs.exchanges).toEqual([]);
  });

  it("tells of a code that Slack does not take, without what Slack said", async () => {
    const { state, cookie } = await begin();
    const page = await back({ code: "made-up", state }, cookie);
    expect(page.status).toBe(400);
    expect(page.html).not.toContain("invalid_code");
  });
});

describe("two workspaces with the same ids", () => {
  beforeEach(async () => {
    await install("T1");
    await install("T2");
  });

  it("are answered each with its own token, and share no conversation", async () => {
    const [one, two] = [heard("T1"), heard("T2")];
    expect(await Promise.all([one, two].map(async (event) => await slack.serves?.(event)))).toEqual([
      true,
      true,
    ]);
    await answer(one, "to one");
    await answer(two, "to two");
    expect(said()).toEqual([
      ["T1", "to one"],
      ["T2", "to two"],
    ]);
    expect(one.conversation).not.toBe(two.conversation);
    expect(one.id).not.toBe(two.id);
  });

  it("share a channel: each answers what its own installation heard, whoever wrote", async () => {
    const shared = { team_id: "T9", is_ext_shared_channel: true };
    await answer(heard("T1", {}, shared), "one");
    await answer(heard("T2", {}, shared), "two");
    expect(said()).toEqual([
      ["T1", "one"],
      ["T2", "two"],
    ]);
  });

  it("do not take each other's posts and people for their own", async () => {
    const { messageId } = await answer(heard("T1"), "hello");
    const anonymous = { authorizations: [] };
    const inner = { channel: "D1", channel_type: "im", ts: messageId };
    expect(parsed("T1", inner, { ...anonymous, team_id: "T1" })).toMatchObject({ reason: "own_message" });
    expect(parsed("T2", inner, { ...anonymous, team_id: "T2" }).kind).toBe("events");
  });

  it("fail each for itself: what the other says goes on", async () => {
    tokenOf("T1").error = "token_revoked";
    await expect(answer(heard("T1"), "lost")).rejects.toMatchObject({ kind: "rejected" });
    await answer(heard("T2"), "well");
    expect(said()).toEqual([["T2", "well"]]);
    expect(await slack.serves?.(heard("T1"))).toBe(false);
  });
});

describe("an organisation", () => {
  it("that has it installed for all of it is answered with the token of the organisation", async () => {
    await install("E1", { isEnterprise: true });
    const authorizations = [
      { enterprise_id: "E1", team_id: "T5", is_bot: true, is_enterprise_install: true },
    ];
    const event = heard("T5", {}, { authorizations });
    expect([event.tenant, await slack.serves?.(event)]).toEqual(["E1", true]);
    await answer(event, "hello");
    expect(said()).toEqual([["E1", "hello"]]);
  });
});

describe("a workspace that has not installed it", () => {
  it("is not served, and as soon as it has, it is, on each replica", async () => {
    const other = replica();
    expect(await Promise.all([slack, other].map(async (one) => await one.serves?.(heard("T1"))))).toEqual([
      false,
      false,
    ]);
    await install("T1");
    expect(await Promise.all([slack, other].map(async (one) => await one.serves?.(heard("T1"))))).toEqual([
      true,
      true,
    ]);
    expect(slack.serves?.(heard("T1"))).toBe(true);
  });

  it("of which nobody can tell because the store is away is neither served nor refused", async () => {
    await store[Symbol.asyncDispose]();
    expect(await slack.serves?.(heard("T1"))).toBeNull();
  });
});

describe("a workspace that removes it", () => {
  const removal = (team: string, event: object, atMs = clock.nowMs()) =>
    parsed(team, {}, { event, event_time: Math.floor(atMs / 1000) });
  async function carryOut(inbound: ReturnType<typeof removal>): Promise<void> {
    if (inbound.kind !== "ignored") throw new Error(`Expected it to be ignored, got ${inbound.kind}`);
    await inbound.carryOut?.();
  }

  it("is in the audit, and so is its end, once, and who installed it", async () => {
    await install("T1");
    await carryOut(removal("T1", { type: "app_uninstalled" }));
    await carryOut(removal("T1", { type: "app_uninstalled" }));
    expect(deeds).toEqual([
      {
        ...{ actor: "slack:T1:UADMIN", role: "member", action: "installation.added", subject: "slack:T1" },
        after: { name: "Team T1", scopes: expect.arrayContaining(["chat:write"]) },
      },
      { actor: "slack:T1", role: "member", action: "installation.removed", subject: "slack:T1" },
    ]);
    expect(JSON.stringify(deeds)).not.toContain("xox");
  });

  it.each([{ type: "app_uninstalled" }, { type: "tokens_revoked", tokens: { oauth: [], bot: ["UBOT"] } }])(
    "is forgotten before that is acknowledged, on all replicas ($type)",
    async (event) => {
      await install("T1");
      const other = replica();
      const before = heard("T1");
      expect(await other.serves?.(before)).toBe(true);
      await carryOut(removal("T1", event));
      expect(await Promise.all([slack, other].map(async (one) => await one.serves?.(before)))).toEqual([
        false,
        false,
      ]);
      for (const on of [slack, other])
        await expect(answer(before, "too late", on)).rejects.toMatchObject({ kind: "rejected" });
      expect(said()).toEqual([]);
      expect(await store.vault.get("installation:slack:T1")).toBeNull();
    },
  );

  it.each([
    { type: "tokens_revoked", tokens: { oauth: ["U1"], bot: [] } },
    { type: "tokens_revoked" },
    { type: "channel_left" },
  ])("does not with what concerns no token of ours (%j)", async (event) => {
    await install("T1");
    await carryOut(removal("T1", event));
    expect(await slack.serves?.(heard("T1"))).toBe(true);
  });

  it("and installs it again is not forgotten by what is told of before, late", async () => {
    await install("T1");
    const removedAtMs = clock.nowMs();
    clock.advance(60_000);
    await install("T1");
    await carryOut(removal("T1", { type: "app_uninstalled" }, removedAtMs));
    expect(await slack.serves?.(heard("T1"))).toBe(true);
    await carryOut(removal("T1", { type: "app_uninstalled" }));
    expect(await slack.serves?.(heard("T1"))).toBe(false);
  });

  it("is told again while the store is away", async () => {
    await install("T1");
    const inbound = removal("T1", { type: "app_uninstalled" });
    await store[Symbol.asyncDispose]();
    await expect(carryOut(inbound)).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });
});

describe("a token that expires", () => {
  const refreshes = () => fake.installs.exchanges.filter((one) => one.grant_type === "refresh_token").length;

  it("is refreshed once when Slack says so, over all replicas, and what was to be said is said once", async () => {
    await install("T1", { expiresInSeconds: 43_200 });
    const replicas = [slack, replica(), replica()];
    tokenOf("T1").error = "token_expired";
    await Promise.all(replicas.flatMap((on) => [answer(heard("T1"), "a", on), answer(heard("T1"), "b", on)]));
    expect(refreshes()).toBe(1);
    expect(said()).toHaveLength(6);
  });

  it("is refreshed before it expires, beside what is said, and before it is used at its end", async () => {
    await install("T1", { expiresInSeconds: 43_200 });
    clock.advance((43_200 - 1_000) * 1000);
    const isKept = new Promise((resolve) => store.bus.subscribe("secrets", resolve));
    await answer(heard("T1"), "with the old one");
    await isKept;
    clock.advance((43_200 - 10) * 1000);
    await answer(heard("T1"), "with a new one");
    expect([refreshes(), said().length]).toEqual([2, 2]);
  });

  it("is replaced in the store before it is used", async () => {
    await install("T1", { expiresInSeconds: 43_200 });
    tokenOf("T1").error = "token_expired";
    await answer(heard("T1"), "hello");
    await answer(heard("T1"), "hello", replica());
    expect([refreshes(), said().length]).toEqual([1, 2]);
  });

  it("that cannot be refreshed fails what is said there, and is not asked for for ever", async () => {
    await install("T1", { expiresInSeconds: 43_200 });
    tokenOf("T1").error = "token_expired";
    fake.faults.push({
      kind: "status",
      status: 200,
      body: { ok: false, error: "invalid_refresh_token" },
      match: ({ path }) => path.endsWith("oauth.v2.access"),
    });
    await expect(answer(heard("T1"), "lost")).rejects.toMatchObject({ kind: "rejected" });
  });
});
