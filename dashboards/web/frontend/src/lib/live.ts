// Reading a page's data and following what changes (server-sent events), and what the person sees when
// either breaks. The data names the revision it is true for; the stream starts there, so nothing is missed.
import { ApiError } from "./api";
import { recount } from "../frame/badge";
import { need, setText } from "./dom";
import { t } from "./i18n";
import { whenReleased } from "./press";
import type { Command, Incident, PoleSummary, Summary } from "./types";
import type { Batch } from "../commands/types";

export type Connection = "connecting" | "live" | "lost" | "signed_out";

export interface Page {
  /** Read and show everything; returns the revision it is true for. */
  read: () => Promise<number>;
  pole?: (pole: PoleSummary) => void;
  incident?: (incident: Incident) => void;
  command?: (command: Command) => void;
  batch?: (batch: Batch) => void;
  summary?: (summary: Summary) => void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;

/** Read, then follow, until the page goes. */
export function follow(page: Page): void {
  let pause = FIRST_PAUSE_MS;
  let source: EventSource | null = null;

  const start = async (): Promise<void> => {
    let revision: number;
    try {
      revision = await page.read();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      tell(error.message);
      if (error.status === 401) show("signed_out");
      else later();
      return;
    }
    tell(null);
    open(revision);
  };

  const open = (revision: number): void => {
    const stream = new EventSource(`/api/v1/events?since=${revision}`);
    source = stream;
    listen(stream, page);
    stream.onopen = () => {
      pause = FIRST_PAUSE_MS;
      show("live");
    };
    stream.onerror = () => {
      show("lost");
      // The browser comes back by itself and names the last event it saw; only when the server answered
      // with an error does it give up. Then all is read anew.
      if (stream.readyState !== EventSource.CLOSED) return;
      stream.close();
      later();
    };
  };

  const later = (): void => {
    show("lost");
    window.setTimeout(() => void start(), pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  };

  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => {
    // Out of the browser's back-forward cache: what is shown may be hours old.
    if (event.persisted) void start();
  });
  void start();
}

function listen(stream: EventSource, page: Page): void {
  const on = <T>(name: string, handle: ((value: T) => void) | undefined): void => {
    if (!handle) return;
    stream.addEventListener(name, (event: MessageEvent<string>) => {
      const value = JSON.parse(event.data) as T;
      whenReleased(() => handle(value));
    });
  };
  on("pole", page.pole);
  on<Incident>("incident", (incident) => {
    recount();
    page.incident?.(incident);
  });
  on("command", page.command);
  on("command_batch", page.batch);
  on("summary", page.summary);
}

function show(state: Connection): void {
  const place = need("connection");
  if (place.dataset["state"] === state) return;
  place.dataset["state"] = state;
  const text = place.querySelector("[data-text]");
  if (text) setText(text, t(`connection.${state}`));
}

function tell(trouble: string | null): void {
  const place = need("trouble");
  setText(place, trouble ?? "");
  place.hidden = trouble === null;
}
