import { describe, expect, it, onTestFinished } from "vitest";
import { Rendering } from "../../src/app/rendering/index.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { load, problemsOf } from "../config/helpers.ts";
import { CHATS, openAll } from "../support/chat-platforms.ts";

const TO = "to" as ReplyAddress;
/** Links that are none any more stand in code. */
const IS_TEXT = /`https:\/\/evil\.example\/`|<code>https:\/\/evil\.example\/<\/code>/;

describe("replies.link_hosts", () => {
  it("holds on every platform, and another list from the next message on", async () => {
    let hosts: LinkHosts = ["evil.example"];
    const adapters = await openAll(() => hosts);
    expect(adapters).toHaveLength(CHATS.length);
    for (const adapter of adapters) {
      const [asLink] = adapter.render("See [it](https://evil.example/) now", TO);
      expect(asLink).not.toMatch(IS_TEXT);
      hosts = ["good.example"];
      const [asText] = adapter.render("See [it](https://evil.example/) now", TO);
      expect(asText).toMatch(IS_TEXT);
      hosts = ["evil.example"];
    }
  });

  it("holds in the thread that renders long answers", async () => {
    const hosts: LinkHosts = ["good.example"];
    const linkHosts = () => hosts;
    const rendering = new Rendering({ log: silentLogger(), linkHosts });
    onTestFinished(() => rendering.close());
    const long = "- [it](https://evil.example/)\n".repeat(300);
    for (const adapter of await openAll(linkHosts)) {
      const parts = rendering.render(adapter, long, TO);
      expect(parts).toBeInstanceOf(Promise);
      expect(await parts).toEqual(adapter.render(long, TO));
      for (const part of await parts) expect(part).toMatch(IS_TEXT);
    }
  });
});

describe("the option link_hosts", () => {
  const withHosts = (hosts: string) =>
    load({ "gateway.yaml": `kind: Gateway\nspec: { replies: { link_hosts: ${hosts} } }\n` });

  it.each(["any", "[]", "[docs.example.com, '*.example.com', 10.0.0.1, xn--bcher-kva.example, localhost]"])(
    "takes %s",
    (hosts) => {
      expect(problemsOf(withHosts(hosts))).toEqual([]);
    },
  );

  it.each([
    "https://example.com",
    "Example.com",
    "example.com:443",
    "example.com.",
    "*",
    "a.*.example",
    "*example.com",
    "bücher.example",
    "",
  ])("refuses the host %j", (host) => {
    const [problem, ...others] = problemsOf(withHosts(`["${host}"]`));
    expect(problem).toContain("spec.replies.link_hosts[0]: expected the name of a host in small letters");
    expect(problem).toContain(`got "${host}"`);
    expect(others).toEqual([]);
  });

  it("refuses a word", () => {
    expect(problemsOf(withHosts("none"))[0]).toContain(
      'spec.replies.link_hosts: expected any or a list, got "none"',
    );
  });
});
