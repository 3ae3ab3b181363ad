-- Narrowed rights are recognised and reported.
ALTER TABLE companies ADD COLUMN phones_hidden_since TEXT;
ALTER TABLE companies ADD COLUMN hidden_gone_at TEXT;
ALTER TABLE appointments_cache ADD COLUMN hidden_by TEXT;
CREATE INDEX settling_person ON settling (company_id, phone);
