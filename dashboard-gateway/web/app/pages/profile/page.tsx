import { PageHead } from "../../design/page.tsx";

export function ProfilePage() {
  return <PageHead title="Profile" />;
}
