import type { IIngress } from "kubernetes-models/networking.k8s.io/v1";
import type { IConfigMap } from "kubernetes-models/v1";
import { type Cluster, finds, type Labels, type Resource, type Workload } from "./cluster.ts";

/** Whatever names something that is not there: each one a line. */
export function danglingReferences(cluster: Cluster): readonly string[] {
  return [
    ...cluster.workloads.flatMap((workload) => ofWorkload(cluster, workload)),
    ...ofServices(cluster),
    ...ofSelectors(cluster),
    ...ofIngresses(cluster),
    ...ofMonitors(cluster),
  ];
}

function ofWorkload(cluster: Cluster, workload: Workload): readonly string[] {
  const { name, pod, containers, claims, labels, resource } = workload;
  const lost: string[] = [];
  const need = (isThere: boolean, what: string) => {
    if (!isThere) lost.push(`${name}: ${what}`);
  };
  need(finds(resource.spec?.selector, labels), "its selector does not find its pods");
  need(cluster.has("ServiceAccount", pod.serviceAccountName), `no ServiceAccount ${pod.serviceAccountName}`);
  if (resource.kind === "StatefulSet") {
    const { serviceName } = resource.spec as { serviceName?: string };
    need(cluster.has("Service", serviceName), `no Service ${serviceName}`);
  }
  for (const { labelSelector } of pod.topologySpreadConstraints ?? [])
    need(finds(labelSelector, labels), "its topology spread does not count its own pods");
  const volumes = [
    ...(pod.volumes ?? []).map((volume) => volume.name),
    ...claims.map(({ metadata }) => metadata?.name ?? ""),
  ];
  for (const { configMap } of pod.volumes ?? []) {
    if (configMap === undefined) continue;
    const keys = keysOf(cluster, configMap.name);
    for (const { key } of configMap.items ?? [])
      need(keys.includes(key), `no ${key} in ConfigMap ${configMap.name}`);
    need(keys.length > 0, `no ConfigMap ${configMap.name}`);
  }
  for (const container of containers) {
    for (const mount of container.volumeMounts ?? [])
      need(volumes.includes(mount.name), `no volume ${mount.name}`);
    for (const { secretRef } of container.envFrom ?? [])
      need(cluster.secrets.has(secretRef?.name ?? ""), `no Secret ${secretRef?.name}`);
    for (const { valueFrom } of container.env ?? []) {
      const { name: secret = "", key = "" } = valueFrom?.secretKeyRef ?? {};
      if (valueFrom?.secretKeyRef !== undefined)
        need(cluster.secrets.get(secret)?.includes(key) ?? false, `no ${key} in Secret ${secret}`);
    }
    for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
      if (typeof probe?.httpGet?.port === "string")
        need(portsOf(workload).includes(probe.httpGet.port), `no port ${probe.httpGet.port}`);
  }
  return lost;
}

function keysOf(cluster: Cluster, name: string | undefined): readonly string[] {
  const found = cluster.resources.find((one) => one.kind === "ConfigMap" && one.metadata.name === name);
  return Object.keys((found as IConfigMap | undefined)?.data ?? {});
}

function portsOf({ containers }: Workload): readonly string[] {
  return containers.flatMap(({ ports = [] }) => ports.flatMap((port) => port.name ?? []));
}

const podsOf = (cluster: Cluster, labels: Labels) =>
  cluster.workloads.filter((workload) => finds({ matchLabels: labels }, workload.labels));

function ofServices(cluster: Cluster): readonly string[] {
  return cluster.of("Service").flatMap(({ metadata, spec }) => {
    const pods = podsOf(cluster, spec?.selector ?? {});
    if (pods.length === 0) return [`Service ${metadata.name}: its selector finds no pod`];
    return (spec?.ports ?? [])
      .filter(({ targetPort }) => !pods.every((pod) => portsOf(pod).includes(String(targetPort))))
      .map(({ targetPort }) => `Service ${metadata.name}: no port ${targetPort}`);
  });
}

/** cert-manager's own pods, which no manifest makes. */
function isForSolver(selector: { matchLabels?: Labels } | undefined): boolean {
  return selector?.matchLabels?.["acme.cert-manager.io/http01-solver"] === "true";
}

