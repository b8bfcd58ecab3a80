CREATE TABLE log (
  id TEXT NOT NULL, generation INTEGER NOT NULL, incarnation INTEGER NOT NULL
) STRICT;
CREATE TABLE event (
  pos INTEGER PRIMARY KEY, goal TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
  at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, data TEXT NOT NULL,
  UNIQUE (goal, seq)
) STRICT;
CREATE TABLE head (
  goal TEXT PRIMARY KEY, seq INTEGER NOT NULL, tail INTEGER NOT NULL, bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE inbox_read (inbox_id TEXT PRIMARY KEY, pos INTEGER NOT NULL) STRICT;
CREATE TABLE command (
  id TEXT PRIMARY KEY, params_digest TEXT NOT NULL, result TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;

CREATE TABLE goal (
  id TEXT PRIMARY KEY, status TEXT NOT NULL, priority INTEGER NOT NULL, created_at INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX goal_status ON goal (status);
CREATE TABLE item (
  id TEXT PRIMARY KEY, goal TEXT NOT NULL, place INTEGER NOT NULL, status TEXT NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE INDEX item_goal ON item (goal, place);
CREATE TABLE run (
  id TEXT PRIMARY KEY, goal TEXT NOT NULL, item TEXT NOT NULL, attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE INDEX run_goal ON run (goal);
CREATE INDEX run_item ON run (item, attempt);
CREATE TABLE gate_result (
  run TEXT NOT NULL, step INTEGER NOT NULL, goal TEXT NOT NULL, state TEXT NOT NULL,
  PRIMARY KEY (run, step)
) STRICT;
CREATE INDEX gate_result_goal ON gate_result (goal);
CREATE TABLE artifact (id TEXT PRIMARY KEY, goal TEXT NOT NULL, state TEXT NOT NULL) STRICT;
CREATE INDEX artifact_goal ON artifact (goal);
CREATE TABLE escalation (id TEXT PRIMARY KEY, goal TEXT NOT NULL, state TEXT NOT NULL) STRICT;
CREATE INDEX escalation_goal ON escalation (goal);

CREATE TABLE step (
  run TEXT NOT NULL, n INTEGER NOT NULL, epoch INTEGER NOT NULL, kind TEXT NOT NULL,
  effect_key TEXT NOT NULL, request_hash TEXT NOT NULL, label TEXT NOT NULL, intent_at INTEGER NOT NULL,
  result_at INTEGER, outcome TEXT, result TEXT,
  PRIMARY KEY (run, n, epoch)
) STRICT;
