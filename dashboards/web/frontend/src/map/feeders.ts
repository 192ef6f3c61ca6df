// Where a feeder's line probably runs. The registry knows which poles hang on a feeder, not the order of
// the wire; the shortest tree over the poles follows the road they stand along.
import type { PoleSummary } from "../lib/types";

export type Span = readonly [a: string, b: string];

/** Pairs of pole codes to join by a line, for every feeder. */
export function spans(poles: readonly PoleSummary[]): Span[] {
  const byFeeder = new Map<string, PoleSummary[]>();
  for (const pole of poles) {
    if (pole.feeder === "") continue;
    const members = byFeeder.get(pole.feeder);
    if (members) members.push(pole);
    else byFeeder.set(pole.feeder, [pole]);
  }
  return [...byFeeder.values()].flatMap(shortestTree);
}

/** Prim's algorithm: grow the tree by the nearest pole not yet in it. */
function shortestTree(poles: readonly PoleSummary[]): Span[] {
  const [first, ...rest] = poles;
  if (!first) return [];
  const waiting = new Map(rest.map((pole) => [pole, { nearest: first, gap: squaredGap(first, pole) }]));
  const tree: Span[] = [];
  while (waiting.size > 0) {
    let next: PoleSummary | null = null;
    let best = Infinity;
    for (const [pole, { gap }] of waiting) {
      if (gap < best || next === null) [next, best] = [pole, gap];
    }
    const joined = next!;
    tree.push([waiting.get(joined)!.nearest.code, joined.code]);
    waiting.delete(joined);
    for (const [pole, link] of waiting) {
      const gap = squaredGap(joined, pole);
      if (gap < link.gap) waiting.set(pole, { nearest: joined, gap });
    }
  }
  return tree;
}

function squaredGap(a: PoleSummary, b: PoleSummary): number {
  const east = (a.longitude - b.longitude) * Math.cos((a.latitude * Math.PI) / 180);
  const north = a.latitude - b.latitude;
  return east * east + north * north;
}
