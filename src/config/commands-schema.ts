import { z } from "zod";
import { BUTTON_ID_BYTES_MAX } from "../domain/bounds.ts";
import type { KnownCommands } from "../domain/named-command.ts";
import { commandName } from "../domain/route.ts";
import { routeModel } from "./model-schema.ts";

/** Small letters, as routes and platforms have them; with the slash 32 characters, of which some take no more. */
const COMMAND = /^\/[a-z0-9][a-z0-9_-]{0,30}$/;
const command = z.string().regex(COMMAND, {
  error: "expected a slash and 1 to 31 small letters, digits, dashes or underscores, such as /deploy",
});

const CHOICES_MAX = 25;

const menuChoice = z.strictObject({
  label: z
    .string()
    .min(1)
    .max(80)
    .regex(/^\S(?:.*\S)?$/, { error: "expected one line without spaces around it" })
    .describe(
      "On the button. Some platforms hold no more than 20 characters; a longer one makes it a list there.",
    ),
  command: z
    .string()
    .regex(/^\/[a-z0-9][a-z0-9_-]{0,30}(?: \S+)*$/, {
      error: "expected a command as it is written, one space between its words, such as /deploy api",
    })
    .refine((text) => Buffer.byteLength(text) <= BUTTON_ID_BYTES_MAX, {
      error: `expected at most ${BUTTON_ID_BYTES_MAX} bytes, which is what a button holds`,
    })
    .optional()
    .describe(
      "What a press stands for: `/deploy api`. Absent: the label is said, as if it had been written.",
    ),
});

/** Of a command, or of an agent. */
export const menu = z.strictObject({
  text: z.string().min(1).max(1_000).default("Please choose:").describe("Above the choices."),
  choices: z
    .array(menuChoice)
    .min(1)
    .max(CHOICES_MAX)
    .superRefine((choices, context) => {
      for (const [i, choice] of choices.entries())
        for (const key of ["label", "command"] as const) {
          const first = choices.findIndex((one) => one[key] === choice[key]);
          const message = `expected a ${key} of its own, got that of choices[${first}]`;
          const isTaken = choice[key] !== undefined && first !== i;
          if (isTaken) context.addIssue({ code: "custom", path: [i, key], message });
        }
    })
    .describe("Buttons; a numbered list where a platform has none, or not so many, or none so long."),
});
export type MenuSpec = z.output<typeof menu>;

export const commandsSchema = z
  .array(
    z.strictObject({
      command: command.describe(
        "Its name, as routes name it; written as `!deploy` it is a message anywhere.",
      ),
      aliases: z.array(command).max(20).default([]).describe("Other names of it: everywhere the same."),
      description: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .describe("What it does, for /help and for the lists of commands of platforms."),
      usage_hint: z.string().min(1).max(100).optional().describe("What comes behind it: `SERVICE VERSION`."),
      model: routeModel
        .optional()
        .describe(
          "For the runs that it begins, in place of the whole `model` of whichever agent answers, and of that of a route.",
        ),
      menu: menu.optional().describe("What it answers by itself where nothing comes behind it."),
    }),
  )
  .max(200)
  .default([])
  .describe("Commands: names, aliases, what /help says of them. Who answers one, routes say.");
export type CommandSpec = z.output<typeof commandsSchema>[number];

export function knownCommands(commands: readonly CommandSpec[], menus: readonly MenuSpec[]): KnownCommands {
  const all = [...commands.flatMap(({ menu: own }) => own ?? []), ...menus];
  return {
    names: new Map(
      commands.flatMap(({ command: name, aliases }) =>
        [name, ...aliases].map((one) => [commandName(one), commandName(name)] as const),
      ),
    ),
    onButtons: new Set(all.flatMap(({ choices }) => choices.flatMap((choice) => choice.command ?? []))),
  };
}
