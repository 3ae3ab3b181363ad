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
UPDATE appointments_cache SET missing_looks = 0 WHERE missing_looks > 0;
