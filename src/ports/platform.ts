import type { z } from "zod";
import type { ChoiceSource } from "../domain/choice-source.ts";
import type { Platform } from "../domain/event.ts";
import type { LinkHosts } from "../domain/link-hosts.ts";
import type { Secret } from "../shared/secret.ts";
import type { Variable } from "../shared/variable.ts";
import type { Adapter, IgnoredWords } from "./adapter.ts";
import type { Audit } from "./audit.ts";
import type { Bus } from "./bus.ts";
import type { Clock, NewId, Random } from "./clock.ts";
import type { EnvReader } from "./env-reader.ts";
import type { Holds } from "./holds.ts";
import type { Notes } from "./notes.ts";
import type { Sending } from "./sampler.ts";
import type { Secrets } from "./secrets.ts";
import type { SetupSpec } from "./setup.ts";
import type { Stub } from "./stub.ts";

/** What a platform has in the environment; its fields are its own. Secrets print as `***`. */
export interface PlatformSettings {
  readonly kind: "on";
}

/** A platform without all that it needs: `present` is empty when nothing of it is configured. */
export interface PlatformOff {
  readonly kind: "off";
  readonly missing: readonly string[];
  readonly present: readonly string[];
}

/**
 * A chat platform, as the gateway, its commands and its documentation know it. `src/` names none: all of them are in the
 * list of adapters/index.ts, which main and cli pass in. What it imports is in the memory of every command, so clients
 * and parsers stand behind `open`.
 */
export interface PlatformModule<
  Settings extends PlatformSettings = PlatformSettings,
  Options = Readonly<Record<string, unknown>>,
> {
  readonly name: Platform;
  /** As people write it. */
  readonly label: string;
  /** What a `tenant` is there: `Example workspace`. Null: there is one only. */
  readonly tenant: string | null;
  /** In the order of the documentation. */
  readonly variables: readonly Variable[];
  /** Names of variables without which it is off, in the order in which they are asked for. */
  readonly needs: readonly string[];
  /** Its options in gateway.yaml, beside those that every platform has. */
  readonly options: z.ZodRawShape;
  /** A bot may speak first there (`Adapter.addressOf`), as a schedule does. */
  readonly speaksFirst?: true;
  /** It tells which roles people have, with its events (TriggerEvent) or when asked (Adapter.roles), so that access may go by them. */
  readonly knowsRoles?: true;
  /** Unless gateway.yaml says otherwise, tools that do more than read need an approval there. */
  readonly isReadOnly?: true;
  /** Tools that its options name as sources of choices, and where in the options; absent: they name none. */
  choiceSources?(
    options: Options,
  ): readonly { readonly path: readonly PropertyKey[]; readonly source: ChoiceSource }[];
  /** Null: something that it needs is not set, or not as it should be. */
  settings(env: EnvReader): Settings | null;
  /** An address of its API, which a look at the clock may ask for the time. Null: it has none. */
  api(settings: Settings): string | null;
  readonly words: PlatformWords;
  /** After `parley send`, in its help. */
  readonly example?: string;
  /** Makes its webhooks, for `parley send`. */
  sampler(): Promise<Sending>;
  /** Stands in for its API, for `parley stub`. Absent: there is none to stand in for. */
  readonly stub?: () => Promise<Stub>;
  /** Absent: its app is set up by hand, as its README says. */
  readonly setup?: SetupSpec<Settings, Options>;
  /** Throws CONFIG_INVALID. Does no I/O by itself. */
  open(context: OpenContext<Settings, Options>): Promise<Adapter>;
  /** What programs send, as `inbound` of gateway.yaml says: it has no options as chat platforms have them, and no variables. */
  readonly isForPrograms?: true;
  /** For whoever develops on this installation: always on, and configured by nothing of the above. */
  readonly isForDevelopers?: true;
}

/** Whether people chat there: it is turned on by its secrets, and has its options under `platforms`. */
export function isChat({
  isForDevelopers,
  isForPrograms,
}: Pick<PlatformModule, "isForDevelopers" | "isForPrograms">): boolean {
  return isForDevelopers !== true && isForPrograms !== true;
}

/** A webhook that a program calls, and where it is answered. */
export interface InboundWebhook {
  readonly name: string;
  /** Two while one is rotated. */
  readonly secrets: readonly Secret[];
  /** Null: as the routes have it. */
  readonly agent: string | null;
  /** Templates over the JSON that comes; null: the message stands alone, and is the webhook's own. */
  readonly text: string;
  readonly conversation: string | null;
  readonly user: string | null;
  /** Null: answers are kept, and sent nowhere. */
  readonly callback: {
    readonly url: string;
    readonly secrets: readonly Secret[];
    readonly timeoutMs: number;
  } | null;
}

/** What operators are told of its requests. */
export interface PlatformWords {
  /** Who sends them, when they are genuine; null: anybody. */
  readonly sender: string | null;
  /** Where to look when a request was not verified: a sentence without its stop. */
  readonly secret: string;
  /** What to do when its handshake was refused, as a sentence; absent: it has none that can be. */
  readonly handshake?: string;
  /** Why the same message may come twice although it was taken. */
  readonly twice?: string;
  /** Why a request was ignored, beside what the gateway itself knows: the reason, and what it means. */
  readonly ignored: IgnoredWords;
}

export interface OpenContext<Settings = PlatformSettings, Options = Readonly<Record<string, unknown>>> {
  readonly settings: Settings;
  /** As gateway.yaml has them, defaults filled in. */
  readonly options: Options;
  /** Where people and platforms reach this gateway, without a slash at its end; null: not said. */
  readonly publicUrl: string | null;
  /** Whether any rule goes by roles there, at the start. */
  readonly goesByRoles?: boolean;
  /** To which hosts answers may link, as it is now. Absent: to any. */
  readonly linkHosts?: () => LinkHosts;
  readonly clock: Clock;
  readonly random: Random;
  /** For one call of the platform, from connecting to the last byte. */
  readonly timeoutMs: number;
  /** Absent where a platform is only asked how it is: there is no store then. */
  readonly kept?: Kept;
  /** Given to the platform for developers alone. */
  readonly developers?: Developers;
  /** Given to the one for programs: as the configuration has them now. */
  readonly inbound?: () => readonly InboundWebhook[];
}

/** What a platform may keep for all replicas, and do on one of them. */
export interface Kept {
  /** Who installed the app, and where it was removed, is noted for good; absent: nobody keeps it. */
  readonly audit?: Audit;
  /** Null: there is no key to seal them with. */
  readonly secrets: Secrets | null;
  readonly holds: Holds;
  readonly notes: Notes;
}

/** Who may use what is for developers, and what it takes to answer them. */
export interface Developers {
  /** Callers on this machine need no key. */
  readonly open: boolean;
  /** Null: no key lets anybody in. */
  readonly key: Secret | null;
  readonly bus: Bus;
  readonly newId: NewId;
}
