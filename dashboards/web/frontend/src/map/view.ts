// The Leaflet map: no tiles, nothing from the internet; only our own canvases on a plain ground.
import * as L from "leaflet";
import { icon } from "../lib/dom";
import { t } from "../lib/i18n";
import type { Poles } from "../lib/poles";
import type { PoleSummary } from "../lib/types";
import { LampLayer } from "./lamp_layer";

const CLEAR = 40;

export class CommuneMap {
  readonly lamps: LampLayer;
  private readonly map: L.Map;
  private extent: L.LatLngBounds | null = null;
  private zooming = false;

  constructor(
    private readonly container: HTMLElement,
    poles: Poles,
    onPick: (pole: PoleSummary | null) => void,
  ) {
    this.map = L.map(container, {
      attributionControl: false,
      zoomControl: false,
      zoomSnap: 0.25,
      zoomDelta: 0.5,
      wheelPxPerZoomLevel: 110,
      center: [0, 0],
      zoom: 13,
      minZoom: 10,
      maxZoom: 19,
      zoomAnimation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
    L.control.zoom({ position: "topright", zoomInTitle: t("map.zoom_in"), zoomOutTitle: t("map.zoom_out") }).addTo(this.map);
    this.addFitControl();
    L.control.scale({ position: "bottomright", imperial: false, maxWidth: 140 }).addTo(this.map);
    this.lamps = new LampLayer(poles).addTo(this.map);
    this.map.on("zoomstart", () => (this.zooming = true));
    this.map.on("zoomend", () => (this.zooming = false));
    this.map.on("click", (event) => onPick(this.lamps.at(event.latlng)));
    this.map.on("mousemove", (event) => {
      container.classList.toggle("over-lamp", this.lamps.at(event.latlng, 14) !== null);
    });
    new ResizeObserver(() => this.map.invalidateSize({ pan: false })).observe(container);
  }

  /** Show the whole commune, with room for the title above and the legend below. */
  fit(poles: readonly PoleSummary[]): void {
    if (poles.length === 0) return;
    this.extent = L.latLngBounds(poles.map((pole) => [pole.latitude, pole.longitude]));
    this.showAll(false);
    this.map.setMaxBounds(this.extent.pad(1.5));
  }

  /** Bring a pole into sight where it isn't, also out from under the card. */
  reveal(pole: PoleSummary, card: HTMLElement): void {
    const place = L.latLng(pole.latitude, pole.longitude);
    if (!this.map.getBounds().pad(-0.08).contains(place)) {
      this.map.panTo(place, { animate: false });
    }
    const frame = this.container.getBoundingClientRect();
    const cover = card.getBoundingClientRect();
    const spot = this.map.latLngToContainerPoint(place).add([frame.left, frame.top]);
    const inside = spot.x > cover.left - CLEAR && spot.x < cover.right + CLEAR
      && spot.y > cover.top - CLEAR && spot.y < cover.bottom + CLEAR;
    if (!inside) return;
    const beside = cover.left - frame.left > frame.width / 3;
    this.map.panBy(beside ? [spot.x - cover.left + CLEAR, 0] : [0, spot.y - cover.top + CLEAR]);
  }

  private showAll(animate: boolean): void {
    if (this.extent === null) return;
    if (this.zooming) {
      // Leaflet drops a wish that comes in the middle of a zoom.
      this.map.once("zoomend", () => this.showAll(animate));
      return;
    }
    const wide = this.container.clientWidth >= 600;
    this.map.fitBounds(this.extent, {
      paddingTopLeft: wide ? [48, 96] : [20, 64],
      paddingBottomRight: wide ? [64, 84] : [20, 28],
      maxZoom: 17,
      animate,
    });
  }

  private addFitControl(): void {
    const button = L.DomUtil.create("button", "fit-control");
    button.type = "button";
    button.title = t("map.fit");
    button.setAttribute("aria-label", t("map.fit"));
    button.append(icon("icon-fit"));
    L.DomEvent.disableClickPropagation(button);
    L.DomEvent.on(button, "click", () => this.showAll(true));
    const Holder = L.Control.extend({ onAdd: () => button });
    new Holder({ position: "topright" }).addTo(this.map);
  }
}
