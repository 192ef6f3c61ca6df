// The form of a node's configuration: shares are typed as percent, the night's steps as rows.
import { h, need } from "../lib/dom";
import { t } from "../lib/i18n";
import type { DimmingStep, LampProfile, NodeProfile } from "../lib/types";
import { lampOf } from "./config_words";

export const SCOPES = ["pole", "node", "hamlet", "feeder", "commune"] as const;
export type Scope = (typeof SCOPES)[number];

/** What stands in a field is no number. */
export class UnreadableError extends Error {
  constructor(readonly field: HTMLElement) {
    super("a field holds no number");
  }
}

export class ConfigForm {
  readonly element = need<HTMLFormElement>("config-form");
  private readonly steps = need("config-steps");

  constructor() {
    need("config-add-step").addEventListener("click", () => {
      this.addStep({ at: "", level: 0.5 });
      this.steps.querySelector<HTMLInputElement>("li:last-child input")?.focus();
    });
    this.field("motion").addEventListener("change", () => this.showMotion());
    this.enable(false);
  }

  /** Until the form is filled nobody can type into it: what they typed would be written over. */
  private enable(ready: boolean): void {
    for (const one of this.element.querySelectorAll<HTMLInputElement>("input, select, textarea, button")) {
      one.disabled = !ready;
    }
  }

  fill(profile: NodeProfile, pole: string): void {
    const lamp = lampOf(profile, pole);
    this.write("dusk_offset_min", lamp.dusk_offset_min);
    this.write("dawn_offset_min", lamp.dawn_offset_min);
    this.steps.replaceChildren();
    for (const step of lamp.dimming) this.addStep(step);
    this.field("motion").checked = lamp.motion_level !== null;
    this.write("motion_level", asPercent(lamp.motion_level ?? 1));
    this.write("motion_hold_s", lamp.motion_hold_s);
    this.write("power_tolerance_share", asPercent(lamp.power_tolerance_share));
    this.write("sample_interval_s", profile.sample_interval_s);
    this.write("report_interval_s", profile.report_interval_s);
    this.write("heartbeat_s", profile.heartbeat_s);
    this.showMotion();
    this.enable(true);
  }

  /** The wish that the form now holds, on top of the profile it began with; throws UnreadableError. */
  read(before: NodeProfile, pole: string): NodeProfile {
    const lamp = this.lamp();
    const alone = this.scope === "pole";
    return {
      ...before,
      sample_interval_s: this.number("sample_interval_s"),
      report_interval_s: this.field("report_interval_s").value === "" ? null : this.number("report_interval_s"),
      heartbeat_s: this.number("heartbeat_s"),
      lamp: alone ? before.lamp : lamp,
      lamps: alone ? { ...before.lamps, [pole]: lamp } : {},
    };
  }

  get scope(): Scope {
    const chosen = this.element.querySelector<HTMLSelectElement>("[name=scope]")?.value;
    return SCOPES.find((scope) => scope === chosen) ?? "node";
  }

  get scopeName(): string {
    return this.element.querySelector<HTMLSelectElement>("[name=scope]")?.selectedOptions[0]?.text ?? "";
  }

  get why(): string {
    return this.field("why").value.trim();
  }

  private lamp(): LampProfile {
    const motion = this.field("motion").checked;
    return {
      dusk_offset_min: this.number("dusk_offset_min"),
      dawn_offset_min: this.number("dawn_offset_min"),
      dimming: [...this.steps.children].map((row) => step(row)),
      motion_level: motion ? this.number("motion_level") / 100 : null,
      motion_hold_s: motion ? this.number("motion_hold_s") : 120,
      power_tolerance_share: this.number("power_tolerance_share") / 100,
    };
  }

  private addStep({ at, level }: DimmingStep): void {
    const remove = h("button", { type: "button", class: "small-button", "aria-label": t("config.form.remove") }, "✕");
    const row = h(
      "li", {},
      h("label", {}, h("span", {}, t("config.form.at")), h("input", { type: "time", value: at, required: true })),
      h("label", {}, h("span", {}, t("config.form.level")),
        h("input", { type: "number", value: asPercent(level), min: 0, max: 100, required: true })),
      remove,
    );
    remove.addEventListener("click", () => row.remove());
    this.steps.append(row);
  }

  private showMotion(): void {
    need("config-motion").hidden = !this.field("motion").checked;
  }

  private field(name: string): HTMLInputElement {
    return this.element.querySelector<HTMLInputElement>(`[name=${name}]`)!;
  }

  private write(name: string, value: number | null): void {
    this.field(name).value = value === null ? "" : String(value);
  }

  private number(name: string): number {
    return numberOf(this.field(name));
  }
}

function step(row: Element): DimmingStep {
  const [at, level] = row.querySelectorAll("input");
  if (!at || !level || at.value === "") throw new UnreadableError(at ?? need("config-steps"));
  return { at: at.value, level: numberOf(level) / 100 };
}

function numberOf(field: HTMLInputElement): number {
  const value = field.valueAsNumber;
  if (!Number.isFinite(value)) throw new UnreadableError(field);
  return value;
}

/** 0.07 × 100 is 7.000000000000001 to a computer and 7 to a person. */
function asPercent(share: number): number {
  return Math.round(share * 1000) / 10;
}
