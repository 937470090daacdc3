import type { Overview, OverviewService } from "../../api/wire.ts";
import { usePrefs } from "../../app/prefs.ts";
import { iso, msOfNanos } from "../../design/clock.ts";
import { DataDialog } from "../../design/datadialog.tsx";
import { count, duration, NONE } from "../../design/format.ts";
import { visible } from "../../design/hostile.ts";

interface ServiceDataProps {
  service: OverviewService;
  data: Overview;
  onClose: () => void;
}

const COLUMNS = [
  { name: "Time" },
  { name: "Calls", align: "right" },
  { name: "Errors", align: "right" },
  { name: "p95", align: "right" },
  { name: "p95 then", align: "right" },
] as const;

/** What the three lines of a service are drawn from. */
export function ServiceData({ service, data, onClose }: ServiceDataProps) {
  const zone = usePrefs((state) => state.zone);
  const start = msOfNanos(data.start);
  const whole = (value: number | null | undefined) => (value === null || value === undefined ? NONE : count(value));
  const rows = service.series.calls.map((calls, index) => [
    iso(start + index * data.stepSeconds * 1000, zone),
    whole(calls),
    whole(service.series.errors[index]),
    duration(service.series.p95Nano[index]),
    duration(service.thenSeries?.p95Nano[index]),
  ]);
  return (
    <DataDialog
      label={`${visible(service.name)}, every ${data.stepSeconds} s`}
      columns={COLUMNS}
      rows={rows}
      onClose={onClose}
    />
  );
}
