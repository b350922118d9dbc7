/** The program of the list of orders. */
import { OrdersPageAtWork } from "../order/orders-page.ts";
import { openPage } from "../shared/page-data.ts";

void new OrdersPageAtWork(openPage<null>()).start();
