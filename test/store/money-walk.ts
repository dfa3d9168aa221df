import { expect } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { cap, cost, PlainPurse } from "./plain-purse.ts";

const DAYS = ["2026-11-29", "2026-11-30"];
const PEOPLE = 3;
const AMOUNT_MAX = 40;
const EVERYBODY = cap("global", 400);

/** A random step with money after the other: holds, settlements and looks, each held against a plain list. */
export function moneyWalk(
  ask: <T>(call: (store: Store) => Promise<T>) => Promise<T>,
  pick: (below: number) => number,
): () => Promise<void> {
  const list = new PlainPurse();
  const made: { readonly id: string; readonly day: string }[] = [];

  async function hold(): Promise<void> {
    const day = DAYS[pick(DAYS.length)] ?? "";
    const again = made[pick(made.length + 3)];
    const { id } = again ?? { id: `h${made.length}` };
    const request = {
      id,
      day,
      amount: pick(AMOUNT_MAX),
      caps: [cap(`user:${pick(PEOPLE)}`, 150), EVERYBODY],
    };
    const expected = list.hold(day, id, request.amount, request.caps);
    expect(await ask(({ purse }) => purse.hold(request))).toEqual(expected);
    if (expected.kind === "held") made.push({ id, day });
  }

  async function settle(): Promise<void> {
    const found = made[pick(Math.max(1, made.length))];
    if (found === undefined) return;
    const amount = pick(AMOUNT_MAX);
    await ask(({ purse }) => purse.settle(found, cost(amount)));
    list.settle(found.day, found.id, amount);
  }

  async function look(): Promise<void> {
    const scopes = ["global", ...Array.from({ length: PEOPLE }, (_, index) => `user:${index}`)];
    for (const day of DAYS)
      expect(await ask(({ purse }) => purse.spent(day, scopes))).toEqual(
        scopes.map((scope) => list.spent(day, scope)),
      );
  }

  return async () => {
    for (const step of [hold, hold, settle, look]) await step();
  };
}
