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
-- What of the journal clients asked to be changed. The intent is here before the first request, and what
-- became of it is read from the journal before anything is repeated.
CREATE TABLE writes (
  id          INTEGER PRIMARY KEY,
  company_id  INTEGER NOT NULL,
  record_id   INTEGER NOT NULL,                -- the first of them
  unit        TEXT NOT NULL,                   -- the visit
  phone       TEXT NOT NULL,                   -- whose it has to be; '' once they are forgotten
  contact_id  INTEGER,                         -- who is answered
  act         TEXT NOT NULL,                   -- confirm or cancel
  meant       TEXT NOT NULL CHECK (json_valid(meant)), -- the bookings as their client knew them
  state       TEXT NOT NULL,                   -- asked (the owner decides), open, done, barred, over
  created_at  TEXT NOT NULL,
  due_at      TEXT NOT NULL,
  give_up_at  TEXT,                            -- the client is not kept waiting longer
  began_at    TEXT,                            -- when the first request may have left
  tries       INTEGER NOT NULL DEFAULT 0,
  ended_at    TEXT,
  obstacle    TEXT,                            -- why it was not written
  by_owner    INTEGER NOT NULL DEFAULT 0,      -- 1: the owner pressed the button
  cards       TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(cards)), -- what owners were shown of it
  reply_id    INTEGER                          -- what the client was answered
) STRICT;
CREATE INDEX writes_open ON writes (company_id, due_at) WHERE state = 'open';
CREATE INDEX writes_record ON writes (company_id, record_id);
CREATE INDEX writes_unit ON writes (company_id, unit);

-- How a conversation with a client stands: who has the word, and what waits for an answer.
CREATE TABLE talks (
  contact_id     INTEGER PRIMARY KEY REFERENCES contacts (id) ON DELETE CASCADE,
  company_id     INTEGER,                      -- whose client, where that is known
  record_id      INTEGER,                      -- the booking that was spoken of
  silent_until   TEXT,                         -- a person answered: nobody else does until then
  waiting_since  TEXT,                         -- the first of their words that no person answered
  escalate_at    TEXT,                         -- when the owners hear of that once more
  asked          TEXT CHECK (asked IS NULL OR json_valid(asked)), -- which booking they were asked for
  asked_at       TEXT,
  wordless_at    TEXT                          -- when they were last asked to write in words
) STRICT;
CREATE INDEX talks_waiting ON talks (escalate_at) WHERE escalate_at IS NOT NULL;
CREATE INDEX notifications_contact ON booking_notifications (contact_id, id)
  WHERE contact_id IS NOT NULL;
CREATE INDEX messages_contact ON messages (contact_id, created_at) WHERE contact_id IS NOT NULL;
-- When a company is open, where the API says so: clients' words wait for a person in these hours.
ALTER TABLE companies ADD COLUMN opening_hours TEXT NOT NULL DEFAULT '';
