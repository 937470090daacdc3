// Text that comes from telemetry is written by strangers. This module makes every character of it visible and harmless;
// it knows nothing of React. `Text` (text.tsx) is what pages use.

/** A piece of a text: `plain` is shown as it is, a `mark` stands for a character that cannot be seen or that would act. */
export interface Piece {
  readonly kind: "plain" | "mark";
  readonly text: string;
}

/** Names longer than this many code points are cut in the middle. */
export const CUT_AT = 200;
const HEAD = 130;
const TAIL = 60;
const MARKS_MAX = 4;

// C0, DEL, C1, soft hyphen, zero width and joiner controls, bidi marks, embeddings and isolates, line and paragraph
// separators, byte order mark, interlinear annotation, tag characters, lone surrogates. U+200D (joiner) stays: emoji need it.
const ACTING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]|\p{M}{5,}/gu;

function code(character: string): string {
  return `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** Splits a text into what may be shown as it is and marks for what may not. `keepLines` leaves tab and line feed alone. */
export function pieces(text: string, keepLines = false): Piece[] {
  const out: Piece[] = [];
  let plain = "";
  let at = 0;
  const mark = (label: string) => {
    if (plain !== "") out.push({ kind: "plain", text: plain });
    plain = "";
    out.push({ kind: "mark", text: label });
  };
  for (const hit of text.matchAll(ACTING)) {
    plain += text.slice(at, hit.index);
    at = hit.index + hit[0].length;
    if (keepLines && (hit[0] === "\n" || hit[0] === "\t")) plain += hit[0];
    else if (/^\p{M}/u.test(hit[0])) {
      const marks = [...hit[0]];
      plain += marks.slice(0, MARKS_MAX).join("");
      mark(`⟨+${marks.length - MARKS_MAX} marks⟩`);
    } else mark(code(hit[0]));
  }
  plain += text.slice(at);
  if (plain !== "") out.push({ kind: "plain", text: plain });
  return out;
}

/** The visible form as one string, for titles, labels, canvas and copied tables. */
export function visible(text: string): string {
  if (text === "") return "(empty)";
  return pieces(cutMiddle(text))
    .map((piece) => piece.text)
    .join("");
}

/** Cuts in the middle, so that both the beginning and the telling end of a name stay. */
export function cutMiddle(text: string, max = CUT_AT): string {
  if (text.length <= max) return text;
  const points = [...text];
  if (points.length <= max) return text;
  const head = Math.round((max * HEAD) / CUT_AT);
  const tail = Math.round((max * TAIL) / CUT_AT);
  return `${points.slice(0, head).join("")} … ${points.slice(-tail).join("")}`;
}

/** A link out of telemetry: only http and https, never with credentials in it; `host` is what the reader must see. */
export interface SafeLink {
  readonly href: string;
  readonly host: string;
}

export function safeLink(value: string): SafeLink | null {
  if (!/^https?:\/\//i.test(value) || value.length > 4096) return null;
  try {
    const url = new URL(value);
    if ((url.protocol !== "http:" && url.protocol !== "https:") || url.username !== "" || url.password !== "")
      return null;
    return { href: url.href, host: url.host };
  } catch {
    return null;
  }
}
