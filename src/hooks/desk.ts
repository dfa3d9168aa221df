import type { Bus } from "../ports/bus.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { Deliveries, HookDelivery, HookDesk, HookStates, HookTrial } from "../ports/hooks.ts";
import type { HookBody, PostEnd, PostOptions } from "./post.ts";
import { HOOKS_TOPIC } from "./publisher.ts";
import { type HookTarget, originOf } from "./target.ts";

/** Of each hook and kind, so many are counted; of dead ones hardly more are kept. */
export const HOOKS_COUNTED_MAX = 1_000;

export interface HookDeskDeps {
  readonly deliveries: Pick<Deliveries, "put" | "next" | "dead">;
  readonly states: Pick<HookStates, "get">;
  readonly bus: Pick<Bus, "publish">;
  /** As they are now. */
  readonly targets: () => readonly HookTarget[];
  readonly post: (target: HookTarget, body: HookBody, options: PostOptions) => Promise<PostEnd>;
  readonly version: string;
  readonly clock: Pick<Clock, "nowMs">;
  readonly newId: NewId;
}

export function createHookDesk(deps: HookDeskDeps): HookDesk {
  const { deliveries, states, bus, targets, clock } = deps;
  const limit = HOOKS_COUNTED_MAX;
  const found = (name: string) => targets().find((one) => one.name === name) ?? null;

  async function report(target: HookTarget) {
    const { name, types, includesText } = target;
    const [state, waiting, dead] = await Promise.all([
      states.get(name),
      deliveries.next(name, limit),
      deliveries.dead(name, { limit }),
    ]);
    return {
      ...{ name, to: originOf(target), types: [...types], includesText, ...state },
      ...{ waiting: waiting.length, dead: dead.deliveries.length },
    };
  }

  async function deadOf(name: string): Promise<readonly HookDelivery[]> {
    const all: HookDelivery[] = [];
    for (let after: string | undefined; ; ) {
      const page = await deliveries.dead(name, { limit, ...(after !== undefined && { after }) });
      all.push(...page.deliveries);
      if (page.next === null) return all;
      after = page.next;
    }
  }

  return {
    list: () => Promise.all(targets().map(report)),
    dead: async (name, page) => (found(name) === null ? null : await deliveries.dead(name, page)),
    async replay(name, ids) {
      if (found(name) === null) return null;
      const wanted = (await deadOf(name)).filter(({ id }) => ids === null || ids.has(id));
      // The oldest first, as they happened.
      for (const { died, ...delivery } of wanted.reverse())
        await deliveries.put(
          { ...delivery, attempts: 0, dueMs: clock.nowMs() },
          { ...delivery, ...(died && { died }) },
        );
      await bus.publish(HOOKS_TOPIC, "");
      return wanted.length;
    },
    async test(name, signal) {
      const target = found(name);
      return target === null ? null : await tryHook(target, { ...deps, nowMs: clock.nowMs(), signal });
    },
  };
}

/** Who receives it can tell by the type that nothing has happened. */
export async function tryHook(
  target: HookTarget,
  options: Pick<HookDeskDeps, "newId" | "version" | "post"> & {
    readonly nowMs: number;
    readonly signal: AbortSignal;
  },
): Promise<HookTrial> {
  const { newId, nowMs, post } = options;
  const body = { type: "hook.test", atMs: nowMs, data: { hook: target.name } };
  return await post(target, body, { ...options, id: newId("msg") });
}
