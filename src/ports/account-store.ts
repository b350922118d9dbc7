import type { AccessChanges } from "./access-changes.ts";
import type { Accounts } from "./accounts.ts";
import type { KeyRecords } from "./key-records.ts";
import type { Merchants } from "./merchants.ts";
import type { Sessions } from "./sessions.ts";

/** All that is kept about who may do what. */
export interface AccountStore extends Accounts, Sessions, Merchants, KeyRecords, AccessChanges {}
