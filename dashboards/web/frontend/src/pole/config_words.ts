// A node's configuration in plain words, for those who read it and for those who change it.
import { h } from "../lib/dom";
import { percent, span } from "../lib/format";
import { t } from "../lib/i18n";
import type { LampProfile, NodeProfile } from "../lib/types";

/** The lamp's profile of one pole: its own where it has one, else the node's. */
export function lampOf(profile: NodeProfile, pole: string): LampProfile {
  return profile.lamps[pole] ?? profile.lamp;
}

export function profileRows(profile: NodeProfile, pole: string): HTMLElement[] {
  const lamp = lampOf(profile, pole);
  const rows: [name: string, value: string][] = [
    [t("config.dusk"), dusk(lamp.dusk_offset_min)],
    [t("config.dawn"), dawn(lamp.dawn_offset_min)],
    [t("config.dimming"), dimming(lamp)],
    [t("config.motion"), motion(lamp)],
    [t("config.tolerance"), percent(lamp.power_tolerance_share)],
    [t("config.sampling"), t("config.every", { span: span(profile.sample_interval_s) })],
    [t("config.reporting"), reporting(profile.report_interval_s)],
    [t("config.heartbeat"), t("config.every", { span: span(profile.heartbeat_s) })],
  ];
  if (profile.agent !== null) rows.push([t("config.agent"), profile.agent.version]);
  return rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
}

function dusk(offset: number): string {
  if (offset === 0) return t("config.at_dusk");
  const minutes = Math.abs(offset);
  return offset < 0 ? t("config.before_dusk", { minutes }) : t("config.after_dusk", { minutes });
}

function dawn(offset: number): string {
  if (offset === 0) return t("config.at_dawn");
  const minutes = Math.abs(offset);
  return offset < 0 ? t("config.before_dawn", { minutes }) : t("config.after_dawn", { minutes });
}

function dimming({ dimming }: LampProfile): string {
  if (dimming.length === 0) return t("config.full");
  return dimming.map(({ at, level }) => t("config.step", { at, level: percent(level) })).join("; ");
}

function motion({ motion_level, motion_hold_s }: LampProfile): string {
  if (motion_level === null) return t("config.motion.none");
  return t("config.motion.raise", { level: percent(motion_level), span: span(motion_hold_s) });
}

function reporting(seconds: number | null): string {
  if (seconds === null) return t("config.reporting.own");
  return seconds === 0 ? t("config.reporting.now") : t("config.every", { span: span(seconds) });
}
