// Trace ids as people paste them: 32 or fewer hex digits, with dashes or `0x`, standard or URL base64.

/** The id as 32 hex digits, or null if the text is none. */
export function traceIdOf(text: string): string | null {
  const trimmed = text.trim();
  const hex = trimmed.replace(/^0x/i, "").replace(/-/g, "").toLowerCase();
  if (/^[0-9a-f]{12,32}$/.test(hex) && /[1-9a-f]/.test(hex)) return hex.padStart(32, "0");
  if (/^[A-Za-z0-9+/_-]{22}(==)?$/.test(trimmed)) {
    const bytes = atob(trimmed.replace(/=+$/, "").replace(/-/g, "+").replace(/_/g, "/"));
    return [...bytes].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  }
  return null;
}
