import { describe, expect, it } from "vitest";
import { controlCommandOf, decisionIn } from "../../src/domain/command.ts";

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

describe("a decision", () => {
  const decided = (text: string) => decisionIn({ trigger: "direct", command: null, text });

  it.each([
    ["!approve", "approve", null, null],
    ["/approve apr_1k7_1", "approve", "apr_1k7_1", null],
    ["!Approve apr_1 because it is late", "approve", "apr_1", null],
    ["!deny", "deny", null, null],
    ["/deny apr_1", "deny", "apr_1", null],
    ["!deny apr_1  not on\na Friday", "deny", "apr_1", "not on a Friday"],
    ["!deny not on a Friday", "deny", null, "not on a Friday"],
  ])("is read from %j", (text, command, approvalId, reason) => {
    expect(decided(text)).toEqual({ command, approvalId, reason, isAlways: false, choice: null });
    expect(said(text)).toBe(command);
  });

  it.each([
    ["/approve", "apr_1", "approve"],
    ["/deny", "apr_1 no", "deny"],
    ["/parley", "approve apr_1", "approve"],
    ["/parley approve", "apr_1", "approve"],
    ["/parley deny", "", "deny"],
  ])("is read from the command %s with %j", (command, text, expected) => {
    expect(used(command, text)).toBe(expected);
    const approvalId = text === "" ? null : "apr_1";
    expect(decisionIn({ trigger: "command", command, text })).toMatchObject({ approvalId });
  });

  it("names one of the answers that a question has", () => {
    expect(decided("/approve apr_1 2")).toMatchObject({ approvalId: "apr_1", choice: 2 });
    const pressed = decisionIn({ trigger: "button", command: "approve:apr_1:12", text: "" });
    expect(pressed).toMatchObject({ command: "approve", approvalId: "apr_1", choice: 12 });
    for (const text of ["/approve apr_1 0", "/deny apr_1 2", "/approve apr_1 100"])
      expect(decided(text)).toMatchObject({ approvalId: "apr_1", choice: null });
    expect(decisionIn({ trigger: "button", command: "approve:apr_1:0", text: "" })).toBeNull();
  });

  it("is not talk about it, nor another command, nor a button of another app", () => {
    for (const text of ["!approve of this plan?", "I approve", "approve apr_1", "!approved apr_1"]) {
      expect([decided(text), said(text)]).toEqual([null, null]);
    }
    expect(used("/deploy", "approve apr_1")).toBeNull();
    expect(decisionIn({ trigger: "button", command: "approve", text: "apr_1" })).toBeNull();
  });
});
