/** Discord's own hosts end so; the Gateway's are `gateway.discord.gg` and `gateway-us-east1-b.discord.gg`. */
const HOST = /(?:^|\.)discord\.gg$/;

/**
 * The address of a Gateway socket with version and encoding; null: our token has no business there. Discord names it, but
 * only its own hosts are believed, over TLS; where its API is redirected, that host too, which says what it likes.
 */
export function socketAddress(said: string, apiUrl: string): string | null {
  const url = URL.parse(said);
  const api = URL.parse(apiUrl);
  if (url === null || api === null) return null;
  const isDiscords = url.protocol === "wss:" && HOST.test(url.hostname);
  const isRedirected = /^wss?:$/.test(url.protocol) && url.hostname === api.hostname;
  if (!isDiscords && !isRedirected) return null;
  if (url.username !== "" || url.password !== "") return null;
  url.search = "?v=10&encoding=json";
  url.hash = "";
  return url.href;
}
