import type { FakeAnswer } from "./server.ts";

/** A server that the bot is in, as far as it may look. */
export interface FakeGuild {
  /** What the bot may do in it, as Discord lists it; not told when absent. */
  readonly permissions?: bigint;
  readonly channels: readonly object[];
  readonly threads?: readonly object[];
  readonly roles: readonly object[];
  /** By their ids. */
  readonly members: Readonly<Record<string, object>>;
}

/** `GET /guilds/{id}/…`: 403 of a server that the bot is not in, as Discord says. */
export class FakeGuilds extends Map<string, FakeGuild> {
  /** `GET /users/@me/guilds` */
  list(): FakeAnswer {
    return { body: [...this].map(([id, { permissions }]) => ({ id, permissions: permissions?.toString() })) };
  }

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
