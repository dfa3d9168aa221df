import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { isChat } from "../../src/ports/platform.ts";
import { ROOT } from "./rule-files.ts";

/** What is for developers alone is not let in from outside. */
const OUTSIDE = MODULES.filter(({ isForDevelopers }) => isForDevelopers !== true);
const CHATS = OUTSIDE.filter(isChat);
const NAMES = OUTSIDE.map(({ name }) => name);
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

const WORDS = /[a-z]+/g;
const PATHS = /(?<=\/webhooks\/)[a-z]+/g;
/** Where it stands which webhooks an edge lets in, and how. haproxy.compose.cfg is made from one of these. */
const EDGES: Readonly<Record<string, readonly [list: RegExp, name: RegExp]>> = {
  "deploy/nginx/nginx.conf": [/^ +location ~ \^\/webhooks\/(.+) \{$/m, WORDS],
  "deploy/haproxy/haproxy.cfg": [/^ +acl webhook (path [^#]+?)^ +acl install/m, PATHS],
  "deploy/k8s/base/ingress.yaml": [/^ +paths:\n([\s\S]+)/m, PATHS],
  "deploy/helm/parley/values.yaml": [/^ingress:[\s\S]+?^ +platforms: (.+)$/m, WORDS],
  "docs/deploy/edge.md": [/^\| `\/webhooks\/(.+?) \| yes \|/m, WORDS],
};

it.each(Object.entries(EDGES))(
  "%s lets in the webhooks of every platform, and no others",
  (file, [list, name]) => {
    expect(list.exec(read(file))?.[1]?.match(name)).toEqual(NAMES);
  },
);

describe.each(CHATS)("$name", ({ name, needs, variables }) => {
  it.each([
    "deploy/gateway.env.example",
    "deploy/k8s/secrets/parley.env.example",
    "deploy/systemd/parley.env",
  ])("has what it needs in %s", (file) => {
    const lines = read(file);
    const missing = needs.filter((variable) => !new RegExp(`^#?${variable}(?:_FILE)?=`, "m").test(lines));
    expect(missing).toEqual([]);
  });

  it("has in docs/secrets.md how each of its secrets is changed", () => {
    const page = read("docs/secrets.md");
    const kept = variables.filter(({ secret, isOfCommands }) => secret && isOfCommands !== true);
    expect(kept.filter(({ name }) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it("has its pages", () => {
    expect(existsSync(join(ROOT, `docs/platforms/${name}.md`))).toBe(true);
    expect(read("README.md")).toMatch(new RegExp(`^\\| .*\\]\\(adapters/${name}/README\\.md\\) \\|$`, "m"));
  });
});

it("the page on adding one names files that are there", () => {
  const named =
    read("docs/adding-a-platform.md").match(
      /(?<=`)(?:adapters|bin|config|deploy|docs|src|test)\/[^`<\s]*(?=`)/g,
    ) ?? [];
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
