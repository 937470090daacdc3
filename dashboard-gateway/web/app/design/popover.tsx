import { type ReactNode, useEffect, useRef } from "react";
import { useEscape } from "../app/keys.ts";

interface PopoverProps {
  open: boolean;
  onClose: () => void;
  label: string;
  align?: "start" | "end";
  children: ReactNode;
}

/** Opens under the element it stands in (which must be `position: relative`); a press outside or `Esc` closes it. */
export function Popover({ open, onClose, label, align = "start", children }: PopoverProps) {
  const ref = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useEscape(open, () => {
    const opener = ref.current?.parentElement?.querySelector<HTMLElement>("[aria-expanded]");
    onClose();
    opener?.focus();
  });
  useEffect(() => {
    if (!open) return;
    const onPress = (event: PointerEvent) => {
      const around = ref.current?.parentElement;
      if (event.target instanceof Node && !around?.contains(event.target)) close.current();
    };
    document.addEventListener("pointerdown", onPress);
    return () => document.removeEventListener("pointerdown", onPress);
  }, [open]);
  if (!open) return null;
  return (
    <div ref={ref} className={`popover popover-${align}`} role="dialog" aria-label={label}>
      {children}
    </div>
  );
}
