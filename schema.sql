-- The database of booking-monitor: what a fresh one gets, whether the program makes it or
-- `sqlite3 booking-monitor.db < schema.sql` does. People may read it while the daemon runs.
--
-- Times are UTC text (2026-11-21T06:00:00.000Z) unless the column's name ends in _local.
-- Phones are E.164. '' as a phone means: nobody can be written to.

PRAGMA application_id = 1112232270; -- "BKMN"

-- One row per company ever polled: how far we have read, and how the reading goes.
CREATE TABLE companies (
  company_id       INTEGER PRIMARY KEY,
  title            TEXT NOT NULL DEFAULT '',
  address          TEXT NOT NULL DEFAULT '',
  phone            TEXT NOT NULL DEFAULT '',
  zone             TEXT NOT NULL DEFAULT '',   -- IANA name, as the API gave it
  booking_link     TEXT NOT NULL DEFAULT '',
  opening_hours    TEXT NOT NULL DEFAULT '',   -- such as 10:00-21:00, where the API says so
  info_at          TEXT,                       -- when the five above were read
  baseline_at      TEXT,                       -- server time of the first whole sweep; NULL before it
  cursor_at        TEXT,                       -- server time up to which changes are read
  overlap_seconds  INTEGER NOT NULL DEFAULT 600,
  slice_days       INTEGER NOT NULL DEFAULT 0, -- days a sweep asks for at once; 0: the whole horizon
  sweep_requests   INTEGER,                    -- requests of the last whole sweep
  unreadable_rows  INTEGER NOT NULL DEFAULT 0, -- of the last whole sweep
  last_poll_at     TEXT,                       -- last good poll
  last_sweep_at    TEXT,                       -- last whole sweep
  failures         INTEGER NOT NULL DEFAULT 0, -- in a row
  failing_since    TEXT,
  next_try_at      TEXT,                       -- not asked again before
  denied           INTEGER,                    -- 401, 402, 403, 404: a person has to act
  throttled        INTEGER NOT NULL DEFAULT 0, -- 1: next_try_at is a pause the API asked for
  last_error       TEXT,
  guard_released_at TEXT,                      -- deletions up to here were decided about by a person
  moves_released_at TEXT,                      -- moves seen up to here were
  hidden_gone_at   TEXT,                       -- what was hidden up to here is gone, a person said
  phones_hidden_since TEXT                     -- readings lack numbers that we know; NULL: they show them
) STRICT;

