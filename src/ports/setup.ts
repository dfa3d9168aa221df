import type { Clock, Random } from "./clock.ts";
import type { EnvReader } from "./env-reader.ts";
import type { ProbeFinding } from "./probe-finding.ts";

/** How a platform's app is made what this gateway needs: `parley setup <platform>`. */
export interface SetupSpec<Settings, Options> {
  /** What the command does, in its help: `print …, or change … with --apply`. */
  readonly what: string;
  /** Beside those that every platform has. */
  readonly flags: readonly SetupFlag[];
  /** Lines of its help. */
  readonly examples: readonly string[];
  /** What it imports is loaded only here. */
  open(context: SetupContext<Settings, Options>): Promise<Setup>;
}

export interface SetupFlag {
  /** As the help has it: `--guild <id>`. */
  readonly flag: string;
  readonly what: string;
}

export interface SetupContext<Settings, Options> {
  /** Null: not all that the platform needs is set, as before there is an app. */
  readonly settings: Settings | null;
  /** As gateway.yaml has them, defaults filled in. */
  readonly options: Options;
  /** Without a slash at its end; null: not said. */
  readonly publicUrl: string | null;
  /** Those that routes for this platform name, as they are written there. */
  readonly commands: readonly string[];
  /** Those that the configuration describes, but for those that routes give to other platforms alone. */
  readonly described: readonly DescribedCommand[];
  /** Whether any rule goes by roles there. */
  readonly goesByRoles: boolean;
  /** The flags of its own that were given, by their camelCase names. */
  readonly flags: Readonly<Record<string, string | true | undefined>>;
  readonly env: Pick<EnvReader, "text" | "secret">;
  readonly clock: Clock;
  readonly random: Random;
  /** For one call of the platform, from connecting to the last byte. */
  readonly timeoutMs: number;
}

/** A command and its other names, which the platform has to know one by one. */
export interface DescribedCommand {
  /** `/deploy` */
  readonly command: string;
  readonly aliases: readonly string[];
  readonly description?: string;
  readonly usage?: string;
}

/** One platform's app: what it should be, what it is, and the way from one to the other. */
export interface Setup {
  /** What it should be, as its platform takes it: a manifest, a list of commands. Pure. */
  document(): object;
  /** Pages to open in a browser. Pure. */
  links(): readonly SetupLink[];
  /** Looks at the app that there is; empty: there is no credential to ask with. Changes nothing. Never throws. */
  check(signal: AbortSignal): Promise<readonly ProbeFinding[]>;
  /** Makes it what it should be, or says what that would change. Throws DeliveryError, CONFIG_INVALID. */
  apply(options: { readonly isDryRun: boolean }, signal: AbortSignal): Promise<SetupOutcome>;
}

export interface SetupLink {
  /** What it is for: `Install it`. */
  readonly what: string;
  readonly url: string;
}

export interface SetupOutcome {
  /** A line each; empty: it is what it should be. */
  readonly changes: readonly string[];
  /** What a person has to do now, a line each. */
  readonly next: readonly string[];
}
