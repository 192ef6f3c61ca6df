// The commune in figures: lamps, nodes, money, messages set aside.
import { need, setText } from "../lib/dom";
import { vnd } from "../lib/format";
import { t } from "../lib/i18n";
import type { LampState, Summary } from "../lib/types";

export function showSummary(summary: Summary): void {
  const { funding, nodes } = summary;
  setText(need("money-need"), vnd(funding.need_vnd));
  setText(need("money-received"), vnd(funding.received_vnd));
  setText(need("money-spent"), vnd(funding.spent_vnd));
  setText(need("money-balance"), vnd(funding.balance_vnd));
  const most = Math.max(funding.need_vnd, funding.received_vnd, 1);
  need("bar-received").setAttribute("width", String((100 * funding.received_vnd) / most));
  need("bar-spent").setAttribute("width", String((100 * funding.spent_vnd) / most));
  setText(need("nodes-online"), t("summary.nodes", { online: nodes.online, all: sum(nodes) }));
  setText(need("reject-count"), t("summary.rejects", { count: summary.rejects }));
}

/** The one sentence over the map. */
export function showHeadline(counts: Record<LampState, number>): void {
  const all = sum(counts);
  setText(need("lit-count"), String(counts.lit));
  setText(need("all-count"), t("summary.of_lit", { all }));
  const alert = need("dark-line");
  alert.hidden = counts.dark === 0;
  setText(alert, t("summary.dark", { count: counts.dark }));
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}
