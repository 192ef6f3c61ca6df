// Commands for many poles: ask, see how far each has come, take back, once more.
import "./base";
import { BatchCard } from "./commands/card";
import { wireForm } from "./commands/form";
import { get } from "./lib/api";
import { need } from "./lib/dom";
import { follow } from "./lib/live";
import type { Batch, BatchList } from "./commands/types";

const place = need("batches");
const commune = need("many").dataset["commune"] ?? "";
const mayCommand = need("many").dataset["mayCommand"] !== undefined;
const cards = new Map<string, BatchCard>();

function take(batch: Batch, open = false): void {
  const known = cards.get(batch.id);
  if (known) {
    known.update(batch);
    if (open) known.show();
    return;
  }
  const card = new BatchCard(batch, { mayCommand, onNew: (made) => take(made, true) });
  cards.set(batch.id, card);
  const older = [...place.children].find((other) => issuedAt(other) < batch.issued_at);
  place.insertBefore(card.element, older ?? null);
  need("none").hidden = true;
  if (open) card.show();
}

function issuedAt(element: Element): string {
  return cards.get((element as HTMLElement).dataset["id"] ?? "")?.issuedAt ?? "";
}

async function read(): Promise<number> {
  const found = await get<BatchList>(`/api/v1/command-batches?limit=30&commune=${encodeURIComponent(commune)}`);
  // Oldest first, so that each finds its place above those that are already there.
  const first = cards.size === 0;
  for (const batch of found.items.reverse()) take(batch);
  const newest = found.items.at(-1);
  if (first && newest) cards.get(newest.id)?.open();
  need("none").hidden = cards.size > 0;
  return found.revision;
}

wireForm(commune, (made) => take(made, true));
follow({ read, batch: (batch) => concernsUs(batch) && take(batch) });

function concernsUs(batch: Batch): boolean {
  return batch.scope.commune === null || batch.scope.commune === commune;
}
