import { z } from "zod";

/** Application command option types: https://discord.com/developers/docs/interactions/application-commands */
export const OPTION_TYPES = {
  string: 3,
  integer: 4,
  boolean: 5,
  user: 6,
  channel: 7,
  role: 8,
  mentionable: 9,
  number: 10,
  file: 11,
} as const;

/** Of slash commands, their sub-commands and options. */
const WORD = "[-_'\\p{Ll}\\p{Lo}\\p{Lm}\\p{N}]{1,32}";
export const SLASH_NAME = new RegExp(`^/${WORD}(?: ${WORD}){0,2}$`, "u");
const MENU_NAME = /^[^/].{0,31}$/u;
const OPTION_NAME = new RegExp(`^${WORD}$`, "u");
const description = z.string().min(1).max(100);

const option = z
  .strictObject({
    name: z.string().regex(OPTION_NAME, "expected small letters, digits, - or _, at most 32"),
    description,
    type: z
      .enum(Object.keys(OPTION_TYPES) as (keyof typeof OPTION_TYPES)[])
      .default("string")
      .describe("What is filled in."),
    required: z.boolean().default(false),
    choices: z
      .array(z.string().min(1).max(100))
      .min(1)
      .max(25)
      .optional()
      .describe("The only values there are."),
  })
  .refine(({ type, choices }) => choices === undefined || type === "string", {
    message: "expected choices for the type string, and for no other",
    path: ["choices"],
  });
export type CommandOption = z.output<typeof option>;

const slash = z.strictObject({
  name: z
    .string()
    .regex(SLASH_NAME, "expected / and one to three words of small letters, digits, - or _")
    .describe("With its sub-commands: `/deploy run`."),
  type: z.literal("slash").default("slash"),
  description,
  options: z.array(option).max(25).default([]),
});
const menu = z.strictObject({
  name: z.string().regex(MENU_NAME, "expected at most 32 characters, the first not /"),
  type: z.enum(["message", "user"]).describe("In the menu of a message, or of a person."),
});
export type SlashCommand = z.output<typeof slash>;
export type MenuCommand = z.output<typeof menu>;

/** The option `app`: what `parley setup discord` registers. */
export const appOption = z
  .strictObject({
    commands: z
      .array(z.union([slash, menu]))
      .max(130)
      .default([
        {
          name: "/ask",
          type: "slash",
          description: "Ask the bot",
          options: [{ name: "task", description: "What to do", type: "string", required: true }],
        },
      ])
      .describe("Commands; those that routes, forms and autocomplete name are added, and /parley."),
    user_install: z
      .boolean()
      .default(false)
      .describe("Whether people may install the app for themselves, and use it wherever they are."),
  })
  .prefault({})
  .describe("What `parley setup discord` registers.");
