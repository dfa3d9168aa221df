import { expect, it } from "vitest";
import { createAcquaintances } from "../../../src/admit/people.ts";
import type { Person } from "../../../src/domain/event.ts";
import { anEvent } from "../../support/event.ts";
import { LONG_MS, type Process, World } from "./world.ts";

const nameOf = (id: string) => ({ id, conversation: `whatsapp:W1:PN1:${id}` });
const number = nameOf("447700900123");
const lasting = nameOf("GB.A1");

/** As the gateway takes a message: first who it is from, then the message. */
async function tell(world: World, gateway: Process, id: string, person: Person): Promise<string> {
  const { id: name, conversation } = person.lasting ?? number;
  const sender = { id: name, name: "Bea", isBot: false };
  const people = createAcquaintances(gateway.store.people);
  const [event] = await world.until(
    people.settle([anEvent({ id, platform: "whatsapp", conversation, sender, person })]),
  );
  if (event === undefined) throw new Error("Expected an event");
  expect(await gateway.accept(id, event)).toEqual({ kind: "accepted" });
  return event.conversation;
}

it("a person's message that the spool took joins the conversation that they are known by, in order", async () => {
  const world = await World.open();
  const first = await world.start();
  await tell(world, first, "before", { lasting: null, passing: number });
  await tell(world, first, "both", { lasting, passing: number });

  world.shared.mood = "away";
  // Nobody can say in the outage that this is the same person.
  expect(await tell(world, first, "a", { lasting, passing: null })).toBe(lasting.conversation);
  await tell(world, first, "b", { lasting, passing: null });
  // What was spooled by one process may be forwarded by the next.
  first.crash();
  const second = await world.start();
  await tell(world, second, "c", { lasting, passing: number });
  world.shared.mood = "well";
  await world.elapse(LONG_MS);
  expect(await tell(world, second, "after", { lasting, passing: null })).toBe(number.conversation);

  const stored = await world.stored();
  expect(stored.map(({ id, event }) => [id, event.conversation])).toEqual(
    ["before", "both", "a", "b", "c", "after"].map((id) => [id, number.conversation]),
  );
  for (const { event } of stored) expect(event).not.toHaveProperty("person");
  expect(stored[2]?.event.sender).toMatchObject({ id: "GB.A1", alsoKnownAs: ["447700900123"] });
});
