// What became of a command, step by step: asked for, taken by the node, done with the watts measured.
import { h, need } from "../lib/dom";
import { moment, percent, timeWithSeconds, watts } from "../lib/format";
import { t, word } from "../lib/i18n";
import type { Command, CommandStatus } from "../lib/types";

const SHOWN = 3;

interface Step {
  name: string;
  detail: string;
  at: string | null;
  look: "done" | "waiting" | "failed";
}

export class Receipts {
  private readonly place = need("receipts");
  private readonly commands = new Map<string, Command>();

  take(command: Command): void {
    const known = this.commands.get(command.id);
    // The answer to the request and the stream may cross: news never goes back in time.
    if (known && known.status_at > command.status_at) return;
    this.commands.set(command.id, command);
    this.draw();
  }

  private draw(): void {
    const newest = [...this.commands.values()]
      .sort((a, b) => b.issued_at.localeCompare(a.issued_at))
      .slice(0, SHOWN);
    this.place.replaceChildren(...newest.map((command) => this.item(command)));
  }

  private item(command: Command): HTMLElement {
    return h(
      "li", { class: "command", "data-status": command.status, "data-id": command.id },
      h("p", { class: "command-wish" }, wish(command)),
      h("ol", { class: "steps" }, ...steps(command).map((step) =>
        h("li", { class: `step is-${step.look}` },
          h("span", { class: "step-name" }, step.name),
          h("span", { class: "step-detail" }, step.detail),
          step.at === null ? null : h("time", { datetime: step.at }, timeWithSeconds(step.at))))),
    );
  }
}

/** The three steps of a command that goes well, or where it ended. */
function steps(command: Command): Step[] {
  const receipt = (status: CommandStatus) => command.receipts.find((each) => each.status === status) ?? null;
  const accepted = receipt("accepted");
  const ended = (["applied", "rejected", "expired", "superseded"] as const).find((each) => each === command.status);
  const list: Step[] = [
    { name: t("command.requested"), detail: command.requested_by, at: command.issued_at, look: "done" },
  ];
  if (accepted || command.status === "accepted" || command.status === "applied") {
    list.push({ name: t("command.accepted"), detail: "", at: accepted?.at ?? null, look: "done" });
  } else if (!ended) {
    list.push({ name: command.status === "sent" ? t("command.sent") : t("command.waiting"), detail: "", at: null, look: "waiting" });
  }
  if (ended === "applied") {
    list.push({ name: t("command.applied"), detail: measured(command), at: receipt("applied")?.at ?? command.status_at, look: "done" });
  } else if (ended) {
    const reason = command.reason ? word("command.reason", command.reason.split(":", 1)[0] ?? "") : "";
    list.push({ name: t(`command.${ended}`), detail: reason, at: command.status_at, look: "failed" });
  } else {
    list.push({ name: t("command.to_apply"), detail: "", at: null, look: "waiting" });
  }
  return list;
}

function wish({ action, level, until, camera }: Command): string {
  if (action === "lamp_auto") return t("command.auto");
  if (action === "maintenance_begin") return t("command.maintenance_begin", { until: moment(until) });
  if (action === "maintenance_end") return t("command.maintenance_end");
  if (action === "camera_cycle") return t("command.camera_cycle", { camera: camera ?? "" });
  if (level === 0) return t("command.override_off", { until: moment(until) });
  return t("command.override", { level: percent(level), until: moment(until) });
}

function measured(command: Command): string {
  if (command.action === "camera_cycle") return "";
  const level = command.receipt_level ?? command.level;
  const power = watts(command.power_w);
  if (level === 0) return command.power_w === null ? t("command.unmeasured_off") : t("command.measured_off", { power });
  return command.power_w === null
    ? t("command.unmeasured", { level: percent(level) })
    : t("command.measured", { level: percent(level), power });
}
