// A wish always ends: the field for its end, and the buttons that fill it.
import { fieldTime } from "./format";
import { setField } from "./said_dates";

const DEFAULT_MINUTES = 120;
const MORNING_HOUR_UTC = 23; // 06:00 in Vietnam

/** Let the form's `[data-minutes]` and `[data-morning]` buttons set `until`, and start with two hours. */
export function wireEnds(form: HTMLFormElement, until: HTMLInputElement): void {
  const setEnd = (end: Date): void => setField(until, fieldTime(end));
  for (const quick of form.querySelectorAll<HTMLButtonElement>("[data-minutes]")) {
    quick.addEventListener("click", () => setEnd(inMinutes(Number(quick.dataset["minutes"]))));
  }
  form.querySelector("[data-morning]")?.addEventListener("click", () => setEnd(nextMorning(new Date())));
  setEnd(inMinutes(DEFAULT_MINUTES));
}

function inMinutes(minutes: number): Date {
  return new Date(Date.now() + minutes * 60_000);
}

function nextMorning(now: Date): Date {
  const morning = new Date(now);
  morning.setUTCHours(MORNING_HOUR_UTC, 0, 0, 0);
  if (morning <= now) morning.setUTCDate(morning.getUTCDate() + 1);
  return morning;
}
