-- Narrowed rights are recognised and reported.
ALTER TABLE companies ADD COLUMN phones_hidden_since TEXT;
ALTER TABLE companies ADD COLUMN hidden_gone_at TEXT;
ALTER TABLE appointments_cache ADD COLUMN hidden_by TEXT;
CREATE INDEX settling_person ON settling (company_id, phone);
-- What a comparison costs of the API's budget.
ALTER TABLE companies ADD COLUMN sweep_requests INTEGER;
-- STOP binds a phone and the companies served by the channel it was written in.
CREATE TABLE opt_outs (
  company_id  INTEGER NOT NULL,
  phone       TEXT NOT NULL,
  since       TEXT NOT NULL,
  PRIMARY KEY (company_id, phone)
) STRICT, WITHOUT ROWID;
-- Whose words an owner's message hands on, and to whom the owner's answer goes.
ALTER TABLE booking_notifications ADD COLUMN contact_id INTEGER;
-- How many messages a client got lately.
CREATE INDEX notifications_sent ON booking_notifications (phone, sent_at)
  WHERE phone <> '' AND sent_at IS NOT NULL;
-- Where a person wants no client written to for a while.
CREATE TABLE pauses (
  company_id  INTEGER,
  staff_id    INTEGER,
  phone       TEXT,
  until       TEXT,
  since       TEXT NOT NULL
) STRICT;
-- The search for a send whose answer was lost, in the messenger's own journal.
ALTER TABLE booking_notifications ADD COLUMN look_at TEXT;
ALTER TABLE booking_notifications ADD COLUMN doubt_at TEXT;
ALTER TABLE booking_notifications ADD COLUMN empty_looks INTEGER NOT NULL DEFAULT 0;
