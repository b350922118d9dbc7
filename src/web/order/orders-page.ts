/** The list of one's orders at work: a page of them is read, and the stream changes what it names. */
import { render } from "preact";
import type { ListOnWire, PurchaseOnWire, SaleOnWire } from "../../http/contract/wire.ts";
import { callApi } from "../shared/api.ts";
import { followAttention } from "../shared/attention.ts";
import type { SharedStream } from "../shared/one-stream.ts";
import type { Opened } from "../shared/page-data.ts";
import { isOlder } from "../shared/newer.ts";
import { pathsOf } from "../shared/paths.ts";
import { Session } from "../shared/session.ts";
import { saveAs } from "../shared/save-as.ts";
import { browserStorage } from "../shared/storage.ts";
import { purchaseStream } from "../shared/streams.ts";
import { TimeKeeper } from "../shared/time-keeper.ts";
import { filters, ordersView, type Filter } from "./orders-view.ts";
import { problemText } from "./problem-text.ts";

const pageSize = 20;
const savedAtOnce = 100;

export class OrdersPageAtWork {
  readonly #opened: Opened<null>;
  readonly #session = new Session({ storage: browserStorage() });
  readonly #time = new TimeKeeper(callApi, () => this.#draw());
  readonly #names = new Map<string, string>();
  readonly #filter: Filter;
  readonly #page: number;
  #stream: SharedStream | undefined;
  #orders: readonly PurchaseOnWire[] | undefined;
  #total = 0;
  #problem: string | undefined;

  constructor(opened: Opened<null>) {
    this.#opened = opened;
    const asked = new URLSearchParams(location.search);
    this.#filter = filters.find((filter) => filter === asked.get("show")) ?? "all";
    this.#page = Math.max(1, Math.trunc(Number(asked.get("page") ?? 1)) || 1);
  }

  async start(): Promise<void> {
    this.#draw();
    const who = await this.#session.find();
    const paths = pathsOf(this.#opened.language);
    if (who.kind === "unknown") return void setTimeout(() => void this.start(), 2_000 + Math.random() * 3_000);
    if (who.kind !== "account") return location.replace(paths.signIn(paths.orders));
    void this.#time.ask();
    this.#stream = purchaseStream(this.#session, who, { onPurchase: (purchase) => this.#heard(purchase), onHearing: () => {} });
    followAttention(
      () => (this.#stream === undefined ? [] : [this.#stream]),
      () => this.#time.wake(),
    );
    this.#stream.join();
    this.#tickOn();
    await this.#read();
  }

  #tickOn(): void {
    const nowMs = this.#time.clock.nowMs();
    setTimeout(() => this.#tickOn(), nowMs === undefined ? 250 : 1002 - (nowMs % 1000));
    this.#time.watch();
    this.#draw();
  }

  async #read(): Promise<void> {
    const state = this.#filter === "reserved" || this.#filter === "paid" ? `&state=${this.#filter}` : "";
    const told = await this.#session.call<ListOnWire<PurchaseOnWire>>(`/api/v1/purchases?page=${this.#page}&page_size=${pageSize}${state}`);
    const { t } = this.#opened;
    this.#problem =
      told.kind === "done" ? undefined : told.kind === "silence" ? t("failed_silence") : t("failed", { reason: told.problem.reason });
    if (told.kind === "done") {
      this.#orders = told.data.items;
      this.#total = told.data.total;
    }
    this.#draw();
    if (told.kind !== "done") return void setTimeout(() => void this.#read(), 3_000 + Math.random() * 3_000);
    await Promise.all([...new Set(told.data.items.map(({ sale_id: saleId }) => saleId))].map((saleId) => this.#readName(saleId)));
  }

  async #readName(saleId: string): Promise<void> {
    if (this.#names.has(saleId)) return;
    const told = await callApi<SaleOnWire>(`/api/v1/sales/${saleId}`);
    if (told.kind !== "done") return;
    this.#names.set(saleId, told.data.name);
    this.#draw();
  }

  #heard(heard: PurchaseOnWire): void {
    const orders = this.#orders;
    if (orders === undefined) return;
    const known = orders.find(({ id }) => id === heard.id);
    if (known !== undefined && isOlder(heard, known)) return;
    this.#orders =
      known === undefined
        ? this.#page === 1
          ? [heard, ...orders]
          : orders
        : orders.map((order) => (order.id === heard.id ? heard : order));
    void this.#readName(heard.sale_id);
    this.#draw();
  }

  /** All that the server has of this buyer's orders, as it tells it: whoever it is about may have it. */
  async #save(): Promise<void> {
    const orders: PurchaseOnWire[] = [];
    for (let page = 1; ; page++) {
      const told = await this.#session.call<ListOnWire<PurchaseOnWire>>(`/api/v1/purchases?page=${page}&page_size=${savedAtOnce}`);
      if (told.kind !== "done") {
        this.#problem = problemText(this.#opened.t, told);
        return this.#draw();
      }
      orders.push(...told.data.items);
      if (told.data.items.length < savedAtOnce) break;
    }
    saveAs("orders.json", JSON.stringify({ orders }, undefined, 2));
  }

  #draw(): void {
    const { language, t, root } = this.#opened;
    const hasOlder = this.#total > this.#page * pageSize;
    const nowMs = this.#time.clock.nowMs();
    render(
      ordersView({
        language,
        t,
        filter: this.#filter,
        page: this.#page,
        orders: this.#orders,
        hasOlder,
        names: this.#names,
        nowMs,
        problem: this.#problem,
        save: () => void this.#save(),
      }),
      root,
    );
  }
}
