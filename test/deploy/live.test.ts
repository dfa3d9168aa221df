import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Resource } from "./cluster.ts";
import { ROOT } from "./rule-files.ts";
import { schemaFaults } from "./typed.ts";

describe("the Ingress that lets people watch, on the page of live events", () => {
  const page = readFileSync(join(ROOT, "docs/live-events.md"), "utf8");
  const sample = parse(/```yaml\n(.*?)```/s.exec(page)?.[1] ?? "") as Resource & IngressPaths;
  const shipped = parse(readFileSync(join(ROOT, "deploy/k8s/base/ingress.yaml"), "utf8")) as IngressPaths;

  it("is one, and leads to the same service as the shipped one, for /ws alone", async () => {
    expect(await schemaFaults([sample])).toEqual([]);
    expect(sample.metadata.name).not.toBe("parley");
    const paths = (ingress: IngressPaths) => ingress.spec.rules.flatMap(({ http }) => http.paths);
    expect(paths(sample)).toEqual([{ ...paths(shipped)[0], path: "/ws" }]);
    expect(paths(shipped).map(({ path }) => path)).not.toContain("/ws");
    expect(sample.spec).toMatchObject({
      ...{ ingressClassName: shipped.spec.ingressClassName, tls: shipped.spec.tls },
    });
  });
});

interface IngressPaths {
  readonly spec: {
    readonly ingressClassName: string;
    readonly tls: readonly object[];
    readonly rules: readonly { readonly http: { readonly paths: readonly { readonly path: string }[] } }[];
  };
}
