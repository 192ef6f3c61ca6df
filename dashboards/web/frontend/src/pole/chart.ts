// Power and voltage of the last 24 hours; a warm strip shows when the lamp was switched on.
import uPlot from "uplot";
import { decimal, plain, TIME_ZONE } from "../lib/format";
import { t } from "../lib/i18n";
import type { PoleSummary, Series } from "../lib/types";

const DAY_S = 24 * 3600;
const HEIGHT = 280;
const STRIP_PX = 5;

type Column = (number | null)[];

export class PowerChart {
  private time: number[] = [];
  private power: Column = [];
  private voltage: Column = [];
  private level: Column = [];
  private plot: uPlot | null = null;

  constructor(private readonly place: HTMLElement) {
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(place);
  }

  show(series: Series): void {
    this.time = [...series.columns.time];
    this.power = [...series.columns.power_w];
    this.voltage = [...series.columns.voltage_v];
    this.level = [...series.columns.level];
    this.draw();
  }

  /** Put a live reading at the end. Readings that are already there, or older, change nothing. */
  append(pole: PoleSummary): void {
    if (pole.sample_at === null) return;
    const at = new Date(pole.sample_at).getTime() / 1000;
    if (at <= (this.time.at(-1) ?? 0)) return;
    this.time.push(at);
    this.power.push(pole.power_w);
    this.voltage.push(pole.voltage_v);
    this.level.push(pole.level);
    while ((this.time[0] ?? at) < at - DAY_S) for (const column of this.columns()) column.shift();
    if (this.plot) this.plot.setData(this.data());
    else this.draw();
  }

  /** Draw anew in the colours of the present theme. */
  draw(): void {
    this.plot?.destroy();
    this.plot = null;
    this.place.replaceChildren();
    if (this.time.length === 0) {
      this.place.textContent = t("chart.empty");
      return;
    }
    this.plot = new uPlot(this.options(), this.data(), this.place);
  }

  private columns(): (number | null)[][] {
    return [this.time, this.power, this.voltage, this.level];
  }

  private data(): uPlot.AlignedData {
    return [this.time, this.power, this.voltage];
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(this.place.clientWidth, 200), height: HEIGHT };
  }

  private options(): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const narrow = this.place.clientWidth < 520;
    const axis = {
      stroke: colour("--muted"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { stroke: colour("--line"), width: 1 },
      font: '12px "Be Vietnam Pro", system-ui, sans-serif',
    };
    const number = (digits: number) => (_: uPlot, value: number | null): string =>
      value === null ? "–" : decimal(value, digits);
    return {
      ...this.size(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), TIME_ZONE),
      cursor: { drag: { x: true, y: false } },
      scales: {
        W: { range: (_, __, high) => [0, Math.max(10, (high ?? 0) * 1.12)] },
        V: { range: (_, low, high) => [Math.min(180, low ?? 180), Math.max(260, high ?? 260)] },
      },
      axes: [
        { ...axis, space: narrow ? 70 : 56, values: [[3600, "{HH}:{mm}", null, null, null, null, null, null, 0], [60, "{HH}:{mm}", null, null, null, null, null, null, 0], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 0]] },
        { ...axis, scale: "W", size: 48, values: (_, ticks) => ticks.map((tick) => `${plain(tick)} W`) },
        { ...axis, scale: "V", side: 1, size: 52, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => `${plain(tick)} V`) },
      ],
      series: [
        { label: t("chart.time"), value: "{HH}:{mm} {DD}/{MM}" },
        { label: t("chart.power"), scale: "W", stroke: colour("--chart-power"), width: 2, fill: colour("--chart-power-fill"), value: number(1), points: { show: false } },
        { label: t("chart.voltage"), scale: "V", stroke: colour("--chart-voltage"), width: 1.4, value: number(0), points: { show: false } },
      ],
      hooks: { draw: [(plot) => this.stripLit(plot, colour("--lit"))] },
    };
  }

  /** Along the upper edge: the spans in which the output was driven. */
  private stripLit(plot: uPlot, colour: string): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = colour;
    for (let from = 0; from < this.time.length; from += 1) {
      if (!(this.level[from] ?? 0)) continue;
      let to = from;
      while (to + 1 < this.time.length && (this.level[to + 1] ?? 0) > 0) to += 1;
      const left = Math.max(bbox.left, plot.valToPos(this.time[from]!, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(this.time[to]!, "x", true));
      if (right > left) ctx.fillRect(left, bbox.top, right - left, STRIP_PX * devicePixelRatio);
      from = to;
    }
    ctx.restore();
  }
}
