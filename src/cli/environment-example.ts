import { variablesOf } from "../config/variables.ts";
import type { PlatformModule } from "../ports/platform.ts";
import type { Variable } from "../shared/variable.ts";

const COLUMNS = 110;

/** Every variable with what it is for, none of them set: whoever copies this as it is changes nothing. */
export function environmentExample(modules: readonly PlatformModule[]): string {
  const parts = [
    { title: "The gateway and its models", variables: variablesOf([]) },
    ...modules.map(({ label, variables }) => ({ title: label, variables })),
  ];
  const written = parts
    .map(({ title, variables }) => ({ title, variables: variables.filter(({ idle }) => idle === undefined) }))
    .filter(({ variables }) => variables.length > 0)
    .map(({ title, variables }) => `\n## ${title}\n${variables.map(lines).join("")}`);
  return `${HEAD}${written.join("")}`;
}

const HEAD = `# Copy this file to .env, where the gateway is started, and take the # away from what you set. Keep .env to yourself:
# it holds secrets. What is in the environment already wins over it.
# A secret may come from a file instead: NAME_FILE=/run/secrets/name. \`openssl rand -hex 32\` makes one of your own.
`;

function lines({ name, what }: Variable): string {
  return `\n${wrapped(what)}# ${name}=\n`;
}

function wrapped(text: string): string {
  const rows = [""];
  for (const word of text.split(" ")) {
    const row = rows.at(-1) ?? "";
    if (row !== "" && row.length + word.length > COLUMNS) rows.push(word);
    else rows[rows.length - 1] = row === "" ? word : `${row} ${word}`;
  }
  return rows.map((row) => `# ${row}\n`).join("");
}
