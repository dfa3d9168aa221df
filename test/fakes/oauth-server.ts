import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeOauth extends AsyncDisposable {
  readonly url: string;
  /** What was asked: the form, and who asked as the header had it. */
  readonly asked: { readonly form: Readonly<Record<string, string>>; readonly client: string | null }[];
  /** Refresh tokens that it takes, each once. */
  readonly refreshTokens: Set<string>;
  isGood(authorization: string | undefined): boolean;
  /** All access tokens that it gave are over. */
  revoke(): void;
}

/** Gives access tokens `at-1`, `at-2`, … for an hour, as RFC 6749 has it, and another refresh token (`rt-1`, …) with each refresh. */
export async function fakeOauth(): Promise<FakeOauth> {
  const asked: FakeOauth["asked"][number][] = [];
  const refreshTokens = new Set<string>();
  let good = new Set<string>();
  let given = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString("utf8")));
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    asked.push({ form, client: basic === undefined ? null : Buffer.from(basic, "base64").toString("utf8") });
    const isRefresh = form.grant_type === "refresh_token";
    if (isRefresh && !refreshTokens.delete(form.refresh_token ?? "")) {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: "invalid_grant", error_description: "it was used" }));
      return;
    }
    given++;
    good.add(`at-${given}`);
    if (isRefresh) refreshTokens.add(`rt-${given}`);
    response.writeHead(200, { "content-type": "application/json" });
    const more = isRefresh ? { refresh_token: `rt-${given}` } : {};
    response.end(
      JSON.stringify({ access_token: `at-${given}`, token_type: "Bearer", expires_in: 3_600, ...more }),
    );
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}/token`, asked, refreshTokens },
    isGood: (authorization) => good.has(/^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? ""),
    revoke() {
      good = new Set();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
