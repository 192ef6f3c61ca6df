// A Leaflet layer made of canvases that cover the view and a margin, follow its pans and animated zooms,
// and are drawn anew when it comes to rest. Leaflet's own canvas renderer knows paths only, no light.
import * as L from "leaflet";

const MARGIN = 0.3;

export class CanvasLayer extends L.Layer {
  protected map!: L.Map;
  protected pixelRatio = 1;
  private sheets: HTMLCanvasElement[] = [];
  private drawnCentre!: L.LatLng;
  private drawnZoom = 0;
  private corner = L.point(0, 0);

  /** `count` canvases lie on each other, so that what moves is drawn without what stands still. */
  constructor(private readonly count: number) {
    super();
  }

  override onAdd(map: L.Map): this {
    this.map = map;
    this.sheets = Array.from({ length: this.count }, () => {
      const sheet = L.DomUtil.create("canvas", "leaflet-zoom-animated", this.getPane());
      sheet.style.pointerEvents = "none";
      return sheet;
    });
    map.on("moveend viewreset resize", this.reset, this);
    map.on("zoom", this.followZoom, this);
    map.on("zoomanim", this.followAnimation, this);
    this.reset();
    return this;
  }

  override onRemove(map: L.Map): this {
    map.off("moveend viewreset resize", this.reset, this);
    map.off("zoom", this.followZoom, this);
    map.off("zoomanim", this.followAnimation, this);
    for (const sheet of this.sheets) sheet.remove();
    return this;
  }

  /** Draw everything; called when the view rests. */
  protected draw(): void {}

  /** A cleared pen for canvas `index`, in CSS pixels of the canvas. */
  protected pen(index: number): CanvasRenderingContext2D {
    const sheet = this.sheets[index];
    const pen = sheet?.getContext("2d");
    if (!sheet || !pen) throw new Error(`no canvas ${index}`);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, sheet.width, sheet.height);
    pen.scale(this.pixelRatio, this.pixelRatio);
    return pen;
  }

  /** Where a place lies on the canvases. */
  protected toPoint = (at: L.LatLng): L.Point => this.map.latLngToLayerPoint(at).subtract(this.corner);

  protected bounds(): L.LatLngBounds {
    return this.map.getBounds().pad(MARGIN);
  }

  private reset(): void {
    const view = this.map.getSize();
    const size = view.multiplyBy(1 + 2 * MARGIN).round();
    this.pixelRatio = Math.min(window.devicePixelRatio || 1, 2);
    this.corner = this.map.containerPointToLayerPoint(view.multiplyBy(-MARGIN)).round();
    this.drawnCentre = this.map.getCenter();
    this.drawnZoom = this.map.getZoom();
    for (const sheet of this.sheets) {
      sheet.width = size.x * this.pixelRatio;
      sheet.height = size.y * this.pixelRatio;
      sheet.style.width = `${size.x}px`;
      sheet.style.height = `${size.y}px`;
      L.DomUtil.setTransform(sheet, this.corner, 1);
      L.DomUtil.setPosition(sheet, this.corner);
    }
    this.draw();
  }

  private followAnimation(event: L.LeafletEvent): void {
    const { center, zoom } = event as L.ZoomAnimEvent;
    this.place(center, zoom);
  }

  private followZoom(): void {
    this.place(this.map.getCenter(), this.map.getZoom());
  }

  /** Scale what is drawn to where it will lie at another centre and zoom. */
  private place(centre: L.LatLng, zoom: number): void {
    const scale = this.map.getZoomScale(zoom, this.drawnZoom);
    const viewHalf = this.map.getSize().multiplyBy(0.5);
    const panned = L.DomUtil.getPosition(this.map.getPane("mapPane")!);
    const origin = this.map.project(centre, zoom).subtract(viewHalf).add(panned).round();
    const offset = viewHalf.multiplyBy(1 + 2 * MARGIN).multiplyBy(-scale)
      .add(this.map.project(this.drawnCentre, zoom)).subtract(origin);
    for (const sheet of this.sheets) L.DomUtil.setTransform(sheet, offset, scale);
  }
}
