/** The same columns as on servers, where a cache may decide. Here the ledger does, so they stay empty. */
export const queued = `
ALTER TABLE sale ADD COLUMN scope_id INTEGER;
ALTER TABLE sale ADD COLUMN queued_count INTEGER NOT NULL DEFAULT 0 CHECK (queued_count >= 0);
ALTER TABLE sale ADD COLUMN refused_count INTEGER NOT NULL DEFAULT 0 CHECK (refused_count >= 0);
ALTER TABLE purchase ADD COLUMN key_aside TEXT;
ALTER TABLE purchase ADD COLUMN refused_for TEXT;
ALTER TABLE purchase ADD COLUMN superseded_by INTEGER;
`;
