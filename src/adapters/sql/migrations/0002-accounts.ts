/**
 * Accounts, their sessions, shops and server keys. Of passwords, refresh tokens, recovery codes and keys there are only
 * digests; the secret of a second factor is encrypted with a key that is not in the database.
 *
 * `session` and `buyer_id` carry no foreign keys: a session outlives its account by the minutes in which its access tokens
 * must still be refused, and the buyer's number stays with the orders when the account is erased.
 */
export const accounts = `
CREATE TABLE merchant (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  username TEXT NOT NULL,
  username_key TEXT NOT NULL UNIQUE,
  display_name TEXT,
  password_hash TEXT NOT NULL,
  password_changed_at INTEGER NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('buyer', 'merchant', 'operator', 'auditor', 'admin')),
  merchant TEXT REFERENCES merchant (id),
  buyer_id INTEGER NOT NULL UNIQUE,
  totp_secret TEXT,
  totp_confirmed INTEGER NOT NULL CHECK (totp_confirmed IN (0, 1)),
  totp_last_step INTEGER NOT NULL,
  recovery TEXT NOT NULL,
  banned_at INTEGER,
  ban_reason TEXT,
  ban_changed_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0),
  CHECK ((role = 'merchant') = (merchant IS NOT NULL)),
  CHECK ((banned_at IS NULL) = (ban_reason IS NULL)),
  CHECK (totp_secret IS NOT NULL OR totp_confirmed = 0)
) STRICT;
CREATE INDEX account_by_role ON account (role, id) WHERE role <> 'buyer';
CREATE INDEX account_by_ban ON account (ban_changed_at) WHERE ban_changed_at > 0;

CREATE TABLE session (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  account_id INTEGER NOT NULL,
  token_digest TEXT NOT NULL,
  previous_digest TEXT,
  rotated_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  idle_until INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT;
CREATE INDEX session_by_account ON session (account_id, ended_at);
CREATE INDEX session_ended ON session (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX session_idle ON session (idle_until);

CREATE TABLE server_key (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  merchant TEXT NOT NULL REFERENCES merchant (id),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  prefix TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  changed_at INTEGER NOT NULL,
  last_used_day INTEGER
) STRICT;
CREATE INDEX server_key_by_merchant ON server_key (merchant, id);
CREATE INDEX server_key_changed ON server_key (changed_at);
`;
