import type { FakeAnswer } from "./server.ts";

/** A file as Slack keeps it. */
export interface SlackFile {
  readonly id: string;
  readonly name: string;
  readonly mimetype: string;
  readonly bytes: Buffer;
}

/** A file of ours that is in a channel. */
export interface SharedFile {
  readonly channel: string;
  readonly threadTs: string | null;
  readonly name: string;
  readonly text: string;
  readonly comment: string;
  /** As Slack calls the code in it; absent: an ordinary file. */
  readonly snippetType?: string;
}

/** Some of the kinds of code that Slack knows; it refuses any other. */
export const SNIPPET_TYPES: ReadonlySet<string> = new Set(
  "text c cpp csharp css diff dockerfile go html java javascript kotlin markdown php python ruby rust shell sql swift typescript xml yaml".split(
    " ",
  ),
);

/** What Slack says of a file in a message. Only who has the token of the bot may open its address. */
export function fileOf({ id, name, mimetype, bytes }: SlackFile): object {
  const base = `https://files.slack.com/files-pri/T1-${id}`;
  return {
    ...{ id, name, title: name, mimetype, size: bytes.length, mode: "hosted", is_external: false },
    ...{ url_private: `${base}/${name}`, url_private_download: `${base}/download/${name}` },
  };
}

/** Whoever may not have it gets the page to log in at, as if that were the file. */
const LOGIN_PAGE: FakeAnswer = {
  body: "<!DOCTYPE html><html><title>Sign in | Slack</title></html>",
  headers: { "content-type": "text/html; charset=utf-8" },
};

/** files.slack.com, where an API that was redirected leads as well. */
export function serveFile(
  path: string,
  authorization: string | undefined,
  files: readonly SlackFile[],
  token: string,
): FakeAnswer {
  const [, id] = /^\/files-pri\/T1-([^/]+)\//.exec(path) ?? [];
  const file = files.find((one) => one.id === id);
  if (authorization !== `Bearer ${token}`) return LOGIN_PAGE;
  if (file === undefined)
    return { status: 404, body: "file_not_found", headers: { "content-type": "text/plain" } };
  return { body: file.bytes, headers: { "content-type": file.mimetype } };
}
