import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { launch } from "./child.ts";
import { freePort } from "./ports.ts";
import { toolPath } from "./tools.ts";

const RULES = resolve(import.meta.dirname, "../../deploy/prometheus");

export interface PrometheusProcess extends AsyncDisposable {
  readonly url: string;
}

/** A real Prometheus that scrapes these gateways as `parley`, with the shipped rules, at intervals that a test can wait for. */
export async function startPrometheus(targets: readonly string[]): Promise<PrometheusProcess> {
  const folder = mkdtempSync(join(tmpdir(), "parley-prometheus-"));
  for (const name of readdirSync(RULES).filter((file) => file.endsWith(".rules.yml"))) {
    const rules = readFileSync(join(RULES, name), "utf8");
    writeFileSync(join(folder, name), rules.replaceAll(/^( +interval:).*$/gm, "$1 1s"));
  }
  writeFileSync(
    join(folder, "prometheus.yml"),
    `global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s }
rule_files: ["*.rules.yml"]
scrape_configs:
  - job_name: parley
    static_configs: [{ targets: ${JSON.stringify(targets.map((target) => new URL(target).host))} }]
`,
  );
  const port = await freePort();
  const process = launch(
    [
      toolPath("prometheus"),
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { cwd: folder },
  );
  await Promise.race([
    process.said("stderr", "Server is ready"),
    process.ended.then((ending) => {
      throw new Error(`Expected Prometheus to run, got ${ending}:\n${process.output.stderr}`);
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await process.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
