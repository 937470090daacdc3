import { useState } from "react";
import { CopyIcon } from "../app/icons.tsx";
import { Button } from "./controls.tsx";

interface CopyProps {
  value: string;
  /** What is copied, for assistive technology: "trace id". */
  what: string;
  /** With a word beside the icon. */
  word?: string;
}

/** Copies, and says so in its own place for a moment. */
export function Copy({ value, what, word }: CopyProps) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <Button
      look={word === undefined ? "quiet" : "plain"}
      className={word === undefined ? "copy button-icon" : "copy"}
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
      onClick={() => void copy()}
    >
      {word === undefined ? done ? "✓" : <CopyIcon /> : done ? "Copied" : word}
      <span className="visually-hidden" role="status">
        {done ? `${what} copied` : ""}
      </span>
    </Button>
  );
}
