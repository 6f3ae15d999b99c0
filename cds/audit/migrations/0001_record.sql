-- Numbered migrations: PRAGMA user_version is the number of the last one that was applied.
CREATE TABLE entry (
    seq      INTEGER PRIMARY KEY,       -- dense, from 0
    id       TEXT    NOT NULL UNIQUE,   -- the record's random id, as in its envelope
    envelope BLOB    NOT NULL           -- canonical JSON, never changed
) STRICT;

CREATE TABLE section (
    seq     INTEGER NOT NULL REFERENCES entry (seq),
    name    TEXT    NOT NULL,
    salt    BLOB    NOT NULL,
    content BLOB    NOT NULL,
    PRIMARY KEY (seq, name)
) STRICT;

CREATE TABLE knowledge (                -- every package that ever decided, by the digest that envelopes name
    sha256  TEXT PRIMARY KEY,
    package BLOB NOT NULL
) STRICT;
