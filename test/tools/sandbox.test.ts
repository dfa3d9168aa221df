import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { tools as toolsSchema } from "../../src/config/tools-schema.ts";
import { toolPath } from "../support/tools.ts";
import { benchOf, FAKE_SERVER, newFolder } from "./support.ts";

const BWRAP = toolPath("bwrap");
const PATH = process.env.PATH ?? "";
/** Some machines let nobody make a name space; there nothing runs, and that is what is looked for. */
const isPossible = spawnSync(BWRAP, ["--unshare-all", "--ro-bind", "/", "/", "true"]).status === 0;

beforeAll(() => {
  process.env.PATH = [PATH, dirname(BWRAP)].join(delimiter);
});
afterAll(() => {
  process.env.PATH = PATH;
});

const ran = (result: unknown, isError = false) =>
  isPossible ? { result, isError } : { result: expect.stringContaining("bwrap"), isError: true };

async function shell(script: string, sandbox: unknown, folder = newFolder()) {
  const spec = { name: "sh", type: "command", command: "/bin/sh", args: ["-c", script], sandbox };
  return await benchOf([spec], folder).call("sh");
}

describe("a command in a sandbox", () => {
  it("has a folder of its own, which is its home, and stays", async () => {
    const folder = newFolder();
    const own = join(folder, "tools/ops/sh");
    expect(await shell('echo kept > "$HOME/a"; pwd', true, folder)).toEqual(ran(own));
    expect(existsSync(join(own, "a"))).toBe(isPossible);
  });

  it("leaves files for people where it is told to", async () => {
    const spec = { name: "sh", type: "command", command: "/bin/sh", sandbox: true, sends_files: true };
    const args = ["-c", 'echo hi > "$PARLEY_FILES/a.txt"'];
    const { files } = await benchOf([{ ...spec, args }]).call("sh");
    expect(files).toEqual(
      isPossible ? [{ name: "a.txt", mime: "text/plain", data: Buffer.from("hi\n") }] : undefined,
    );
  });

  it("sees no file beside the system and what is named, and writes where it may", async () => {
    const folder = newFolder();
    for (const name of ["read", "write", "other"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "a"), name);
    }
    const script = `cd ${folder}; for d in read write other; do cat $d/a 2>&1; echo x > $d/b 2>/dev/null && echo " written"; done; ls -d tools/* /root/* /home/* 2>/dev/null; true`;
    const sandbox = { read: [join(folder, "read")], write: [join(folder, "write")] };
    const { result } = await shell(script, sandbox, folder);
    expect(result).toEqual(
      ran(
        expect.stringMatching(
          /^readwrite written\ncat: other\/a: No such file[^\n]*(?:\n written)?\ntools\/ops$/,
        ),
      ).result,
    );
    expect(existsSync(join(folder, "other/b"))).toBe(false);
    expect(readFileSync(join(folder, "read/a"), "utf8")).toBe("read");
  });

  it("reaches nobody, unless it may", async () => {
    const server = createServer((_, response) => response.end("reached"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const asked = `fetch("http://127.0.0.1:${port}").then((r) => r.text(), (e) => e.cause.code).then(console.log)`;
    const ask = async (sandbox: unknown) => {
      const spec = { name: "ask", type: "command", command: process.execPath, args: ["-e", asked], sandbox };
      return await benchOf([spec]).call("ask");
    };
    expect(await ask({ network: true })).toEqual(ran("reached"));
    expect(await ask(true)).toEqual(ran("ECONNREFUSED"));
  });

  it("sees no process but its own, and ends with all of them", async () => {
    expect(await shell("ls /proc | grep -c '^[0-9]*$'", true)).toEqual(ran(expect.stringMatching(/^[1-6]$/)));
    const folder = newFolder();
    const script = "(sleep 1; echo late > late) & echo begun > begun";
    expect(await shell(script, true, folder)).toEqual(ran("(no output)"));
    const own = join(folder, "tools/ops/sh");
    expect([existsSync(join(own, "begun")), existsSync(join(own, "late"))]).toEqual([isPossible, false]);
  });

  it("that cannot be made is not run without one", async () => {
    process.env.PATH = "/nowhere";
    onTestFinished(() => {
      process.env.PATH = [PATH, dirname(BWRAP)].join(delimiter);
    });
    const folder = newFolder();
    expect(await shell("echo ran > ran", true, folder)).toEqual({
      result: expect.stringContaining(
        "expected bwrap in PATH for its sandbox (Debian: bubblewrap), got none",
      ),
      isError: true,
    });
    expect(existsSync(join(folder, "tools/ops/sh/ran"))).toBe(false);
  });
});

it("a server in a sandbox answers as it does without", async () => {
  const folder = newFolder();
  const read = [dirname(dirname(FAKE_SERVER)), dirname(dirname(dirname(FAKE_SERVER)))];
  const config = {
    ...{ transport: "stdio", command: process.execPath, args: [FAKE_SERVER, "witness"] },
    sandbox: { read },
  };
  const { call, downs } = benchOf([{ name: "fake", type: "mcp", allow: ["*"], config }], folder);
  expect(await call("fake__append", { text: "a" })).toEqual(ran("appended"));
  expect(downs).toHaveLength(isPossible ? 0 : 1);
  expect(existsSync(join(folder, "tools/ops/fake/witness"))).toBe(isPossible);
});

describe("what is configured of a sandbox", () => {
  const parsed = (sandbox: unknown) =>
    toolsSchema.safeParse([
      { name: "a", type: "command", command: "a", ...(sandbox !== undefined && { sandbox }) },
    ]);
  const NONE = { network: false, read: [], write: [] };

  it.each([
    // As the gateway has it for all.
    [undefined, undefined],
    [false, null],
    [true, NONE],
    [{ network: true }, { ...NONE, network: true }],
    [{ read: ["/srv"] }, { ...NONE, read: ["/srv"] }],
  ])("%j is %j", (sandbox, expected) => {
    const [spec] = parsed(sandbox).data ?? [];
    expect(spec?.type === "command" && spec.sandbox).toEqual(expected);
  });

  it.each([["on"], [{ read: ["srv"] }], [{ netwrok: true }]])("%j is refused", (sandbox) => {
    const paths = parsed(sandbox).error?.issues.map(({ path }) => path.slice(0, 2).join("."));
    expect(paths).toEqual(["0.sandbox"]);
  });
});
