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
