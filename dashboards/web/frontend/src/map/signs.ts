// The signs of the five lamp states: each has its own shape as well as its own colour.
import type { LampState, PoleSummary } from "../lib/types";
import type { Palette } from "./palette";

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

/** Light glows drawn once per brightness and size, then stamped. */
export class Glows {
  private readonly stamps = new Map<string, HTMLCanvasElement>();

  constructor(
    private readonly palette: Palette,
    private readonly pixelRatio: number,
  ) {}

  fits(palette: Palette, pixelRatio: number): boolean {
    return this.palette === palette && this.pixelRatio === pixelRatio;
  }

  stamp(pen: Pen, spot: Spot, size: number): void {
    const level = Math.max(0.1, Math.round((spot.pole.level ?? 1) * 10) / 10);
    const radius = Math.round((15 + 23 * level) * size);
    const key = `${radius}`;
    let glow = this.stamps.get(key);
    if (!glow) this.stamps.set(key, (glow = this.draw(radius)));
    pen.drawImage(glow, spot.x - radius, spot.y - radius, radius * 2, radius * 2);
  }

  private draw(radius: number): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.ceil(radius * 2 * this.pixelRatio);
    const pen = canvas.getContext("2d")!;
    pen.scale(this.pixelRatio, this.pixelRatio);
    const light = pen.createRadialGradient(radius, radius, 0, radius, radius, radius);
    for (const [offset, colour] of this.palette.glow) light.addColorStop(offset, colour);
    pen.fillStyle = light;
    pen.fillRect(0, 0, radius * 2, radius * 2);
    return canvas;
  }
}

type Draw = (pen: Pen, spot: Spot, palette: Palette, size: number) => void;

export const SIGNS: Record<LampState, Draw> = {
  lit: (pen, { x, y, pole }, palette, size) => {
    const radius = (1.5 + 1.1 * (pole.level ?? 1)) * size;
    circle(pen, x, y, radius);
    pen.fillStyle = palette.core;
    pen.fill();
    if (palette.coreEdge !== null) strokeWith(pen, palette.coreEdge, 1.2);
  },
  off: (pen, { x, y }, palette, size) => {
    circle(pen, x, y, 2.3 * size);
    pen.fillStyle = palette.off;
    pen.fill();
  },
  unknown: (pen, { x, y }, palette, size) => {
    circle(pen, x, y, 4.2 * size);
    strokeWith(pen, palette.unknown, 1.6);
  },
  on_by_day: (pen, { x, y }, palette, size) => {
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
  dark: (pen, { x, y }, palette, size) => {
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
