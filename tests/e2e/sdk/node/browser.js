// browser.js ENDPOINT TRACES: a page of another origin sends spans with the real web exporter from headless Chromium;
// prints what it sent and which preflights the browser made.
import { createServer } from "node:http";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const [endpoint, traces] = process.argv.slice(2);
const bundle = await build({ entryPoints: ["page.js"], bundle: true, write: false, format: "iife", target: "es2022" });
const server = createServer((request, response) => {
  const script = request.url === "/page.js";
  response.setHeader("content-type", script ? "text/javascript" : "text/html");
  response.end(script ? bundle.outputFiles[0].text : "<!doctype html><title>e2e</title><script src=/page.js></script>");
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage();
  const devtools = await page.context().newCDPSession(page);
  const preflights = [];
  devtools.on("Network.responseReceived", ({ type, response }) => {
    if (type === "Preflight") preflights.push({ url: response.url, status: response.status });
  });
  await devtools.send("Network.enable");
  await page.goto(`http://localhost:${server.address().port}/`);
  const report = await page.evaluate(([url, n]) => globalThis.sendSpans(url, n), [endpoint, Number(traces)]);
  process.stdout.write(JSON.stringify({ ...report, preflights }));
} finally {
  await browser.close();
  server.close();
}
