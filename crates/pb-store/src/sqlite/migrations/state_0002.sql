CREATE TABLE schedule (
  id TEXT PRIMARY KEY, status TEXT NOT NULL, created_at INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE INDEX schedule_created ON schedule (created_at, id);
CREATE TABLE session (
  id TEXT PRIMARY KEY, status TEXT NOT NULL, updated_at INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE INDEX session_updated ON session (updated_at);
