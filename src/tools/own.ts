import { join } from "node:path";
import type { ToolSpecs } from "../config/tools-schema.ts";
import type { Tool } from "../ports/tool.ts";
import { createFetchTool } from "./builtin/fetch.ts";
import { createNotesTool, type NotesDeps } from "./builtin/notes.ts";
import { createSearchTool } from "./builtin/search.ts";
import { createTimeTool } from "./builtin/time.ts";
import { createCommandTool } from "./command.ts";

/** Tools that are no server's: commands, and what is built in. `folder`: of the agent's working folders. */
export function ownTools(specs: ToolSpecs, folder: string, notes: NotesDeps): readonly Tool[] {
  const { clock } = notes;
  return specs.flatMap((spec): Tool[] => {
    // Agents are asked by the runtime.
    if (spec.type === "mcp" || spec.type === "agent") return [];
    if (spec.type === "command") return [createCommandTool(spec, join(folder, spec.name), clock)];
    const common = {
      name: spec.name,
      timeoutMs: spec.timeout_seconds * 1000,
      ...(spec.approve.length > 0 && { asks: "call" as const }),
    };
    if (spec.builtin === "time") return [{ ...createTimeTool(clock), ...common }];
    if (spec.builtin === "search") return [{ ...createSearchTool(), ...common }];
    if (spec.builtin === "notes") return [{ ...createNotesTool(notes), ...common }];
    return [{ ...createFetchTool(spec.hosts ?? []), ...common }];
  });
}
