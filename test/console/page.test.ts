import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/admin/operations.ts";
import { type ConsoleFacts, createConsole } from "../../src/console/index.ts";

const FACTS: ConsoleFacts = { isApiOn: true, playground: "open", isDemo: false, version: "1.2.3" };
const PAGE = join(import.meta.dirname, "../../src/console/page");

describe("the console's page", () => {
  it("is one answer, whose policy names its script and its style and lets nothing else run", async () => {
    const { status, headers, body } = await createConsole(() => FACTS).answer();
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    const policy = headers["content-security-policy"]?.split("; ") ?? [];
    const digest = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    const [, style = ""] = /<style>([\s\S]+)<\/style>/.exec(body) ?? [];
    const [, script = ""] = /<script type="module">([\s\S]+)<\/script>/.exec(body) ?? [];
    expect(style.length).toBeGreaterThan(1_000);
    expect(script.length).toBeGreaterThan(10_000);
    expect(policy).toEqual([
      ...["default-src 'none'", `script-src ${digest(script)}`, `style-src ${digest(style)}`],
      ...["connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'"],
      ...["frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"],
    ]);
  });

  it("has nothing that leads elsewhere, no handler in its markup, and nothing that reads text as markup", async () => {
    const { body } = await createConsole(() => FACTS).answer();
    // The namespace of the picture is a name.
    expect(body.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\/|[("'=]\/\//);
    const [markup = ""] = body.split("<style>");
    expect(markup).not.toMatch(/\son\w+=/);
    expect(body).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage/,
    );
  });

  it("says what it has to know, and no secret", async () => {
    const page = createConsole(() => facts);
    let facts: ConsoleFacts = { ...FACTS, isApiOn: false, playground: "key", version: '1"><script>' };
    const { body } = await page.answer();
    expect(body).toContain(
      '<body data-api="off" data-playground="key" data-demo="off" data-version="1script">',
    );
    expect(body.match(/<script/g)).toHaveLength(1);
    // As it is by now: agents may be others after a reload.
    facts = { ...facts, isDemo: true };
    expect((await page.answer()).body).toContain(' data-demo="on"');
  });

  it("asks no route that the API does not have", () => {
    const files = [
      "approvals",
      "dead",
      "event",
      "events",
      "login",
      "playground",
      "refused",
      "status",
      "usage",
      "view",
    ];
    const source = files.map((name) => readFileSync(join(PAGE, `${name}.ts`), "utf8")).join("\n");
    const asked = [
      ...source.matchAll(
        /(?:get<[^(]*>|\bget|send(?:<[^(]*>)?|lines)\((?:"(?:GET|POST|PUT|DELETE)", )?["`](\/[^"`?]*)/g,
      ),
    ].map(([, path = ""]) => path.replaceAll(/\$\{[^}]*\}/g, "{id}"));
    const known: readonly string[] = Object.values(OPERATIONS).map(({ path }) => path);
    expect([...new Set(asked)].filter((path) => !known.includes(path))).toEqual([]);
    expect(new Set(asked).size).toBeGreaterThan(8);
  });
});
