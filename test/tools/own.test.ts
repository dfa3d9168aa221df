import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ToolCaller } from "../../src/ports/tool.ts";
import { createFetchTool } from "../../src/tools/builtin/fetch.ts";
import { createSearchTool } from "../../src/tools/builtin/search.ts";
import { eventually } from "../support/eventually.ts";
import { benchOf, CALLER, newFolder } from "./support.ts";

const never = new AbortController().signal;
const SAY = { name: "say", type: "command", command: process.execPath };
/** A command is told its arguments, and says them. */
const ECHO = ["-e", "console.log(JSON.stringify(process.argv.slice(1)))", "--"];

describe("a command", () => {
  it("gets the arguments that the file declares, each as one, and no shell", async () => {
    const input = { service: { pattern: "^[a-z-]+$" }, note: { required: false } };
    const { call } = benchOf([{ ...SAY, args: [...ECHO, "{service}", "note={note}"], input }]);
    const said = async (given: object) => (await call("say", given)).result;
    expect(await said({ service: "web" })).toBe('["web"]');
    expect(await said({ service: "web", note: "a b; $(id) *" })).toBe('["web","note=a b; $(id) *"]');
    expect(await said({ service: "Web" })).toContain("service must match pattern");
    expect(await said({ note: "x" })).toContain("must have required property 'service'");
    expect(await said({ service: "web", more: 1 })).toContain("must NOT have additional properties");
  });

  it("takes no option from the model where the file has named none", async () => {
    const { call } = benchOf([{ ...SAY, args: [...ECHO, "{name}"], input: { name: {} } }]);
    expect((await call("say", { name: "-rf" })).result).toBe("Expected name not to begin with a dash");
    expect((await call("say", { name: "rf-" })).result).toBe('["rf-"]');
  });

  it("takes as first argument what is allowed, and nothing else", async () => {
    const { call, open } = benchOf([{ ...SAY, command: "echo", allowed_commands: ["get", "describe"] }]);
    expect((await open()).tools[0]?.inputSchema).toMatchObject({
      properties: { command: { enum: ["get", "describe"] } },
    });
    expect(await call("say", { command: "get", args: ["pods", "a;b"] })).toEqual({
      result: "get pods a;b",
      isError: false,
    });
    expect((await call("say", { command: "delete" })).isError).toBe(true);
    const declared = { args: ["{verb}", "{what}"], input: { verb: {}, what: {} }, allowed_commands: ["get"] };
    const other = benchOf([{ ...SAY, command: "echo", ...declared }]);
    expect((await other.call("say", { verb: "get", what: "pods" })).result).toBe("get pods");
    expect((await other.call("say", { verb: "rm", what: "pods" })).result).toBe(
      "Expected the first argument to be one of get, got rm",
    );
  });

  it("has a small environment, and knows for whom it runs", async () => {
    process.env.SOME_SECRET_OF_OURS = "hunter2";
    const args = ["-e", "console.log(JSON.stringify(process.env))"];
    const { call } = benchOf([{ ...SAY, args, env: { MINE: "1" } }]);
    const env = JSON.parse((await call("say")).result);
    expect(env).toMatchObject({ MINE: "1", PARLEY_SENDER_ID: "u1", PARLEY_RUN: "run_1" });
    expect(env).not.toHaveProperty("SOME_SECRET_OF_OURS");
  });

  it("that fails says how, and what it wrote", async () => {
    const args = ["-e", "console.error('no such pod'); process.exit(3)"];
    expect(await benchOf([{ ...SAY, args }]).call("say")).toEqual({
      result: "exit code 3\nno such pod",
      isError: true,
    });
    const gone = await benchOf([{ ...SAY, command: "/nowhere/at-all", args: [] }]).call("say");
    expect(gone).toMatchObject({ isError: true, result: expect.stringContaining("could not be started") });
  });

  it("that writes much is cut, and one that writes without end is stopped", async () => {
    const much = ["-e", "process.stdout.write('x'.repeat(100000))"];
    const { result } = await benchOf([{ ...SAY, args: much }]).call("say");
    expect(result.endsWith("\n[truncated: 30000 of 100000 characters]")).toBe(true);
    const endless = ["-e", "setInterval(() => process.stdout.write('x'.repeat(65536)), 0)"];
    const stopped = await benchOf([{ ...SAY, args: endless }]).call("say");
    expect(stopped).toMatchObject({ isError: true, result: expect.stringContaining("it wrote more than") });
  });

  it("is killed when its time is over, with all that it has started", async () => {
    const script =
      "const c=require('child_process').spawn('sleep',['600']);console.error(c.pid);setInterval(()=>{},1e6)";
    const args = ["-c", `"${process.execPath}" -e "${script}" 2>pid & wait`];
    const bench = benchOf([{ ...SAY, command: "/bin/sh", args, timeout_seconds: 2 }]);
    expect(await bench.call("say")).toEqual({
      result: "timed out after 2 s, outcome unknown",
      isError: true,
    });
    const { readFileSync } = await import("node:fs");
    const pid = Number(readFileSync(`${bench.folder}/tools/ops/say/pid`, "utf8"));
    expect(pid).toBeGreaterThan(1);
    await eventually(async () => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), 5_000);
  });

  describe("with sends_files", () => {
    const shell = (script: string, more: object = {}) =>
      benchOf([{ ...SAY, command: "/bin/sh", args: ["-c", script], sends_files: true, ...more }]);

    it("gives the files that it leaves in a folder of that call alone, which is gone afterwards", async () => {
      const bench = shell(
        'cd "$PARLEY_FILES"; ls -A; echo "a,b" > t.csv; printf "\\0\\1" > b; echo x > .hidden; mkdir d; ln -s /etc/passwd p; mkfifo f; echo done',
      );
      const given = { name: "t.csv", mime: "text/csv", data: Buffer.from("a,b\n") };
      const wanted = {
        ...{ result: "done", isError: false },
        files: [{ name: "b", mime: undefined, data: Buffer.from([0, 1]) }, given],
      };
      expect(await bench.call("say")).toEqual(wanted);
      expect(await bench.call("say")).toEqual(wanted);
      expect(readdirSync(`${bench.folder}/tools/ops/say`)).toEqual([]);
    });

    it("gives nothing of what a link leads to that was put in the place of the folder", async () => {
      const secret = newFolder();
      writeFileSync(`${secret}/secret.txt`, "of somebody else");
      const bench = shell(`rmdir "$PARLEY_FILES"; ln -s ${secret} "$PARLEY_FILES"; echo done`);
      expect(await bench.call("say")).toEqual({ result: "done", isError: false });
      expect(readdirSync(secret)).toEqual(["secret.txt"]);
      expect(readdirSync(`${bench.folder}/tools/ops/say`)).toEqual([]);
      const moved = `mv "$PARLEY_FILES" away; mkdir "$PARLEY_FILES"; echo x > "$PARLEY_FILES/a"; echo done`;
      expect(await shell(moved).call("say")).toEqual({ result: "done", isError: false });
    });

    it("gives none of a call that failed, and none where it was not asked to", async () => {
      const script = 'echo x > "$PARLEY_FILES/a.txt"; exit 3';
      expect(await shell(script).call("say")).toEqual({ result: "exit code 3", isError: true });
      expect(await shell('echo "-$PARLEY_FILES-"', { sends_files: false }).call("say")).toEqual({
        ...{ result: "--", isError: false },
      });
    });

    it("gives no more than memory has room for, and says of what is more why it is left out", async () => {
      const script =
        'cd "$PARLEY_FILES"; truncate -s 64M big.bin; echo x > small.txt; for i in $(seq 30); do echo $i > z$i; done; echo done';
      const { files = [] } = await shell(script).call("say");
      expect(files.slice(0, 2)).toEqual([
        { name: "big.bin", why: "all that one call leaves may have 32 MiB together" },
        { name: "small.txt", mime: "text/plain", data: Buffer.from("x\n") },
      ]);
      expect(files).toHaveLength(20);
    });

    it("clears away what a process has left that was killed, and nothing that may be in use", async () => {
      const bench = shell("echo done");
      const own = `${bench.folder}/tools/ops/say`;
      for (const name of ["files-old", "files-new", "mine"]) mkdirSync(`${own}/${name}`, { recursive: true });
      const longAgo = Date.now() / 1000 - 3 * 3600;
      for (const name of ["files-old", "mine"]) utimesSync(`${own}/${name}`, longAgo, longAgo);
      await bench.call("say");
      expect(readdirSync(own).sort()).toEqual(["files-new", "mine"]);
    });
  });

  it("asks first where the file says so", async () => {
    const { open } = benchOf([{ ...SAY, args: [], approve: ["*"], effect: "delete" }]);
    expect((await open()).tools[0]).toMatchObject({ asks: "call", effect: "delete", repeatable: false });
  });
});

