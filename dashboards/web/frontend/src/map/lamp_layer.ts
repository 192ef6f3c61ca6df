// The lamps of a commune: ground, glows and signs on one canvas, what moves (warning rings, the flash of a
// change, the selection) on another above it.
import * as L from "leaflet";
import type { Poles } from "../lib/poles";
import type { PoleSummary } from "../lib/types";
import { CanvasLayer } from "./canvas_layer";
import { type Span, spans } from "./feeders";
import { type HamletName, drawCodes, drawFeeders, drawGrid, drawHamletNames, hamletNames } from "./ground";
import { type Palette, PALETTES, currentTheme } from "./palette";
import { Glows, LAYERS, SIGNS, type Scale, type Spot, circle, strokeWith } from "./signs";

const STILL = 0;
const MOVING = 1;
const FRAME_MS = 50;
const PULSE_MS = 2_200;
const FLASH_MS = 1_400;
const CODES_FROM_ZOOM = 16.5;

export class LampLayer extends CanvasLayer {
  private readonly spots = new Map<string, Spot>();
  private readonly flashes = new Map<string, number>();
  private readonly calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  private lines: Span[] = [];
  private names: HamletName[] = [];
  private shows: (pole: PoleSummary) => boolean = () => true;
  private selected: string | null = null;
  private moving = false;
  private glows: Glows | null = null;

  constructor(private readonly poles: Poles) {
    super(2);
  }

  override onAdd(map: L.Map): this {
    super.onAdd(map);
    document.addEventListener("visibilitychange", () => this.animate());
    this.calm.addEventListener("change", () => this.animate());
    return this;
  }

  /** Poles came or moved: find the lines and names anew. */
  layOut(): void {
    const poles = this.poles.all();
    this.lines = spans(poles);
    this.names = hamletNames(poles);
    this.draw();
  }

  /** Draw again after news; lamps in `flash` changed their state and light up for a moment. */
  refresh(flash: Iterable<string> = []): void {
    const now = performance.now();
    if (!this.calm.matches) for (const code of flash) this.flashes.set(code, now);
    this.draw();
  }

  filter(shows: (pole: PoleSummary) => boolean): void {
    this.shows = shows;
    this.draw();
  }

  select(code: string | null): void {
    this.selected = code;
    this.drawMoving(performance.now());
  }

  /** The nearest pole to a click or finger, within reach. */
  at(place: L.LatLng, reach = 24): PoleSummary | null {
    const target = this.toPoint(place);
    let nearest: PoleSummary | null = null;
    let best = reach;
    for (const { pole, x, y, faint } of this.spots.values()) {
      const gap = Math.hypot(x - target.x, y - target.y) + (faint ? reach / 2 : 0);
      if (gap < best) [nearest, best] = [pole, gap];
    }
    return nearest;
  }

  protected override draw(): void {
    const palette = PALETTES[currentTheme()];
    const zoom = this.map.getZoom();
    this.placeSpots();
    const scale = this.scale();
    const pen = this.pen(STILL);
    drawGrid(pen, this.map, this.bounds(), this.toPoint, palette);
    drawFeeders(pen, this.lines, this.spots, palette);

    const glows = this.glowsFor(palette);
    pen.globalCompositeOperation = palette.glowMix;
    for (const spot of this.spots.values()) {
      if (spot.pole.state !== "lit") continue;
      glows.stamp(pen, spot, scale);
    }
    pen.globalCompositeOperation = "source-over";
    pen.globalAlpha = 1;
    drawHamletNames(pen, this.names, this.toPoint, palette, this.spots);
    for (const state of LAYERS) {
      for (const spot of this.spots.values()) {
        if (spot.pole.state !== state) continue;
        pen.globalAlpha = spot.faint ? 0.16 : 1;
        SIGNS[state](pen, spot, palette, scale);
      }
    }
    pen.globalAlpha = 1;
    if (zoom >= CODES_FROM_ZOOM) drawCodes(pen, this.spots.values(), palette, scale.size);
    this.drawMoving(performance.now());
    this.animate();
  }

  /** Signs grow a little as the view comes nearer, and shrink less than the land as it goes away. */
  private size(): number {
    return Math.min(1.9, Math.max(0.72, 2 ** ((this.map.getZoom() - 14.5) * 0.42)));
  }

  private scale(): Scale {
    const gaps = this.lines.map(([a, b]) => gap(this.spots.get(a), this.spots.get(b))).sort((a, b) => a - b);
    return { size: this.size(), spacing: gaps[Math.floor(gaps.length / 2)] ?? 24 };
  }

  private glowsFor(palette: Palette): Glows {
    if (!this.glows?.fits(palette, this.pixelRatio)) this.glows = new Glows(palette, this.pixelRatio);
    return this.glows;
  }

  private placeSpots(): void {
    this.spots.clear();
    for (const pole of this.poles.all()) {
      const { x, y } = this.toPoint(L.latLng(pole.latitude, pole.longitude));
      this.spots.set(pole.code, { pole, x, y, faint: !this.shows(pole) });
    }
  }

  private drawMoving(now: number): void {
    const palette = PALETTES[currentTheme()];
    const size = this.size();
    const pen = this.pen(MOVING);
    for (const { pole, x, y, faint } of this.spots.values()) {
      if (pole.state !== "dark" || faint) continue;
      // With reduced motion the outer ring stands still instead of spreading.
      const phase = this.calm.matches ? 0.35 : ((now + Math.abs(x) * 3) % PULSE_MS) / PULSE_MS;
      pen.globalAlpha = 0.75 * (1 - phase);
      circle(pen, x, y, (8 + 13 * phase) * size);
      strokeWith(pen, palette.dark, 1.6);
    }
    for (const [code, since] of this.flashes) {
      // A frame's time may lie before the moment its news came.
      const phase = Math.max(0, now - since) / FLASH_MS;
      const spot = this.spots.get(code);
      if (phase >= 1 || !spot) {
        this.flashes.delete(code);
        continue;
      }
      pen.globalAlpha = (1 - phase) ** 2;
      circle(pen, spot.x, spot.y, (6 + 30 * phase) * size);
      strokeWith(pen, palette.selected, 2);
    }
    pen.globalAlpha = 1;
    const chosen = this.selected === null ? undefined : this.spots.get(this.selected);
    if (chosen) {
      circle(pen, chosen.x, chosen.y, 14 * size);
      strokeWith(pen, palette.selected, 2.2);
    }
  }

  /** Run the moving canvas at a modest rate, and only while something on it moves and can be seen. */
  private animate(): void {
    if (this.moving || !this.needsMotion()) return;
    this.moving = true;
    let last = 0;
    const step = (now: number): void => {
      if (!this.needsMotion()) {
        this.moving = false;
        this.drawMoving(now);
        return;
      }
      if (now - last >= FRAME_MS) {
        last = now;
        this.drawMoving(now);
      }
      window.requestAnimationFrame(step);
    };
    window.requestAnimationFrame(step);
  }

  private needsMotion(): boolean {
    if (document.hidden || this.calm.matches) return false;
    if (this.flashes.size > 0) return true;
    for (const { pole, faint } of this.spots.values()) if (pole.state === "dark" && !faint) return true;
    return false;
  }
}

function gap(a: Spot | undefined, b: Spot | undefined): number {
  return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 24;
}
