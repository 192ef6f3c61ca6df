// How an incident is told in words: its title, where it is, since when, how it stands.
import { h } from "../lib/dom";
import { moment, span } from "../lib/format";
import { language, t, word } from "../lib/i18n";
import type { Incident } from "../lib/types";

export function title(incident: { title_vi: string; title_en: string }): string {
  return language === "en" ? incident.title_en : incident.title_vi;
}

/** "TG-0042", "Nút tg-0042", "Tuyến F2": what people look for. */
export function where({ originator_type, originator, pole }: Incident): string {
  if (originator_type === "pole") return originator;
  const name = originator_type === "hub" ? t("originator.hub") : `${word("originator", originator_type)} ${originator}`;
  return pole === null || originator_type === "node" ? name : `${name} · ${pole}`;
}

/** Since when the trouble lasts: history may know it better than the moment at which it was noticed. */
export function since(incident: Incident): string {
  const told = incident.evidence["since"];
  return incident.since_at ?? (typeof told === "string" ? told : incident.opened_at);
}

/** "từ 20:31 · 2 giờ", and for one that ended also until when. */
export function lasting(incident: Incident, now: Date = new Date()): string {
  const begin = since(incident);
  const end = incident.closed_at === null ? now : new Date(incident.closed_at);
  const seconds = Math.max(0, (end.getTime() - new Date(begin).getTime()) / 1000);
  // Nobody needs a fault's age to the second, once it is older than two minutes.
  const length = span(seconds < 120 ? Math.round(seconds) : Math.round(seconds / 60) * 60);
  return incident.closed_at === null
    ? t("incident.lasts", { time: moment(begin), length })
    : t("incident.lasted", { time: moment(begin), end: moment(incident.closed_at), length });
}

type Look = "alert" | "ok" | "plain";

/** The small signs beside an incident: who took note, who has it, why nobody is called. */
export function signs(incident: Incident, parts = 0): HTMLElement[] {
  const found: HTMLElement[] = [];
  const add = (text: string, look: Look): void => void found.push(h("span", { class: `sign is-${look}` }, text));
  if (incident.closed_at !== null) {
    const by_hand = incident.closed_how === "by_hand";
    add(by_hand ? t("incident.resolved_by", { name: incident.closed_by ?? "" }) : t("incident.over"), "ok");
  } else if (incident.acknowledged_at !== null) {
    add(t("incident.acknowledged_by", { name: incident.acknowledged_by ?? "" }), "ok");
  } else if (incident.quiet_reason === null) {
    add(t("incident.unacknowledged"), "alert");
  }
  if (parts > 0) add(t("incident.parts.count", { count: parts }), "plain");
  if (incident.assigned_group !== null) add(incident.assigned_group, "plain");
  if (incident.quiet_reason !== null) add(word("quiet", incident.quiet_reason), "plain");
  return found;
}

/** One incident as a row that leads to its page. */
export function row(incident: Incident, more: { place?: string; parts?: number } = {}): HTMLElement {
  return h(
    "a",
    { class: `incident-card is-${incident.severity}${incident.closed_at === null ? "" : " is-over"}`, href: `/incidents/${incident.id}`, "data-id": incident.id },
    h("span", { class: "incident-title" }, title(incident)),
    h("span", { class: "incident-where" }, where(incident), more.place ? h("small", {}, more.place) : null),
    h("span", { class: "incident-since" }, lasting(incident)),
    h("span", { class: "signs" }, ...signs(incident, more.parts ?? 0)),
  );
}
