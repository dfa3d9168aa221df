import type { PlatformModule } from "../ports/platform.ts";
import type { AgentFile } from "./agent-schema.ts";
import type { Environment } from "./environment.ts";
import { formatProblem, type Path, type Problem } from "./problems.ts";
import type { YamlFile } from "./read-yaml.ts";

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

/** One that is off: what is to be asked there is not done. */
export function placeNotes(
  found: readonly Asked[],
  { platforms }: Pick<Environment, "platforms">,
  modules: readonly PlatformModule[],
): string[] {
  return found.flatMap((one) =>
    platformsOf(one).flatMap(({ platform, path }) => {
      const module = modules.find(({ name }) => name === platform);
      if (module?.isForDevelopers === true || platforms[platform]?.kind === "on") return [];
      const missing = (module?.needs ?? []).join(" and ");
      const why = `${platform} is not configured (${missing}): what needs an approval ends at once with \`no decision in time\``;
      return [formatProblem(one.yaml.problem(path, why))];
    }),
  );
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
