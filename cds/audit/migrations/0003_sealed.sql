-- The tree over the entries (RFC 6962), and what was signed of it.
ALTER TABLE entry ADD COLUMN about TEXT;    -- the record that a redaction or a feedback is about, as in the envelope
CREATE INDEX entry_about ON entry (about) WHERE about IS NOT NULL;

CREATE TABLE node (                     -- the hash of every complete subtree of 2^level entries, never changed
    level INTEGER NOT NULL,
    idx   INTEGER NOT NULL,
    hash  BLOB    NOT NULL,
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (               -- the newest of each minute; that of the highest minute is the current one
    minute INTEGER PRIMARY KEY,         -- since 1970, never going back
    size   INTEGER NOT NULL,            -- how many entries it covers
    note   TEXT    NOT NULL             -- signed: origin, size and root hash
) STRICT;

CREATE INDEX shown_of ON shown (seq);