-- The journal as last seen.
CREATE TABLE appointments_cache (
  company_id      INTEGER NOT NULL,
  record_id       INTEGER NOT NULL,
  visit_id        INTEGER NOT NULL,
  unit            TEXT NOT NULL,               -- v<visit_id>, or r<record_id> where it is 0
  start_local     TEXT NOT NULL,
  start_at        TEXT NOT NULL,
  staff_id        INTEGER NOT NULL,
  staff_name      TEXT NOT NULL,
  services        TEXT NOT NULL CHECK (json_valid(services)),
  client_name     TEXT NOT NULL,
  client_phone    TEXT NOT NULL,
  attendance      INTEGER NOT NULL,
  deleted         INTEGER NOT NULL,
  created_by_bot  INTEGER NOT NULL,
  origin          TEXT NOT NULL,               -- bot, online or staff
  comment         TEXT NOT NULL,
  snapshot        TEXT NOT NULL CHECK (json_valid(snapshot)),
  create_date     TEXT NOT NULL,               -- '' where the API sent none
  first_seen_at   TEXT NOT NULL,
  last_seen_at    TEXT NOT NULL,
  last_change_at  TEXT,
  revision        INTEGER NOT NULL DEFAULT 0,  -- number of events so far
  settled         INTEGER NOT NULL DEFAULT 0,  -- 1: decided at least once whether to tell of it
  deleted_at      TEXT,                        -- when it was deleted, server time where known
  missing_since   TEXT,                        -- absent from a whole slice; not yet proven deleted
  missing_asked_at TEXT,                       -- when the API was last asked for it by id
  missing_looks   INTEGER NOT NULL DEFAULT 0,  -- times the API said by id that it is gone
  hidden_by       TEXT,                        -- missing for want of rights: staff, period, elsewhere; refused: 403 by id
  looked_at       TEXT,                        -- when the API first said so
  missed_at       TEXT,                        -- when a sweep lacked it last that listed another one of its master
  PRIMARY KEY (company_id, record_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX appointments_by_unit ON appointments_cache (company_id, unit);
CREATE INDEX appointments_by_start ON appointments_cache (company_id, start_local);
CREATE INDEX appointments_by_phone ON appointments_cache (client_phone);
CREATE INDEX appointments_missing ON appointments_cache (company_id) WHERE missing_since IS NOT NULL;
CREATE INDEX appointments_gone ON appointments_cache (company_id, deleted_at) WHERE deleted = 1;

-- Every change, in the shape of a YClients webhook.
CREATE TABLE booking_events (
  id            INTEGER PRIMARY KEY,
  event_id      TEXT NOT NULL UNIQUE,          -- UUIDv5 of company, record, create_date, revision
  event_type    TEXT NOT NULL,
  company_id    INTEGER NOT NULL,
  record_id     INTEGER NOT NULL,
  payload       TEXT NOT NULL CHECK (json_valid(payload)),
  before_state  TEXT,                          -- the snapshot before; NULL: not in the cache
  created_at    TEXT NOT NULL,
  processed_at  TEXT                           -- when it was settled, sent or not
) STRICT;
CREATE INDEX booking_events_created ON booking_events (created_at);
CREATE INDEX booking_events_record ON booking_events (company_id, record_id);
CREATE INDEX booking_events_open ON booking_events (company_id, record_id) WHERE processed_at IS NULL;

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

-- Visits whose delay is running: one row per visit and person.
CREATE TABLE settling (
  company_id       INTEGER NOT NULL,
  unit             TEXT NOT NULL,
  phone            TEXT NOT NULL,
  first_change_at  TEXT NOT NULL,
  settle_at        TEXT NOT NULL,
  PRIMARY KEY (company_id, unit, phone)
) STRICT, WITHOUT ROWID;
CREATE INDEX settling_due ON settling (settle_at);
CREATE INDEX settling_person ON settling (company_id, phone);

-- What a person may be assumed to know of a booking: one state, or two after an uncertain send.
-- A row without a phone: the booking was a blocked slot, which nobody knows of.
CREATE TABLE known (
  company_id   INTEGER NOT NULL,
  record_id    INTEGER NOT NULL,
  create_date  TEXT NOT NULL,
  phone        TEXT NOT NULL,
  states       TEXT NOT NULL CHECK (json_valid(states)),
  told_at      TEXT,                           -- when a message last said so; NULL: by silence
  PRIMARY KEY (company_id, record_id, create_date, phone)
) STRICT, WITHOUT ROWID;

-- The outbox and its history.
CREATE TABLE booking_notifications (
  id                   INTEGER PRIMARY KEY,
  company_id           INTEGER NOT NULL,
  record_id            INTEGER NOT NULL,
  visit_id             INTEGER NOT NULL,
  unit                 TEXT NOT NULL,
  kind                 TEXT NOT NULL,
  phone                TEXT NOT NULL,          -- the client's; '' for owners, alerts
  recipient            TEXT NOT NULL,          -- phone, or chat id
  channel              TEXT NOT NULL,
  status               TEXT NOT NULL,
  reason               TEXT,
  superseded_by        INTEGER,
  message              TEXT NOT NULL DEFAULT '',
  frozen               INTEGER NOT NULL DEFAULT 0, -- 1: the text goes as it stands
  keyboard             TEXT NOT NULL DEFAULT '', -- a chat's keyboard: ask_contact or remove
  told                 TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(told)), -- what it makes known
  about                INTEGER,                -- an owner's copy: the client's notification
  contact_id           INTEGER,                -- whose words it hands on, or who is answered
  first_change_at      TEXT NOT NULL,
  changed_at           TEXT NOT NULL,          -- the change in the journal that it tells
  due_at               TEXT NOT NULL,
  created_at           TEXT NOT NULL,
  sent_at              TEXT,
  delivered_at         TEXT,
  read_at              TEXT,
  provider_message_id  TEXT,
  attempts             INTEGER NOT NULL DEFAULT 0,
  last_error           TEXT,
  look_at              TEXT,                   -- sending, and its answer lost: the next look into the journal
  doubt_at             TEXT,                   -- when it was lost
  empty_looks          INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notifications_status ON booking_notifications (status, due_at);
CREATE INDEX notifications_unit ON booking_notifications (company_id, unit, phone);
CREATE INDEX notifications_record ON booking_notifications (company_id, record_id);
CREATE INDEX notifications_queue ON booking_notifications (coalesce(nullif(phone, ''), recipient))
  WHERE status IN ('pending', 'sending');
CREATE INDEX notifications_sent ON booking_notifications (phone, sent_at)
  WHERE phone <> '' AND sent_at IS NOT NULL;
CREATE INDEX notifications_created ON booking_notifications (created_at);
CREATE INDEX notifications_provider ON booking_notifications (channel, provider_message_id)
  WHERE provider_message_id IS NOT NULL;

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

CREATE TABLE delivery_attempts (
  notification_id  INTEGER NOT NULL REFERENCES booking_notifications (id) ON DELETE CASCADE,
  attempt          INTEGER NOT NULL,
  channel          TEXT NOT NULL,
  started_at       TEXT NOT NULL,
  finished_at      TEXT,
  outcome          TEXT,
  error            TEXT,
  PRIMARY KEY (notification_id, attempt)
) STRICT, WITHOUT ROWID;

-- Delivery receipts that overtook the answer to the send they belong to.
CREATE TABLE early_receipts (
  channel              TEXT NOT NULL,
  provider_message_id  TEXT NOT NULL,
  receipt              TEXT NOT NULL,
  error                TEXT,
  received_at          TEXT NOT NULL,
  PRIMARY KEY (channel, provider_message_id, receipt)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
  id               INTEGER PRIMARY KEY,
  phone            TEXT NOT NULL,              -- '' until the chat is linked to a phone
  name             TEXT NOT NULL DEFAULT '',
  channel          TEXT NOT NULL,
  chat_id          TEXT NOT NULL,
  opted_out_at     TEXT,
  blocked_at       TEXT,                       -- the chat blocked the bot
  last_inbound_at  TEXT,
  UNIQUE (channel, chat_id)
) STRICT;
CREATE INDEX contacts_phone ON contacts (phone);

-- Who asked for silence, and of whom: STOP binds a phone and the companies served by the channel it
-- was written in. contacts.opted_out_at shows it; this is what counts.
CREATE TABLE opt_outs (
  company_id  INTEGER NOT NULL,
  phone       TEXT NOT NULL,
  since       TEXT NOT NULL,
  PRIMARY KEY (company_id, phone)
) STRICT, WITHOUT ROWID;

-- People whose data were erased. Of a number, and of the client ids it had, stays a keyed hash; a
-- phone of opt_outs is then '#' and the person's hash.
CREATE TABLE forgotten (
  hash    TEXT PRIMARY KEY,
  person  TEXT NOT NULL,                       -- the hash of the number
  since   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE forgotten_key (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  key  BLOB NOT NULL
) STRICT;

CREATE TABLE messages (
  id               INTEGER PRIMARY KEY,
  company_id       INTEGER,                    -- NULL where the channel serves several
  contact_id       INTEGER REFERENCES contacts (id),
  channel          TEXT NOT NULL,
  direction        TEXT NOT NULL,              -- inbound or outbound
  phone            TEXT NOT NULL,
  chat_id          TEXT NOT NULL,
  text             TEXT NOT NULL,
  external_id      TEXT NOT NULL,
  notification_id  INTEGER,
  created_at       TEXT NOT NULL,
  UNIQUE (channel, direction, external_id)
) STRICT;
CREATE INDEX messages_created ON messages (created_at);
CREATE INDEX messages_contact ON messages (contact_id, created_at) WHERE contact_id IS NOT NULL;

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

-- Where a person wants no client written to for a while; what is NULL is any.
CREATE TABLE pauses (
  company_id  INTEGER,
  staff_id    INTEGER,
  phone       TEXT,
  until       TEXT,                            -- NULL: until a person ends it
  since       TEXT NOT NULL
) STRICT;

-- How each channel fares; a row appears with the first word from it.
CREATE TABLE channel_states (
  name           TEXT PRIMARY KEY,
  type           TEXT NOT NULL,
  down_since     TEXT,                         -- NULL: works
  sick_since     TEXT,                         -- first send it refused for good; until one is taken
  last_error     TEXT,
  blocked_until  TEXT,                         -- told to wait
  throttled      INTEGER NOT NULL DEFAULT 0,   -- times in a row without a stated pause
  checked_at     TEXT
) STRICT, WITHOUT ROWID;

-- What the owners were alerted to: one row per cause, gone when it is over.
CREATE TABLE alerts (
  cause       TEXT PRIMARY KEY,                -- company:111, channel:whatsapp, guard:111 …
  since       TEXT NOT NULL,
  told_at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What owners are asked with buttons under a message of ours. The same matter may be asked in several
-- chats; whoever decides it ends it in all.
CREATE TABLE questions (
  id               INTEGER PRIMARY KEY,
  notification_id  INTEGER NOT NULL REFERENCES booking_notifications (id) ON DELETE CASCADE,
  company_id       INTEGER NOT NULL,
  matter           TEXT NOT NULL,              -- uncertain:17, dead:17, guard:cancelled, pause:<since>
  figure           INTEGER NOT NULL DEFAULT 0, -- how many messages its buttons speak of
  ended            TEXT                        -- how it ended; NULL: it waits for an answer
) STRICT;
CREATE INDEX questions_message ON questions (notification_id);
CREATE INDEX questions_open ON questions (company_id, matter) WHERE ended IS NULL;

-- Messages of ours in a chat that no longer show how their questions stand.
CREATE TABLE edits (
  notification_id  INTEGER PRIMARY KEY REFERENCES booking_notifications (id) ON DELETE CASCADE,
  version          INTEGER NOT NULL DEFAULT 1, -- counts what came while one was on its way
  due_at           TEXT NOT NULL,
  tries            INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What is done once a day.
CREATE TABLE chores (
  name        TEXT PRIMARY KEY,                -- prune, backup
  due_at      TEXT NOT NULL,
  done_at     TEXT,                            -- when it last went well
  last_error  TEXT                             -- why it did not, since
) STRICT, WITHOUT ROWID;

-- This database among others: its identity and how often it was started.
CREATE TABLE installation (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  uuid        TEXT NOT NULL,
  generation  INTEGER NOT NULL,
  line        TEXT NOT NULL DEFAULT ''         -- another one after each restore by which something was lost
) STRICT;

CREATE VIEW event_stats_24h AS
SELECT event_type,
       count(*)                                              AS total,
       count(processed_at)                                   AS processed,
       count(*) - count(processed_at)                        AS pending,
       avg((julianday(processed_at) - julianday(created_at)) * 86400.0) AS avg_processing_seconds
  FROM booking_events
 WHERE created_at >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')
 GROUP BY event_type;

-- A funnel: what was read counts as delivered and sent too.
CREATE VIEW notification_stats_24h AS
SELECT kind,
       count(*)                                              AS total,
       sum(status IN ('sent', 'delivered', 'read'))          AS sent,
       sum(status IN ('delivered', 'read'))                  AS delivered,
       sum(status = 'read')                                  AS read,
       sum(status IN ('failed', 'dead'))                     AS failed,
       sum(status = 'suppressed')                            AS suppressed
  FROM booking_notifications
 WHERE created_at >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')
 GROUP BY kind;

CREATE VIEW bookings_by_origin_30d AS
SELECT company_id, origin, count(*) AS total
  FROM appointments_cache
 WHERE create_date >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-30 days')
 GROUP BY company_id, origin;

PRAGMA user_version = 4;
