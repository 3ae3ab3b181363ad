-- What is done once a day: retention and backups.
CREATE TABLE chores (
  name        TEXT PRIMARY KEY,
  due_at      TEXT NOT NULL,
  done_at     TEXT,
  last_error  TEXT
) STRICT, WITHOUT ROWID;
