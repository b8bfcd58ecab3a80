ALTER TABLE trace ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trace ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
UPDATE trace SET events = (SELECT count(*) FROM event);
CREATE VIRTUAL TABLE word USING fts5(words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');
