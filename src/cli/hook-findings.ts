import { targetsOf } from "../app/hooks.ts";
import type { HookSpec } from "../config/hooks-schema.ts";
import type { InboundSpec } from "../config/inbound-schema.ts";
import { OF_PROGRAMS } from "../domain/event.ts";
import { tryHook } from "../hooks/desk.ts";
import { postHook } from "../hooks/post.ts";
import { originOf } from "../hooks/target.ts";
import { systemClock } from "../system/clock.ts";
import { createNewId } from "../system/ids.ts";
import { packageVersion } from "../system/version.ts";
import { type Finding, fail, ok } from "./findings.ts";

/** Each hook is sent a message of the type `hook.test`, which means nothing. `timeoutMs` null: none is asked. */
export async function hookFindings(
  specs: readonly HookSpec[],
  timeoutMs: number | null,
): Promise<readonly Finding[]> {
  return await Promise.all(
    targetsOf(specs).map(async (target) => {
      const { name } = target;
      const to = originOf(target);
      if (timeoutMs === null) return ok("hook", `${name} (${to}) was not tried`);
      const tried = { ...target, timeoutMs: Math.min(timeoutMs, target.timeoutMs) };
      const trial = await tryHook(tried, {
        newId: createNewId(systemClock),
        post: (_, body, options) => postHook(tried, body, options),
        version: packageVersion(),
        nowMs: systemClock.nowMs(),
        signal: new AbortController().signal,
      });
      if (trial.kind === "delivered") return ok("hook", `${name} (${to}) took a message that tries it`);
      const fix =
        "see to whoever is there: it has to answer 2xx to what is signed with its secret (docs/hooks.md)";
      return fail("hook", `${name} (${to}) did not take a message: ${trial.cause}`, fix);
    }),
  );
}

/** Webhooks of programs: where each is called, and where it is answered. Nobody is called, for whoever is there would act on it. */
export function inboundFindings(specs: readonly InboundSpec[]): readonly Finding[] {
  return specs.map(({ name, callback }) => {
    const where =
      callback === undefined
        ? "answers are kept, and sent nowhere"
        : `answers go to ${originOf(callback)}, which was not tried`;
    return ok("inbound", `/webhooks/${OF_PROGRAMS}/${name}: ${where}`);
  });
}
