import type { ModelGate } from "./account.ts";

/** As `fetch`, for a provider's client: the gate is told what each answer says, whatever the client makes of it. */
export function heardBy(gate: Pick<ModelGate, "heard">): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: "manual" });
    gate.heard(response);
    return response;
  };
}