describe("what is built in", () => {
  it("says the time, also elsewhere", async () => {
    const { call } = benchOf([{ name: "clock", type: "builtin", builtin: "time" }]);
    expect((await call("clock", { time_zone: "Asia/Tokyo" })).result).toContain("(Asia/Tokyo)");
    expect(await call("clock", { time_zone: "Mars/Base" })).toEqual({
      result: "Expected the name of a time zone, such as Europe/Berlin, got Mars/Base",
      isError: true,
    });
  });

  it("finds what was said in the conversation, the newest first", async () => {
    const at = Date.UTC(2026, 10, 29);
    const turns = ["Pump nine is hot", "⟦Pump⟧ nine is cold", "Valve two"].map((text, i) => ({
      ...{ role: "user" as const, name: "Ann", text, atMs: at + i * 1_000 },
    }));
    const caller: ToolCaller = { ...CALLER, history: turns };
    const found = await createSearchTool().call({ query: "pump NINE" }, never, undefined, caller);
    expect(found).toBe(
      "2026-11-29T00:00:01.000Z Ann: [Pump] nine is cold\n2026-11-29T00:00:00.000Z Ann: Pump nine is hot",
    );
    expect(await createSearchTool().call({ query: "compressor" }, never, undefined, caller)).toBe(
      "Nothing was found.",
    );
  });
});

