/** The same columns as on servers, where several processes share the store. Here there is one, so this stays empty. */
export const reopening = `
ALTER TABLE sale ADD COLUMN reopens_at INTEGER;
`;
