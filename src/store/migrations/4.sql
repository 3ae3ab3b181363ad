-- Where booking events are handed on to the salon's own automation: the [[events]] that are configured.
-- Named by their address or path, of which only a hash is kept: it may be as good as a password.
CREATE TABLE event_sinks (
  sink           TEXT PRIMARY KEY,             -- UUIDv5 of the address or path
  label          TEXT NOT NULL,                -- for people: the host, or the file
  companies      TEXT NOT NULL CHECK (json_valid(companies)), -- [] is all
  types          TEXT NOT NULL CHECK (json_valid(types)),     -- [] is all
  failing_since  TEXT,                         -- NULL: it takes what it is given
  failures       INTEGER NOT NULL DEFAULT 0,   -- in a row, at which nothing at all could be given to it
  next_try_at    TEXT,                         -- nothing is given to it before
  last_error     TEXT,
  taken_at       TEXT                          -- when it last took one
) STRICT, WITHOUT ROWID;

-- The events that each is owed, and what became of them. The body is booking_events.payload.
CREATE TABLE event_deliveries (
  id          INTEGER PRIMARY KEY,
  sink        TEXT NOT NULL REFERENCES event_sinks (sink) ON DELETE CASCADE,
  event       INTEGER NOT NULL REFERENCES booking_events (id) ON DELETE CASCADE,
  company_id  INTEGER NOT NULL,
  record_id   INTEGER NOT NULL,
  status      TEXT NOT NULL,                   -- pending, sending, sent or dead
  due_at      TEXT NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  tried_at    TEXT,                            -- when it was first tried
  sent_at     TEXT,
  last_error  TEXT,
  UNIQUE (event, sink)
) STRICT;
CREATE INDEX deliveries_open ON event_deliveries (sink, company_id, record_id, id)
  WHERE status IN ('pending', 'sending');
CREATE INDEX deliveries_next ON event_deliveries (sink, id)
  WHERE status IN ('pending', 'sending');
