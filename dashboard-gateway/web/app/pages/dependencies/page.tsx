import { PageHead } from "../../design/page.tsx";

export function DependenciesPage() {
  return <PageHead title="Map" />;
}
