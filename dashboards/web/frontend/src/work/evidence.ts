// What an incident was judged by, in plain words: one sentence where there is one to say, then the figures.
import { h } from "../lib/dom";
import { celsius, moment, percent, span, volts, watts } from "../lib/format";
import { t, word } from "../lib/i18n";
import type { Evidence, Incident } from "../lib/types";

/** Said elsewhere on the page. */
const ELSEWHERE = new Set(["since", "reason"]);

const UNITS: readonly [ending: string, write: (value: number) => string][] = [
  ["_share", percent], ["_level", percent], ["_w", watts], ["_v", (value) => volts(value, 0)],
  ["_s", span], ["_c", celsius],
];

export function sentence(incident: Incident): string | null {
  const { power_w, expected_w, effect_level, cause, last_seen_at } = incident.evidence;
  if (incident.kind === "lamp_failure" && typeof power_w === "number" && typeof effect_level === "number") {
    const told = { level: percent(effect_level), power: watts(power_w) };
    return typeof expected_w === "number"
      ? t("evidence.lamp.expected", { ...told, expected: watts(expected_w) })
      : t("evidence.lamp", told);
  }
  if (incident.kind === "communication_failure" && typeof cause === "string" && typeof last_seen_at === "string") {
    return t("evidence.silence", { cause: word("node", cause), time: moment(last_seen_at) });
  }
  return null;
}

export function figures(evidence: Evidence): HTMLElement[] {
  return Object.entries(evidence)
    .filter(([name, value]) => value !== null && !ELSEWHERE.has(name))
    .map(([name, value]) => h("div", {}, h("dt", {}, label(name)), h("dd", {}, written(name, value!))));
}

/** A name that a newer hub tells stands as it is, without its underscores. */
function label(name: string): string {
  const known = word("evidence.of", name);
  return known === name ? name.replaceAll("_", " ") : known;
}

function written(name: string, value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? t("evidence.yes") : t("evidence.no");
  if (typeof value === "number") {
    const unit = UNITS.find(([ending]) => name.endsWith(ending));
    return unit ? unit[1](value) : String(value);
  }
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return moment(value);
  return name === "cause" ? word("node", value) : value;
}
