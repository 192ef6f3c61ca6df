// The poles as the page knows them, and who wants to hear of a change.
import type { LampState, PoleSummary } from "./types";
import { STATES } from "./types";

type Listener = (changed: ReadonlySet<string>) => void;

export class Poles {
  private readonly byCode = new Map<string, PoleSummary>();
  private readonly listeners: Listener[] = [];
  private pending = new Set<string>();
  private scheduled = false;

  /** Replace all, as read from the API. */
  reset(items: readonly PoleSummary[]): void {
    this.byCode.clear();
    for (const pole of items) {
      this.byCode.set(pole.code, pole);
      this.mark(pole.code);
    }
  }

  /** Take over one pole's news. Listeners hear of many changes at once, at most once per drawn frame. */
  update(pole: PoleSummary): void {
    this.byCode.set(pole.code, pole);
    this.mark(pole.code);
  }

  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  get(code: string): PoleSummary | undefined {
    return this.byCode.get(code);
  }

  all(): PoleSummary[] {
    return [...this.byCode.values()];
  }

  counts(): Record<LampState, number> {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<LampState, number>;
    for (const pole of this.byCode.values()) counts[pole.state] += 1;
    return counts;
  }

  private mark(code: string): void {
    this.pending.add(code);
    if (this.scheduled) return;
    this.scheduled = true;
    // A hidden tab draws no frames; a timer keeps the list true there too.
    const run = (): void => this.flush();
    if (document.hidden) window.setTimeout(run, 200);
    else window.requestAnimationFrame(run);
  }

  private flush(): void {
    this.scheduled = false;
    const changed = this.pending;
    this.pending = new Set();
    for (const listener of this.listeners) listener(changed);
  }
}
