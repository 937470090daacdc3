// Points in time. Outside they are decimal strings of nanoseconds; inside the app numbers of milliseconds (exact to 0.25 µs).

/** How times are written: in UTC, or in the zone of the browser. */
export type Zone = "utc" | "browser";

export function msOfNanos(nanos: string): number {
  return Number(nanos) / 1e6;
}

/** The nanosecond string of a whole millisecond. */
export function nanosOfMs(ms: number): string {
  return ms <= 0 ? "0" : `${Math.round(ms)}000000`;
}

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly milli: number;
}

function parts(ms: number, zone: Zone): Parts {
  const date = new Date(ms);
  if (zone === "utc") {
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth(),
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      milli: date.getUTCMilliseconds(),
    };
  }
  return {
    year: date.getFullYear(),
    month: date.getMonth(),
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
    milli: date.getMilliseconds(),
  };
}

const two = (value: number) => value.toString().padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `02:47` */
export function clockMinute(ms: number, zone: Zone): string {
  const at = parts(ms, zone);
  return `${two(at.hour)}:${two(at.minute)}`;
}

/** `02:47:09` */
export function clockSecond(ms: number, zone: Zone): string {
  return `${clockMinute(ms, zone)}:${two(parts(ms, zone).second)}`;
}

/** `02:47:09.412` */
export function clockMilli(ms: number, zone: Zone): string {
  return `${clockSecond(ms, zone)}.${parts(ms, zone).milli.toString().padStart(3, "0")}`;
}

/** `8 Nov` */
export function day(ms: number, zone: Zone): string {
  const at = parts(ms, zone);
  return `${at.day} ${MONTHS[at.month] ?? ""}`;
}

/** `8 Nov 04:10`; the year is said when it is not this one. */
export function dayMinute(ms: number, zone: Zone, nowMs = Date.now()): string {
  const year = parts(ms, zone).year;
  return `${day(ms, zone)}${year === parts(nowMs, zone).year ? "" : ` ${year}`} ${clockMinute(ms, zone)}`;
}

/** `8 Nov 04:10–05:10`; the second day only when it is another one. */
export function fromTo(startMs: number, endMs: number, zone: Zone): string {
  const same = day(startMs, zone) === day(endMs, zone);
  return `${dayMinute(startMs, zone)}–${same ? clockMinute(endMs, zone) : dayMinute(endMs, zone)}`;
}

/** `2026-11-08 04:10:00`, which the range editor also reads back. */
export function iso(ms: number, zone: Zone): string {
  const at = parts(ms, zone);
  return `${at.year}-${two(at.month + 1)}-${two(at.day)} ${two(at.hour)}:${two(at.minute)}:${two(at.second)}`;
}

/** Reads `2026-11-08`, `2026-11-08 04:10`, `2026-11-08T04:10:09.5Z`; without a zone it is read in the given one. */
export function parseIso(text: string, zone: Zone): number | null {
  const hit = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text.trim());
  if (hit === null) return null;
  const [, year, month, date, hour = "00", minute = "00", second = "00", fraction = "", offset = ""] = hit;
  const written = `${year}-${month}-${date}T${hour}:${minute}:${second}${fraction}${offset === "" && zone === "utc" ? "Z" : offset}`;
  const ms = Date.parse(written);
  return Number.isNaN(ms) ? null : ms;
}

/** `UTC`, or the browser's offset: `UTC+02:00`. */
export function zoneName(zone: Zone, ms = Date.now()): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  if (zone === "utc" || minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** `3 s ago`, `6 min ago`, `2 h ago`, `4 d ago` */
export function ago(ms: number, nowMs: number): string {
  return `${span(Math.max(0, nowMs - ms))} ago`;
}

/** A coarse length of time: `3 s`, `6 min`, `2 h`, `4 d` */
export function span(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 3570) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
