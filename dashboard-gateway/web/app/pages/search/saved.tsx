import { useLocation } from "@tanstack/react-router";
import { useState } from "react";
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { Link } from "../../app/link.tsx";
import { type Params, parseParams, writeParams } from "../../app/location.ts";
import { Button, Input } from "../../design/controls.tsx";
import { Text } from "../../design/text.tsx";
import { write } from "./querytext.ts";
import { EMPTY, questionOf } from "./question.ts";

interface Search {
  readonly name: string;
  /** The search part of the URL. */
  readonly search: string;
}

interface Searches {
  saved: readonly Search[];
  recent: readonly Search[];
  save: (search: Search) => void;
  forget: (name: string) => void;
  ran: (search: Search) => void;
}

const RECENT_MAX = 6;

/** Searches kept on this browser: named ones and the last few that ran. */
export const useSearches = create<Searches>()(
  persist(
    (set) => ({
      saved: [],
      recent: [],
      save: (search) => set(({ saved }) => ({ saved: [...saved.filter((one) => one.name !== search.name), search] })),
      forget: (name) => set(({ saved }) => ({ saved: saved.filter((one) => one.name !== name) })),
      ran: (search) =>
        set(({ recent }) => ({
          recent: [search, ...recent.filter((one) => one.name !== search.name)].slice(0, RECENT_MAX),
        })),
    }),
    { name: "yc-searches", version: 1 },
  ),
);

/** What of the URL is the question; time, page and box of the moment are not. */
export function keptSearch(params: Params): string {
  const {
    page: _page,
    n: _n,
    box: _box,
    live: _live,
    from: _from,
    to: _to,
    start: _start,
    end: _end,
    ...kept
  } = params;
  return writeParams(kept);
}

export function SavedSearches() {
  const { saved, recent, forget } = useSearches();
  const named = new Set(saved.map((one) => one.search));
  const others = recent.filter((one) => !named.has(one.search));
  return (
    <div className="saved">
      {saved.length > 0 && (
        <section>
          <h2>Saved</h2>
          {saved.map((one) => (
            <div key={one.name} className="saved-one">
              <SearchLink search={one} />
              <button
                type="button"
                className="saved-forget"
                aria-label={`Forget ${one.name}`}
                onClick={() => forget(one.name)}
              >
                ×
              </button>
            </div>
          ))}
        </section>
      )}
      {others.length > 0 && (
        <section>
          <h2>Recent</h2>
          {others.map((one) => (
            <div key={one.name} className="saved-one">
              <SearchLink search={one} />
            </div>
          ))}
        </section>
      )}
    </div>
  );
}

function SearchLink({ search }: { search: Search }) {
  return (
    <Link to="/search" params={parseParams(search.search)} className="cut saved-link" title={search.name}>
      <Text value={search.name} />
    </Link>
  );
}

/** "Save": asks for a name in its own place, the query text is the proposal. */
export function SaveButton() {
  const search = useLocation({ select: (location) => location.searchStr });
  const save = useSearches((state) => state.save);
  const [name, setName] = useState<string | null>(null);
  const params = parseParams(search);
  if (name === null) {
    const question = questionOf(params);
    const proposal = write({ ...question, limit: EMPTY.limit, order: EMPTY.order }) || "all traces";
    return <Button onClick={() => setName(proposal)}>Save</Button>;
  }
  return (
    <form
      className="save-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== "") save({ name: name.trim(), search: keptSearch(params) });
        setName(null);
      }}
    >
      <Input
        aria-label="Name of the search"
        value={name}
        autoFocus
        onFocus={(event) => event.target.select()}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") setName(null);
        }}
      />
      <Button look="primary" type="submit">
        Save
      </Button>
    </form>
  );
}
