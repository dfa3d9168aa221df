import type { FakeAnswer } from "./server.ts";

/** A server that the bot is in, as far as it may look. */
export interface FakeGuild {
  readonly channels: readonly object[];
  readonly threads?: readonly object[];
  readonly roles: readonly object[];
  /** By their ids. */
  readonly members: Readonly<Record<string, object>>;
}

/** `GET /guilds/{id}/…`: 403 of a server that the bot is not in, as Discord says. */
export class FakeGuilds extends Map<string, FakeGuild> {
  answer(id: string, what: string, member: string): FakeAnswer {
    const guild = this.get(id);
    if (guild === undefined) return refused(403, 50_001);
    if (what === "channels") return { body: guild.channels };
    if (what === "threads" && guild.threads !== undefined) return { body: { threads: guild.threads } };
    if (what === "roles") return { body: guild.roles };
    const found = what === "members" ? guild.members[member] : undefined;
    return found === undefined ? refused(404, 10_007) : { body: found };
  }
}

function refused(status: number, code: number): FakeAnswer {
  return { status, body: { code, message: "no" } };
}
