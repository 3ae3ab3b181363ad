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
