import { HOLDS_KEPT_DAYS, SPENDING_KEPT_DAYS } from "../../domain/bounds.ts";
import type { Purse } from "../../ports/purse.ts";
import { DAY_MS } from "../../shared/time.ts";
import { wellFormed } from "../well-formed.ts";
import type { Parts } from "./parts.ts";

export function createPurse({ run, persistence, now }: Parts): Purse {
  return {
    // Without an answer nothing may be spent, so it is asked again until there is one.
    async hold({ id, day, amount, caps }) {
      const kept = [HOLDS_KEPT_DAYS * DAY_MS, (SPENDING_KEPT_DAYS + 1) * DAY_MS];
      const limits = caps.flatMap(({ scope, limit, warnAt }) => [
        wellFormed(scope),
        limit ?? "",
        warnAt ?? "",
      ]);
      const args = [now(), day, wellFormed(id), amount, ...kept, ...limits];
      const answer = (await persistence.until(() => run("hold_money", args, "long"))) as HoldAnswer;
      if (answer[0] === "over") return { kind: "over", scope: answer[1] };
      return { kind: "held", warned: answer.slice(1) };
    },
    async settle({ id, day }, { amount, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }) {
      const tokens = [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens];
      await persistence.until(() =>
        run("settle_money", [now(), day, wellFormed(id), amount, ...tokens], "long"),
      );
    },
    async spent(day, scopes) {
      const rows = (await run("spent_money", [now(), day, ...scopes.map(wellFormed)], "brief")) as string[][];
      return rows.map((row, index) => {
        const [amount, held, calls, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens] = row.map(
          Number,
        ) as [number, number, number, number, number, number, number];
        const tokens = { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens };
        return { scope: scopes[index] ?? "", amount, held, calls, ...tokens };
      });
    },
  };
}

type HoldAnswer = readonly ["held", ...string[]] | readonly ["over", scope: string];
