// The lamp's three truths side by side: what was commanded, what is in effect, what the meter says.
import { glyph, h, need, setText } from "../lib/dom";
import { moment, percent, timeWithSeconds, vnd, volts, watts } from "../lib/format";
import { language, t, word } from "../lib/i18n";
import type { Incident, NodeState, PoleFunding, PoleSummary } from "../lib/types";

export function showState(pole: PoleSummary): void {
  const banner = need("state");
  if (banner.dataset["state"] !== pole.state) {
    banner.dataset["state"] = pole.state;
    need("state-sign").replaceChildren(glyph(pole.state));
    setText(need("state-word"), t(`state.${pole.state}`));
    setText(need("state-long"), t(`state.${pole.state}.long`));
  }
  const overridden = pole.override_until !== null && new Date(pole.override_until) > new Date();
  setText(need("commanded"), overridden ? t("pole.overridden") : t("pole.automatic"));
  setText(need("commanded-note"), overridden ? t("pole.until", { until: moment(pole.override_until) }) : "");
  setText(need("effect"), pole.level === null ? "–" : pole.level > 0 ? t("pole.on", { level: percent(pole.level) }) : t("pole.off"));
  setText(need("effect-note"), pole.reason === null ? "" : word("reason", pole.reason));
  setText(need("measured"), watts(pole.power_w));
  setText(need("measured-note"), `${volts(pole.voltage_v)} · ${t("pole.rated", { rated: watts(pole.lamp_rated_w) })}`);
  need("faults").replaceChildren(...pole.faults.map((fault) =>
    h("li", { class: "fault", "data-kind": fault.kind }, language === "en" ? fault.title_en : fault.title_vi)));
  need("faults-block").hidden = pole.faults.length === 0;
  setText(need("sampled"), pole.sample_at === null ? t("pole.never") : t("pole.sampled", { time: timeWithSeconds(pole.sample_at) }));
}

export function showNode(name: string | null, node: NodeState | null): void {
  setText(need("node-name"), name ?? "–");
  setText(need("node-status"), node === null ? t("node.never") : t(`node.${node.status}`));
  setText(need("node-seen"), moment(node?.last_seen_at ?? null));
  setText(need("node-queued"), node === null ? "–" : String(node.queued));
  setText(need("node-clock"), node === null ? "–" : word("clock", node.clock));
  setText(need("node-version"), node?.agent_version || "–");
}

/** The pole's open incidents, by id. */
export function showIncidents(incidents: ReadonlyMap<number, Incident>): void {
  const newest = [...incidents.values()].sort((a, b) => b.opened_at.localeCompare(a.opened_at));
  need("incidents").replaceChildren(
    ...(newest.length === 0 ? [h("li", { class: "quiet" }, t("incidents.none"))] : newest.map((incident) =>
      h("li", { class: "incident-line" },
        h("a", { class: "incident-title", href: `/incidents/${incident.id}` }, language === "en" ? incident.title_en : incident.title_vi),
        h("time", { datetime: incident.opened_at }, t("incidents.since", { time: moment(incident.opened_at) }))))),
  );
}

export function showFunding(funding: PoleFunding): void {
  setText(need("money-need"), vnd(funding.need_vnd));
  setText(need("money-received"), vnd(funding.received_vnd));
  setText(need("money-split"), t("money.split", {
    cash: vnd(funding.received_cash_vnd), in_kind: vnd(funding.received_in_kind_vnd),
  }));
  setText(need("money-spent"), vnd(funding.spent_vnd));
  setText(need("money-balance"), vnd(funding.balance_vnd));
}
