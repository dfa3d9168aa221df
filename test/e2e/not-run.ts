import { OPERATING, PAGES } from "../deploy/runbook-pages.ts";

/** Why a command of a page is not run beside one gateway: another file has what it does, or it wants what no test has. */
export interface NotRun {
  readonly page: string;
  /** Each as it stands there, without the comment behind it: one that is new on the page is seen. */
  readonly commands: readonly string[];
  readonly why:
    | { readonly file: string /** Which that file has in it. */; readonly words: string }
    | {
        readonly wants: "Docker" | "a cluster" | "root" | "another machine" | "k6" | "a checkout of its own";
      };
}

/** All of whose commands another test takes from the page and runs. */
export const RUN_ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ...PAGES.map(({ name }) => [`docs/runbooks/${name}`, "test/e2e/runbooks.test.ts"] as const),
  ...OPERATING.map(({ name }) => [`docs/${name}`, "test/e2e/runbooks.test.ts"] as const),
  ["docs/deploy/logs.md", "test/e2e/logs.test.ts"],
]);

const script = (file: string, name: string, command: string): NotRun => ({
  page: "docs/deploy/scripts.md",
  commands: [`deploy/scripts/${name}.sh ${command}`],
  why: { file: `test/${file}.test.ts`, words: name },
});
const COMPOSE = "docker compose -f deploy/compose.yaml";
const PROD = `${COMPOSE} -f deploy/compose.redis.yaml -f deploy/compose.prod.yaml`;

