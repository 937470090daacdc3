import { PageHead } from "../../design/page.tsx";

export function TraceComparePage({ left, right }: { left: string; right: string }) {
  return <PageHead title={`Compare ${left} and ${right}`} />;
}
