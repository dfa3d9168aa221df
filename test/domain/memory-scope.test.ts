import { describe, expect, it } from "vitest";
import { scopesOf } from "../../src/domain/budget.ts";
import {
  conversationKey,
  type KnownPerson,
  privateThread,
  withSender,
} from "../../src/domain/conversation.ts";
import type { Person, TriggerEvent } from "../../src/domain/event.ts";
import { memoriesOf, memoriesToForget, memoryOf, type Remembering } from "../../src/domain/memory-scope.ts";
import { anEvent } from "../support/event.ts";

const where = (place: string, thread: string | null = null) => ({
  place,
  conversation: conversationKey({ platform: "slack", tenant: "T1", place, thread }),
});
const ann = { id: "U1", name: "ann", isBot: false };
const bob = { id: "U2", name: "bob", isBot: false };
const inThread = anEvent({ ...where("C1", "1.1"), sender: ann });
const inOther = anEvent({ ...where("C2", "2.2"), sender: ann });
const direct = anEvent({ ...where("D1"), sender: ann, isDirect: true });
const forAnn = anEvent({ ...where("C1", privateThread("U1")), sender: ann, trigger: "command" });
const ofBob = anEvent({ ...where("C1", "1.1"), sender: bob });

const user: Remembering = { scope: "user" };
const channel: Remembering = { scope: "channel" };

describe("what an agent remembers together", () => {
  it.each([
    ["thread, or nothing said", undefined, inThread, inThread.conversation],
    ["thread", { scope: "thread" }, direct, direct.conversation],
    ["channel: all of its threads", channel, inThread, "slack:T1:C1"],
    ["channel: what is answered to one alone, by itself", channel, forAnn, "slack:T1:C1:cmd%3AU1"],
    ["channel: a direct message, by itself", channel, direct, "slack:T1:D1"],
    ["user: where others read", user, inThread, "user:slack:T1:U1:open"],
    ["user: in another channel, the same", user, inOther, "user:slack:T1:U1:open"],
    ["user: of another person, theirs", user, ofBob, "user:slack:T1:U2:open"],
    ["user: a direct message, apart", user, direct, "user:slack:T1:U1:private"],
    ["user: what is answered to one alone, too", user, forAnn, "user:slack:T1:U1:private"],
    ["user, shared: all of it", { ...user, sharesDirect: true }, direct, "user:slack:T1:U1:all"],
  ] as const)("is, by %s", (_, by, event, key) => {
    expect(memoryOf(event, by)).toBe(key);
  });

  it("is the same for a person of two names, before and after the second is known", () => {
    const conversation = "whatsapp:1:2:49151";
    const known = (id: string, also: object): TriggerEvent =>
      anEvent({ platform: "whatsapp", conversation, isDirect: true, sender: { ...ann, id, ...also } });
    const before = memoryOf(known("49151", {}), user);
    const after = known("GB.1", { alsoKnownAs: ["49151"] });
    expect(memoryOf(after, user)).toBe(before);
    // And so is what they may spend in a day.
    expect(scopesOf(after, "a").user).toBe(scopesOf(known("49151", {}), "a").user);
  });

  it("is that of nobody else where an id has passed from one person to another, and stays that of the first", () => {
    const name = (id: string) => ({ id, conversation: `whatsapp:1:2:${id}` });
    const come = (id: string, person: Person, known: KnownPerson) => {
      const { conversation } = name(id);
      const sender = { ...ann, id };
      const event = anEvent({ platform: "whatsapp", conversation, isDirect: true, sender, person });
      return withSender(event, known);
    };
    const { conversation } = name("49151");
    const number = { lasting: null, passing: name("49151") };
    const first = come("49151", number, { conversation, names: ["49151"] });
    const renamed = { lasting: name("GB.1"), passing: name("49152") };
    const hidden = { lasting: name("GB.1"), passing: null };
    for (const later of [
      come("GB.1", renamed, { conversation, names: ["GB.1", "49152"] }),
      come("GB.1", hidden, { conversation, names: ["GB.1"] }),
    ])
      expect([memoryOf(later, user), scopesOf(later, "a").user]).toEqual([
        memoryOf(first, user),
        scopesOf(first, "a").user,
      ]);
    const stranger = come("49151", number, { conversation: `${conversation}:2`, names: ["49151"] });
    expect(memoryOf(stranger, user)).not.toBe(memoryOf(first, user));
    expect(scopesOf(stranger, "a").user).not.toBe(scopesOf(first, "a").user);
  });

  it("cannot be that of somebody else, whatever ids come from outside", () => {
    const one = anEvent({ tenant: "a:b", sender: { ...ann, id: "c" } });
    const other = anEvent({ tenant: "a", sender: { ...ann, id: "b:c" } });
    expect(memoryOf(one, user)).not.toBe(memoryOf(other, user));
    expect(memoryOf(anEvent({ sender: { ...ann, id: "U1:open!control" } }), user)).toBe(
      "user:slack:T1:U1%3Aopen%21control:open",
    );
  });

  it("is all that is forgotten at once", () => {
    expect(memoriesToForget(inThread, undefined)).toEqual([inThread.conversation]);
    expect(memoriesToForget(inThread, user)).toEqual(
      ["private", "open", "all"].map((half) => `user:slack:T1:U1:${half}`),
    );
    expect(memoriesToForget(forAnn, channel)).toEqual([forAnn.conversation, "slack:T1:C1"]);
    expect(memoriesToForget(direct, channel)).toEqual([direct.conversation]);
  });

  it("is found from the message alone, whatever its agent remembers by", () => {
    for (const event of [inThread, direct, forAnn])
      for (const by of [undefined, user, channel, { ...user, sharesDirect: true as const }])
        expect(memoriesOf(event)).toContain(memoryOf(event, by));
  });
});