export const NOT_RUN_ONE_BY_ONE: readonly NotRun[] = [
  script("e2e/scripts", "verify-deployment", "--version 0.1.0 http://127.0.0.1:8081 http://127.0.0.1:8082"),
  {
    page: "docs/deploy/scripts.md",
    commands: ["PARLEY_DEV_KEY=… deploy/scripts/smoke.sh --url http://127.0.0.1:8081"],
    why: { file: "test/e2e/scripts.test.ts", words: "PARLEY_DEV_KEY" },
  },
  script("e2e/scripts", "check-deployment-metrics", "--prometheus http://127.0.0.1:9090 --minutes 5"),
  script("e2e/scripts", "verify-slos", "--prometheus http://127.0.0.1:9090 --window 1h"),
  script("e2e/maintenance-script", "maintenance", "daily --archives /var/backups/parley --dry-run"),
  script("e2e/maintenance-script", "audit-packages", "--level high"),
  script(
    "e2e/upgrade-script",
    "upgrade",
    "--package parley-0.2.0.tar.gz --archives /var/backups/parley --user parley --dry-run",
  ),
  script(
    "e2e/scripts",
    "metrics-snapshot",
    "--url http://127.0.0.1:8081 --metrics http://127.0.0.1:9090 --into /var/tmp",
  ),
  {
    page: "docs/operations.md",
    commands: ["OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 npm start"],
    why: { file: "test/e2e/traces.test.ts", words: "OTEL_EXPORTER_OTLP_ENDPOINT" },
  },
  {
    page: "docs/operations.md",
    commands: ["promtool check config deploy/prometheus/prometheus.yml"],
    why: { file: "test/deploy/rules.test.ts", words: '"check", "config"' },
  },
  {
    page: "docs/operations.md",
    commands: ["amtool check-config deploy/alertmanager/alertmanager.yml"],
    why: { file: "test/deploy/alertmanager.test.ts", words: '"check-config"' },
  },
  {
    page: "docs/capacity.md",
    commands: [
      "npm run load -- --gate spike",
      "npm run load -- --times 0.1",
      "npm run load -- --gate throughput --json",
      "SLACK_SIGNING_SECRET=… npm run load -- --gate spike --url https://staging.parley.example",
    ],
    why: { file: "test/load/run.ts", words: "--gate" },
  },
  {
    page: "docs/capacity.md",
    commands: [
      "k6 run -e GATE=spike -e URL=https://staging.parley.example -e SLACK_SIGNING_SECRET=… deploy/load/k6.js",
    ],
    why: { wants: "k6" },
  },
  {
    page: "docs/testing.md",
    commands: [
      "npm run chaos",
      "npm run chaos -- --minutes 30 --conversations 2000",
      "npm run chaos -- --roles ingress,worker,worker",
      "npm run chaos -- --seed 7",
    ],
    why: { file: "test/chaos/run.ts", words: "--conversations" },
  },
  {
    page: "docs/testing.md",
    commands: [
      "npx vitest run --project unit test/agent",
      "npx vitest run --project contract test/store/redis",
      "npx vitest run --project e2e test/e2e/restart.test.ts",
    ],
    why: { file: "vitest.config.ts", words: 'name: "contract"' },
  },
  {
    page: "docs/testing.md",
    commands: ['npx vitest run -t "stops at once when told twice"'],
    why: { file: "test/e2e/restart.test.ts", words: "stops at once when told twice" },
  },
  {
    page: "docs/testing.md",
    commands: [
      "npm run soak",
      "npm run soak -- kills freezes",
      "npm run soak -- --times 0.1 days redis",
      "npm run soak -- kills --seed 7",
      "npm run soak -- --help",
    ],
    why: { file: "test/soak/run.ts", words: "--times" },
  },
  {
    page: "docs/decisions/0004-simulation.md",
    commands: [
      "node test/simulation/soak.ts",
      "node test/simulation/soak.ts redis",
      "PARLEY_SIM_SEED=42 PARLEY_SIM_RUNS=1 PARLEY_SIM_SCALE=1 node test/simulation/soak.ts",
      "node test/simulation/soak.ts steps",
      "node test/simulation/soak.ts pairs",
      "node test/simulation/soak.ts redis-steps",
    ],
    why: { file: "test/simulation/soak.ts", words: "redis-steps" },
  },
  {
    page: "docs/deploy/compose.md",
    commands: [
      `${COMPOSE} up --build -d`,
      `${COMPOSE} logs -f gateway`,
      `${PROD} up --build -d`,
      `${PROD} up --build -d --no-deps worker`,
      `${PROD} up --build -d --no-deps gateway`,
      `${COMPOSE} -f deploy/compose.monitoring.yaml up -d`,
    ],
    why: { wants: "Docker" },
  },
  {
    page: "docs/deploy/compose.md",
    commands: [
      "cp deploy/gateway.env.example deploy/gateway.env",
      "mkdir -p deploy/tls && cat fullchain.pem privkey.pem > deploy/tls/parley.pem",
      "sed -i 's/parley\\.example/chat.example/' deploy/haproxy/haproxy.compose.cfg",
      "export PARLEY_PUBLIC_URL=https://chat.example",
      "mkdir -p deploy/secrets && chmod 755 deploy/secrets",
      "printf %s 'a long password' > deploy/secrets/grafana_admin_password",
      "printf %s '…' > deploy/secrets/smtp_password",
      "printf %s '…' > deploy/secrets/pagerduty_routing_key",
      "printf %s '…' > deploy/secrets/slack_webhook_url",
    ],
    why: { wants: "a checkout of its own" },
  },
  {
    page: "docs/deploy/edge.md",
    commands: ["PARLEY_PUBLIC_URL=https://parley.example", "PARLEY_METRICS_PORT=9090", "PARLEY_CONSOLE=on"],
    why: { file: "test/e2e/edge.test.ts", words: "PARLEY_METRICS_PORT" },
  },
  {
    page: "docs/deploy/edge.md",
    commands: [
      "ssh -L 8443:127.0.0.1:8443 edge.example",
      "PARLEY_URL=https://parley.example:8443 parley tail",
    ],
    why: { wants: "another machine" },
  },
  {
    page: "docs/deploy/host.md",
    commands: ["npm ci", "npm prune --omit=dev --omit=optional --ignore-scripts"],
    why: { wants: "a checkout of its own" },
  },
  {
    page: "docs/deploy/host.md",
    commands: [
      "sudo mkdir -p /opt/parley /etc/parley/agents",
      "sudo install -d -m 0700 /etc/parley/credentials",
      "sudo cp -r bin dist config deploy node_modules package.json /opt/parley/",
      "sudo cp config/gateway.yaml /etc/parley/ && sudo cp config/agents/*.yaml /etc/parley/agents/",
      "sudo cp deploy/systemd/parley.env /etc/parley/parley.env",
      "sudo cp deploy/systemd/parley.sysusers.conf /etc/sysusers.d/parley.conf && sudo systemd-sysusers",
      "sudo cp deploy/systemd/parley.service /etc/systemd/system/ && sudo systemctl daemon-reload",
      "sudo install -m 0400 /dev/stdin /etc/parley/credentials/telegram_bot_token",
      "sudo PARLEY_CONFIG=/etc/parley node /opt/parley/bin/parley.js config validate",
      "sudo systemctl enable --now parley",
      "curl -s http://127.0.0.1:8080/ready",
      "sudo systemctl reload parley",
      "sudo systemctl restart parley",
      "journalctl -u parley -o cat -n 20",
    ],
    why: { wants: "root" },
  },
  {
    page: "docs/deploy/kubernetes.md",
    commands: [
      "cp deploy/k8s/secrets/parley.env.example deploy/k8s/secrets/parley.env",
      "cp deploy/k8s/secrets/redis.env.example deploy/k8s/secrets/redis.env",
    ],
    why: { wants: "a checkout of its own" },
  },
  {
    page: "docs/deploy/kubernetes.md",
    commands: ["kubectl kustomize deploy/k8s/overlays/split"],
    why: { file: "test/deploy/kubernetes.test.ts", words: "kustomize" },
  },
  {
    page: "docs/deploy/kubernetes.md",
    commands: [
      "kubectl apply -k deploy/k8s/overlays/split",
      "kubectl apply -k deploy/k8s/secrets",
      "kubectl -n parley rollout status statefulset/parley",
      "kubectl -n parley logs statefulset/parley -f",
    ],
    why: { wants: "a cluster" },
  },
];
