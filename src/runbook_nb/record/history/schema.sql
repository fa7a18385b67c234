-- The history of all incidents: one line each, the words it is found by, and what it is known
-- again by.
-- Small columns stand first: a filter then reads the head of a row and not its facts.
CREATE TABLE lines (
    number   INTEGER PRIMARY KEY,
    folder   TEXT NOT NULL UNIQUE,
    stamp    TEXT NOT NULL,
    opened   TEXT NOT NULL,
    month    TEXT NOT NULL,
    severity TEXT NOT NULL,
    verdict  TEXT NOT NULL,
    standing TEXT NOT NULL,
    is_drill INTEGER NOT NULL,
    runbooks TEXT NOT NULL,
    title    TEXT NOT NULL,
    facts    TEXT NOT NULL,
    words    TEXT NOT NULL
);

CREATE INDEX by_stamp ON lines (folder, stamp);

CREATE INDEX by_opened ON lines (opened);

-- Of an incident whose beginning is lost there are none.
CREATE TABLE features (
    number INTEGER PRIMARY KEY,
    signs  TEXT NOT NULL,
    past   TEXT NOT NULL
);

CREATE VIRTUAL TABLE spoken USING fts5 (
    title,
    words,
    content = 'lines',
    content_rowid = 'number',
    tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TRIGGER line_added AFTER INSERT ON lines BEGIN
    INSERT INTO spoken (rowid, title, words) VALUES (new.number, new.title, new.words);
END;

CREATE TRIGGER line_removed AFTER DELETE ON lines BEGIN
    INSERT INTO spoken (spoken, rowid, title, words)
    VALUES ('delete', old.number, old.title, old.words);
    DELETE FROM features WHERE number = old.number;
END;
