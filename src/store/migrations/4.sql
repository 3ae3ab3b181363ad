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

-- Conversations that a model holds: where each stands, and when what was written is answered.
CREATE TABLE conversations (
  contact_id   INTEGER PRIMARY KEY REFERENCES contacts (id) ON DELETE CASCADE,
  company_id   INTEGER NOT NULL,
  state        TEXT NOT NULL DEFAULT 'greeting',
  waits_since  TEXT,                           -- the first of their words that is not answered
  answer_at    TEXT,                           -- what was written is answered then; NULL: nothing waits
  answered_id  INTEGER NOT NULL DEFAULT 0,     -- messages up to this one are dealt with
  wants_number INTEGER NOT NULL DEFAULT 0,     -- 1: it goes on once the chat is linked to a phone
  cards        TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(cards)), -- what owners were shown last
  spoke_at     TEXT                            -- when anything last happened in it
) STRICT;
CREATE INDEX conversations_due ON conversations (answer_at) WHERE answer_at IS NOT NULL;
CREATE TABLE conversation_steps (
  contact_id  INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  at          TEXT NOT NULL,
  step        TEXT NOT NULL,                   -- what happened
  state       TEXT NOT NULL                    -- where it stood after
) STRICT;
CREATE INDEX conversation_steps_contact ON conversation_steps (contact_id, at);

-- Each answer by a model, begun before it is asked, and what left the house for it.
CREATE TABLE turns (
  id               INTEGER PRIMARY KEY,
  contact_id       INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  company_id       INTEGER NOT NULL,
  up_to            INTEGER NOT NULL,           -- the last message that it answers
  began_at         TEXT NOT NULL,
  ended_at         TEXT,
  outcome          TEXT,                       -- said, proposed, number, handed:…, overtaken, taken_over
  notification_id  INTEGER
) STRICT;
CREATE INDEX turns_contact ON turns (contact_id, began_at);
CREATE INDEX turns_company ON turns (company_id, began_at);
CREATE TABLE model_questions (
  id           INTEGER PRIMARY KEY,
  turn_id      INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
  model        TEXT NOT NULL,
  asked_at     TEXT NOT NULL,
  sent         TEXT NOT NULL CHECK (json_valid(sent)), -- what left, behind its mask
  answered_at  TEXT,
  outcome      TEXT,                           -- words, calls, or how it failed
  answer       TEXT
) STRICT;
CREATE INDEX model_questions_turn ON model_questions (turn_id);

-- What was put to a client before anything is written. Agreed to, it is the intent of the write.
CREATE TABLE proposals (
  id               INTEGER PRIMARY KEY,
  contact_id       INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  company_id       INTEGER NOT NULL,
  phone            TEXT NOT NULL,              -- whose booking it is to be
  language         TEXT NOT NULL,
  what             TEXT NOT NULL CHECK (json_valid(what)),
  notification_id  INTEGER NOT NULL,           -- the sentence
  state            TEXT NOT NULL,              -- open, lapsed, declined, agreed, handed, done, barred
  made_at          TEXT NOT NULL,
  lapses_at        TEXT NOT NULL,
  api_id           TEXT NOT NULL,              -- by this a booking we made is known again
  due_at           TEXT,                       -- agreed: the next look or request
  give_up_at       TEXT,                       -- the client is not kept waiting longer
  began_at         TEXT,                       -- when the request may have left
  tries            INTEGER NOT NULL DEFAULT 0,
  ended_at         TEXT,
  obstacle         TEXT,                       -- why it was not written
  unit             TEXT NOT NULL DEFAULT '',   -- done: the visit
  reply_id         INTEGER                     -- what the client was answered
) STRICT;
CREATE INDEX proposals_contact ON proposals (contact_id, id);
CREATE INDEX proposals_agreed ON proposals (company_id, due_at) WHERE state = 'agreed';

-- What owners said in their chat: it wins over agent_enabled.
CREATE TABLE agent_switches (
  company_id  INTEGER PRIMARY KEY,
  is_on       INTEGER NOT NULL,
  since       TEXT NOT NULL
) STRICT;
