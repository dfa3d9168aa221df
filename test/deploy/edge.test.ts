import { expect, it } from "vitest";
import { edgeConfig } from "../support/edge.ts";
import { checkProxy } from "../support/proxies.ts";

const PORTS = { plain: 20_080, tls: 20_443, operators: 20_843, replicas: [20_001, 20_002, 20_003] } as const;

it.each([
  ["nginx", "test is successful"],
  ["haproxy", "Configuration file is valid"],
] as const)("%s finds nothing wrong with its configuration", async (name, verdict) => {
  const { ending, said } = await checkProxy(name, (folder) => edgeConfig(name, folder, PORTS));
  expect([ending, said]).toEqual([0, expect.stringContaining(verdict)]);
  expect(said).not.toMatch(/warn|alert|emerg/i);
});

it.each(["nginx", "haproxy"] as const)("%s would say what is wrong", async (name) => {
  const { ending } = await checkProxy(name, (folder) =>
    edgeConfig(name, folder, PORTS).replace("X-Forwarded-Proto https", "X-Forwarded-Proto"),
  );
  expect(ending).not.toBe(0);
});
