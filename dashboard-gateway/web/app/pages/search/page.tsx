import { PageHead } from "../../design/page.tsx";

export function SearchPage() {
  return <PageHead title="Traces" />;
}
