// What lies under the lamps: survey crosses, feeder lines, names of hamlets.
import * as L from "leaflet";
import type { PoleSummary } from "../lib/types";
import type { Span } from "./feeders";
import type { Palette } from "./palette";
import type { Pen, Spot } from "./signs";

const METRES_PER_DEGREE = 111_320;

/** Small crosses every 500 m (250 m when near), fixed to the ground, so that a pan or zoom can be felt. */
export function drawGrid(pen: Pen, map: L.Map, bounds: L.LatLngBounds, toPoint: (at: L.LatLng) => L.Point, palette: Palette): void {
  const zoom = map.getZoom();
  if (zoom < 12) return;
  const metres = zoom >= 15.5 ? 250 : zoom >= 13 ? 500 : 1000;
  const north = metres / METRES_PER_DEGREE;
  const east = north / Math.cos((map.getCenter().lat * Math.PI) / 180);
  pen.strokeStyle = palette.grid;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let lat = Math.floor(bounds.getSouth() / north) * north; lat < bounds.getNorth(); lat += north) {
    for (let lng = Math.floor(bounds.getWest() / east) * east; lng < bounds.getEast(); lng += east) {
      const { x, y } = toPoint(L.latLng(lat, lng));
      pen.moveTo(x - 4, y);
      pen.lineTo(x + 4, y);
      pen.moveTo(x, y - 4);
      pen.lineTo(x, y + 4);
    }
  }
  pen.stroke();
}

/** Feeder lines; warm between two lamps that burn, so that a lit road reads as a lit road. */
export function drawFeeders(pen: Pen, lines: readonly Span[], spots: ReadonlyMap<string, Spot>, palette: Palette): void {
  for (const lit of [false, true]) {
    pen.strokeStyle = lit ? palette.feederLit : palette.feeder;
    pen.lineWidth = lit ? 1.6 : 1.2;
    pen.beginPath();
    for (const [a, b] of lines) {
      const [from, to] = [spots.get(a), spots.get(b)];
      if (!from || !to || (burns(from) && burns(to)) !== lit) continue;
      pen.moveTo(from.x, from.y);
      pen.lineTo(to.x, to.y);
    }
    pen.stroke();
  }
}

function burns(spot: Spot): boolean {
  return spot.pole.state === "lit" || spot.pole.state === "on_by_day";
}

export interface HamletName {
  name: string;
  at: L.LatLng;
}

/** Hamlets, each at the middle of its poles. */
export function hamletNames(poles: readonly PoleSummary[]): HamletName[] {
  const sums = new Map<string, { lat: number; lng: number; count: number }>();
  for (const { hamlet, latitude, longitude } of poles) {
    if (hamlet === "") continue;
    const sum = sums.get(hamlet) ?? { lat: 0, lng: 0, count: 0 };
    sums.set(hamlet, { lat: sum.lat + latitude, lng: sum.lng + longitude, count: sum.count + 1 });
  }
  return [...sums].map(([name, { lat, lng, count }]) => ({ name, at: L.latLng(lat / count, lng / count) }));
}

const FONT = '"Be Vietnam Pro", system-ui, sans-serif';
const NAME_DISTANCES = [30, 42, 56, 72, 90];
const NAME_DIRECTIONS = 12;

/** Names stand beside their hamlet, where they cover the fewest lamps and no other name. */
export function drawHamletNames(
  pen: Pen, names: readonly HamletName[], toPoint: (at: L.LatLng) => L.Point, palette: Palette, spots: ReadonlyMap<string, Spot>,
): void {
  pen.font = `600 13px ${FONT}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  const taken: Box[] = [];
  for (const { name, at } of names) {
    const box = freePlace(toPoint(at), pen.measureText(name).width / 2 + 8, spots, taken);
    taken.push(box);
    writeWithHalo(pen, name, box.x, box.y, palette);
  }
}

interface Box {
  x: number;
  y: number;
  halfWidth: number;
}

const HALF_HEIGHT = 14;

function freePlace(middle: L.Point, halfWidth: number, spots: ReadonlyMap<string, Spot>, taken: readonly Box[]): Box {
  let best: Box = { x: middle.x, y: middle.y, halfWidth };
  let least = Infinity;
  for (const distance of NAME_DISTANCES) {
    for (let turn = 0; turn < NAME_DIRECTIONS; turn += 1) {
      const angle = (turn / NAME_DIRECTIONS) * 2 * Math.PI - Math.PI / 2;
      const box = { x: middle.x + Math.cos(angle) * distance, y: middle.y + Math.sin(angle) * distance * 0.8, halfWidth };
      const cost = distance / 40 + covered(box, spots) + 20 * taken.filter((other) => overlap(box, other)).length;
      if (cost < least) [best, least] = [box, cost];
    }
  }
  return best;
}

function covered(box: Box, spots: ReadonlyMap<string, Spot>): number {
  let count = 0;
  for (const { x, y } of spots.values()) {
    if (Math.abs(x - box.x) < box.halfWidth + 6 && Math.abs(y - box.y) < HALF_HEIGHT + 4) count += 1;
  }
  return count;
}

function overlap(a: Box, b: Box): boolean {
  return Math.abs(a.x - b.x) < a.halfWidth + b.halfWidth && Math.abs(a.y - b.y) < 2 * HALF_HEIGHT;
}

/** Pole codes appear once there is room for them. */
export function drawCodes(pen: Pen, spots: Iterable<Spot>, palette: Palette, size: number): void {
  pen.font = `600 11px ${FONT}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (const { pole, x, y, faint } of spots) {
    if (!faint) writeWithHalo(pen, pole.code, x + 8 * size + 5, y, palette);
  }
}

function writeWithHalo(pen: Pen, text: string, x: number, y: number, palette: Palette): void {
  pen.strokeStyle = palette.labelHalo;
  pen.lineWidth = 4;
  pen.strokeText(text, x, y);
  pen.fillStyle = palette.label;
  pen.fillText(text, x, y);
}
