// How numbers, money and times are written. Times are shown in Vietnam's time wherever the reader sits.
import { language } from "./i18n";

export const TIME_ZONE = "Asia/Ho_Chi_Minh";
const locale = language === "en" ? "en-GB" : "vi-VN";
const none = "–";

const clock = new Intl.DateTimeFormat(locale, {
  timeZone: TIME_ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
const clockSeconds = new Intl.DateTimeFormat(locale, {
  timeZone: TIME_ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(locale, { timeZone: TIME_ZONE, day: "2-digit", month: "2-digit", year: "numeric" });

/** 497130000 → "497.130.000 đ", in English "497,130,000 đ". */
export function vnd(amount: number): string {
  return `${decimal(Math.trunc(amount), 0)} đ`;
}

export function watts(value: number | null): string {
  return value === null ? none : `${decimal(value, value < 10 ? 1 : 0)} W`;
}

export function volts(value: number | null, digits = 0): string {
  return value === null ? none : `${decimal(value, digits)} V`;
}

export function percent(share: number | null): string {
  return share === null ? none : `${Math.round(share * 100)} %`;
}

/** 12.5 with one digit → "12,5", in English "12.5". */
export function decimal(value: number, digits: number): string {
  return value.toLocaleString(locale, { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** A number without a unit: 0.05 → "0,05". */
export function plain(value: number): string {
  return value.toLocaleString(locale, { maximumFractionDigits: 3 });
}

export function hours(seconds: number): string {
  return unit("hour", seconds / 3600, seconds < 36_000 ? 1 : 0);
}

export function kilowattHours(wattHours: number): string {
  return `${decimal(wattHours / 1000, wattHours < 100_000 ? 1 : 0)} kWh`;
}

export function celsius(value: number): string {
  return `${decimal(value, 0)} °C`;
}

/** 40 → "40 giây", 5400 → "1,5 giờ": the largest unit that keeps the number readable. */
export function span(seconds: number): string {
  if (seconds < 120 && seconds !== 60) return unit("second", seconds, 0);
  if (seconds < 7200 && seconds !== 3600) return unit("minute", seconds / 60, seconds % 60 === 0 ? 0 : 1);
  if (seconds < 172_800) return unit("hour", seconds / 3600, seconds % 3600 === 0 ? 0 : 1);
  return unit("day", seconds / 86_400, 0);
}

function unit(name: "second" | "minute" | "hour" | "day", value: number, digits: number): string {
  return new Intl.NumberFormat(locale, {
    style: "unit", unit: name, unitDisplay: "long", maximumFractionDigits: digits,
  }).format(value);
}

export function timeOfDay(at: string | Date): string {
  return clock.format(new Date(at));
}

export function timeWithSeconds(at: string | Date): string {
  return clockSeconds.format(new Date(at));
}

/** "20:31" today, "21/11/2026 20:31" on any other day. */
export function moment(at: string | null, now: Date = new Date()): string {
  if (at === null) return none;
  const date = new Date(at);
  return day.format(date) === day.format(now) ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
}

/** The value a datetime-local field shows for `at`, in Vietnam's time. */
export function fieldTime(at: Date): string {
  return new Date(at.getTime() + VIETNAM_OFFSET_MS).toISOString().slice(0, 16);
}

/** What stands in a datetime-local field, read as Vietnam's time. Null for an empty or half-typed field. */
export function timeOfField(value: string): Date | null {
  const at = new Date(`${value}:00+07:00`);
  return Number.isNaN(at.getTime()) ? null : at;
}

const wordsOfDay = new Intl.DateTimeFormat(locale, {
  timeZone: TIME_ZONE, weekday: "long", day: "2-digit", month: "2-digit", year: "numeric",
});

/** The value of a date or datetime-local field as "Thứ Bảy, 28/11/2026 10:00"; empty for none. */
export function inWords(value: string): string {
  const at = timeOfField(value.includes("T") ? value.slice(0, 16) : `${value}T00:00`);
  if (value === "" || at === null) return "";
  const written = wordsOfDay.format(at);
  return value.includes("T") ? `${written} ${clock.format(at)}` : written;
}

// Vietnam has kept UTC+7 without summer time since 1975.
const VIETNAM_OFFSET_MS = 7 * 3600 * 1000;
