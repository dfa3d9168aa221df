import { describe, expect, it } from "vitest";
import { type Approvers, mayDecide } from "../../src/domain/approval.ts";
import type { AskedStep } from "../../src/domain/run.ts";
import { anEvent } from "../support/event.ts";

/** Of an inbound webhook whose text is what anybody has written, such as a comment. */
const said = (user: string, platform: "in" | "slack" = "in") =>
  anEvent({
    ...{ platform, tenant: "ci", place: "repo", conversation: `${platform}:ci:repo` },
    sender: { id: user, name: user, isBot: false },
  });
const anybody: Approvers = { only: null, self: null };
const ofTool: Pick<AskedStep, "shows"> = { shows: true };

describe("a program that passes on words", () => {
  it("decides nothing by them, whoever it says has written them and whatever holds for people", () => {
    for (const approvers of [anybody, { ...anybody, self: true }])
      for (const user of ["ann", "mallory"]) {
        expect(mayDecide(said(user), said("ann"), approvers, ofTool)).toBe(false);
        // Nor what an agent asks by itself, a remote one for example.
        expect(mayDecide(said(user), said("ann"), approvers, {})).toBe(false);
      }
    expect(mayDecide(said("bob", "slack"), said("ann", "slack"), anybody, ofTool)).toBe(true);
  });

  it("decides for those whom the configuration names", () => {
    const named: Approvers = { only: new Set(["in:ci:bob"]), self: null };
    expect(mayDecide(said("bob"), said("ann"), named, ofTool)).toBe(true);
    expect(mayDecide(said("mallory"), said("ann"), named, ofTool)).toBe(false);
    expect(mayDecide(said("ann", "slack"), said("ann", "slack"), anybody, {})).toBe(true);
  });
});
