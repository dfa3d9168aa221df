import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createWeb } from "../../../adapters/slack/api.ts";
import { Groups } from "../../../adapters/slack/groups.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { type FakeSlack, fakeSlack, slackRateLimited } from "../../fakes/slack.ts";
import { FakeClock } from "../../support/clock.ts";
import { NO_DESK } from "../../support/desk.ts";
import { anEvent } from "../../support/event.ts";
import { eventually } from "../../support/eventually.ts";
import { adapterOf, messageBody, NOW_MS, request } from "./setup.ts";

const never = new AbortController().signal;
const MINUTE_MS = 60_000;
const NAMED = new Set(["S1", "S2"]);

let fake: FakeSlack;
let clock: FakeClock;
let groups: Groups;
beforeEach(async () => {
  fake = await fakeSlack({ token: "nobody's" });
  onTestFinished(() => fake.close());
  clock = new FakeClock(NOW_MS);
  for (const team of ["T1", "T2", "E1"]) fake.installs.tokens.set(`xoxb-${team}`, { team, error: null });
  fake.groups.members.set("T1/S1", ["U1", "U2"]).set("T1/S2", ["U2"]).set("T1/S3", ["U1"]);
  groups = new Groups({
    clock,
    callIn: (tenant) =>
      createWeb({ botToken: new Secret(`xoxb-${tenant}`), apiUrl: fake.apiUrl, clock, timeoutMs: 5_000 }),
  });
});

const by = (id: string, tenant = "T1") => anEvent({ tenant, sender: { id, name: id, isBot: false } });
const read = (id: string, tenant?: string, named: ReadonlySet<string> = NAMED) =>
  groups.read(by(id, tenant), named, never);
/** Read beside what asks, which nobody is told of. */
const isKnown = (id: string, roles: readonly string[]) =>
  eventually(async () => expect(groups.known(by(id), NAMED)).toEqual(roles), 10_000);
const asked = (method = "usergroups.list") =>
  fake.calls.filter(({ path }) => path === `/api/${method}`).length;

describe("user groups of Slack", () => {
  it("are not known at first, and at once after they were read, for everybody there by one call", async () => {
    expect(groups.known(by("U1"), NAMED)).toBeNull();
    expect(await read("U1")).toEqual(["S1"]);
    expect(groups.known(by("U2"), NAMED)).toEqual(["S1", "S2"]);
    expect(groups.known(by("U9"), NAMED)).toEqual([]);
    expect(asked()).toBe(1);
  });

  it("are those of a workspace alone", async () => {
    fake.groups.members.set("T2/S1", ["U9"]);
    expect([await read("U9", "T2"), await read("U9", "T1")]).toEqual([["S1"], []]);
    expect([await read("U1", "T2"), await read("U1", "T1")]).toEqual([[], ["S1"]]);
  });

  it("are read from each workspace of an organisation", async () => {
    fake.groups.teams.set("E1", ["T7", "T8"]);
    fake.groups.members.set("T7/S1", ["U1"]).set("T8/S2", ["U1"]);
    expect(await read("U1", "E1")).toEqual(["S1", "S2"]);
    expect(asked()).toBe(2);
  });

  it("are read one by one where Slack lists no members, but only those that rules go by", async () => {
    fake.groups.areUntold = true;
    expect(await read("U2")).toEqual(["S1", "S2"]);
    expect([asked(), asked("usergroups.users.list")]).toEqual([1, 2]);
  });

  it("are read again when rules go by others", async () => {
    await read("U1");
    expect(groups.known(by("U1"), new Set(["S3"]))).toBeNull();
    expect(await read("U1", "T1", new Set(["S1", "S3"]))).toEqual(["S1", "S3"]);
  });

  it("are read again after five minutes, beside their use, and not used after half an hour without Slack", async () => {
    await read("U1");
    fake.groups.members.set("T1/S1", []);
    clock.advance(5 * MINUTE_MS);
    expect(groups.known(by("U1"), NAMED)).toEqual(["S1"]);
    await fake.waitFor(({ path }) => path === "/api/usergroups.list", 2);
    await isKnown("U1", []);
    fake.faults.push({ kind: "status", status: 503, times: 100 });
    clock.advance(30 * MINUTE_MS - 1);
    expect(groups.known(by("U1"), NAMED)).toEqual([]);
    clock.advance(1);
    expect(groups.known(by("U1"), NAMED)).toBeNull();
    expect(await read("U1")).toBeNull();
  });

  it("let nobody in where the app lacks the scope, until it has it", async () => {
    fake.missing.add("usergroups:read");
    expect(await read("U1")).toEqual([]);
    expect(groups.known(by("U1"), NAMED)).toEqual([]);
    fake.missing.clear();
    clock.advance(MINUTE_MS);
    await isKnown("U1", ["S1"]);
  });

  it("are not asked for while Slack wants to be left alone", async () => {
    const { status = 200, ...rest } = slackRateLimited(7);
    fake.faults.push({ kind: "status", status, ...rest });
    expect(await read("U1")).toBeNull();
    clock.advance(6_999);
    expect(await read("U1")).toBeNull();
    expect(asked()).toBe(1);
    clock.advance(2);
    expect(await read("U1")).toEqual(["S1"]);
  });

  it("keep nobody waiting who has to go", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    fake.faults.push({ kind: "slow", until: promise });
    const going = new AbortController();
    const waiting = groups.read(by("U1"), NAMED, going.signal);
    await fake.waitFor(({ path }) => path === "/api/usergroups.list");
    going.abort();
    expect(await waiting).toBeNull();
    resolve();
    expect(await read("U1")).toEqual(["S1"]);
  });

  it("are forgotten when Slack tells that others are in them", async () => {
    const adapter = adapterOf({ apiUrl: fake.apiUrl, botToken: new Secret("xoxb-T1"), clock });
    const { roles } = adapter;
    expect(await roles?.read(by("U9"), NAMED, never)).toEqual([]);
    fake.groups.members.set("T1/S1", ["U9"]);
    expect(roles?.known(by("U9"), NAMED)).toEqual([]);
    const body = messageBody({ type: "subteam_members_changed", subteam_id: "S1", added_users: ["U9"] });
    const inbound = adapter.parse(asVerified(request(body)));
    expect(inbound).toMatchObject({ kind: "ignored", reason: "subteam_members_changed" });
    await (inbound.kind === "ignored" ? inbound.aside?.(NO_DESK) : undefined);
    expect(roles?.known(by("U9"), NAMED)).toBeNull();
    expect(await roles?.read(by("U9"), NAMED, never)).toEqual(["S1"]);
  });

  it("of an installation that is not ours are not asked for", async () => {
    const adapter = adapterOf({ apiUrl: fake.apiUrl, botToken: new Secret("xoxb-T1"), clock, learns: true });
    await adapter.learn(never);
    expect(adapter.roles?.known(by("U1", "T2"), NAMED)).toBeNull();
    expect(await adapter.roles?.read(by("U1", "T2"), NAMED, never)).toBeNull();
    expect(asked()).toBe(0);
  });
});
