-- Indexes over sections, so that feedback finds its card: no raw id of a patient or user stands here. The rows of an entry are
-- deleted when its sections are redacted.
CREATE TABLE card (                     -- every card that was sent
    seq      INTEGER NOT NULL REFERENCES entry (seq),
    uuid     TEXT    NOT NULL,          -- in lower case
    position INTEGER NOT NULL           -- among the cards of its answer, from 0
) STRICT;
CREATE INDEX card_uuid ON card (uuid);
CREATE INDEX card_of ON card (seq);

CREATE TABLE suggestion (               -- every suggestion on them
    seq  INTEGER NOT NULL REFERENCES entry (seq),
    uuid TEXT    NOT NULL,
    card TEXT    NOT NULL               -- the UUID of its card
) STRICT;
CREATE INDEX suggestion_uuid ON suggestion (uuid);
CREATE INDEX suggestion_of ON suggestion (seq);

CREATE TABLE feedback (                 -- what was said of a card; an orphan has no card of its client
    seq         INTEGER NOT NULL REFERENCES entry (seq),
    said        TEXT    NOT NULL UNIQUE,-- keyed digest of client and content: an exact repeat adds nothing
    card_seq    INTEGER REFERENCES entry (seq),
    card        TEXT,                   -- the card's UUID
    subject_key TEXT,                   -- the patient's pseudonym, as in the card's entry
    user_key    TEXT,                   -- that of the user who saw the card; NULL if not known
    outcome     TEXT    NOT NULL,
    at          TEXT    NOT NULL,       -- when it happened (UTC), never after its receipt
    topic       TEXT,
    drug        TEXT,
    route       TEXT,
    fingerprint TEXT
) STRICT;
CREATE INDEX feedback_of ON feedback (seq);
CREATE INDEX feedback_card ON feedback (card_seq);
CREATE INDEX feedback_by ON feedback (subject_key, user_key);

INSERT INTO card
SELECT section.seq, lower(json_extract(one.value, '$.uuid')), one.key
FROM section, json_each(iif(json_valid(CAST(content AS TEXT)), CAST(content AS TEXT), '{}'), '$.cards') AS one
WHERE section.name = 'cards' AND json_type(one.value, '$.uuid') = 'text';

INSERT INTO suggestion
SELECT section.seq, lower(json_extract(offer.value, '$.uuid')), lower(json_extract(one.value, '$.uuid'))
FROM section,
     json_each(iif(json_valid(CAST(content AS TEXT)), CAST(content AS TEXT), '{}'), '$.cards') AS one,
     json_each(one.value, '$.suggestions') AS offer
WHERE section.name = 'cards' AND json_type(one.value, '$.uuid') = 'text' AND json_type(offer.value, '$.uuid') = 'text';
