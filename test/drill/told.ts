import { isDeepStrictEqual } from "node:util";
import { ALERTS } from "../deploy/rule-files.ts";
import type { Alertmanager, Notice } from "../support/alertmanager.ts";
import type { Outage, Scene } from "./scene.ts";

/** Who is told of what, as `deploy/alertmanager/alertmanager.yml` has it. */
const RECEIVERS: Readonly<Record<string, string>> = { critical: "pager", warning: "slack", info: "mail" };

/** What Alertmanager gathers for. */
const TOLD_MS = 60_000;
/** A breaker asks again after half a minute, and then Alertmanager gathers. */
const MENDED_MS = 180_000;

/** Who is told that an outage is there, and, once it is mended, that it is over. */
export async function toldFaults(
  alertmanager: Alertmanager,
  { raises, unsaid = [], over = [] }: Outage,
  mend: Scene["mend"],
): Promise<readonly string[]> {
  const told = raises.filter((alert) => !unsaid.includes(alert));
  const unheard = await notTold(alertmanager, { alerts: told, status: "firing", withinMs: TOLD_MS });
  const early = unsaidFaults(alertmanager.notices, unsaid);
  await mend?.();
  const unended = await notTold(alertmanager, { alerts: over, status: "resolved", withinMs: MENDED_MS });
  return [
    ...unheard.map((alert) => `nobody is told of ${alert}`),
    ...early,
    ...unended.map((alert) => `nobody is told that ${alert} is over`),
    ...faultsOf(alertmanager.notices),
  ];
}

function receiverOf(alert: string): string {
  const severity = ALERTS.find((rule) => rule.alert === alert)?.labels?.severity ?? "";
  return RECEIVERS[severity] ?? `nobody for severity "${severity}"`;
}

/** What was wrong with who was told what. */
function faultsOf(notices: readonly Notice[]): readonly string[] {
  const faults: string[] = [];
  const before = new Map<string, Notice>();
  for (const notice of notices) {
    const { receiver, groupLabels, alerts } = notice;
    for (const { labels } of alerts) {
      const { alertname = "", platform } = labels;
      if (receiver !== receiverOf(alertname)) faults.push(`${alertname} is told to ${receiver}`);
      if (groupLabels.alertname !== alertname || groupLabels.platform !== platform)
        faults.push(`${alertname} is told among others`);
    }
    const group = JSON.stringify([receiver, groupLabels]);
    const state = (one?: Notice) => one?.alerts.map(({ status, labels }) => ({ status, labels }));
    if (isDeepStrictEqual(state(before.get(group)), state(notice))) faults.push(`${group} is told twice`);
    before.set(group, notice);
  }
  return [...new Set(faults)];
}

/** What is told although another says it. Once that one is over it may be: its rate looks back over minutes. */
function unsaidFaults(notices: readonly Notice[], unsaid: readonly string[]): readonly string[] {
  const told = new Set(notices.flatMap(({ alerts }) => alerts.map(({ labels }) => labels.alertname ?? "")));
  return unsaid.filter((alert) => told.has(alert)).map((alert) => `${alert} is told, too`);
}

/** Which of these alerts their receivers have not been told to be so when the time is up. */
async function notTold(
  alertmanager: Alertmanager,
  { alerts, status, withinMs }: { alerts: readonly string[]; status: Notice["status"]; withinMs: number },
): Promise<readonly string[]> {
  const isTold = (alert: string) =>
    alertmanager.notices.some((notice) =>
      notice.alerts.some((one) => one.labels.alertname === alert && one.status === status),
    );
  const time = Promise.withResolvers<void>();
  const timer = setTimeout(time.resolve, withinMs);
  await Promise.race([time.promise, alertmanager.heard(() => alerts.every(isTold))]);
  clearTimeout(timer);
  return alerts.filter((alert) => !isTold(alert));
}
