import { expect, it } from "vitest";
import { subjectOf, withoutPersons } from "../../src/app/persons.ts";
import type { Deed } from "../../src/domain/audit.ts";
import { Secret } from "../../src/shared/secret.ts";

const TOKEN = new Secret("the-token-of-the-administrators");

it("the audit knows a person by what an erasure calls them, an operator and a workspace by name", async () => {
  const deeds: Omit<Deed, "atMs">[] = [];
  const audit = withoutPersons({ write: async (deed) => void deeds.push(deed) }, TOKEN);
  const decided = { action: "approval.decided", subject: "apr_1" };
  await audit.write({ ...decided, actor: "slack:T1:U2", role: "member" });
  await audit.write({ ...decided, actor: "ann@laptop", role: "operator" });
  await audit.write({
    action: "installation.removed",
    subject: "slack:T1",
    actor: "slack:T1",
    role: "member",
  });
  expect(deeds.map(({ actor }) => actor)).toEqual([
    subjectOf("slack:T1:U2", TOKEN),
    "ann@laptop",
    "slack:T1",
  ]);
  expect(deeds[0]?.actor).toMatch(/^person:[0-9a-f]{32}$/);
  expect(subjectOf("slack:T1:U2", new Secret("another-token-of-some-length"))).not.toBe(deeds[0]?.actor);
});
