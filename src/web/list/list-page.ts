/** The list at work: asks for all sales together every few seconds, while somebody looks, and keeps time with the server. */
import { render } from "preact";
import type { ListOnWire, SaleOnWire } from "../../http/contract/wire.ts";
import { callApi } from "../shared/api.ts";
import type { Opened } from "../shared/page-data.ts";
import { TimeKeeper } from "../shared/time-keeper.ts";
import { withSales, type ListCard } from "./cards.ts";
import { listView } from "./list-view.ts";

export type ListData = { readonly cards: readonly ListCard[] };

/** One question for the whole page, each so often. */
const askEachMs = 5_000;

export class ListPageAtWork {
  readonly #opened: Opened<ListData>;
  readonly #time = new TimeKeeper(callApi, () => this.#draw());
  #cards: readonly ListCard[];
  #heardAtMs: number | undefined;
  #isOld = false;

  constructor(opened: Opened<ListData>) {
    this.#opened = opened;
    this.#cards = opened.own.cards;
  }

  start(): void {
    void this.#time.ask();
    this.#draw();
    this.#tickOn();
    this.#askOn(0);
    document.addEventListener("visibilitychange", () => (document.hidden ? undefined : this.#time.wake()));
  }

  #tickOn(): void {
    const nowMs = this.#time.clock.nowMs();
    setTimeout(() => this.#tickOn(), nowMs === undefined ? 250 : 1002 - (nowMs % 1000));
    this.#time.watch();
    this.#draw();
  }

  #askOn(floorMs: number): void {
    setTimeout(() => void this.#ask(), Math.max(floorMs, askEachMs * (0.5 + Math.random())));
  }

  async #ask(): Promise<void> {
    if (document.hidden) return this.#askOn(0);
    const told = await callApi<ListOnWire<SaleOnWire>>("/api/v1/sales?page_size=100");
    this.#isOld = told.kind !== "done";
    if (told.kind === "done") {
      this.#heardAtMs = this.#time.clock.nowMs();
      this.#cards = withSales(this.#cards, told.data.items);
    }
    this.#draw();
    this.#askOn(told.kind === "no" ? (told.retryAfterMs ?? 0) : 0);
  }

  #draw(): void {
    const { language, t, root } = this.#opened;
    const nowMs = this.#time.clock.nowMs();
    const oldSinceMs = this.#isOld ? (this.#heardAtMs ?? nowMs) : undefined;
    render(listView({ language, t, cards: this.#cards, nowMs, oldSinceMs }), root);
  }
}
