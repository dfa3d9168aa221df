import type { AddCommand } from "./terminal.ts";

export interface CommandEntry {
  /** Its arguments, as the help of the whole program shows them. */
  readonly takes: string;
  readonly about: string;
  /** Only when it is run, or has to explain itself: some bring half of the gateway. */
  readonly load: () => Promise<AddCommand>;
}

/** In the order of the help. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: {
    takes: "[options]",
    about: "run the gateway until SIGTERM or Ctrl-C",
    load: async () => (await import("./serve.ts")).addServe,
  },
  init: {
    takes: "[options] [folder]",
    about: "write a configuration to begin with, every option explained, and an example of .env",
    load: async () => (await import("./init.ts")).addInit,
  },
  send: {
    takes: "[options] <platform>",
    about: "send a webhook as a platform would, signed with your secret",
    load: async () => (await import("./send.ts")).addSend,
  },
  stub: {
    takes: "[options] [platforms...]",
    about: "stand in for the platforms' APIs, and print what the gateway says there",
    load: async () => (await import("./stub.ts")).addStub,
  },
  tail: {
    takes: "[options]",
    about: "follow what becomes of messages, on all replicas, until Ctrl-C",
    load: async () => (await import("./tail.ts")).addTail,
  },
  events: {
    takes: "",
    about: "see what happened to messages",
    load: async () => (await import("./events.ts")).addEvents,
  },
  explain: {
    takes: "[options] <id>",
    about: "say what became of a request (X-Request-Id) or an event, and what to do",
    load: async () => (await import("./explain.ts")).addExplain,
  },
  replay: {
    takes: "[options] <id>",
    about: "run a finished event again, as a new run",
    load: async () => (await import("./replay.ts")).addReplay,
  },
  dead: {
    takes: "",
    about: "see, replay or drop what could not be answered",
    load: async () => (await import("./dead.ts")).addDead,
  },
  approvals: {
    takes: "",
    about: "see and decide what agents ask before they use a tool",
    load: async () => (await import("./approvals.ts")).addApprovals,
  },
  conversations: {
    takes: "",
    about: "show what is remembered; export or erase what is kept of a person",
    load: async () => (await import("./conversations.ts")).addConversations,
  },
  notes: {
    takes: "",
    about: "show and erase what agents have noted about people and channels",
    load: async () => (await import("./notes.ts")).addNotes,
  },
  notify: {
    takes: "[options] <text>",
    about: "say a text in a chat, as the bot of a running gateway",
    load: async () => (await import("./notify.ts")).addNotify,
  },
  "kill-switch": {
    takes: "",
    about: "pause all replicas at once, or one agent or platform: no model is called, people are told",
    load: async () => (await import("./kill-switch.ts")).addKillSwitch,
  },
  "log-level": {
    takes: "[options] [level]",
    about: "say what all replicas log, or log more or less: fatal, error, warn, info, debug, trace, silent",
    load: async () => (await import("./log-level.ts")).addLogLevel,
  },
  limits: {
    takes: "",
    about: "say how many messages are let in, or set that on all replicas in place of the configuration",
    load: async () => (await import("./limits.ts")).addLimits,
  },
  status: {
    takes: "[options]",
    about: "say how a gateway does: what is not well, what waits, what is paused, what today costs",
    load: async () => (await import("./status.ts")).addStatus,
  },
  replicas: {
    takes: "",
    about: "list the processes that share the store: role, version, configuration, last seen",
    load: async () => (await import("./replicas.ts")).addReplicas,
  },
  schedules: {
    takes: "",
    about: "what agents are asked by the clock (schedules in gateway.yaml)",
    load: async () => (await import("./schedules.ts")).addSchedules,
  },
  hooks: {
    takes: "",
    about: "webhooks out: whom the gateway tells what happens (hooks in gateway.yaml)",
    load: async () => (await import("./hooks.ts")).addHooks,
  },
  breakers: {
    takes: "",
    about: "see which models and platforms are left alone because calls of them failed; call them again",
    load: async () => (await import("./breakers.ts")).addBreakers,
  },
  tokens: {
    takes: "",
    about: "let somebody watch one workspace, and nothing else: make, list and revoke their tokens",
    load: async () => (await import("./tokens.ts")).addTokens,
  },
  audit: {
    takes: "",
    about: "what was done to the gateway, by whom; and whether that record is whole",
    load: async () => (await import("./audit.ts")).addAudit,
  },
  usage: {
    takes: "[options]",
    about: "say what model calls cost on a day, against its budgets",
    load: async () => (await import("./usage.ts")).addUsage,
  },
  installations: {
    takes: "",
    about: "see or remove the workspaces that have installed the app themselves",
    load: async () => (await import("./installations.ts")).addInstallations,
  },
  backup: {
    takes: "",
    about: "copy what is durable, also of a running gateway; check copies",
    load: async () => (await import("./backup.ts")).addBackup,
  },
  restore: {
    takes: "[options] <archive>",
    about: "put an archive of parley backup in the place of what is there, which is kept",
    load: async () => (await import("./restore.ts")).addRestore,
  },
  maintain: {
    takes: "",
    about: "keep the store in order: read it through, make it smaller, take out what is old",
    load: async () => (await import("./maintain.ts")).addMaintain,
  },
  setup: {
    takes: "",
    about: "make a platform's app what this gateway needs",
    load: async () => (await import("./setup.ts")).addSetup,
  },
  tools: {
    takes: "",
    about: "see, try and check what agents may use",
    load: async () => (await import("./tools.ts")).addTools,
  },
  run: {
    takes: "[options]",
    about: "ask an agent once, from the shell, and print its answer",
    load: async () => (await import("./run.ts")).addRun,
  },
  "agent-check": {
    takes: "[options] <url>",
    about: "check that a remote agent keeps to the protocol of `provider: http`",
    load: async () => (await import("./agent-check.ts")).addAgentCheck,
  },
  doctor: {
    takes: "[options]",
    about: "look at everything that a gateway needs, and say what to do",
    load: async () => (await import("./doctor.ts")).addDoctor,
  },
  "upgrade-check": {
    takes: "[options]",
    about: "run by a new version: say whether it can take the place of what runs, and how to come back",
    load: async () => (await import("./upgrade-check.ts")).addUpgradeCheck,
  },
  secrets: {
    takes: "",
    about: "look at the secrets, and change one that is in a file",
    load: async () => (await import("./secrets.ts")).addSecrets,
  },
  config: {
    takes: "",
    about: "check, explain or show the configuration",
    load: async () => (await import("./config.ts")).addConfig,
  },
  import: {
    takes: "",
    about: "write a configuration from the files of another program",
    load: async () => (await import("./import.ts")).addImport,
  },
  completion: {
    takes: "[options] <shell>",
    about: "print what completes these commands in bash, zsh or fish",
    load: async () => (await import("./completion.ts")).completionOf(COMMANDS),
  },
};
