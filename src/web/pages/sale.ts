/** The program of the sale page. */
import { SalePageAtWork, type SaleData } from "../sale/sale-page.ts";
import { openPage } from "../shared/page-data.ts";

new SalePageAtWork(openPage<SaleData>()).start();
