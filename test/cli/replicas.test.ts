import { expect, it } from "vitest";
import { openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

it("parley replicas lists the processes, as a table or as JSON", async () => {
  const admin = await openAdmin();
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  const listed = await call(["replicas"], { env });
  expect(listed.code).toBe(0);
  expect(listed.stdout).toMatch(/^ROLE +VERSION +CONFIGURATION +STARTED +LAST SEEN +ID\n/);
  expect(listed.stdout).toMatch(/^all +1\.2\.3 +c0ffee +\S+Z +\S+Z +rep_1\n {2}here, process 7\n$/m);
  expect(await call(["replicas", "list"], { env })).toEqual(listed);
  const { stdout } = await call(["replicas", "--json"], { env });
  expect(JSON.parse(stdout)).toMatchObject({
    replicas: [{ id: "rep_1", role: "all", version: "1.2.3", configuration: "c0ffee", pid: 7 }],
  });
});
