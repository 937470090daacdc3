import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client.ts";
import { watchKeys } from "./app/keys.ts";
import { watchTheme } from "./app/prefs.ts";
import { router } from "./app/router.tsx";
import "./design/tokens.css";
import "./design/base.css";
import "./app/shell.css";

watchTheme();
watchKeys();

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: false,
      staleTime: 60_000,
      // a refusal stays one; a server that is away or busy is asked once more
      retry: (failures, error) =>
        failures < 1 && error instanceof ApiError && (error.status === 0 || error.status === 503),
      retryDelay: 700,
    },
  },
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <QueryClientProvider client={queries}>
    <RouterProvider router={router} />
  </QueryClientProvider>,
);
