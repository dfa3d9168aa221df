import type { IDeployment, IStatefulSet } from "kubernetes-models/apps/v1";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1";
import type { IContainer, IPodSpec, IService } from "kubernetes-models/v1";
import { parseAllDocuments } from "yaml";

export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
}

export type Labels = Readonly<Record<string, string>>;

/** By kind, of those that are asked for by it. */
interface Kinds {
  readonly Service: IService;
  readonly NetworkPolicy: INetworkPolicy;
  readonly PodDisruptionBudget: IPodDisruptionBudget;
  readonly StatefulSet: IStatefulSet;
  readonly Deployment: IDeployment;
  readonly HorizontalPodAutoscaler: Scaler;
  readonly ScaledObject: Scaler;
}

interface Scaler {
  readonly spec: {
    readonly scaleTargetRef: { readonly kind: string; readonly name: string };
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
    readonly minReplicaCount?: number;
    readonly maxReplicaCount?: number;
  };
}

/** What a form of the deployment is made of. */
export class Cluster {
  readonly resources: readonly Resource[];
  /** Keys of Secrets, which are made apart, by name. */
  readonly secrets: ReadonlyMap<string, readonly string[]>;

  constructor(resources: readonly Resource[], secrets: ReadonlyMap<string, readonly string[]>) {
    this.resources = resources;
    this.secrets = secrets;
  }

  of<K extends keyof Kinds>(kind: K): readonly (Resource & Kinds[K])[] {
    return this.resources.filter((one): one is Resource & Kinds[K] => one.kind === kind);
  }

  has(kind: string, name: string | undefined): boolean {
    return this.resources.some((one) => one.kind === kind && one.metadata.name === name);
  }

  get workloads(): readonly Workload[] {
    return [...this.of("StatefulSet"), ...this.of("Deployment")].map((one) => {
      const { template } = one.spec ?? {};
      const scalers = [...this.of("HorizontalPodAutoscaler"), ...this.of("ScaledObject")].filter(
        ({ spec: { scaleTargetRef: target } }) =>
          target.kind === one.kind && target.name === one.metadata.name,
      );
      const { maxReplicas, maxReplicaCount } = scalers[0]?.spec ?? {};
      return {
        name: `${one.kind} ${one.metadata.name}`,
        resource: one,
        labels: template?.metadata?.labels ?? {},
        pod: template?.spec ?? { containers: [] },
        containers: [...(template?.spec?.initContainers ?? []), ...(template?.spec?.containers ?? [])],
        claims: one.kind === "StatefulSet" ? ((one as IStatefulSet).spec?.volumeClaimTemplates ?? []) : [],
        scalers: scalers.map(({ kind }) => kind),
        replicasMax: maxReplicas ?? maxReplicaCount ?? one.spec?.replicas ?? 1,
      };
    });
  }
}

export interface Workload {
  readonly name: string;
  readonly resource: Resource & (IStatefulSet | IDeployment);
  readonly labels: Labels;
  readonly pod: IPodSpec;
  readonly containers: readonly IContainer[];
  readonly claims: NonNullable<NonNullable<IStatefulSet["spec"]>["volumeClaimTemplates"]>;
  /** The kinds of those that set how many there are. */
  readonly scalers: readonly string[];
  readonly replicasMax: number;
}

export function resourcesIn(yaml: string): readonly Resource[] {
  return parseAllDocuments(yaml)
    .map((document) => document.toJS() as Resource | null)
    .filter((one): one is Resource => one !== null);
}

/** As a selector asks; one that asks nothing finds nothing here, because it would find everything. */
export function finds(
  selector: { matchLabels?: Labels; matchExpressions?: readonly Expression[] } | undefined,
  labels: Labels,
): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const wanted = Object.entries(matchLabels);
  return (
    wanted.length + matchExpressions.length > 0 &&
    wanted.every(([name, value]) => labels[name] === value) &&
    matchExpressions.every(
      ({ key, operator, values = [] }) => operator === "In" && values.includes(labels[key] ?? ""),
    )
  );
}

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}
