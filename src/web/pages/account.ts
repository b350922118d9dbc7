/** The program of the account page. */
import { AccountPageAtWork } from "../account/account-page.ts";
import { openPage } from "../shared/page-data.ts";

void new AccountPageAtWork(openPage<null>()).start();
