import type { Operations } from "./protocol.ts";
import type { State } from "./state.ts";

const NOTHING = {
  spent: 0,
  held: 0,
  warned: 0,
  calls: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
};

/** See Purse in src/ports/purse.ts. */
export function holdMoney(
  { sql }: State,
  { id, day, amount, caps }: Operations["holdMoney"]["args"],
): Operations["holdMoney"]["result"] {
  if (sql.moneyHold.get(day, id) !== undefined) return { kind: "held", warned: [] };
  const rows = caps.map((cap) => {
    const row = sql.spending.get(day, cap.scope) ?? NOTHING;
    return { ...cap, isWarned: row.warned === 1, total: row.spent + row.held + amount };
  });
  const over = rows.find(({ limit, total }) => limit !== null && total > limit);
  if (over !== undefined) return { kind: "over", scope: over.scope };
  const warned = rows.filter(
    ({ warnAt, total, isWarned }) => warnAt !== null && total >= warnAt && !isWarned,
  );
  for (const row of rows) sql.holdMoney.run(day, row.scope, amount, warned.includes(row) ? 1 : 0);
  sql.addMoneyHold.run(day, id, amount, JSON.stringify(caps.map(({ scope }) => scope)));
  return { kind: "held", warned: warned.map(({ scope }) => scope) };
}

export function settleMoney(
  { sql }: State,
  [day, id, amount, ...tokens]: Operations["settleMoney"]["args"],
): null {
  const found = sql.moneyHold.get(day, id);
  if (found === undefined || found.settled === 1) return null;
  for (const scope of JSON.parse(found.scopes) as string[])
    sql.spendMoney.run(day, scope, found.amount, amount, ...tokens);
  sql.settleMoneyHold.run(day, id);
  return null;
}

export function spentMoney(
  { sql }: State,
  [day, scopes]: Operations["spentMoney"]["args"],
): Operations["spentMoney"]["result"] {
  return scopes.map((scope) => sql.spending.get(day, scope) ?? NOTHING);
}
