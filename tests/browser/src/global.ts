// What all files share: one stack with the platform's data in it. Handed on through vitest's `provide`.
import type { TestProject } from "vitest/node";
import { send } from "./otlp.ts";
import { platform } from "./platform.ts";
import { type Stack, startStack } from "./stack.ts";

declare module "vitest" {
  interface ProvidedContext {
    urls: { otlp: string; query: string; gateway: string };
    traces: { failed: string; fine: string };
  }
}

let stack: Stack | null = null;

export async function setup(project: TestProject): Promise<void> {
  stack = await startStack();
  const { spans, failed, fine } = platform(Date.now());
  await send(stack.otlp, stack.query, spans);
  project.provide("urls", { otlp: stack.otlp, query: stack.query, gateway: stack.gateway });
  project.provide("traces", { failed, fine });
}

export async function teardown(): Promise<void> {
  await stack?.stop();
}
