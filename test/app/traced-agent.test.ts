import { expect, it } from "vitest";
import { tracedAgent } from "../../src/app/traced.ts";
import type { Tracing } from "../../src/telemetry/trace.ts";
import { agentOf, fakeModel } from "../agent/support.ts";

it("a model that is traced can do what it can untraced", () => {
  const model = { ...fakeModel([]), goesOn: true as const, readsPdfs: true as const };
  const traced = tracedAgent({ ...agentOf(model), fallbacks: [model] }, { isOn: true } as Tracing);
  expect([traced.model, traced.fallbacks?.[0]]).toMatchObject([
    { goesOn: true, readsPdfs: true },
    { goesOn: true, readsPdfs: true },
  ]);
});
