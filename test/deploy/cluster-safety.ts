import type { IIngress } from "kubernetes-models/networking.k8s.io/v1";
import type { IContainer, IResourceQuota } from "kubernetes-models/v1";
import { type Cluster, finds, type Resource, type Workload } from "./cluster.ts";

/** What must not be run so: each one a line. */
export function unsafeThings(cluster: Cluster): readonly string[] {
  return [
    ...cluster.workloads.flatMap((workload) => [
      ...podTroubles(workload).map((trouble) => `${workload.name}: ${trouble}`),
      ...scaleTroubles(cluster, workload).map((trouble) => `${workload.name}: ${trouble}`),
    ]),
    ...quotaTroubles(cluster),
    ...networkTroubles(cluster),
    ...ingressTroubles(cluster),
    ...cluster.resources
      .filter(({ kind, metadata }) => kind !== "Namespace" && metadata.namespace === undefined)
      .map(({ kind, metadata }) => `${kind} ${metadata.name}: has no namespace`),
  ];
}

/** Kinds of volumes that Pod Security *restricted* lets a pod have. */
const VOLUMES = ["configMap", "emptyDir", "secret", "projected", "persistentVolumeClaim", "csi", "ephemeral"];

function podTroubles({ pod, containers, replicasMax }: Workload): readonly string[] {
  const { securityContext: context } = pod;
  const checks: [boolean, string][] = [
    [context?.runAsNonRoot === true, "may run as root"],
    [context?.seccompProfile?.type === "RuntimeDefault", "has no seccomp profile"],
    [context?.fsGroup !== undefined, "cannot write its volume"],
    [pod.automountServiceAccountToken === false, "gets a token"],
    [pod.enableServiceLinks === false, "gets variables that Kubernetes makes up, PARLEY_PORT among them"],
    [![pod.hostNetwork, pod.hostPID, pod.hostIPC].includes(true), "sees the host"],
    [
      (pod.volumes ?? []).every((volume) => VOLUMES.some((kind) => kind in volume)),
      "has a volume that the restricted profile refuses",
    ],
    [
      replicasMax === 1 || !(pod.volumes ?? []).some((volume) => "persistentVolumeClaim" in volume),
      "shares a claim between replicas",
    ],
    ...containers.flatMap(containerTroubles),
  ];
  return checks.filter(([isWell]) => !isWell).map(([, trouble]) => trouble);
}

function containerTroubles({
  image = "",
  resources,
  securityContext,
  livenessProbe,
  readinessProbe,
  startupProbe,
  lifecycle,
  name,
}: IContainer) {
  const amounts = [resources?.requests, resources?.limits].flatMap((some) => [some?.cpu, some?.memory]);
  const checks: [boolean, string][] = [
    [/:(?!latest$)[^:/]+$/.test(image), `runs ${image}, which may change`],
    [!amounts.includes(undefined), "lacks requests or limits"],
    [securityContext?.allowPrivilegeEscalation === false, "may gain privileges"],
    [securityContext?.readOnlyRootFilesystem === true, "may write to its image"],
    [securityContext?.capabilities?.drop?.includes("ALL") === true, "keeps capabilities"],
    [
      securityContext?.privileged !== true && !securityContext?.capabilities?.add?.length,
      "gets capabilities",
    ],
    [livenessProbe !== undefined && readinessProbe !== undefined, "has no probes"],
    [name !== "parley" || startupProbe !== undefined, "is killed while it opens a large store"],
    [name !== "parley" || lifecycle?.preStop !== undefined, "refuses what proxies still send it"],
  ];
  return checks;
}

function scaleTroubles(cluster: Cluster, workload: Workload): readonly string[] {
  const { labels, pod, replicasMax, resource, scalers } = workload;
  const isParley = workload.containers.some(({ name }) => name === "parley");
  const isScaled = scalers.length > 0;
  const budgets = cluster
    .of("PodDisruptionBudget")
    .filter(({ spec }) => finds(spec?.selector, labels))
    .filter(({ spec }) => spec?.maxUnavailable === 1);
  const checks: [boolean, string][] = [
    [scalers.length <= 1, `is scaled by ${scalers.join(" and ")}, who fight`],
    [!isScaled || resource.spec?.replicas === undefined, "is scaled, and set back whenever it is applied"],
    [replicasMax === 1 || budgets.length === 1, "has no PodDisruptionBudget of its own"],
    [
      replicasMax === 1 || (pod.topologySpreadConstraints ?? []).length > 0,
      "may have all replicas on one machine",
    ],
    [!isParley || (pod.terminationGracePeriodSeconds ?? 30) > 30, "is killed before it has drained"],
  ];
  return checks.filter(([isWell]) => !isWell).map(([, trouble]) => trouble);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, m: 0.001, Mi: 2 ** 20, Gi: 2 ** 30 };

/** `500m`, `2Gi`, as a number. */
function amountOf(quantity: string | number = 0): number {
  const [, number = "", unit = ""] = /^([\d.]+)([a-zA-Z]*)$/.exec(String(quantity)) ?? [];
  const factor = UNITS[unit];
  if (number === "" || factor === undefined) throw new Error(`Expected an amount, got ${quantity}`);
  return Number(number) * factor;
}

