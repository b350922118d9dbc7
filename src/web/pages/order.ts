/** The program of the order page. */
import { OrderPageAtWork, type OrderData } from "../order/order-page.ts";
import { openPage } from "../shared/page-data.ts";

void new OrderPageAtWork(openPage<OrderData>()).start();
