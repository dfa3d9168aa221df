import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
const compose = parse(readFileSync(join(root, "deploy/compose.yaml"), "utf8"));
const shared = parse(readFileSync(join(root, "deploy/compose.redis.yaml"), "utf8"));

describe("the Dockerfile", () => {
  it("passes dockerfilelint", { timeout: 30_000 }, async () => {
    // The linter reads `--start-period` as an unknown option `--start`, so it gets a copy without it.
    const copy = join(mkdtempSync(join(tmpdir(), "parley-lint-")), "Dockerfile");
    writeFileSync(copy, dockerfile.replace("--start-period=60s ", ""));
    const { stdout } = await run(join(root, "node_modules/.bin/dockerfilelint"), ["-o", "json", copy]).catch(
      (error) => error,
    );
    const report = JSON.parse(stdout);
    expect(report.files.flatMap((file: { issues: unknown[] }) => file.issues)).toEqual([]);
  });

  it("pins its base images and ends as an unprivileged user", () => {
    const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]);
    expect(images).toHaveLength(2);
    expect(images.filter((image) => /:latest$|^[^:]+$/.test(image ?? ""))).toEqual([]);
    expect([...dockerfile.matchAll(/^USER (\S+)/gm)].at(-1)?.[1]).toBe("65532:65532");
  });

  it("starts and checks the gateway without a shell, and not through npm", () => {
    for (const instruction of ["ENTRYPOINT", "CMD"]) {
      const args = [...dockerfile.matchAll(new RegExp(`^\\s*${instruction} (.*)$`, "gm"))].map((match) =>
        JSON.parse(match[1] ?? ""),
      );
      expect(args.length).toBeGreaterThan(0);
      expect(args.flat()).not.toContain("npm");
    }
  });
});

describe("the health check", () => {
  const server = createServer((incoming, outgoing) =>
    outgoing.writeHead(incoming.url === "/health" ? status : 200, { location: "/elsewhere" }).end(),
  );
  let status = 200;
  let port = "";
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    port = String((server.address() as AddressInfo).port);
  });
  afterAll(() => server.close());

  const exitCode = (env: Record<string, string>) =>
    run(process.execPath, [join(root, "bin/healthcheck.js")], { env: { ...process.env, ...env } }).then(
      () => 0,
      (error) => error.code,
    );

  it("exits 0 while the gateway answers, and 1 when it does not", async () => {
    expect(await exitCode({ PARLEY_PORT: port })).toBe(0);
    status = 503;
    expect(await exitCode({ PARLEY_PORT: port })).toBe(1);
    // What is elsewhere is not this gateway.
    status = 307;
    expect(await exitCode({ PARLEY_PORT: port })).toBe(1);
    expect(await exitCode({ PARLEY_PORT: "1" })).toBe(1);
  });
});

describe("the Compose file", () => {
  it("publishes on this machine only, drops all privileges and outlasts the drain", () => {
    const { gateway } = compose.services;
    expect(gateway.ports).toEqual(["127.0.0.1:8080:8080"]);
    expect(gateway).toMatchObject({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
    expect(Number.parseInt(gateway.stop_grace_period, 10)).toBeGreaterThan(30);
    expect(Object.keys(compose.volumes)).toEqual(["data"]);
  });
});

describe("the Compose file with Redis", () => {
  it("keeps Redis to itself, durable, and never evicting", () => {
    const { redis } = shared.services;
    expect(redis.ports).toBeUndefined();
    expect(redis.image).toMatch(/^redis:\d+\.\d+\.\d+-/);
    const command = redis.command.join(" ");
    for (const option of ["--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"])
      expect(command).toContain(option);
    expect(redis.volumes).toEqual(["redis:/data"]);
  });

  it("divides the work between the gateway and workers like it", () => {
    const { gateway, worker } = shared.services;
    expect(gateway.environment).toEqual({ REDIS_URL: "redis://redis:6379", PARLEY_ROLE: "ingress" });
    expect(worker.environment).toMatchObject({ REDIS_URL: "redis://redis:6379", PARLEY_ROLE: "worker" });
    expect(worker.ports).toBeUndefined();
    const base = compose.services.gateway;
    for (const option of ["image", "restart", "read_only", "cap_drop", "security_opt", "stop_grace_period"])
      expect(worker[option]).toEqual(base[option]);
    expect(Object.keys(shared.volumes)).toEqual(["redis", "workers"]);
  });
});
