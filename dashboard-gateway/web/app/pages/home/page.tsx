import { PageHead } from "../../design/page.tsx";

export function HomePage() {
  return <PageHead title="Home" />;
}
