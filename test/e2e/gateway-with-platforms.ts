import { configFolder } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { openPlatforms, type Platforms } from "./platforms.ts";

/** A gateway and the four platforms it talks to. */
export interface Setup extends AsyncDisposable {
  readonly platforms: Platforms;
  readonly gateway: GatewayProcess;
}

export async function startWithPlatforms(
  env: Readonly<Record<string, string>> = {},
  config: string = configFolder(),
): Promise<Setup> {
  const platforms = await openPlatforms();
  const gateway = await startGateway({
    dataDir: temporaryFolder(),
    config,
    env: { ...platforms.env, ...env },
  });
  return {
    platforms,
    gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await platforms[Symbol.asyncDispose]();
    },
  };
}
