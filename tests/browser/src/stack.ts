// One yc-observability process on ports of its own and a data directory of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const BINARY = process.env.YC_OBSERVABILITY ?? join(ROOT, "target/ci/yc-observability");
const PORTS = [3001, 4317, 4318, 8081, 8082, 8888, 13133, 16686, 17281, 17282];
const READY_WITHIN_MS = 30_000;

export interface Stack {
  readonly otlp: string;
  readonly query: string;
  readonly gateway: string;
  stop(): Promise<void>;
}

/** Whether every port is free at an offset; all lie below the range that the kernel hands out by itself. */
async function free(offset: number): Promise<boolean> {
  for (const port of PORTS) {
    const server = createServer();
    const taken = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(true));
      server.listen(port + offset, "127.0.0.1", () => resolve(false));
    });
    if (taken) return false;
    server.close();
    await once(server, "close");
  }
  return true;
}

async function freeOffset(): Promise<number> {
  for (let n = 0; n < 200; n++) {
    const offset = 300 + ((process.pid * 37 + n * 53) % 14_000);
    if (await free(offset)) return offset;
  }
  throw new Error("no free range of ports");
}

/** Starts the all-in-one and waits until it takes writes and serves the app. */
export async function startStack(): Promise<Stack> {
  const offset = await freeOffset();
  const data = await mkdtemp(join(tmpdir(), "yc-browser-"));
  const child = spawn(BINARY, ["--port-offset", String(offset), "--data-dir", data], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-20_000);
    });
  }
  const url = (port: number) => `http://127.0.0.1:${port + offset}`;
  const ready = [`${url(17282)}/ready/write`, `${url(16686)}/api/services`, `${url(3001)}/api/health`, `${url(13133)}/`];
  await until(child, ready, () => said);
  return {
    otlp: url(4318),
    query: url(16686),
    gateway: url(3001),
    async stop() {
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      await rm(data, { recursive: true, force: true });
    },
  };
}

async function until(child: ChildProcess, urls: readonly string[], said: () => string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (const url of urls) {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`yc-observability ended with ${child.exitCode}:\n${said()}`);
      if (Date.now() > deadline) throw new Error(`${url} did not answer in ${READY_WITHIN_MS} ms:\n${said()}`);
      try {
        if ((await fetch(url)).ok) break;
      } catch {
        // not listening yet
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
