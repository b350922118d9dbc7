/**
 * Times are ms since 1970, money is minor units, ids are 63-bit integers that JavaScript sees as decimal text.
 *
 * The CHECKs and UNIQUEs are a second wall behind domain/sale-batch.ts: a decision that would oversell, enter a movement
 * twice or give one key two purchases fails its transaction. `purchase` and `ledger` carry no foreign keys, for they are
 * written only under the sale's lock by the one statement that has just read the sale.
 *
 * The hot tables spell IN lists out as ORs, likeliest first: a list of more than two is built anew by every statement.
 * A row of `purchase` costs what its index pages cost, so there are only the two indexes that deciding and the sweeper
 * need. A buyer's own list seeks once per sale instead of having a third.
 */
export const initial = `
CREATE TABLE store (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  last_at INTEGER NOT NULL,
  installation TEXT NOT NULL
) STRICT;
INSERT INTO store (one, last_at, installation) VALUES (1, 0, lower(hex(randomblob(16))));

CREATE TABLE product (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  name TEXT NOT NULL,
  price_minor INTEGER NOT NULL CHECK (price_minor > 0),
  currency TEXT NOT NULL,
  seller TEXT NOT NULL,
  image TEXT,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sale (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  product_id INTEGER NOT NULL REFERENCES product (id),
  name TEXT NOT NULL,
  price_minor INTEGER NOT NULL CHECK (price_minor > 0),
  currency TEXT NOT NULL,
  stock INTEGER NOT NULL CHECK (stock > 0),
  per_buyer_limit INTEGER NOT NULL CHECK (per_buyer_limit > 0),
  limit_group TEXT,
  refunded_units_count INTEGER NOT NULL CHECK (refunded_units_count IN (0, 1)),
  pay_window INTEGER NOT NULL CHECK (pay_window > 0),
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL CHECK (ends_at > starts_at),
  phase TEXT NOT NULL CHECK (phase IN ('draft', 'published', 'cancelled')),
  paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
  has_quotas INTEGER NOT NULL CHECK (has_quotas IN (0, 1)),
  issued INTEGER NOT NULL CHECK (issued >= 0),
  available INTEGER NOT NULL CHECK (available >= 0),
  held INTEGER NOT NULL CHECK (held >= 0),
  sold INTEGER NOT NULL CHECK (sold >= 0),
  withdrawn INTEGER NOT NULL CHECK (withdrawn >= 0),
  feed INTEGER NOT NULL CHECK (feed >= 0),
  created_at INTEGER NOT NULL,
  buyer_count INTEGER NOT NULL DEFAULT 0 CHECK (buyer_count >= 0),
  reserved_count INTEGER NOT NULL DEFAULT 0 CHECK (reserved_count >= 0),
  paid_count INTEGER NOT NULL DEFAULT 0 CHECK (paid_count >= 0),
  cancelled_count INTEGER NOT NULL DEFAULT 0 CHECK (cancelled_count >= 0),
  expired_count INTEGER NOT NULL DEFAULT 0 CHECK (expired_count >= 0),
  closed_count INTEGER NOT NULL DEFAULT 0 CHECK (closed_count >= 0),
  CHECK (available + held + sold + withdrawn = issued)
) STRICT;
CREATE INDEX sale_by_product ON sale (product_id);
CREATE INDEX sale_by_limit_group ON sale (limit_group) WHERE limit_group IS NOT NULL;
CREATE INDEX sale_to_close ON sale (id) WHERE phase = 'cancelled' AND held > 0;

CREATE TABLE submission (
  owner TEXT NOT NULL,
  submission_key TEXT NOT NULL,
  sale_id INTEGER NOT NULL REFERENCES sale (id),
  fingerprint TEXT NOT NULL,
  PRIMARY KEY (owner, submission_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE buyer (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  UNIQUE (issuer, subject)
) STRICT;

CREATE TABLE quota (
  product_id INTEGER NOT NULL REFERENCES product (id),
  buyer_id INTEGER NOT NULL,
  units INTEGER NOT NULL CHECK (units >= 0),
  PRIMARY KEY (product_id, buyer_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sale_quota (
  sale_id INTEGER NOT NULL REFERENCES sale (id),
  buyer_id INTEGER NOT NULL,
  units INTEGER NOT NULL CHECK (units >= 0),
  PRIMARY KEY (sale_id, buyer_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE purchase (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  sale_id INTEGER NOT NULL,
  product_id INTEGER NOT NULL,
  buyer_id INTEGER NOT NULL,
  idempotency_key TEXT,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  price_minor INTEGER NOT NULL CHECK (price_minor > 0),
  currency TEXT NOT NULL,
  buyer_limit INTEGER NOT NULL CHECK (buyer_limit >= quantity),
  metadata TEXT,
  accepted_at INTEGER NOT NULL,
  pay_by INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (
    state = 'reserved' OR state = 'paid' OR state = 'expired' OR state = 'cancelled' OR state = 'closed'
  ),
  hold_until INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  refunded INTEGER NOT NULL CHECK (refunded IN (0, 1)),
  UNIQUE (sale_id, buyer_id, idempotency_key)
) STRICT;
CREATE INDEX purchase_due ON purchase (hold_until, sale_id) WHERE state = 'reserved';

CREATE TABLE ledger (
  seq INTEGER PRIMARY KEY,
  sale_id INTEGER NOT NULL,
  source_id INTEGER NOT NULL CHECK (source_id > 0),
  kind TEXT NOT NULL CHECK (
    kind = 'take' OR kind = 'pay' OR kind = 'expire' OR kind = 'cancel' OR kind = 'close' OR kind = 'issue' OR kind = 'return'
    OR kind = 'withdraw'
  ),
  units INTEGER NOT NULL CHECK (units > 0),
  buyer_limit INTEGER,
  at_ms INTEGER NOT NULL,
  UNIQUE (source_id, kind)
) STRICT;

CREATE TABLE payment (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  purchase_id INTEGER NOT NULL REFERENCES purchase (id),
  sale_id INTEGER NOT NULL,
  provider TEXT NOT NULL,
  provider_ref TEXT,
  pay_url TEXT,
  amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
  currency TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('created', 'pending', 'captured', 'failed', 'expired')),
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX payment_by_purchase ON payment (purchase_id);
CREATE INDEX payment_open ON payment (changed_at) WHERE state IN ('created', 'pending');

CREATE TABLE capture (
  id TEXT PRIMARY KEY NOT NULL,
  payment_id INTEGER NOT NULL REFERENCES payment (id),
  purchase_id INTEGER NOT NULL,
  sale_id INTEGER NOT NULL,
  amount_minor INTEGER NOT NULL,
  currency TEXT NOT NULL,
  kept INTEGER NOT NULL CHECK (kept IN (0, 1)),
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX capture_by_purchase ON capture (purchase_id);
CREATE UNIQUE INDEX capture_kept_once ON capture (purchase_id) WHERE kept = 1;

CREATE TABLE refund (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  capture_id TEXT NOT NULL REFERENCES capture (id),
  payment_id INTEGER NOT NULL,
  purchase_id INTEGER NOT NULL,
  sale_id INTEGER NOT NULL,
  provider TEXT NOT NULL,
  amount_minor INTEGER NOT NULL,
  currency TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('order_closed', 'second_capture', 'wrong_amount', 'requested_by_shop')),
  return_stock INTEGER NOT NULL CHECK (return_stock IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('requested', 'sent', 'done', 'failed')),
  tries INTEGER NOT NULL CHECK (tries >= 0),
  next_try_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX refund_by_purchase ON refund (purchase_id);
CREATE INDEX refund_open ON refund (next_try_at) WHERE state <> 'done';

CREATE TABLE callback (
  id TEXT PRIMARY KEY NOT NULL,
  received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
