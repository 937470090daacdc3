// Attributes as a list: key, value, type; on hover or focus copy, find in this trace, find traces with it.
import { useState } from "react";
import { Link } from "../../app/link.tsx";
import { MaybeLink, Text } from "../../design/text.tsx";
import { type Attribute, duplicateKeys, innerJson, valueText } from "../../trace/details.ts";
import type { ResolvedLink } from "../../trace/link-patterns.ts";

interface Props {
  attributes: readonly Attribute[];
  /** Service for "find traces with this". */
  service: string;
  onFind: (text: string) => void;
  linksOf?: (key: string) => readonly ResolvedLink[];
}

/** Prefixes that say most about a span come first; the rest keeps its order. */
const FIRST = ["error", "exception.", "http.", "url.", "rpc.", "db.", "messaging.", "gen_ai."];

export function sorted(attributes: readonly Attribute[]): Attribute[] {
  const rank = (key: string) => {
    const at = FIRST.findIndex((prefix) => key.startsWith(prefix));
    return at < 0 ? FIRST.length : at;
  };
  return [...attributes].sort((a, b) => rank(a.key) - rank(b.key));
}

export function Attributes({ attributes, service, onFind, linksOf }: Props) {
  const twice = duplicateKeys(attributes);
  return (
    <>
      {twice.length > 0 && (
        <div className="warn">
          {twice.length === 1 ? "A key stands" : `${twice.length} keys stand`} twice:{" "}
          <Text value={twice.slice(0, 3).join(", ")} />
        </div>
      )}
      <dl className="attributes">
        {attributes.map((attribute, index) => (
          <One
            // biome-ignore lint/suspicious/noArrayIndexKey: keys may repeat, the list never changes
            key={index}
            attribute={attribute}
            service={service}
            onFind={onFind}
            links={linksOf?.(attribute.key) ?? []}
          />
        ))}
      </dl>
    </>
  );
}

interface OneProps {
  attribute: Attribute;
  service: string;
  onFind: (text: string) => void;
  links: readonly ResolvedLink[];
}

const LONG = 400;

function One({ attribute, service, onFind, links }: OneProps) {
  const [copied, setCopied] = useState(false);
  const [pretty, setPretty] = useState(false);
  const text = valueText(attribute);
  const json =
    attribute.type === "string"
      ? innerJson(text)
      : attribute.type === "array" || attribute.type === "kvlist"
        ? innerJson(text)
        : null;
  const shown = pretty && json !== null ? json : text;
  const copy = () => {
    void navigator.clipboard?.writeText(text).then(() => setCopied(true));
  };
  return (
    <div className="attribute">
      <dt>
        <Text value={attribute.key} />
      </dt>
      <dd className={shown.length > LONG || pretty ? "attribute-long" : undefined}>
        <MaybeLink value={shown} full />
        {attribute.type !== "string" && <span className="attribute-type">{attribute.type}</span>}
        {links.map((link) => (
          <a key={link.href} className="link attribute-type" href={link.href} target="_blank" rel="noopener noreferrer">
            <Text value={link.text} />
          </a>
        ))}
      </dd>
      <div className="attribute-acts">
        <button type="button" onClick={copy} aria-label={`Copy the value of ${attribute.key}`}>
          {copied ? "copied" : "copy"}
        </button>
        {json !== null && (
          <button type="button" aria-pressed={pretty} onClick={() => setPretty(!pretty)}>
            JSON
          </button>
        )}
        <button type="button" onClick={() => onFind(`"${attribute.key}=${text.replaceAll('"', "").slice(0, 200)}"`)}>
          find
        </button>
        {text !== "" && text.length <= 500 && (
          <Link to="/search" params={{ service, tags: JSON.stringify({ [attribute.key]: text }) }} className="">
            traces
          </Link>
        )}
      </div>
    </div>
  );
}
