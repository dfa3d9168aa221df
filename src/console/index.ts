import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** What the page has to know before it can ask anything; none of it is a secret. */
export interface ConsoleFacts {
  readonly isApiOn: boolean;
  /** Of the test webhook: open to this machine, for whoever has the key, or not there. */
  readonly playground: "open" | "key" | "off";
  /** Whether the demo model answers for an agent that has no key. */
  readonly isDemo: boolean;
  readonly version: string;
}

export interface ConsolePage {
  readonly status: 200 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The console is one answer: style and script stand in the page, and the policy names both by their digest. So nothing else
 * runs in it, whatever somebody writes in a chat; and it asks nobody but the gateway that it came from.
 */
export function createConsole(facts: () => ConsoleFacts): { answer(): Promise<ConsolePage> } {
  let parts: Promise<Parts | null> | undefined;
  return {
    async answer() {
      parts ??= read();
      try {
        const found = await parts;
        return found === null ? NOT_BUILT : pageOf(found, facts());
      } catch (error) {
        parts = undefined;
        throw error;
      }
    },
  };
}

interface Parts {
  readonly html: string;
  readonly style: string;
  readonly script: string;
  readonly policy: string;
}

/** Null: there is no script. */
async function read(): Promise<Parts | null> {
  const [html, style, script] = await Promise.all([text("page.html"), text("page.css"), scriptOf()]);
  if (script === null) return null;
  // Either would end the element that it stands in.
  if (/<\/(?:script|style)|<!--/i.test(style + script))
    throw new Error("The console cannot be put into a page");
  return { html, style, script, policy: policyOf(style, script) };
}

function pageOf({ html, style, script, policy }: Parts, facts: ConsoleFacts): ConsolePage {
  const { isApiOn, playground, isDemo, version } = facts;
  const told = {
    ...{ api: isApiOn ? "on" : "off", playground, demo: isDemo ? "on" : "off" },
    version: version.replaceAll(/[^\w.+-]/g, ""),
  };
  const attributes = Object.entries(told).map(([name, value]) => ` data-${name}="${value}"`);
  const places = [
    ["<style></style>", `<style>${style}</style>`],
    ["<body>", `<body${attributes.join("")}>`],
    ['<script type="module"></script>', `<script type="module">${script}</script>`],
  ] as const;
  return {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    },
    // Functions, because `$` means something in a replacement.
    body: places.reduce((page, [place, content]) => page.replace(place, () => content), html),
  };
}

function policyOf(style: string, script: string): string {
  const digest = (content: string) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
  return [
    "default-src 'none'",
    `script-src ${digest(script)}`,
    `style-src ${digest(style)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // Whatever would read text as markup throws.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

const NOT_BUILT: ConsolePage = {
  status: 503,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body: "The console is not built; npm run build builds it\n",
};

/** Built with the rest, or now from its sources where those are. Null: neither is there. */
async function scriptOf(): Promise<string | null> {
  const built = new URL("./page.js", import.meta.url);
  if (existsSync(built)) return await readFile(built, "utf8");
  const builder = new URL("../../bin/page.js", import.meta.url);
  if (!existsSync(builder)) return null;
  const { buildPage } = (await import(builder.href)) as { buildPage: (main: string) => Promise<string> };
  return await buildPage(`${import.meta.dirname}/page/main.ts`);
}

async function text(name: string): Promise<string> {
  return await readFile(new URL(name, import.meta.url), "utf8");
}
