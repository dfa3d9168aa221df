import { type FakeServer, fakeServer } from "./server.ts";

export interface FakeToy extends FakeServer {
  readonly said: { readonly to: string; readonly text: string; readonly part: string }[];
}

/** The API of test/support/toy-platform.ts: it knows every room. */
export async function fakeToy(token: string): Promise<FakeToy> {
  const said: { to: string; text: string; part: string }[] = [];
  const server = await fakeServer(({ method, path, headers, body }) => {
    if (headers.authorization !== `Bearer ${token}`) return { status: 401, body: { error: "token" } };
    const [, edge, name = ""] = path.split("/").map(decodeURIComponent);
    if (method === "POST" && edge === "say") return { body: { id: String(said.push(JSON.parse(body))) } };
    if (edge === "said") {
      const index = said.findIndex(({ part }) => part === name);
      return { body: index === -1 ? {} : { id: String(index + 1) } };
    }
    return edge === "me" || edge === "rooms" ? { body: {} } : { status: 404, body: { error: "path" } };
  });
  return { ...server, said };
}
