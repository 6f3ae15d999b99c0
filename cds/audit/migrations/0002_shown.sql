-- Which cards were sent to whom: an index over the sections, so that a card is not repeated to the same user. No raw id
-- stands here, and the rows of an entry are deleted when its sections are redacted.
CREATE TABLE shown (
    seq         INTEGER NOT NULL REFERENCES entry (seq),
    subject_key TEXT    NOT NULL,       -- the patient's pseudonym, as in the envelope
    user_key    TEXT    NOT NULL,       -- the user's, made with the same secret
    at          TEXT    NOT NULL,       -- the time of the decision (UTC), in the form of envelopes
    topic       TEXT    NOT NULL,
    drug        TEXT    NOT NULL,
    route       TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL
) STRICT;

CREATE INDEX shown_to ON shown (subject_key, user_key, at);