/** Whether all replicas fit, and one more of each while it is replaced. */
function quotaTroubles(cluster: Cluster): readonly string[] {
  const quotas = cluster.resources.filter(({ kind }) => kind === "ResourceQuota") as (Resource &
    IResourceQuota)[];
  if (quotas.length === 0) return ["there is no ResourceQuota"];
  const needed = new Map<string, number>();
  const add = (what: string, amount: number) => needed.set(what, (needed.get(what) ?? 0) + amount);
  for (const { containers, claims, replicasMax } of cluster.workloads) {
    add("pods", replicasMax + 1);
    for (const { resources } of containers)
      for (const what of ["cpu", "memory"] as const)
        add(`requests.${what}`, (replicasMax + 1) * amountOf(resources?.requests?.[what]));
    add("persistentvolumeclaims", replicasMax * claims.length);
    for (const { spec } of claims)
      add("requests.storage", replicasMax * amountOf(spec?.resources?.requests?.storage));
  }
  return quotas.flatMap(({ metadata, spec }) =>
    Object.entries(spec?.hard ?? {})
      .filter(([what, limit]) => (needed.get(what) ?? 0) > amountOf(limit))
      .map(
        ([what, limit]) =>
          `ResourceQuota ${metadata.name}: ${what} is ${limit}, and ${needed.get(what)} is needed`,
      ),
  );
}

const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"];

function networkTroubles(cluster: Cluster): readonly string[] {
  const policies = cluster.of("NetworkPolicy");
  const troubles: string[] = [];
  const deniesAll = policies.some(
    ({ spec }) =>
      Object.keys(spec?.podSelector ?? {}).length === 0 &&
      spec?.policyTypes?.length === 2 &&
      spec.ingress === undefined &&
      spec.egress === undefined,
  );
  if (!deniesAll) troubles.push("what no NetworkPolicy names may talk to anybody");
  for (const { name, labels, containers } of cluster.workloads) {
    const own = policies.filter(({ spec }) => finds(spec?.podSelector, labels));
    if (own.length === 0) troubles.push(`${name}: no NetworkPolicy lets it do anything`);
    if (!containers.some((container) => container.name === "parley")) continue;
    const rules = own.flatMap(({ spec }) => spec?.egress ?? []);
    const dns = rules.flatMap(({ ports = [] }) => ports.filter(({ port }) => port === 53));
    if (!["UDP", "TCP"].every((protocol) => dns.some((port) => port.protocol === protocol)))
      troubles.push(`${name}: cannot ask DNS by UDP and TCP`);
    const outside = rules.flatMap(({ to = [] }) => to.flatMap(({ ipBlock }) => ipBlock ?? []));
    const everywhere = outside.filter(({ cidr }) => cidr === "0.0.0.0/0");
    if (everywhere.length === 0) troubles.push(`${name}: reaches no platform`);
    if (!everywhere.every(({ except = [] }) => PRIVATE.every((range) => except.includes(range))))
      troubles.push(`${name}: reaches private addresses`);
    if (rules.some(({ to }) => to === undefined)) troubles.push(`${name}: reaches everything`);
  }
  return troubles;
}

/** Where all that is not named is denied, cert-manager's pods must be. */
function isSolverReached(cluster: Cluster): boolean {
  const policies = cluster.of("NetworkPolicy");
  return (
    policies.length === 0 ||
    policies.some(({ spec }) => finds(spec?.podSelector, { "acme.cert-manager.io/http01-solver": "true" }))
  );
}

function ingressTroubles(cluster: Cluster): readonly string[] {
  const ingresses = cluster.resources.filter(({ kind }) => kind === "Ingress") as (Resource & IIngress)[];
  return ingresses.flatMap(({ metadata, spec }) => {
    const hosts = new Set((spec?.tls ?? []).flatMap(({ hosts: names = [] }) => names));
    const paths = (spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
    const checks: [boolean, string][] = [
      [spec?.ingressClassName !== undefined, "has no class"],
      [
        (spec?.rules ?? []).every(({ host }) => host !== undefined && hosts.has(host)),
        "has a host without TLS",
      ],
      [
        paths.every(
          ({ path = "", pathType }) =>
            /^\/webhooks\/(?!test$)\w+$/.test(path) &&
            // Those of programs have names below it.
            pathType === (path === "/webhooks/in" ? "Prefix" : "Exact"),
        ),
        "leads in to more than webhooks",
      ],
      [
        !Object.keys(metadata.annotations ?? {}).some((name) =>
          /ingress\.class$|limit-(rps|rpm)$/.test(name),
        ),
        "has an annotation that is out of use, or refuses platforms",
      ],
      [
        metadata.annotations?.["cert-manager.io/cluster-issuer"] === undefined || isSolverReached(cluster),
        "gets no certificate: no NetworkPolicy lets the issuer look",
      ],
    ];
    return checks.filter(([isWell]) => !isWell).map(([, trouble]) => `Ingress ${metadata.name}: ${trouble}`);
  });
}