describe("fetch", () => {
  /** A server on loopback that counts as public. */
  async function pages() {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      if (request.url === "/away") return response.writeHead(302, { location: "http://evil.example/" }).end();
      if (request.url === "/round") return response.writeHead(302, { location: "/round" }).end();
      if (request.url === "/on") return response.writeHead(302, { location: "/page" }).end();
      if (request.url === "/film") return response.writeHead(200, { "content-type": "video/mp4" }).end("x");
      if (request.url === "/long")
        return response.writeHead(200, { "content-type": "text/plain" }).end("x".repeat(3e6));
      return response.writeHead(200, { "content-type": "text/html" }).end("<p>⟦hello⟧</p>");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const tool = createFetchTool([`docs.example:${port}`, "*.wild.example"], {
      lookup: (_name, options, done) =>
        options.all === true ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4),
      isAllowedAddress: () => false,
      protocols: ["http:", "https:"],
    });
    return {
      asked,
      port,
      read: (path: string) => tool.call({ url: `http://docs.example:${port}${path}` }, never),
      tool,
    };
  }

  it("reads a page of a host that is allowed, over redirects that stay there", async () => {
    const { read, asked } = await pages();
    expect(await read("/on")).toBe("<p>[hello]</p>");
    expect(asked).toEqual(["/on", "/page"]);
    expect(await read("/long")).toContain("[only the first 2097152 bytes]");
  });

  it.each([
    ["/away", "Expected one of these hosts"],
    ["/round", "Expected at most 5 redirects"],
    ["/film", "Expected a text, got video/mp4"],
  ])("does not follow %s", async (path, words) => {
    await expect((await pages()).read(path)).rejects.toThrow(words);
  });

  it("goes to no other host, port or address", async () => {
    const { tool, port } = await pages();
    const hosts = [
      "docs.example",
      "127.0.0.1",
      `x.docs.example:${port}`,
      "wild.example",
      "docs.example.evil.example",
    ];
    for (const host of hosts)
      await expect(tool.call({ url: `http://${host}/page` }, never)).rejects.toThrow(
        "Expected one of these hosts",
      );
    const own = createFetchTool(["127.0.0.1", "localhost", "[::1]"]);
    await expect(own.call({ url: "http://localhost/" }, never)).rejects.toThrow(
      "Expected an https:// address",
    );
    await expect(own.call({ url: "https://127.0.0.1/" }, never)).rejects.toThrow("Expected a public address");
    await expect(own.call({ url: "https://localhost/" }, never)).rejects.toThrow("localhost cannot be read");
    await expect(own.call({ url: "https://u:p@localhost/" }, never)).rejects.toThrow(
      "without user and password",
    );
  });
});
