/** What a code, or a refresh token, is good for: a workspace, or an organisation. */
interface Grant {
  readonly team: string;
  readonly name: string;
  readonly isEnterprise?: boolean;
  /** Absent: the token does not expire. */
  readonly expiresInSeconds?: number;
  readonly botUserId?: string;
}

export interface SlackInstalls {
  /** Somebody allows the app: what Slack sends the browser back with. */
  allow(code: string, grant: Grant): void;
  /** By token: whose it is, and what Slack says of it. */
  readonly tokens: Map<string, { readonly team: string; error: string | null; scopes?: readonly string[] }>;
  /** Forms that `oauth.v2.access` was asked with, oldest first. */
  readonly exchanges: Readonly<Record<string, string>>[];
  access(form: Readonly<Record<string, string>>): object | string;
}

/** `oauth.v2.access`: each code and each refresh token once. An error as its word. */
export function slackInstalls(client: { id: string; secret: string }): SlackInstalls {
  const codes = new Map<string, Grant>();
  const refreshes = new Map<string, { grant: Grant; token: string }>();
  const tokens: SlackInstalls["tokens"] = new Map();
  const exchanges: Readonly<Record<string, string>>[] = [];
  let count = 0;

  function give(grant: Grant): object {
    const token = `xoxb-${grant.team}-${++count}`;
    const refresh = `xoxe-1-${grant.team}-${count}`;
    tokens.set(token, { team: grant.team, error: null });
    const owner = { id: grant.team, name: grant.name };
    if (grant.expiresInSeconds !== undefined) refreshes.set(refresh, { grant, token });
    return {
      ok: true,
      app_id: "A1",
      access_token: token,
      token_type: "bot",
      scope: "chat:write,commands",
      bot_user_id: grant.botUserId ?? "UBOT",
      authed_user: { id: "UADMIN" },
      team: grant.isEnterprise === true ? null : owner,
      enterprise: grant.isEnterprise === true ? owner : null,
      is_enterprise_install: grant.isEnterprise === true,
      ...(grant.expiresInSeconds !== undefined && {
        refresh_token: refresh,
        expires_in: grant.expiresInSeconds,
      }),
    };
  }

  return {
    tokens,
    exchanges,
    allow: (code, grant) => void codes.set(code, grant),
    access(form) {
      exchanges.push(form);
      if (form.client_id !== client.id || form.client_secret !== client.secret) return "bad_client_secret";
      if (form.grant_type === "refresh_token") {
        const found = refreshes.get(form.refresh_token ?? "");
        if (found === undefined) return "invalid_refresh_token";
        refreshes.delete(form.refresh_token ?? "");
        tokens.set(found.token, { team: found.grant.team, error: "token_expired" });
        return give(found.grant);
      }
      const grant = codes.get(form.code ?? "");
      codes.delete(form.code ?? "");
      return grant === undefined ? "invalid_code" : give(grant);
    },
  };
}
