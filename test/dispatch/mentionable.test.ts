import { expect, it } from "vitest";
import { mentionable } from "../../src/dispatch/mentionable.ts";
import { contextItem } from "../../src/domain/context.ts";
import { anEvent } from "../support/event.ts";

const NAMED = { kind: "person", id: "U2", name: "Bob" } as const;

it("are those whom the message, what it refers to and its thread have shown, by the names that were shown", () => {
  const event = anEvent({
    sender: { id: "U1", name: "U1", isBot: false },
    mentions: [NAMED, { kind: "channel", id: "C1", name: null }, { kind: "group", id: "S1", name: "all" }],
    context: [contextItem("quoted", "hi", { author: { id: "U3", name: "Cy" } })],
  });
  const earlier = [
    contextItem("thread", "@U5", {
      author: { id: "U4", name: "Di" },
      mentions: [{ kind: "person", id: "U5", name: null }],
    }),
    contextItem("thread", "me", { author: { id: "B1", name: "Parley", isSelf: true } }),
  ];
  const learnt = [
    { kind: "person", id: "U1", name: "Ann" },
    { kind: "channel", id: "C1", name: "ops" },
    { kind: "person", id: "U9", name: "Nobody asked" },
  ] as const;
  expect(mentionable([event], earlier, learnt).map(({ kind, id, name }) => `${kind} ${id} ${name}`)).toEqual(
    ["person U4 Di", "person U3 Cy", "person U1 Ann", "person U2 Bob", "channel C1 ops"].sort(
      (a, b) => order(a) - order(b),
    ),
  );
  // Those of the message come first, as they are shown.
  function order(one: string): number {
    return ["U1", "U2", "C1", "U4", "U3"].findIndex((id) => one.includes(id));
  }
});

it("are none of a name that two have, also where it only looks the same", () => {
  const mentions = [NAMED, { ...NAMED, id: "U3", name: "bob" }, { ...NAMED, id: "U4", name: "ＢＯＢ" }];
  expect(mentionable([anEvent({ mentions })], [], []).map(({ name }) => name)).toEqual(["ann"]);
  const hidden = [NAMED, { ...NAMED, id: "U3", name: "Bo\u200bb" }];
  expect(mentionable([anEvent({ mentions: hidden })], [], []).map(({ name }) => name)).toEqual(["ann"]);
  // A channel is told apart by its sign.
  const channel = [NAMED, { kind: "channel", id: "C1", name: "Bob" }] as const;
  expect(mentionable([anEvent({ mentions: channel })], [], [])).toHaveLength(3);
});

it("are no bots, and no more than a message may name", () => {
  const bot = anEvent({ sender: { id: "B1", name: "ci", isBot: true } });
  expect(mentionable([bot], [], [])).toEqual([]);
  const many = Array.from(
    { length: 80 },
    (_, i) => ({ kind: "person", id: `U${i}`, name: `p${i}` }) as const,
  );
  expect(mentionable([anEvent({ mentions: many })], [], [])).toHaveLength(50);
});
