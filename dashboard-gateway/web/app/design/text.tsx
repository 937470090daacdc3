import { cutMiddle, pieces, safeLink, visible } from "./hostile.ts";
import "./text.css";

interface TextProps {
  /** Anything that telemetry, a user or a URL brought. */
  value: string;
  /** Show all of it, lines kept (panels); without it the middle of a long text is cut. */
  full?: boolean;
}

/** The only way a text from outside gets onto the screen: a text node, isolated, with every acting character written out. */
export function Text({ value, full = false }: TextProps) {
  if (value === "") return <span className="text-empty">(empty)</span>;
  const shown = full ? value : cutMiddle(value);
  const parts = pieces(shown, full);
  const only = parts.length === 1 ? parts[0] : undefined;
  return (
    <bdi className={full ? "text-full" : undefined} title={shown === value ? undefined : visible(value.slice(0, 2000))}>
      {only?.kind === "plain"
        ? only.text
        : parts.map((piece, index) =>
            piece.kind === "plain" ? (
              piece.text
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity of their own
              <span key={index} className="text-mark">
                {piece.text}
              </span>
            ),
          )}
    </bdi>
  );
}

/** A value that may be a link: opened in a new tab without referrer, its host named; anything else is plain text. */
export function MaybeLink({ value, full = false }: TextProps) {
  const link = safeLink(value);
  if (link === null) return <Text value={value} full={full} />;
  return (
    <a
      className="link"
      href={link.href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      title={`opens ${link.host}`}
    >
      <Text value={value} full={full} />
    </a>
  );
}
