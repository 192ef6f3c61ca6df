// What an incident was judged by, in plain words: one sentence where there is one to say, then the figures.
import { h } from "../lib/dom";
import { celsius, moment, percent, span, volts, watts } from "../lib/format";
import { t, word } from "../lib/i18n";
import type { Evidence, Incident } from "../lib/types";

/** Said elsewhere on the page. */
const ELSEWHERE = new Set(["since", "reason"]);

const UNITS: readonly [ending: string, write: (value: number) => string][] = [
  ["share", percent], ["level", percent], ["_w", watts], ["_v", (value) => volts(value, 0)],
  ["_s", span], ["_c", celsius],
];

export function sentence(incident: Incident): string | null {
  const { power_w, expected_w, effect_level, level, cause, last_seen_at } = incident.evidence;
  const lit = effect_level ?? level; // as the hub says it, or the node
  if (incident.kind === "lamp_failure" && typeof power_w === "number" && typeof lit === "number") {
    const told = { level: percent(lit), power: watts(power_w) };
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
  return lines(evidence, ([name]) => known(name)).map(([name, value]) =>
    h("div", {}, h("dt", {}, word("evidence.of", name)), h("dd", {}, written(name, value))));
}

/** What only a technician has use for, such as the grey levels that a picture was judged by: as it was told. */
export function technical(evidence: Evidence): string {
  return lines(evidence, ([name]) => !known(name)).map(([name, value]) => `${name} = ${value}`).join("\n");
}

type Line = [name: string, value: string | number | boolean];

function lines(evidence: Evidence, chosen: (line: Line) => boolean): Line[] {
  const told = Object.entries(evidence).filter((line): line is Line => line[1] !== null && !ELSEWHERE.has(line[0]));
  return told.filter(chosen);
}

function known(name: string): boolean {
  return word("evidence.of", name) !== name;
}

function written(name: string, value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? t("evidence.yes") : t("evidence.no");
  if (typeof value === "number") {
    const unit = UNITS.find(([ending]) => name.endsWith(ending));
    return unit ? unit[1](value) : String(value);
  }
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return moment(value);
  if (name === "cause") return word("evidence.cause", word("node", value));
  if (name === "stream" || name === "picture") return word(`camera.${name}`, value);
  return word("evidence.word", value);
}
