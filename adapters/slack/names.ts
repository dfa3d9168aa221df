import { type Mention, mentionKey } from "../../src/domain/mention.ts";
import type { NameReader } from "../../src/ports/names.ts";
import { getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import type { DirectoryOptions } from "../shared/directory.ts";
import { createNameReader } from "../shared/name-reader.ts";
import { UNSTOPPED } from "../shared/signals.ts";
import type { CallSlack } from "./api.ts";

/** Codes that are about the one that is asked for. */
const NOBODY = new Set(["user_not_found", "user_not_visible", "channel_not_found", "users_not_found"]);

export interface NamesOptions extends Pick<DirectoryOptions, "clock" | "kept"> {
  /** With the token of that tenant's installation. */
  readonly callIn: (tenant: string) => CallSlack;
}

/** `users.info`, `conversations.info` and `usergroups.list`: Slack's events say ids. */
export function createNames({ callIn, ...of }: NamesOptions): NameReader {
  return createNameReader({
    ...of,
    platform: "slack",
    named: async (tenant, wanted) => await named(callIn(tenant), wanted),
    isNobody: ({ message }) => NOBODY.has(/: ([a-z_]+)$/.exec(message)?.[1] ?? ""),
  });
}

async function named(call: CallSlack, wanted: Mention): Promise<ReadonlyMap<string, string>> {
  switch (wanted.kind) {
    case "person": {
      const user = getObject(await call("users.info", { user: wanted.id }, UNSTOPPED), "user");
      return only(wanted, personName(user));
    }
    case "channel": {
      const answer = await call("conversations.info", { channel: wanted.id }, UNSTOPPED);
      return only(wanted, getString(getObject(answer, "channel"), "name"));
    }
    case "group": {
      const groups = getArray(await call("usergroups.list", {}, UNSTOPPED), "usergroups");
      return new Map(
        groups.flatMap((group) => {
          const [id, name] = [getString(group, "id"), getString(group, "handle")];
          return id === undefined || !name ? [] : [[mentionKey({ kind: "group", id }), name] as const];
        }),
      );
    }
  }
}

function only(wanted: Mention, name: string | undefined): ReadonlyMap<string, string> {
  return name === undefined || name.trim() === "" ? new Map() : new Map([[mentionKey(wanted), name]]);
}

/** As Slack shows a person. */
function personName(user: JsonObject | undefined): string | undefined {
  const profile = getObject(user, "profile");
  const names = [
    getString(profile, "display_name"),
    getString(profile, "real_name"),
    getString(user, "real_name"),
    getString(user, "name"),
  ];
  return names.find((name) => name !== undefined && name.trim() !== "");
}
