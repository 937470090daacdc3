import { PageHead } from "../../design/page.tsx";

export function MonitorPage() {
  return <PageHead title="Monitor" />;
}
