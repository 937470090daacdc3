import { PageHead } from "../../design/page.tsx";

export function LoginPage() {
  return <PageHead title="Login" />;
}
