import { z } from "zod";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { commandName } from "../../src/domain/route.ts";

/** Limits that hold on all platforms with forms. */
const TITLE_CHARS_MAX = 24;
const LABEL_CHARS_MAX = 45;
const FIELDS_MAX = 5;
const CHOICES_MAX = 25;
const CHOICE_CHARS_MAX = 75;
const TEXT_CHARS_MAX = 3_000;

const FORMATS = ["integer", "number", "email", "url"] as const;
type Format = (typeof FORMATS)[number];

/** The option `forms`, of a platform with fields of these types beside text and choices. */
export function formsOption(types: readonly string[]) {
  const field = z
    .strictObject({
      id: z
        .string()
        .regex(/^[\w-]{1,40}$/, "expected letters, digits, - and _")
        .describe("Names the value for the agent."),
      label: z.string().min(1).max(LABEL_CHARS_MAX),
      type: z.enum(["text", "paragraph", "choice", "choices", ...types]).prefault("text"),
      required: z.boolean().default(true),
      placeholder: z.string().min(1).max(100).optional(),
      max_length: z.int().min(1).max(TEXT_CHARS_MAX).optional(),
      choices: z.array(z.string().min(1).max(CHOICE_CHARS_MAX)).min(1).max(CHOICES_MAX).optional(),
      format: z.enum(FORMATS).optional().describe("What a text has to be; said at the field when it is not."),
    })
    .refine(({ type, choices }) => (type === "choice" || type === "choices") === (choices !== undefined), {
      message: "expected choices for the types choice and choices, and for no other",
      path: ["choices"],
    });
  return z
    .array(
      z.strictObject({
        id: z
          .string()
          .regex(/^[\w-]{1,40}$/, "expected letters, digits, - and _")
          .describe("What is sent with it comes as this command, for routes."),
        opened_by: z
          .array(z.string().min(1).max(200))
          .min(1)
          .max(20)
          .describe("Commands that are given without anything more, shortcuts, and buttons by their ids."),
        title: z.string().min(1).max(TITLE_CHARS_MAX),
        fields: z.array(field).min(1).max(FIELDS_MAX),
      }),
    )
    .max(50)
    .default([])
    .describe("Forms that open in answer to a command or a button.");
}

export interface Field<Type extends string = string> {
  readonly id: string;
  readonly label: string;
  readonly type: Type;
  readonly required: boolean;
  readonly placeholder?: string | undefined;
  readonly max_length?: number | undefined;
  readonly choices?: readonly string[] | undefined;
  readonly format?: Format | undefined;
}
export interface Form {
  readonly id: string;
  readonly opened_by: readonly string[];
  readonly title: string;
  readonly fields: readonly Field[];
}

/** What is wrong with what was filled in, by field. */
export type Faults = readonly { readonly field: Field; readonly message: string }[];

/** The forms of one platform. */
export class Forms {
  readonly #byOpener: ReadonlyMap<string, Form>;
  readonly #byId: ReadonlyMap<string, Form>;

  constructor(forms: readonly Form[]) {
    this.#byId = new Map(forms.map((form) => [form.id, form]));
    this.#byOpener = new Map(
      forms.flatMap((form) => form.opened_by.map((name) => [commandName(name), form] as const)),
    );
  }

  /** A command with something behind it says what it needs, and runs. */
  openedBy({ trigger, command, text, attachments }: TriggerEvent): Form | null {
    if (command === null || this.#byOpener.size === 0) return null;
    const isBare = trigger === "command" && text.trim() === "" && attachments.length === 0;
    return trigger === "button" || isBare ? (this.#byOpener.get(commandName(command)) ?? null) : null;
  }

  /** `filled`: what was filled in, by the field's id; empty for nothing. What a platform checks by itself is not checked again. */
  faultsIn(id: string, filled: (field: string) => string): Faults {
    const fields = this.#byId.get(id)?.fields ?? [];
    return fields.flatMap((field) => {
      const value = filled(field.id).trim();
      const message = field.format === undefined || value === "" ? null : faultOf(field.format, value);
      return message === null ? [] : [{ field, message }];
    });
  }
}

function faultOf(format: Format, value: string): string | null {
  switch (format) {
    case "integer":
      return /^[+-]?\d{1,15}$/.test(value) ? null : "Expected a whole number, such as 3.";
    case "number":
      return /^[+-]?\d{1,15}(\.\d{1,15})?$/.test(value) ? null : "Expected a number, such as 3 or 2.5.";
    case "email":
      return /^[^\s@]{1,64}@[^\s@.]{1,63}(\.[^\s@.]{1,63}){1,8}$/.test(value)
        ? null
        : "Expected an address, such as ann@example.org.";
    case "url":
      return /^https?:$/.test(URL.parse(value)?.protocol ?? "")
        ? null
        : "Expected a link, such as https://example.org.";
  }
}
