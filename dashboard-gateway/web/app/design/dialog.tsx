import { type ReactNode, useEffect, useRef } from "react";
import { Button } from "./controls.tsx";

interface DialogProps {
  label: string;
  onClose: () => void;
  children: ReactNode;
  /** Without a head of its own (the palette). */
  bare?: boolean;
}

/** A modal on the browser's own <dialog>: focus stays inside and goes back afterwards, `Esc` closes. */
export function Dialog({ label, onClose, children, bare = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside the dialog closes it; Esc does the same
    <dialog
      ref={ref}
      className={bare ? "dialog dialog-bare" : "dialog"}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div className="dialog-inside">
        {!bare && (
          <header className="dialog-head">
            <h2>{label}</h2>
            <Button look="quiet" onClick={onClose}>
              Close
            </Button>
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
