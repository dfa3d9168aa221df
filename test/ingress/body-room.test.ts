import fc from "fast-check";
import { expect, it } from "vitest";
import { BodyRoom, type LargeBody } from "../../src/ingress/body-room.ts";

/** Ten blocks of ten bytes. */
function open() {
  const shed: string[] = [];
  const body = (name: string): LargeBody => ({ bytes: 0, blocks: [], shed: () => void shed.push(name) });
  return { shed, body, room: new BodyRoom({ max: 100, block: 10, bodyMax: 40 }) };
}
const bytes = (count: number, value = "x") => Buffer.alloc(count, value);

it("gives up the largest body when there is no room, and no small one for it", () => {
  const { room, shed, body } = open();
  const [small, large, larger] = [body("small"), body("large"), body("larger")];
  expect(room.add(small, bytes(10))).toBe(true);
  expect(room.add(large, bytes(39, "l"))).toBe(true);
  expect(room.add(larger, bytes(50))).toBe(true);
  expect([shed, room.bytes]).toEqual([[], 100]);
  expect(room.add(small, bytes(2, "y"))).toBe(true);
  expect([shed, room.bytes]).toEqual([["larger"], 60]);
  expect(String(room.joined(small))).toBe(`${"x".repeat(10)}yy`);
  expect(String(room.joined(large))).toBe("l".repeat(39));
  expect(room.bytes).toBe(0);
});

it("tells who asks for more than there is that it was the largest itself", () => {
  const { room, shed, body } = open();
  const [small, large] = [body("small"), body("large")];
  room.add(small, bytes(10));
  expect(room.add(large, bytes(91))).toBe(false);
  expect([shed, room.bytes]).toEqual([["large"], 10]);
});

it("has nothing left when all is given back, however often that is said", () => {
  const { room, body } = open();
  const [small, large] = [body("small"), body("large")];
  room.add(small, bytes(11));
  room.add(large, bytes(30));
  for (const one of [small, large, small]) room.release(one);
  expect(room.bytes).toBe(0);
});

it("joins what came, whatever the pieces and whoever came between", () => {
  const pieces = fc.array(fc.tuple(fc.nat(2), fc.uint8Array({ minLength: 1, maxLength: 25 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(pieces, (all) => {
      const { room } = open();
      const model = new Map<number, number[]>();
      const bodies = new Map<number, LargeBody>();
      for (const [who, piece] of all) {
        const sent = model.get(who) ?? [];
        const body = bodies.get(who) ?? { bytes: 0, blocks: [], shed: () => bodies.delete(who) };
        if (body.bytes + piece.length > 40) continue;
        bodies.set(who, body);
        model.set(who, body.bytes === 0 ? [...piece] : [...sent, ...piece]);
        room.add(body, Buffer.from(piece));
      }
      for (const [who, body] of bodies) expect([...room.joined(body)]).toEqual(model.get(who));
      expect(room.bytes).toBe(0);
    }),
  );
});
