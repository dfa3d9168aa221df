import { expect, it } from "vitest";
import { createAcquaintances } from "../../src/admit/people.ts";
import { asFirstKnown, type KnownPerson } from "../../src/domain/conversation.ts";
import type { Person } from "../../src/domain/event.ts";
import { anEvent } from "../support/event.ts";

const name = (id: string) => ({ id, conversation: `whatsapp:W1:PN1:${id}` });
const person: Person = { lasting: name("GB.A1"), passing: name("447700900123") };
const adopted: KnownPerson = {
  conversation: "whatsapp:W1:PN1:447700900123",
  names: ["GB.A1", "447700900123"],
};

it("what is known of a person only for lack of the store is asked again, and not for ever", async () => {
  let isAway = true;
  let asked = 0;
  const people = createAcquaintances({
    async settle(one) {
      asked++;
      return isAway ? { ...asFirstKnown(one), isProvisional: true } : adopted;
    },
  });
  const conversationNow = async () => (await people.settle([anEvent({ person })]))[0]?.conversation;
  expect(await conversationNow()).toBe("whatsapp:W1:PN1:GB.A1");
  isAway = false;
  expect(await conversationNow()).toBe(adopted.conversation);
  expect(await conversationNow()).toBe(adopted.conversation);
  expect(asked).toBe(2);
});
