// A wish for many in words.
import { moment, percent } from "../lib/format";
import { t } from "../lib/i18n";
import type { Action, Scope } from "./types";

export interface Wished {
  action: Action;
  level: number | null;
  until: string | null;
}

export function wishWords({ action, level, until }: Wished): string {
  if (action === "lamp_override") {
    return level === 0
      ? t("command.override_off", { until: moment(until) })
      : t("command.override", { level: percent(level), until: moment(until) });
  }
  if (action === "maintenance_begin") return t("command.maintenance_begin", { until: moment(until) });
  return t(`many.action.${action}`);
}

export function scopeWords({ kind, name, poles }: Scope): string {
  if (kind === "commune") return t("many.where.commune");
  if (kind === "poles") return poles.length > 0 && poles.length <= 3 ? poles.join(", ") : t("many.where.poles");
  return kind === "hamlet" || kind === "group" ? name : `${t(`many.where.${kind}`)}: ${name}`;
}
