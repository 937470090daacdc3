// The few icons that need no word: find, refresh, theme, close, copy, sign of the product. Each stands in a labelled control.

const box = {
  width: 14,
  height: 14,
  viewBox: "0 0 16 16",
  fill: "none",
  stroke: "currentColor",
  "aria-hidden": true,
} as const;

export const MarkIcon = () => (
  <svg width="16" height="16" viewBox="0 0 16 16" fill="currentColor" aria-hidden="true">
    <path d="M0 2h16v3H0zM3 7h8v3H3zM8 12h8v3H8z" />
  </svg>
);

export const FindIcon = () => (
  <svg {...box} strokeWidth="1.5">
    <circle cx="6.5" cy="6.5" r="4.5" />
    <path d="m10 10 4.5 4.5" />
  </svg>
);

export const RefreshIcon = () => (
  <svg {...box} strokeWidth="1.6">
    <path d="M13.5 8A5.5 5.5 0 1 1 11.6 3.8" />
    <path d="M12 .8v3.4H8.6" />
  </svg>
);

export const ThemeIcon = () => (
  <svg {...box} strokeWidth="1.4">
    <circle cx="8" cy="8" r="3" />
    <path d="M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.4M11.6 11.6 13 13M13 3l-1.4 1.4M4.4 11.6 3 13" />
  </svg>
);

export const CloseIcon = () => (
  <svg {...box} strokeWidth="1.6">
    <path d="m3 3 10 10M13 3 3 13" />
  </svg>
);

export const CopyIcon = () => (
  <svg {...box} strokeWidth="1.4">
    <path d="M5.5 5.5h8v8h-8z" />
    <path d="M10.5 5.5v-3h-8v8h3" />
  </svg>
);
