/**
 * Products change and are deleted, may count their inventory, and sales know their seller. Columns are added and filled
 * in, nothing is rebuilt: a store full of purchases takes no longer than an empty one, but for a look through its ledger.
 *
 * A sale that was over before is found unsettled and settled like any other. The inventory's CHECKs and UNIQUE are a
 * second wall behind domain/inventory.ts. Rows of `sale` change with every batch, so the index of sales to settle is
 * only over columns that no purchase changes.
 */
export const shop = `
ALTER TABLE product ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE product ADD COLUMN inventory INTEGER CHECK (inventory >= 0);
ALTER TABLE product ADD COLUMN deleted_at INTEGER;
CREATE INDEX product_by_creation ON product (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX product_by_name ON product (name, id) WHERE deleted_at IS NULL;
CREATE INDEX product_by_price ON product (price_minor, id) WHERE deleted_at IS NULL;
CREATE INDEX product_by_seller ON product (seller, created_at, id) WHERE deleted_at IS NULL;

ALTER TABLE sale ADD COLUMN seller TEXT NOT NULL DEFAULT '';
ALTER TABLE sale ADD COLUMN from_inventory INTEGER NOT NULL DEFAULT 0 CHECK (from_inventory IN (0, 1));
ALTER TABLE sale ADD COLUMN settled_at INTEGER;
UPDATE sale SET seller = (SELECT product.seller FROM product WHERE product.id = sale.product_id);
CREATE INDEX sale_by_seller ON sale (seller, id);
DROP INDEX sale_by_limit_group;
CREATE INDEX sale_by_limit_group ON sale (seller, limit_group) WHERE limit_group IS NOT NULL;
CREATE INDEX sale_to_settle ON sale (phase, ends_at) WHERE settled_at IS NULL AND phase <> 'draft';

CREATE TABLE adjustment (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  sale_id INTEGER NOT NULL REFERENCES sale (id),
  kind TEXT NOT NULL CHECK (kind IN ('adjust', 'settle')),
  asked INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX adjustment_by_sale ON adjustment (sale_id, id);
INSERT INTO adjustment (id, sale_id, kind, asked, applied, reason, actor, at_ms)
  SELECT source_id, sale_id, 'adjust', iif(kind = 'issue', units, -units), iif(kind = 'issue', units, -units), 'not recorded', 'system', at_ms
  FROM ledger WHERE kind IN ('issue', 'withdraw') AND source_id <> sale_id;

CREATE TABLE inventory_ledger (
  seq INTEGER PRIMARY KEY,
  product_id INTEGER NOT NULL REFERENCES product (id),
  source_id INTEGER NOT NULL CHECK (source_id > 0),
  kind TEXT NOT NULL CHECK (kind IN ('count', 'adjust', 'allot', 'return')),
  units INTEGER CHECK (units IS NOT NULL OR kind = 'count'),
  balance INTEGER CHECK (balance >= 0),
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  UNIQUE (source_id, kind)
) STRICT;
CREATE INDEX inventory_by_product ON inventory_ledger (product_id, seq);

CREATE TABLE claim (
  owner TEXT NOT NULL,
  claim_key TEXT NOT NULL,
  id INTEGER NOT NULL CHECK (id > 0),
  fingerprint TEXT NOT NULL,
  PRIMARY KEY (owner, claim_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_by_id ON claim (id);
`;
