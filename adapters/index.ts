import type { PlatformModule } from "../src/ports/platform.ts";
import { discord } from "./discord/index.ts";
import { inbound } from "./in/index.ts";
import { slack } from "./slack/index.ts";
import { telegram } from "./telegram/index.ts";
import { test } from "./test/index.ts";
import { whatsapp } from "./whatsapp/index.ts";

/** Every platform, in the order in which people read of them. Read by main and cli, which pass it in. */
export const MODULES: readonly PlatformModule[] = [slack, discord, telegram, whatsapp, inbound, test];
