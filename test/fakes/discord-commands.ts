import type { FakeAnswer } from "./server.ts";

interface Command {
  readonly id?: string;
  readonly name: string;
  readonly type?: number;
  readonly description?: string;
  readonly options?: readonly Command[];
  readonly required?: boolean;
  readonly [key: string]: unknown;
}

const WORD = /^[-_'\p{L}\p{N}]{1,32}$/u;
const MOST: Readonly<Record<number, number>> = { 1: 100, 2: 15, 3: 15 };

/** The commands of one application, of all servers (`""`) and of each, as strict as Discord is with them. */
export class FakeCommands {
  readonly places = new Map<string, readonly Command[]>();
  #ids = 0;

  answer(method: string, guild: string, body: unknown): FakeAnswer {
    if (method === "GET") return { body: this.places.get(guild) ?? [] };
    if (method !== "PUT" || !Array.isArray(body)) return { status: 405, body: {} };
    const wrong = faultIn(body as readonly Command[], guild !== "");
    if (wrong !== null)
      return {
        status: 400,
        body: {
          code: 50_035,
          message: "Invalid Form Body",
          errors: { _errors: [{ code: "INVALID", message: wrong }] },
        },
      };
    const given = (body as readonly Command[]).map((command) => this.#stored(command, guild));
    this.places.set(guild, given);
    return { body: given };
  }

  names(guild = ""): readonly string[] {
    return (this.places.get(guild) ?? []).map(({ name }) => name).sort();
  }

  /** With what Discord fills in, and without what it leaves out. */
  #stored(command: Command, guild: string): Command {
    const before = this.places
      .get(guild)
      ?.find((one) => one.name === command.name && typeOf(one) === typeOf(command));
    return {
      ...{
        application_id: "900",
        version: String(++this.#ids),
        default_member_permissions: null,
        nsfw: false,
      },
      ...(guild === "" ? { contexts: null, integration_types: [0] } : { guild_id: guild }),
      ...command,
      id: before?.id ?? String(5_000 + ++this.#ids),
      type: typeOf(command),
      description: command.description ?? "",
    };
  }
}

function typeOf({ type = 1 }: Command): number {
  return type;
}

function faultIn(commands: readonly Command[], isOfServer: boolean): string | null {
  for (const type of [1, 2, 3]) {
    const names = commands.filter((one) => typeOf(one) === type).map(({ name }) => name);
    if (names.length > (MOST[type] ?? 0)) return "too many";
    if (new Set(names).size < names.length) return "twice";
  }
  if (isOfServer && commands.some((one) => "contexts" in one)) return "contexts of a server's command";
  return commands.map((one) => faultOf(one, 0)).find((fault) => fault !== null) ?? null;
}

function faultOf(command: Command, depth: number): string | null {
  const type = typeOf(command);
  if (depth === 0 && type !== 1)
    return command.description || command.options ? "a menu has no more than a name" : null;
  if (!WORD.test(command.name) || command.name !== command.name.toLowerCase()) return `name ${command.name}`;
  const { description = "", options = [] } = command;
  if (description.length < 1 || description.length > 100) return `description of ${command.name}`;
  if (options.length > 25) return `options of ${command.name}`;
  const nested = options.filter(({ type = 0 }) => type <= 2);
  if (nested.length > 0 && nested.length < options.length) return `both kinds of options in ${command.name}`;
  if (depth > 2 && type <= 2) return "too deep";
  const firstFree = options.findIndex(({ required, type = 0 }) => type > 2 && !required);
  if (firstFree >= 0 && options.slice(firstFree).some(({ required }) => required))
    return "required after optional";
  return options.map((one) => faultOf(one, depth + 1)).find((fault) => fault !== null) ?? null;
}
