// Where this stack takes data: next to where it is looked at. All ports of a stack shift together, so the own port tells the rest.
import { config } from "./config.ts";

const OWN = { gateway: 3001, query: 16_686 };
const OTLP_HTTP = 4318;
const OTLP_GRPC = 4317;

export interface Intake {
  readonly http: string;
  readonly grpc: string;
}

/** OTLP endpoints, seen from the browser's machine. Behind a proxy the usual ports are the best guess. */
export function intake(location: Pick<Location, "hostname" | "port"> = window.location, mode = config.mode): Intake {
  const shift = Number(location.port) - OWN[mode];
  const known = Number.isInteger(shift) && shift >= 0 && shift <= 20_000 && location.port !== "" ? shift : 0;
  return {
    http: `http://${location.hostname}:${OTLP_HTTP + known}`,
    grpc: `http://${location.hostname}:${OTLP_GRPC + known}`,
  };
}
