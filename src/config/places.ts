import { isChat, type PlatformModule } from "../ports/platform.ts";
import type { AgentFile } from "./agent-schema.ts";
import type { Environment } from "./environment.ts";
import { formatProblem, type Path, type Problem } from "./problems.ts";
import type { YamlFile } from "./read-yaml.ts";
import type { GatewaySpec } from "./schema.ts";

/** Where agents ask for approvals, beside the conversation. */

interface Asked {
  readonly agent: AgentFile;
  readonly yaml: YamlFile;
  readonly base: Path;
}

/** A platform on which nobody may speak first can be no such place. */
export function placeProblems(found: readonly Asked[], modules: readonly PlatformModule[]): Problem[] {
  const speaking = modules.filter(({ speaksFirst }) => speaksFirst === true).map(({ name }) => name);
  return found.flatMap((one) =>
    platformsOf(one).flatMap(({ platform, path }) => {
      if (speaking.includes(platform)) return [];
      const expected = `expected a platform on which a bot may speak first: ${speaking.join(", ")}; got ${platform}`;
      return [one.yaml.problem(path, expected)];
    }),
  );
}

interface Platforms {
  readonly spec: Pick<GatewaySpec, "platforms" | "notify" | "schedules">;
  readonly environment: Pick<Environment, "platforms">;
  readonly modules: readonly PlatformModule[];
}

/** One that is off: what is to be asked there is not done. */
export function placeNotes(found: readonly Asked[], platforms: Platforms): string[] {
  return found.flatMap((one) =>
    platformsOf(one).flatMap(({ platform, path }) => {
      const off = whyOff(platform, platforms);
      if (off === null) return [];
      const why = `${off}: what needs an approval ends at once with \`no decision in time\``;
      return [formatProblem(one.yaml.problem(path, why))];
    }),
  );
}

/** Places of gateway.yaml at a platform that is off: nothing is told there, and nobody asked. */
export function spokenNotes(yaml: YamlFile, platforms: Platforms): string[] {
  const { notify, schedules } = platforms.spec;
  const all = [
    ...notify.map(({ platform }, i) => ({
      ...{ platform, path: ["spec", "notify", i, "platform"] },
      outcome: "nobody is told anything there, and what waits is given up after its attempts",
    })),
    ...schedules.map(({ to: { platform } }, i) => ({
      ...{ platform, path: ["spec", "schedules", i, "to", "platform"] },
      outcome: "its turns are left out",
    })),
  ];
  return all.flatMap(({ platform, path, outcome }) => {
    const off = whyOff(platform, platforms);
    return off === null ? [] : [formatProblem(yaml.problem(path, `${off}: ${outcome}`))];
  });
}

/** What to change, as well. Null: it is on. */
function whyOff(name: PlatformModule["name"], { spec, environment, modules }: Platforms): string | null {
  const module = modules.find((one) => one.name === name);
  if (module !== undefined && !isChat(module)) return null;
  if (spec.platforms[name]?.enabled === false)
    return `${name} is switched off (platforms.${name}.enabled is false; auto turns it on)`;
  if (environment.platforms[name]?.kind === "on") return null;
  return `${name} is not configured (${(module?.needs ?? []).join(" and ")})`;
}

function platformsOf({
  agent,
  base,
}: Asked): readonly { readonly platform: PlatformModule["name"]; readonly path: Path }[] {
  const { approvals, tools } = agent.spec;
  const all = [
    { place: approvals.place, at: ["approvals"] },
    ...tools.map((tool, i) => ({
      place: ("approvals" in tool ? tool.approvals?.place : undefined) ?? "conversation",
      at: ["tools", i, "approvals"],
    })),
  ];
  return all.flatMap(({ place, at }) =>
    place === "conversation"
      ? []
      : [{ platform: place.platform, path: [...base, "spec", ...at, "place", "platform"] }],
  );
}
