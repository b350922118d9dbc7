import { acceptanceContract } from "./acceptance.ts";
import { openSqliteFixture } from "./sqlite-fixture.ts";

acceptanceContract("direct acceptance on the SQLite store", { open: openSqliteFixture });
