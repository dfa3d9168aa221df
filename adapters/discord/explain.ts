import type { PlatformWords } from "../../src/ports/platform.ts";

export const WORDS: PlatformWords = {
  sender: "Discord",
  secret: "Compare DISCORD_PUBLIC_KEY with the application's page General Information",
  ignored: {
    reaction_added:
      "Somebody reacted with an emoji to a message that is none of the bot's latest; see platforms.discord.reactions.",
    reaction_removed: "Somebody took a reaction back.",
    form_opened: "It opened a form (platforms.discord.forms). What is sent with that comes by itself.",
    form_errors: "A form was sent with something that it does not take; the person was told what.",
    app_event: "Discord tells of the app itself, such as its installation.",
    unknown_command_type: "It is a kind of command that Parley does not know.",
    other_application:
      "It was meant for another app of the platform. Compare DISCORD_APPLICATION_ID with the app's page.",
    no_content:
      "It says nothing that may be read: without Message Content Intent Discord leaves out what does not name the bot.",
    webhook: "A webhook wrote it, and anybody who has its address can.",
    system_message: "Discord itself wrote it.",
    message_deleted: "A message was deleted; see platforms.discord.deletes.",
    unknown_type: "It is a kind of interaction that Parley does not know.",
  },
};
