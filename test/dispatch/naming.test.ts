import { expect, it } from "vitest";
import { Naming } from "../../src/dispatch/naming.ts";
import { contextItem } from "../../src/domain/context.ts";
import type { Mention } from "../../src/domain/mention.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";

const never = new AbortController().signal;

function told(known: Readonly<Record<string, string>>, isSilent = false) {
  const asked: (readonly string[])[] = [];
  const metrics = createMetrics();
  const clock = new FakeClock();
  const adapter = {
    platform: "slack",
    names: {
      waitMs: 2_000,
      async read(tenant: string, wanted: readonly Mention[], signal: AbortSignal) {
        asked.push([tenant, ...wanted.map(({ kind, id }) => `${kind}:${id}`)]);
        if (isSilent) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        const found = { memory: 0, store: 0, platform: isSilent ? 0 : wanted.length, nowhere: 0 };
        return { names: new Map(Object.entries(isSilent ? {} : known)), found };
      },
    },
  } as unknown as Adapter;
  return { adapter, asked, clock, metrics, deps: { clock, metrics } };
}

const event = anEvent({
  tenant: "T1",
  sender: { id: "U1", name: "U1", isBot: false },
  text: "ask @U2 (not @U22 or @U9) in #C1, says @bob of @subteam^S1",
  mentions: [
    { kind: "group", id: "S1", name: null, written: "subteam^S1" },
    { kind: "person", id: "U2", name: null },
    { kind: "person", id: "U9", name: null },
    { kind: "channel", id: "C1", name: null },
    { kind: "person", id: "U3", name: "bob" },
  ],
});
const earlier = [
  contextItem("thread", "@U2 is away", {
    author: { id: "U4", name: "U4" },
    mentions: [{ kind: "person", id: "U2", name: null }],
  }),
  contextItem("thread", "so?", { author: { id: "B1", name: "Build" } }),
];
const NAMES = {
  "person:U1": "Ann",
  "person:U2": "Bob",
  "person:U4": "Dora",
  "channel:C1": "ops",
  "group:S1": "oncall",
};

it("gives names for the ids of an event and of its thread, asking once and only for what has none", async () => {
  const { adapter, asked, deps, metrics } = told(NAMES);
  const naming = new Naming(adapter, [], deps);
  await naming.takeAll([event], earlier, never);
  expect(asked).toEqual([
    ["T1", "person:U1", "group:S1", "person:U2", "person:U9", "channel:C1", "person:U4"],
  ]);
  expect(naming.ofEvent(event)).toMatchObject({
    sender: { id: "U1", name: "Ann" },
    text: "ask @Bob (not @U22 or @U9) in #ops, says @bob of @oncall",
  });
  expect(naming.ofItems(earlier)).toMatchObject([
    { text: "@Bob is away", author: { id: "U4", name: "Dora" } },
    { text: "so?", author: { id: "B1", name: "Build" } },
  ]);
  await naming.takeAll([event], earlier, never);
  expect(asked).toHaveLength(1);
  expect(await metrics.scrape()).toContain('parley_name_lookups_total{platform="slack",source="platform"} 6');
});

it("shows a run that is resumed what it was shown before", async () => {
  const before = told(NAMES);
  const first = new Naming(before.adapter, [], before.deps);
  await first.takeAll([event], earlier, never);
  const after = told({ ...NAMES, "person:U2": "Robert" });
  const { names = [] } = first.recorded;
  const resumed = new Naming(after.adapter, names, after.deps);
  await resumed.takeAll([event], earlier, never);
  expect(after.asked).toEqual([["T1", "person:U9"]]);
  expect(resumed.ofEvent(event).text).toBe(first.ofEvent(event).text);
});

it("goes on with the ids when nobody tells in time", async () => {
  const { adapter, deps, clock } = told(NAMES, true);
  const naming = new Naming(adapter, [], deps);
  const taken = naming.takeAll([event], earlier, never);
  clock.advance(2_000);
  await taken;
  expect(naming.ofEvent(event)).toEqual(event);
  expect(naming.recorded).toEqual({});
});

it("asks nobody where a platform has no names to give, or nothing lacks one", async () => {
  const { adapter, asked, deps } = told(NAMES);
  const { names: _, ...nameless } = adapter;
  await new Naming(nameless as Adapter, [], deps).takeAll([event], earlier, never);
  const named = anEvent({ sender: { id: "U1", name: "Ann", isBot: false } });
  await new Naming(adapter, [], deps).takeAll([named], [], never);
  expect(asked).toEqual([]);
});

it("in private asks for nobody who only writes: the model is not shown who that is", async () => {
  const { adapter, asked, deps } = told(NAMES);
  const direct = { ...event, isDirect: true };
  const naming = new Naming(adapter, [], deps);
  await naming.takeAll([{ ...direct, mentions: [] }], [], never);
  expect(asked).toEqual([]);
  await naming.takeAll([direct], [], never);
  expect(asked).toEqual([["T1", "group:S1", "person:U2", "person:U9", "channel:C1"]]);
});
