// The signs of the five lamp states: each has its own shape as well as its own colour.
import type { LampState, PoleSummary } from "../lib/types";
import type { Gradient, Palette } from "./palette";

export type Pen = CanvasRenderingContext2D;

export interface Spot {
  pole: PoleSummary;
  x: number;
  y: number;
  /** Excluded by the legend's filter or the search: drawn faintly. */
  faint: boolean;
}

/** Order of drawing: what needs attention lies on top. */
export const LAYERS: readonly LampState[] = ["off", "unknown", "lit", "on_by_day", "dark"];

/** How big signs are drawn, and how far apart lamps stand, in CSS pixels at the present zoom. */
export interface Scale {
  size: number;
  spacing: number;
}

/** The light of lit lamps: drawn once per size, then stamped. */
export class Glows {
  private readonly stamps = new Map<string, HTMLCanvasElement>();

  constructor(
    private readonly palette: Palette,
    private readonly pixelRatio: number,
  ) {}

  fits(palette: Palette, pixelRatio: number): boolean {
    return this.palette === palette && this.pixelRatio === pixelRatio;
  }

  stamp(pen: Pen, { pole, x, y, faint }: Spot, { size, spacing }: Scale): void {
    const level = lampLevel(pole);
    const alpha = faint ? 0.12 : 1;
    const reach = Math.round((14 + 22 * level) * size);
    // Where glows overlap many times they would add up to one white band: each gives less, the road stays warm.
    pen.globalAlpha = alpha * Math.min(1, (1.9 * spacing) / reach);
    this.put(pen, "glow", x, y, reach);
    pen.globalAlpha = alpha * (0.55 + 0.45 * level);
    this.put(pen, "halo", x, y, Math.round(Math.min(10 * size, Math.max(4, spacing * 0.7))));
  }

  private put(pen: Pen, part: "glow" | "halo", x: number, y: number, radius: number): void {
    const key = `${part} ${radius}`;
    let stamp = this.stamps.get(key);
    if (!stamp) this.stamps.set(key, (stamp = this.draw(this.palette[part], radius)));
    pen.drawImage(stamp, x - radius, y - radius, radius * 2, radius * 2);
  }

  private draw(gradient: Gradient, radius: number): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.ceil(radius * 2 * this.pixelRatio);
    const pen = canvas.getContext("2d")!;
    pen.scale(this.pixelRatio, this.pixelRatio);
    const light = pen.createRadialGradient(radius, radius, 0, radius, radius, radius);
    for (const [offset, colour] of gradient) light.addColorStop(offset, colour);
    pen.fillStyle = light;
    pen.fillRect(0, 0, radius * 2, radius * 2);
    return canvas;
  }
}

/** How bright to draw a lit lamp: in steps, never quite invisible. */
function lampLevel(pole: PoleSummary): number {
  return Math.max(0.1, Math.round((pole.level ?? 1) * 10) / 10);
}

type Draw = (pen: Pen, spot: Spot, palette: Palette, scale: Scale) => void;

export const SIGNS: Record<LampState, Draw> = {
  lit: (pen, { x, y, pole }, palette, { size, spacing }) => {
    const radius = Math.min((1.2 + 1.2 * lampLevel(pole)) * size, Math.max(1.3, spacing * 0.34));
    circle(pen, x, y, radius);
    pen.fillStyle = palette.core;
    pen.fill();
    if (palette.coreEdge !== null) strokeWith(pen, palette.coreEdge, 1.2);
  },
  off: (pen, { x, y }, palette, { size }) => {
    circle(pen, x, y, 2.3 * size);
    pen.fillStyle = palette.off;
    pen.fill();
  },
  unknown: (pen, { x, y }, palette, { size }) => {
    circle(pen, x, y, 4.2 * size);
    strokeWith(pen, palette.unknown, 1.6);
  },
  on_by_day: (pen, { x, y }, palette, { size }) => {
    const half = 4.6 * size;
    pen.beginPath();
    pen.rect(x - half, y - half, half * 2, half * 2);
    pen.fillStyle = palette.onByDay;
    pen.fill();
    strokeWith(pen, palette.onByDayEdge, 1.6);
    circle(pen, x, y, half * 0.36);
    pen.fillStyle = palette.onByDayEdge;
    pen.fill();
  },
  dark: (pen, { x, y }, palette, { size }) => {
    const radius = 7.2 * size;
    const arm = radius * 0.42;
    circle(pen, x, y, radius);
    pen.fillStyle = palette.darkGround;
    pen.fill();
    strokeWith(pen, palette.dark, 2.3);
    pen.beginPath();
    pen.moveTo(x - arm, y - arm);
    pen.lineTo(x + arm, y + arm);
    pen.moveTo(x + arm, y - arm);
    pen.lineTo(x - arm, y + arm);
    pen.stroke();
  },
};

export function circle(pen: Pen, x: number, y: number, radius: number): void {
  pen.beginPath();
  pen.arc(x, y, radius, 0, Math.PI * 2);
}

export function strokeWith(pen: Pen, colour: string, width: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}
