import { describe, expect, it } from "vitest";
import { controlCommandOf } from "../../src/domain/command.ts";

const said = (text: string) => controlCommandOf({ trigger: "direct", command: null, text });
const used = (command: string, text = "") => controlCommandOf({ trigger: "command", command, text });

describe("control commands", () => {
  it("are understood as slash commands", () => {
    expect(used("/stop")).toBe("stop");
    expect(used("/help")).toBe("help");
    expect(used("reset")).toBe("reset");
  });

  it("are understood behind the carrier command, as its text or its subcommand", () => {
    expect(used("/parley", "status")).toBe("status");
    expect(used("/parley status")).toBe("status");
    expect(used("/parley")).toBe("help");
    expect(used("/parley", "what is new?")).toBeNull();
  });

  it("are understood as a message that is nothing else", () => {
    expect(said("!stop")).toBe("stop");
    expect(said(" /help ")).toBe("help");
    expect(said("!Reset")).toBe("reset");
    expect(said("!stop it now")).toBeNull();
    expect(said("stop")).toBeNull();
    expect(said("!unknown")).toBeNull();
  });

  it("are understood as the text of another command, with the mark", () => {
    expect(used("/ask", "!stop")).toBe("stop");
  });

  it("leave other commands and buttons alone", () => {
    expect(used("/deploy", "status")).toBeNull();
    expect(used("/deploy", "!status of api")).toBeNull();
    expect(used("/deploy stop")).toBeNull();
    expect(controlCommandOf({ trigger: "button", command: "stop", text: "!stop" })).toBeNull();
  });
});
