/**
 * A sale page at work: what is heard changes the facts, facts make the page.
 *
 *   clock, streams, session, clicks ──► facts ──► button-states ──► saleView ──► the document
 *
 * Must stay true: nothing but the facts decides what is shown, and every fact is the server's word or the server's time.
 */
import { render } from "preact";
import type { PurchaseOnWire, SaleOnWire, StockOnWire } from "../../http/contract/wire.ts";
import { Announcer } from "../shared/announcer.ts";
import { callApi } from "../shared/api.ts";
import { followAttention } from "../shared/attention.ts";
import { EdgeTimer } from "../shared/edge-timer.ts";
import { clockText } from "../shared/format.ts";
import { drawKeepingFocus } from "../shared/keep-focus.ts";
import type { SharedStream } from "../shared/one-stream.ts";
import type { Opened } from "../shared/page-data.ts";
import { pathsOf } from "../shared/paths.ts";
import { Session, type Who } from "../shared/session.ts";
import { browserStorage, type Storage } from "../shared/storage.ts";
import { purchaseStream, saleStream } from "../shared/streams.ts";
import { TimeKeeper } from "../shared/time-keeper.ts";
import { announcementOf } from "./announcements.ts";
import { Attempts, type Outcome } from "./attempt.ts";
import { buttonOf } from "./button-states.ts";
import { spokenTime, targetOf } from "./countdown-view.ts";
import { nextEdgeMs, phaseOf, saleFromStream, saleNow, withPurchase, type SaleFacts } from "./facts.ts";
import { toldOf } from "./outcome-text.ts";
import { saleView, type SaleCard, type SalePage } from "./sale-view.ts";

export type SaleData = { readonly card: SaleCard; readonly sale: SaleOnWire };

