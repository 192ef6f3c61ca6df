// Which poles the person wants to see: by state (legend) and by words (search). List and map share it.
import type { LampState, PoleSummary } from "../lib/types";

export class Filter {
  private readonly states = new Set<LampState>();
  private words: string[] = [];
  private readonly listeners: (() => void)[] = [];

  toggle(state: LampState): void {
    if (!this.states.delete(state)) this.states.add(state);
    this.tell();
  }

  has(state: LampState): boolean {
    return this.states.has(state);
  }

  search(text: string): void {
    this.words = fold(text).split(/\s+/).filter((part) => part !== "");
    this.tell();
  }

  shows = (pole: PoleSummary): boolean => {
    if (this.states.size > 0 && !this.states.has(pole.state)) return false;
    if (this.words.length === 0) return true;
    const text = fold(`${pole.code} ${pole.place} ${pole.hamlet} ${pole.feeder}`);
    return this.words.every((part) => text.includes(part));
  };

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** "Đồng Chằm" → "dong cham": people search without marks. */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();
}
