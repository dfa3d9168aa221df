import type { FakeAnswer } from "./server.ts";

/** Apps as their owner sees them, with a configuration token. */
export interface SlackApps {
  /** By id. */
  readonly manifests: Map<string, Manifest>;
  /** For `apps.manifest.*`. */
  readonly token: string;
}

interface Manifest {
  readonly display_information?: { readonly name?: string };
  readonly features?: { readonly slash_commands?: readonly { readonly url?: string }[] };
  readonly oauth_config?: { readonly scopes?: { readonly bot?: readonly string[] } };
  readonly settings?: {
    readonly event_subscriptions?: { readonly request_url?: string; readonly bot_events?: readonly string[] };
    readonly socket_mode_enabled?: boolean;
  };
}

/** What Slack asks for before it delivers an event; those that are not here need nothing. */
const SCOPE_OF: Readonly<Record<string, string>> = {
  app_mention: "app_mentions:read",
  "message.channels": "channels:history",
  "message.groups": "groups:history",
  "message.im": "im:history",
  "message.mpim": "mpim:history",
  reaction_added: "reactions:read",
  assistant_thread_started: "assistant:write",
  assistant_thread_context_changed: "assistant:write",
};

/** `apps.manifest.export`, `validate` and `update`, as strict about what is missing as Slack is. */
export function slackManifests(apps: SlackApps) {
  return (
    name: string,
    authorization: string | undefined,
    form: Readonly<Record<string, unknown>>,
  ): FakeAnswer => {
    const no = (error: string, more: object = {}): FakeAnswer => ({ body: { ok: false, error, ...more } });
    if (authorization !== `Bearer ${apps.token}`) return no("invalid_auth");
    const id = String(form.app_id);
    const before = apps.manifests.get(id);
    if (before === undefined) return no("app_not_found");
    if (name === "apps.manifest.export") return { body: { ok: true, manifest: before } };
    const manifest = JSON.parse(String(form.manifest)) as Manifest;
    const errors = faultsIn(manifest);
    if (errors.length > 0) return no("invalid_manifest", { errors });
    if (name === "apps.manifest.validate") return { body: { ok: true } };
    apps.manifests.set(id, manifest);
    const scopes = (one: Manifest) => JSON.stringify(one.oauth_config?.scopes?.bot ?? []);
    return { body: { ok: true, app_id: id, permissions_updated: scopes(before) !== scopes(manifest) } };
  };
}

function faultsIn({ display_information, features, oauth_config, settings }: Manifest) {
  const scopes = oauth_config?.scopes?.bot ?? [];
  const events = settings?.event_subscriptions?.bot_events ?? [];
  const isSocketMode = settings?.socket_mode_enabled === true;
  const urls = [
    ["/settings/event_subscriptions/request_url", settings?.event_subscriptions?.request_url] as const,
    ...(features?.slash_commands ?? []).map(
      ({ url }, i) => [`/features/slash_commands/${i}/url`, url] as const,
    ),
  ];
  return [
    ...((display_information?.name?.length ?? 0) === 0
      ? [{ message: "Must have a name", pointer: "/display_information/name" }]
      : []),
    ...events.flatMap((event) => {
      const scope = SCOPE_OF[event];
      return scope === undefined || scopes.includes(scope)
        ? []
        : [
            {
              message: `Event ${event} requires ${scope}`,
              pointer: "/settings/event_subscriptions/bot_events",
            },
          ];
    }),
    ...urls.flatMap(([pointer, url]) =>
      isSocketMode || url?.startsWith("http") ? [] : [{ message: "Must be a URL", pointer }],
    ),
  ];
}