function ofSelectors(cluster: Cluster): readonly string[] {
  const lost: string[] = [];
  const findsPods = (selector: Parameters<typeof finds>[0]) =>
    cluster.workloads.filter(({ labels }) => finds(selector, labels));
  for (const { metadata, spec } of cluster.of("PodDisruptionBudget"))
    if (findsPods(spec?.selector).length === 0)
      lost.push(`PodDisruptionBudget ${metadata.name}: its selector finds no pod`);
  for (const { metadata, spec } of cluster.of("NetworkPolicy")) {
    const isForAll = Object.keys(spec?.podSelector ?? {}).length === 0;
    const pods = isForAll ? cluster.workloads : findsPods(spec?.podSelector);
    if (pods.length === 0 && !isForSolver(spec?.podSelector))
      lost.push(`NetworkPolicy ${metadata.name}: its selector finds no pod`);
    for (const { from = [], ports = [] } of spec?.ingress ?? []) {
      for (const { podSelector, namespaceSelector } of from)
        if (namespaceSelector === undefined && findsPods(podSelector).length === 0)
          lost.push(`NetworkPolicy ${metadata.name}: lets in pods that there are not`);
      for (const { port } of ports)
        if (typeof port === "string" && !pods.every((pod) => portsOf(pod).includes(port)))
          lost.push(`NetworkPolicy ${metadata.name}: no port ${port}`);
    }
    for (const { podSelector, namespaceSelector } of (spec?.egress ?? []).flatMap(({ to = [] }) => to))
      if (podSelector !== undefined && namespaceSelector === undefined && findsPods(podSelector).length === 0)
        lost.push(`NetworkPolicy ${metadata.name}: lets out to pods that there are not`);
  }
  for (const kind of ["HorizontalPodAutoscaler", "ScaledObject"] as const)
    for (const { metadata, spec } of cluster.of(kind))
      if (!cluster.has(spec.scaleTargetRef.kind, spec.scaleTargetRef.name))
        lost.push(`${kind} ${metadata.name}: no ${spec.scaleTargetRef.kind} ${spec.scaleTargetRef.name}`);
  return lost;
}

function ofIngresses(cluster: Cluster): readonly string[] {
  const ingresses = cluster.resources.filter(({ kind }) => kind === "Ingress") as (Resource & IIngress)[];
  return ingresses.flatMap(({ metadata, spec }) =>
    (spec?.rules ?? [])
      .flatMap(({ http }) => http?.paths ?? [])
      .filter(({ backend: { service } }) => {
        const found = cluster.of("Service").find((one) => one.metadata.name === service?.name);
        return !found?.spec?.ports?.some(({ name }) => name === service?.port?.name);
      })
      .map(({ path }) => `Ingress ${metadata.name}: ${path} leads to no port of a Service`),
  );
}

interface Monitor {
  readonly spec: { readonly selector: Parameters<typeof finds>[0]; readonly endpoints: { port: string }[] };
}

/** Each must find Services, and every gateway and worker must be found by one. */
function ofMonitors(cluster: Cluster): readonly string[] {
  const monitors = cluster.resources.filter(({ kind }) => kind === "ServiceMonitor") as (Resource &
    Monitor)[];
  return monitors.flatMap(({ metadata, spec: { selector, endpoints } }) => {
    const services = cluster.of("Service").filter(({ metadata: { labels = {} } }) => finds(selector, labels));
    const missing = endpoints
      .filter(({ port }) => !services.every(({ spec }) => spec?.ports?.some(({ name }) => name === port)))
      .map(({ port }) => `ServiceMonitor ${metadata.name}: a Service has no port ${port}`);
    const unseen = cluster.workloads
      .filter(({ containers }) => containers.some(({ name }) => name === "parley"))
      .filter((workload) => {
        const seen = services.filter(({ spec }) =>
          finds({ matchLabels: spec?.selector ?? {} }, workload.labels),
        );
        return seen.length !== 1;
      })
      .map(({ name }) => `ServiceMonitor ${metadata.name}: does not scrape ${name} exactly once`);
    return [...missing, ...unseen];
  });
}
