/** The program of the list of sales. */
import { ListPageAtWork, type ListData } from "../list/list-page.ts";
import { openPage } from "../shared/page-data.ts";

new ListPageAtWork(openPage<ListData>()).start();
