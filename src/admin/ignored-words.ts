import type { IgnoredReason } from "../domain/ignored.ts";

/** What it means that a message was ignored for this reason, and what to do where that was not meant. */
export const IGNORED_WORDS: Readonly<Record<IgnoredReason, string>> = {
  not_addressed:
    "The bot was not named, and the conversation is none that it takes part in. Mention it, answer one of its " +
    "messages, or set respond_to of the platform in gateway.yaml to `all`.",
  bot: "It was said by a bot. To answer bots, name them in access.bots of the platform.",
  own_message: "It is one of the bot's own messages, come back.",
  system: "The platform itself said it, not a person.",
  edit: "Somebody changed a message. Changes start no new run.",
  buttons_off:
    "Something was pressed or a form was sent, and buttons of the platform in gateway.yaml is set to `ignore`.",
  link_button: "Somebody pressed a button that opens a page. That starts no run.",
  form_input: "Somebody filled in a part of a form. It runs when the form is sent, with what was filled in.",
  feedback:
    "It was a reaction to an answer, and is kept as feedback: parley events show has it with its event.",
  empty: "The request held no message.",
  malformed_message:
    "The message is not in the shape that the platform documents, so nothing can be read from it.",
};
