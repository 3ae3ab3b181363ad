-- What people know whose numbers are hidden, for when they come to light.
INSERT OR IGNORE INTO known (company_id, record_id, create_date, phone, states)
  SELECT company_id, record_id, create_date, '',
         json_array(json_object('is', 'booked', 'record', json(snapshot)))
    FROM appointments_cache a
   WHERE client_phone = '' AND deleted = 0 AND revision = 0
     AND NOT EXISTS (SELECT 1 FROM appointments_cache o
                      WHERE o.company_id = a.company_id AND o.client_phone <> '');
-- When the API first said by id that a missing booking is gone.
ALTER TABLE appointments_cache ADD COLUMN looked_at TEXT;
-- When a sweep lacked it last that listed another one of its master.
ALTER TABLE appointments_cache ADD COLUMN missed_at TEXT;
UPDATE appointments_cache SET missing_looks = 0 WHERE missing_looks > 0;
-- Rows of the last whole sweep that could not be read.
ALTER TABLE companies ADD COLUMN unreadable_rows INTEGER NOT NULL DEFAULT 0;
-- What a person let go counts for its kind alone: guard_released_at is for cancellations from now on.
ALTER TABLE companies ADD COLUMN moves_released_at TEXT;
UPDATE companies SET moves_released_at = guard_released_at;
-- What owners are asked with buttons under a message, and messages of ours that are to be edited.
CREATE TABLE questions (
  id               INTEGER PRIMARY KEY,
  notification_id  INTEGER NOT NULL REFERENCES booking_notifications (id) ON DELETE CASCADE,
  company_id       INTEGER NOT NULL,
  matter           TEXT NOT NULL,
  figure           INTEGER NOT NULL DEFAULT 0,
  ended            TEXT
) STRICT;
CREATE INDEX questions_message ON questions (notification_id);
CREATE INDEX questions_open ON questions (company_id, matter) WHERE ended IS NULL;
CREATE TABLE edits (
  notification_id  INTEGER PRIMARY KEY REFERENCES booking_notifications (id) ON DELETE CASCADE,
  version          INTEGER NOT NULL DEFAULT 1,
  due_at           TEXT NOT NULL,
  tries            INTEGER NOT NULL DEFAULT 0
) STRICT;
-- What is done once a day: retention and backups.
CREATE TABLE chores (
  name        TEXT PRIMARY KEY,
  due_at      TEXT NOT NULL,
  done_at     TEXT,
  last_error  TEXT
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
-- Another one after each restore by which something was lost: within one line the later state knows all.
ALTER TABLE installation ADD COLUMN line TEXT NOT NULL DEFAULT '';
