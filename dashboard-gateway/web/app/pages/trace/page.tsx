import { PageHead } from "../../design/page.tsx";

export function TracePage({ traceId }: { traceId: string }) {
  return <PageHead title={`Trace ${traceId}`} />;
}
