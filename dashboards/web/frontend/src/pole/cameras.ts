// The pole's cameras: how far each is known to work, and its power's switch.
import { ApiError, post } from "../lib/api";
import { confirmed } from "../lib/confirm";
import { h, need, setText } from "../lib/dom";
import { span } from "../lib/format";
import { t, word } from "../lib/i18n";
import type { Camera, Command } from "../lib/types";

const CLOCK_RIGHT_S = 2;

export class Cameras {
  private shown = "";

  constructor(
    private readonly code: string,
    private readonly onCommand: (command: Command) => void,
  ) {}

  show(cameras: readonly Camera[]): void {
    need("cameras-section").hidden = cameras.length === 0;
    // Drawn anew only when something differs: a button under somebody's finger stays where it is.
    const news = JSON.stringify(cameras);
    if (news === this.shown) return;
    this.shown = news;
    need("cameras").replaceChildren(...cameras.map((camera) => this.item(camera)));
  }

  private item(camera: Camera): HTMLElement {
    const look = lookOf(camera);
    const facts = factsOf(camera);
    const mayCycle = need("cameras-section").dataset["mayCommand"] !== undefined && camera.powered !== null;
    return h(
      "li", { class: `camera is-${look}`, "data-camera": camera.code },
      h("span", { class: "camera-dot", "aria-hidden": "true" }),
      h("span", { class: "camera-code" }, camera.code),
      h("span", {}, t(`camera.${look}`)),
      mayCycle ? this.button(camera.code) : null,
      facts.length === 0 ? null : h("span", { class: "camera-facts" }, facts.join(" · ")),
    );
  }

  private button(camera: string): HTMLElement {
    const button = h("button", { type: "button", class: "small-button" }, t("camera.cycle"));
    button.addEventListener("click", () => void this.cycle(camera, button));
    return button;
  }

  private async cycle(camera: string, button: HTMLButtonElement): Promise<void> {
    if (!(await confirmed(t("camera.ask", { camera })))) return;
    const note = need("cameras-note");
    setText(note, "");
    button.disabled = true;
    try {
      const pole = encodeURIComponent(this.code);
      this.onCommand(await post<Command>(`/api/v1/poles/${pole}/cameras/${encodeURIComponent(camera)}/cycle`));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(note, error.message);
    } finally {
      button.disabled = false;
    }
  }
}

function lookOf({ reachable, stream, picture, powered }: Camera): "unknown" | "reachable" | "lost" | "poor" {
  if (powered === false) return "poor";
  if (reachable === null) return "unknown";
  if (!reachable) return "lost";
  const broken = (stream !== null && stream !== "live") || (picture !== null && picture !== "ok");
  return broken ? "poor" : "reachable";
}

function factsOf({ stream, picture, clock_offset_s, recording_age_s, powered }: Camera): string[] {
  return [
    powered === false ? t("camera.off") : null,
    stream === null ? null : word("camera.stream", stream),
    picture === null ? null : word("camera.picture", picture),
    clock_offset_s === null ? null : clockWords(clock_offset_s),
    recording_age_s === null ? null : t("camera.recorded", { span: span(recording_age_s) }),
  ].filter((fact) => fact !== null);
}

function clockWords(offset: number): string {
  if (Math.abs(offset) < CLOCK_RIGHT_S) return t("camera.clock.right");
  const places = { span: span(Math.abs(offset)) };
  return offset > 0 ? t("camera.clock.fast", places) : t("camera.clock.slow", places);
}
