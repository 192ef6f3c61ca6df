// How many incidents are open, in the menu: counted anew when one changes, and now and then on pages without news.
import { ApiError, get } from "../lib/api";
import { chosenCommune } from "./commune";
import { setText } from "../lib/dom";

const EVERY_MS = 60_000;
const CALM_MS = 700;
const MOST = 999;
let waiting: number | undefined;

export function wireBadge(): void {
  if (document.querySelector("[data-badge]") === null) return;
  window.setInterval(() => document.hidden || recount(), EVERY_MS);
}

/** Count again, soon: many changes at once are one count. */
export function recount(): void {
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => void count(), CALM_MS);
}

async function count(): Promise<void> {
  const commune = chosenCommune();
  const asked = commune === null ? "" : `?${new URLSearchParams({ commune })}`;
  try {
    show((await get<{ open: number }>(`/api/v1/incidents/count${asked}`)).open);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // the page itself tells when the server is away
  }
}

function show(open: number): void {
  for (const badge of document.querySelectorAll<HTMLElement>("[data-badge]")) {
    badge.hidden = open === 0;
    setText(badge.querySelector("[data-count]")!, open > MOST ? `${MOST}+` : String(open));
  }
}
