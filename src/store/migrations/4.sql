-- When clients are to be reminded of a visit: a row for each booking, present start and lead. One that
-- is due becomes a notification, together with the others of its person's day.
CREATE TABLE reminders (
  company_id       INTEGER NOT NULL,
  record_id        INTEGER NOT NULL,
  phone            TEXT NOT NULL,              -- '' when nobody can be written to
  start_local      TEXT NOT NULL,              -- the start that it reminds of
  lead             TEXT NOT NULL,              -- 24h, 18:00 -1d
  due_at           TEXT NOT NULL,
  state            TEXT NOT NULL,              -- planned, made or dropped
  reason           TEXT,                       -- why it was dropped
  notification_id  INTEGER,                    -- what it became
  changed_at       TEXT NOT NULL,
  PRIMARY KEY (company_id, record_id, phone, start_local, lead)
) STRICT, WITHOUT ROWID;
CREATE INDEX reminders_due ON reminders (due_at) WHERE state = 'planned';
CREATE INDEX reminders_day ON reminders (company_id, phone, start_local);
CREATE INDEX reminders_notification ON reminders (notification_id) WHERE notification_id IS NOT NULL;

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
