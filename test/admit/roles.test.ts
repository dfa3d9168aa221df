import { describe, expect, it } from "vitest";
import { inRoles, withRoles } from "../../src/admit/roles.ts";
import type { RoleReader } from "../../src/ports/roles.ts";
import { anEvent } from "../support/event.ts";
import { OPEN } from "../support/policy.ts";

const RULES = { ...OPEN, rolesNamed: new Set(["S1", "S2"]) };
const reader = (roles: readonly string[] | null): RoleReader => ({
  known: () => roles,
  read: () => Promise.reject(new Error("Expected nobody to wait for the platform")),
});
const bot = { id: "B1", name: "bot", isBot: true };

describe("the roles of a sender", () => {
  it("are those that the platform's groups tell", () => {
    expect(withRoles(anEvent(), reader(["S1"]), RULES).sender.roles).toEqual(["S1"]);
    expect(withRoles(anEvent(), reader([]), RULES)).toEqual(anEvent());
  });

  it("are due where they are not known yet, until they are", () => {
    const due = withRoles(anEvent(), reader(null), RULES);
    expect(due.rolesDue).toBe(true);
    expect(inRoles(due, ["S2"])).toEqual(anEvent({ sender: { ...anEvent().sender, roles: ["S2"] } }));
  });

  it.each([
    ["no rule goes by roles", anEvent(), reader(null), OPEN],
    ["messages tell them", anEvent(), undefined, RULES],
    ["a bot sends it", anEvent({ sender: bot }), reader(null), RULES],
  ])("are asked of nobody where %s", (_, event, roles, rules) => {
    expect(withRoles(event, roles, rules)).toBe(event);
  });
});
