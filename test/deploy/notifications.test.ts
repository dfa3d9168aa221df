import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Alertmanager, type Notice, startAlertmanager } from "../support/alertmanager.ts";
import { eventually } from "../support/eventually.ts";
import { ALERTS, type Rule } from "./rule-files.ts";

type Alert = Rule & { readonly alert: string };

const RECEIVERS: Readonly<Record<string, string>> = { critical: "pager", warning: "slack", info: "mail" };
/** Each of these is left out while what stands after it fires. */
const INHIBITED: Readonly<Record<string, string>> = {
  ParleySocketDown: "ParleyDown",
  ParleyConfigRefused: "ParleyAbsent",
  ParleyConfigsDiffer: "ParleyDown",
  ParleySpoolWaits: "ParleyDown",
  ParleySweepLate: "ParleyAbsent",
  ParleyWebhooksNotStored: "ParleyStoreAway",
  ParleyStoreSlow: "ParleyStoreAway",
  ParleyErrorBudgetBurnsFast: "ParleyStoreAway",
  ParleyErrorBudgetBurns: "ParleyBreakerOpen",
  ParleyErrorBudgetBurnsSlowly: "ParleyStoreAway",
  ParleyErrorBudgetBurnsLong: "ParleyBreakerOpen",
  ParleyModelFails: "ParleyBreakerOpen",
  ParleyRunsFail: "ParleyBreakerOpen",
  ParleyOldestWaits: "ParleyBreakerOpen",
  ParleyRepliesFail: "ParleyBreakerOpen",
  ParleyComponentUnwell: "ParleyBreakerOpen",
  ParleyAckSlow: "ParleyAckVerySlow",
  ParleyMemoryHigh: "ParleyMemoryVeryHigh",
  ParleyBacklog: "ParleyBacklogLarge",
};

/** As Prometheus sends it; `more` are further labels. */
function instance({ alert, labels, annotations }: Alert, more: Readonly<Record<string, string>> = {}) {
  return { labels: { alertname: alert, ...labels, ...more }, annotations };
}

/** What was said of this alert, in order: `receiver status`. */
function said(notices: readonly Notice[], alert: string): readonly string[] {
  return notices.flatMap(({ receiver, alerts }) =>
    alerts.filter(({ labels }) => labels.alertname === alert).map(({ status }) => `${receiver} ${status}`),
  );
}

describe("a real Alertmanager with the configuration that is shipped", () => {
  let alertmanager: Alertmanager;
  const send = async (alerts: readonly ReturnType<typeof instance>[], more: object = {}) => {
    const response = await fetch(`${alertmanager.url}/api/v2/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(alerts.map((alert) => ({ ...alert, ...more }))),
    });
    expect(response.status).toBe(200);
  };
  const end = (alerts: readonly ReturnType<typeof instance>[]) =>
    send(alerts, { endsAt: new Date().toISOString() });
  const named = (name: string) => ALERTS.find(({ alert }) => alert === name) as Alert;

  beforeAll(async () => {
    // It gathers what comes in 100 ms, and looks again each 600.
    alertmanager = await startAlertmanager(100);
  });
  afterAll(() => alertmanager[Symbol.asyncDispose]());

  // One wave after the other, so that nothing is inhibited.
  it.each([
    ["what others inhibit", ALERTS.filter(({ alert }) => alert in INHIBITED)],
    ["all others", ALERTS.filter(({ alert }) => !(alert in INHIBITED))],
  ])("tells each alert to its receiver, and when it is over: %s", async (_, alerts) => {
    const instances = alerts.map((alert) => instance(alert));
    await send(instances);
    await alertmanager.heard(() =>
      alerts.every(({ alert }) => said(alertmanager.notices, alert).length === 1),
    );
    await end(instances);
    await alertmanager.heard(() =>
      alerts.every(({ alert }) => said(alertmanager.notices, alert).length === 2),
    );
    for (const { alert, labels } of alerts) {
      const receiver = RECEIVERS[labels?.severity ?? ""];
      expect(said(alertmanager.notices, alert)).toEqual([`${receiver} firing`, `${receiver} resolved`]);
    }
  });

  it("tells what is of one alert and platform at once", async () => {
    const before = alertmanager.notices.length;
    const forged = named("ParleyForged");
    const all = ["telegram", "slack"].flatMap((platform) =>
      ["one:9090", "two:9090"].map((at) => instance(forged, { platform, instance: at })),
    );
    await send(all);
    await alertmanager.heard(() => alertmanager.notices.length === before + 2);
    const told = alertmanager.notices.slice(before);
    expect(new Set(told.map(({ groupLabels }) => groupLabels.platform))).toEqual(
      new Set(["slack", "telegram"]),
    );
    expect(told.map(({ alerts }) => alerts.length)).toEqual([2, 2]);
    await end(all);
  });

  it("leaves out what follows from another that fires", async () => {
    await send([...new Set(Object.values(INHIBITED))].map((alert) => instance(named(alert))));
    await send(Object.keys(INHIBITED).map((alert) => instance(named(alert))));
    await eventually(async () => {
      const response = await fetch(`${alertmanager.url}/api/v2/alerts`);
      const alerts = (await response.json()) as {
        labels: Record<string, string>;
        status: { inhibitedBy: string[] };
      }[];
      const silent = alerts.filter(({ status }) => status.inhibitedBy.length > 0);
      const names = silent.map(({ labels }) => labels.alertname ?? "");
      expect(names.toSorted()).toEqual(Object.keys(INHIBITED).toSorted());
    }, 20_000);
  });

  it("writes to Slack and PagerDuty what it is about, and the page that helps", async () => {
    const bodies = (service: string) =>
      alertmanager.posted.filter((one) => one.service === service).map(({ body }) => JSON.stringify(body));
    await alertmanager.heard(() =>
      bodies("pagerduty").some((body) => body.includes('"event_action":"trigger"')),
    );
    const model = named("ParleyModelFails");
    const slack = bodies("slack").find((body) => body.includes(model.annotations?.runbook_url ?? "none"));
    expect(slack).toContain("#parley");
    // Prometheus fills in the labels; here they come as they stand in the rule.
    expect(slack).toContain(JSON.stringify(model.annotations?.description).slice(1, -1));
  });
});
