-- Narrowed rights are recognised and reported.
ALTER TABLE companies ADD COLUMN phones_hidden_since TEXT;
