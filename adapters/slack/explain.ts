import type { PlatformWords } from "../../src/ports/platform.ts";

export const WORDS: PlatformWords = {
  sender: "Slack",
  secret: "Compare SLACK_SIGNING_SECRET with the Signing Secret on the app's page Basic Information",
  twice: "Slack sends a mention twice",
  ignored: {
    message_deleted:
      "Somebody deleted a message. It has left memory, unless platforms.slack.deletes is keep.",
    message_replied:
      "Slack tells that a thread was answered; the answer itself came as a message of its own.",
    channel_join: "Somebody joined the channel.",
    channel_leave: "Somebody left the channel.",
    channel_topic: "Somebody changed the topic of the channel.",
    channel_purpose: "Somebody changed the purpose of the channel.",
    bot_add: "Somebody added a bot to the channel.",
    bot_remove: "Somebody removed a bot from the channel.",
    reaction_added:
      "Somebody reacted with an emoji, to a message or in a way that means nothing here; see platforms.slack.reactions.",
    reaction_removed: "Somebody took a reaction back.",
    app_home_opened: "Somebody opened the app's home. What it shows is platforms.slack.home.",
    app_rate_limited:
      "Slack has sent so many events that it leaves some out. Subscribe to fewer, in the app's settings.",
    app_uninstalled:
      "The app was removed from the workspace. Where it had installed the app itself, its token is deleted; else install it again, and set the new SLACK_BOT_TOKEN.",
    tokens_revoked:
      "Slack has revoked tokens of the app. Where the workspace had installed it itself, the token is deleted; else install it again, and set the new SLACK_BOT_TOKEN.",
    subteam_members_changed:
      "Others are in a user group of the workspace now. Rules that go by roles go by that at once.",
    subteam_updated: "A user group of the workspace was changed. Rules that go by roles go by that at once.",
    assistant_thread_started:
      "Somebody opened the assistant's pane. What it offers is platforms.slack.assistant; the bot answers when something is said.",
    assistant_thread_context_changed: "Somebody looks at another channel beside the assistant's pane.",
    agent_session_stopped: "Somebody closed the assistant's pane.",
    form_opened: "It opened a form (platforms.slack.forms). What is sent with that comes by itself.",
    form_errors: "A form was sent with something that it does not take; the person was told what.",
    view_closed: "Somebody closed a form without submitting it.",
    block_suggestion: "Slack asks for choices to a list; there are none.",
    other_envelope: "Over Socket Mode Slack sent something of a kind that Parley does not know.",
    other_application:
      "It was meant for another app of the platform. Compare SLACK_APP_ID with the app's page.",
  },
};
