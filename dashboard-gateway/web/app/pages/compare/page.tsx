import { PageHead } from "../../design/page.tsx";

export function ComparePage() {
  return <PageHead title="Compare" />;
}
