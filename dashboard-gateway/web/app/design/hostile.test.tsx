import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { cutMiddle, pieces, safeLink, visible } from "./hostile.ts";
import { MaybeLink, Text } from "./text.tsx";

test("characters that act on the text are written out", () => {
  expect(visible("photo\u202egnp.exe")).toBe("photo⟨U+202E⟩gnp.exe");
  expect(visible("a\u0000b\u200bc\ufeff")).toBe("a⟨U+0000⟩b⟨U+200B⟩c⟨U+FEFF⟩");
  expect(visible("tag\u{e0041}")).toBe("tag⟨U+E0041⟩");
  expect(visible("lone \ud800 surrogate")).toBe("lone ⟨U+D800⟩ surrogate");
  expect(visible("two\nlines")).toBe("two⟨U+000A⟩lines");
});

test("ordinary text of any script stays as it is", () => {
  for (const text of ["Zürich", "数据库", "עברית", "नमस्ते", "👩‍👩‍👧", "e\u0301"]) expect(visible(text)).toBe(text);
});

test("piles of combining marks are counted, not drawn", () => {
  expect(visible(`Z${"\u0301".repeat(40)}`)).toBe(`Z${"\u0301".repeat(4)}⟨+36 marks⟩`);
});

test("lines are kept only where a text is shown in full", () => {
  expect(pieces("a\nb", true)).toEqual([{ kind: "plain", text: "a\nb" }]);
});

test("long names are cut in the middle and keep their end", () => {
  const cut = cutMiddle(`${"a".repeat(500)}end`);
  expect([...cut].length).toBeLessThan(200);
  expect(cut.endsWith("aend")).toBe(true);
  expect(cutMiddle("😀".repeat(200))).toBe("😀".repeat(200));
});

test.each([
  ["https://example.org/x?y=1", "example.org"],
  ["HTTP://example.org", "example.org"],
  ["https://exаmple.org/", "xn--exmple-4nf.org"],
  ["javascript:alert(1)", null],
  ["data:text/html,<script>alert(1)</script>", null],
  [" https://example.org", null],
  ["https://user:secret@example.org", null],
  ["//example.org", null],
  ["https://", null],
])("%s may be followed to %s", (value, host) => expect(safeLink(value)?.host ?? null).toBe(host));

test("markup in a name is text, and names are isolated from their surroundings", () => {
  expect(renderToStaticMarkup(<Text value="<img src=x onerror=alert(1)>" />)).toBe(
    "<bdi>&lt;img src=x onerror=alert(1)&gt;</bdi>",
  );
  expect(renderToStaticMarkup(<Text value="" />)).toContain("(empty)");
  expect(renderToStaticMarkup(<MaybeLink value="javascript:alert(1)" />)).not.toContain("href");
});
