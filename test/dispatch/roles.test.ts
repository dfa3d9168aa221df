import { beforeEach, describe, expect, it } from "vitest";
import { inRoles } from "../../src/admit/roles.ts";
import { type RolesDeps, withRolesKnown } from "../../src/dispatch/roles.ts";
import { Deferred } from "../../src/dispatch/settle.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Job } from "../../src/ports/queue.ts";
import type { RoleReader } from "../../src/ports/roles.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { aJob, openTestStore } from "../support/store.ts";

const never = new AbortController().signal;
const OUT = { cause: "not_allowed", detail: "role", noticeWindowMs: 1 } as const;
const DUE: Partial<TriggerEvent> = { rolesDue: true };

let adapter: FakeAdapter;
let told: readonly string[] | null;
let asked: number;
beforeEach(() => {
  adapter = new FakeAdapter("slack");
  told = ["S1"];
  asked = 0;
  const roles: RoleReader = {
    known: () => told,
    async read() {
      asked += 1;
      return told;
    },
  };
  adapter.roles = roles;
});

/** Only who has S1 is let in; `ops` answers them. */
const deps: RolesDeps = {
  named: () => new Set(["S1"]),
  admitAgain: (event, roles) => ({
    event: inRoles(event, roles),
    agent: "ops",
    refusal: roles.includes("S1") ? null : OUT,
  }),
};
async function jobOf(event: Partial<TriggerEvent>): Promise<Job> {
  return await aJob(await openTestStore(new FakeClock()), event, { agent: null });
}

describe("a message that was accepted before the roles of its sender were known", () => {
  it("is for whom the rules name, now that they are", async () => {
    const job = await withRolesKnown(await jobOf(DUE), adapter, deps, never);
    expect(job).toMatchObject({ agent: "ops", refusal: null, event: { sender: { roles: ["S1"] } } });
  });

  it("is refused where the rules want a role that its sender has not", async () => {
    told = [];
    expect(await withRolesKnown(await jobOf(DUE), adapter, deps, never)).toMatchObject({ refusal: OUT });
  });

  it("waits while the platform does not tell: nobody is let in on a guess", async () => {
    told = null;
    await expect(withRolesKnown(await jobOf(DUE), adapter, deps, never)).rejects.toThrow(Deferred);
  });

  it("is decided without any once no rule goes by roles any more, or nobody tells them", async () => {
    const none = { ...deps, named: () => new Set<string>() };
    expect(await withRolesKnown(await jobOf(DUE), adapter, none, never)).toMatchObject({ refusal: OUT });
    delete adapter.roles;
    expect(await withRolesKnown(await jobOf(DUE), adapter, deps, never)).toMatchObject({ refusal: OUT });
    expect(asked).toBe(0);
  });

  it("is not refused any more once it was begun, and nothing is asked for what is answered or refused", async () => {
    told = [];
    const job = await jobOf(DUE);
    const begun = { runId: "run_1", agent: "ops", startedAtMs: 0, steps: [], answer: null };
    const again = await withRolesKnown({ ...job, progress: begun }, adapter, deps, never);
    expect(again.refusal).toBeNull();
    const refused = { ...job, refusal: OUT };
    expect(await withRolesKnown(refused, adapter, deps, never)).toBe(refused);
    expect(asked).toBe(1);
  });

  it("is the only one of which anything is asked", async () => {
    const job = await jobOf({});
    expect(await withRolesKnown(job, adapter, deps, never)).toBe(job);
    expect(asked).toBe(0);
  });
});
