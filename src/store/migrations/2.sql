-- Narrowed rights are recognised and reported.
ALTER TABLE companies ADD COLUMN phones_hidden_since TEXT;
-- What a comparison costs of the API's budget.
ALTER TABLE companies ADD COLUMN sweep_requests INTEGER;
