import { CARRIER, CONTROL_COMMANDS } from "../domain/command.ts";
import type { AgentFile } from "./agent-schema.ts";
import { closest } from "./closest.ts";
import type { CommandSpec, MenuSpec } from "./commands-schema.ts";
import type { Path, Problem } from "./problems.ts";
import type { YamlFile } from "./read-yaml.ts";

/** What commands and menus say of each other, over all files. */

const BUILT_IN: readonly string[] = [...CONTROL_COMMANDS, CARRIER].map((name) => `/${name}`);

interface Written {
  readonly yaml: YamlFile;
  readonly base: Path;
}

/** A name means one thing. */
export function commandClashes(commands: readonly CommandSpec[], yaml: YamlFile): Problem[] {
  const taken = new Map<string, string>();
  return commands.flatMap(({ command, aliases }, i) =>
    [command, ...aliases].flatMap((name, at) => {
      const path = ["spec", "commands", i, ...(at === 0 ? ["command"] : ["aliases", at - 1])];
      if (BUILT_IN.includes(name))
        return [yaml.problem(path, `expected another name, got ${name}, which is a command of Parley's own`)];
      const owner = taken.get(name);
      if (owner !== undefined) {
        const whose = owner === command ? "twice" : `which is a name of ${owner}`;
        return [yaml.problem(path, `expected a name of its own, got ${name}, ${whose}`)];
      }
      taken.set(name, command);
      return [];
    }),
  );
}

/** What stands behind a button must be there, and lead on. */
export function menuProblems(
  commands: readonly CommandSpec[],
  gatewayYaml: YamlFile | null,
  found: readonly (Written & { readonly agent: AgentFile })[],
): Problem[] {
  const known = [...commands.flatMap(({ command, aliases }) => [command, ...aliases]), ...ANSWERED];
  const ofCommands = commands.flatMap(({ command, aliases, menu }, i) => {
    if (menu === undefined || gatewayYaml === null) return [];
    const at = { yaml: gatewayYaml, base: ["spec", "commands", i, "menu"] };
    return problemsIn(menu, at, { known, loop: [command, ...aliases] });
  });
  const ofAgents = found.flatMap(({ agent, yaml, base }) =>
    agent.spec.menu === undefined
      ? []
      : problemsIn(agent.spec.menu, { yaml, base: [...base, "spec", "menu"] }, { known, loop: [] }),
  );
  return [...ofCommands, ...ofAgents];
}

const ANSWERED = CONTROL_COMMANDS.map((name) => `/${name}`);

function problemsIn(
  { choices }: MenuSpec,
  { yaml, base }: Written,
  { known, loop }: { readonly known: readonly string[]; readonly loop: readonly string[] },
): Problem[] {
  return choices.flatMap(({ command }, i) => {
    if (command === undefined) return [];
    const path = [...base, "choices", i, "command"];
    const [word = ""] = command.split(" ", 1);
    if (loop.includes(command))
      return [yaml.problem(path, `expected something behind ${command}, which alone shows this menu again`)];
    if (known.includes(word)) return [];
    const near = closest(word, known);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    const expected = `expected a command of \`commands\` in gateway.yaml or of Parley's own, got ${word}${hint}`;
    return [yaml.problem(path, expected)];
  });
}
