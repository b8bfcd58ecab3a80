CREATE TABLE schedule (
  id TEXT PRIMARY KEY, status TEXT NOT NULL, created_at INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE INDEX schedule_created ON schedule (created_at, id);