export class SalePageAtWork {
  readonly #opened: Opened<SaleData>;
  readonly #storage: Storage = browserStorage();
  readonly #session = new Session({ storage: this.#storage });
  readonly #time = new TimeKeeper(callApi, () => this.#timeKnown());
  readonly #edge = new EdgeTimer(
    () => this.#time.clock.nowMs(),
    () => this.#tick(),
  );
  readonly #announcer = new Announcer((said) => this.#set({ said }));
  readonly #sale: SharedStream;
  #purchases: SharedStream | undefined;
  #attempts: Attempts | undefined;
  #facts: SaleFacts;
  #shown: SalePageShown = { hearing: "connecting", paused: false, said: "", told: undefined, quantity: 1 };

  constructor(opened: Opened<SaleData>) {
    this.#opened = opened;
    const { card, sale } = opened.own;
    this.#facts = {
      nowMs: undefined,
      sale: saleNow(sale),
      who: "unknown",
      own: [],
      limit: card.perBuyerLimit,
      asking: false,
      waitUntilMs: undefined,
    };
    this.#sale = saleStream(card.id, {
      onStock: (stock: StockOnWire) => this.#know({ sale: saleFromStream(stock) }),
      onSale: (told: SaleOnWire) => this.#know({ sale: saleNow(told) }),
      onHearing: (hearing) => this.#set({ hearing }),
    });
  }

  start(): void {
    this.#session.onChange((who) => this.#become(who));
    followAttention(
      () => (this.#shown.paused ? [] : [this.#sale, ...(this.#purchases === undefined ? [] : [this.#purchases])]),
      () => this.#time.wake(),
    );
    this.#sale.join();
    void this.#time.ask();
    void this.#findOut();
    this.#draw();
    this.#tickOn();
  }

  /** Each second of the server, a little after it begins. */
  #tickOn(): void {
    const nowMs = this.#time.clock.nowMs();
    setTimeout(() => this.#tickOn(), nowMs === undefined ? 250 : 1002 - (nowMs % 1000));
    this.#time.watch();
    if (phaseOf(this.#facts) === "before") this.#time.near(this.#facts.sale.startsAtMs);
    this.#tick();
  }

  #tick(): void {
    this.#know({});
    const { nowMs, sale } = this.#facts;
    const leftMs = nowMs === undefined ? 0 : sale.startsAtMs - nowMs;
    const { name } = this.#opened.own.card;
    document.title = leftMs > 0 && leftMs < 3_600_000 ? `${clockText(leftMs)} · ${name}` : name;
  }

  #timeKnown(): void {
    this.#tick();
  }

  /** Something is known anew. Whatever it is, the time is now. */
  #know(news: Partial<SaleFacts>): void {
    const before = this.#facts;
    this.#facts = { ...before, ...news, nowMs: this.#time.clock.nowMs() };
    const said = announcementOf(before, this.#facts);
    if (said !== undefined) this.#announcer.say(this.#opened.t(said));
    this.#edge.aim(nextEdgeMs(this.#facts));
    this.#draw();
  }

  #set(change: Partial<SalePageShown>): void {
    this.#shown = { ...this.#shown, ...change };
    this.#draw();
  }

  async #findOut(): Promise<void> {
    const who = await this.#session.find();
    // The server did not answer; it may in a moment.
    if (who.kind === "unknown") setTimeout(() => void this.#findOut(), 2_000 + Math.random() * 3_000);
  }

  #become(who: Who): void {
    this.#purchases?.close();
    this.#purchases = undefined;
    this.#attempts = undefined;
    this.#know({ who: who.kind, own: [] });
    if (who.kind !== "account") return;
    const { id } = this.#opened.own.card;
    this.#purchases = purchaseStream(this.#session, who, { onPurchase: (purchase) => this.#heard(purchase), onHearing: () => {} });
    this.#purchases.join();
    this.#attempts = new Attempts(id, who.account.id, {
      storage: this.#storage,
      call: (path, ask) => this.#session.call(path, ask),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: Math.random,
      nowMs: Date.now,
    });
    void this.#readOwn();
    if (this.#attempts.isOpen) void this.#settle(this.#attempts.resume());
  }

  /** What was bought and paid before is in no stream. */
  async #readOwn(): Promise<void> {
    const path = `/api/v1/purchases?sale_id=${this.#opened.own.card.id}&page_size=100`;
    const told = await this.#session.call<{ items: readonly PurchaseOnWire[] }>(path);
    if (told.kind === "done") for (const purchase of told.data.items) this.#heard(purchase);
    else if (told.kind === "silence" || told.status >= 500) setTimeout(() => void this.#readOwn(), 2_000 + Math.random() * 3_000);
  }

  #heard(purchase: PurchaseOnWire): void {
    if (purchase.sale_id === this.#opened.own.card.id) this.#know({ own: withPurchase(this.#facts.own, purchase) });
  }

  async #buy(): Promise<void> {
    if (buttonOf(this.#facts).act !== "buy") return;
    const who = await this.#session.find();
    const { card } = this.#opened.own;
    const paths = pathsOf(this.#opened.language);
    if (who.kind === "nobody") return location.assign(paths.signIn(paths.sale(card.id)));
    if (this.#attempts === undefined) return this.#set({ told: this.#opened.t("told_busy") });
    await this.#settle(this.#attempts.buy(this.#shown.quantity));
  }

  async #settle(asked: Promise<Outcome | undefined>): Promise<void> {
    this.#set({ told: undefined });
    this.#know({ asking: true });
    const outcome = await asked;
    if (outcome === undefined) return this.#know({ asking: false });
    if (outcome.kind === "accepted") {
      const { purchase } = outcome;
      const { state, id, quantity, accepted_at } = purchase;
      const pay_by = "pay_by" in purchase ? purchase.pay_by : null;
      const hold_until = "hold_until" in purchase ? purchase.hold_until : pay_by;
      const changed_at = "changed_at" in purchase ? purchase.changed_at : accepted_at;
      return this.#know({ asking: false, own: withPurchase(this.#facts.own, { id, state, quantity, pay_by, hold_until, changed_at }) });
    }
    const nowMs = this.#time.clock.nowMs();
    const waits = outcome.kind === "not_tried" && outcome.retryAfterMs !== undefined && nowMs !== undefined;
    const limit = outcome.kind === "refused" && outcome.problem.reason === "limit_reached" ? outcome.problem.limit : undefined;
    this.#know({
      asking: false,
      ...(waits ? { waitUntilMs: nowMs + (outcome.retryAfterMs ?? 0) } : {}),
      ...(limit === undefined ? {} : { limit }),
    });
    this.#set({ told: toldOf(this.#opened.t, outcome) });
  }

  #togglePause(): void {
    const paused = !this.#shown.paused;
    this.#set({ paused });
    for (const stream of [this.#sale, this.#purchases])
      if (paused) stream?.part();
      else stream?.join();
  }

  #readTime(): void {
    const { nowMs } = this.#facts;
    const target = targetOf(this.#facts);
    const { t } = this.#opened;
    this.#announcer.answer(
      target === undefined || nowMs === undefined ? t("over") : t("time_left", { time: spokenTime(t, target.atMs - nowMs) }),
    );
  }

  #draw(): void {
    const { language, t, own, root } = this.#opened;
    const { hearing, paused, said, told, quantity } = this.#shown;
    const page: SalePage = {
      language,
      t,
      card: own.card,
      facts: this.#facts,
      quantity,
      told,
      live: { hearing, paused, said, clockBoundMs: this.#time.clock.boundMs },
      acts: {
        buy: () => void this.#buy(),
        choose: (chosen) => this.#set({ quantity: chosen }),
        togglePause: () => this.#togglePause(),
        readTime: () => this.#readTime(),
      },
    };
    drawKeepingFocus(root, () => render(saleView(page), root), [".action .main"]);
  }
}

type SalePageShown = {
  readonly hearing: NonNullable<SalePage["live"]>["hearing"];
  readonly paused: boolean;
  readonly said: string;
  readonly told: string | undefined;
  readonly quantity: number;
};
