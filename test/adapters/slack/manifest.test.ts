import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { slack } from "../../../adapters/slack/index.ts";
import { manifestOf } from "../../../adapters/slack/manifest.ts";
import { OPTIONS } from "../../../adapters/slack/settings.ts";

interface Manifest {
  readonly display_information: { readonly name: string; readonly description: string };
  readonly features: { readonly slash_commands: readonly { readonly url: string }[] };
  readonly oauth_config: { readonly scopes: { readonly bot: readonly string[] } };
  readonly settings: {
    readonly event_subscriptions: { readonly request_url: string; readonly bot_events: readonly string[] };
    readonly interactivity: { readonly request_url: string };
  };
}

const readme = readFileSync(resolve(import.meta.dirname, "../../../adapters/slack/README.md"), "utf8");
const manifest = parse(/```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? "") as Manifest;

/** What Slack asks for before it delivers an event. */
const SCOPE_OF: Readonly<Record<string, string>> = {
  app_mention: "app_mentions:read",
  "message.channels": "channels:history",
  "message.groups": "groups:history",
  "message.im": "im:history",
  "message.mpim": "mpim:history",
};
/** Delivered without any. */
const NO_SCOPE: ReadonlySet<string> = new Set(["app_home_opened", "app_uninstalled", "tokens_revoked"]);

describe("the manifest to paste", () => {
  it("is what parley setup prints for the defaults", () => {
    const options = z.strictObject(OPTIONS).parse({});
    const app = { options, isSocketMode: false, isInstallable: false, goesByGroups: false };
    const made = manifestOf({ ...app, publicUrl: "https://bot.example.com", commands: [], described: [] });
    expect(readme).toContain(`\`\`\`yaml\n${stringify(made)}\`\`\``);
    expect(readme).toContain(slack.setup?.examples[0]?.split(" >")[0] ?? "nothing");
  });

  it("asks for the scope of each event", () => {
    const { bot_events } = manifest.settings.event_subscriptions;
    const scopes = bot_events.filter((event) => !NO_SCOPE.has(event)).map((event) => SCOPE_OF[event]);
    expect(manifest.oauth_config.scopes.bot).toEqual(
      expect.arrayContaining([...scopes, "chat:write", "commands"]),
    );
  });

  it("points everything at the one address that is served", () => {
    const { event_subscriptions, interactivity } = manifest.settings;
    const urls = [
      event_subscriptions.request_url,
      interactivity.request_url,
      ...manifest.features.slash_commands.map(({ url }) => url),
    ];
    expect(new Set(urls)).toEqual(new Set(["https://bot.example.com/webhooks/slack"]));
  });

  it("stays within Slack's lengths", () => {
    expect(manifest.display_information.name.length).toBeLessThanOrEqual(35);
    expect(manifest.display_information.description.length).toBeLessThanOrEqual(140);
  });
});
