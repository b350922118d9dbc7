/**
 * More time to pay. A sale from before keeps its terms: its buyers are given none, and so are those of a sale that a program
 * of the version before makes while this one is there.
 */
export const extensions = `
ALTER TABLE sale ADD COLUMN pay_extensions_max INTEGER NOT NULL DEFAULT 0 CHECK (pay_extensions_max >= 0);
ALTER TABLE purchase ADD COLUMN extensions INTEGER NOT NULL DEFAULT 0 CHECK (extensions >= 0);
`;
