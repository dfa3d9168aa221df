import { type Browser, chromium, type Page } from "playwright-core";
import { toolPath } from "./tools.ts";

/** It shall ask nobody but the page that is tested. */
const ALONE = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: toolPath("chromium"), args: ALONE });
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** What the page complained of, refusals of its policy included. Answers of the gateway that are no 2xx are not in it. */
  readonly complaints: readonly string[];
  /** Where the page has sent requests. */
  readonly origins: ReadonlySet<string>;
}

export interface Look {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

/** A window of its own, without anything that another has left. */
export async function visit(
  browser: Browser,
  url: string,
  { width = 1280, colorScheme = "light" }: Look = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on("console", (message) => {
    // Chromium says of each answer that is no 2xx that it failed; whether that is a fault the test knows.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "data:") origins.add(origin);
  });
  await page.addInitScript(`addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    console.error("refused by policy: " + violatedDirective + " " + blockedURI))`);
  await page.goto(url);
  return { page, complaints, origins, [Symbol.asyncDispose]: () => context.close() };
}
