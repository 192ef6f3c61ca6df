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

/** Each hamlet's name stands a little north of the middle of its poles. */
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

export function drawHamletNames(pen: Pen, names: readonly HamletName[], toPoint: (at: L.LatLng) => L.Point, palette: Palette, zoom: number): void {
  pen.font = `600 ${zoom >= 15 ? 15 : 12}px ${FONT}`;
  pen.textAlign = "center";
  pen.textBaseline = "bottom";
  pen.lineJoin = "round";
  for (const { name, at } of names) {
    const { x, y } = toPoint(at);
    writeWithHalo(pen, name, x, y - 16, palette);
  }
}

/** Pole codes appear once there is room for them. */
export function drawCodes(pen: Pen, spots: Iterable<Spot>, palette: Palette): void {
  pen.font = `600 11px ${FONT}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (const { pole, x, y, faint } of spots) {
    if (!faint) writeWithHalo(pen, pole.code, x + 13, y, palette);
  }
}

function writeWithHalo(pen: Pen, text: string, x: number, y: number, palette: Palette): void {
  pen.strokeStyle = palette.labelHalo;
  pen.lineWidth = 4;
  pen.strokeText(text, x, y);
  pen.fillStyle = palette.label;
  pen.fillText(text, x, y);
}
