import { PageHead } from "../../design/page.tsx";

export function UsersPage() {
  return <PageHead title="Users" />;
}
