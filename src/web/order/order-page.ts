/**
 * The order page at work. The order is read whole whenever something happened to it: the stream says when, and while a
 * payment is under way it is asked for now and then, since a payment that fails changes no purchase.
 */
import { render } from "preact";
import type { OrderOnWire, SaleOnWire } from "../../http/contract/wire.ts";
import { Announcer } from "../shared/announcer.ts";
import { callApi } from "../shared/api.ts";
import { followAttention } from "../shared/attention.ts";
import type { SharedStream } from "../shared/one-stream.ts";
import type { Opened } from "../shared/page-data.ts";
import { pathsOf } from "../shared/paths.ts";
import { drawKeepingFocus } from "../shared/keep-focus.ts";
import { Reading } from "../shared/reading.ts";
import { Session } from "../shared/session.ts";
import { browserStorage } from "../shared/storage.ts";
import { purchaseStream } from "../shared/streams.ts";
import { TimeKeeper } from "../shared/time-keeper.ts";
import { instant } from "../shared/format.ts";
import { isOlder } from "../shared/newer.ts";
import { urgencyOf, warningOf } from "./more-time.ts";
import { orderView, type OrderPage, type PayWay } from "./order-view.ts";
import { openPayment } from "./pay-view.ts";
import { problemText } from "./problem-text.ts";

export type OrderData = { readonly payWay: PayWay };
type Shown = Pick<OrderPage, "working" | "asksCancel" | "told" | "isUnknown" | "saleName"> & NonNullable<OrderPage["live"]>;

/** While a payment is under way. */
const lookEachMs = 1_500;

export class OrderPageAtWork {
  readonly #opened: Opened<OrderData>;
  readonly #id = location.pathname.split("/").at(-1) ?? "";
  readonly #session = new Session({ storage: browserStorage() });
  readonly #time = new TimeKeeper(callApi, () => this.#draw());
  readonly #announcer = new Announcer((said) => this.#set({ said }));
  readonly #reading = new Reading(() => this.#readOnce());
  #stream: SharedStream | undefined;
  #order: OrderOnWire | undefined;
  #looking: ReturnType<typeof setTimeout> | undefined;
  #urgency: 0 | 1 | 2 = 0;
  #shown: Shown = {
    working: false,
    asksCancel: false,
    told: undefined,
    isUnknown: false,
    saleName: undefined,
    hearing: "connecting",
    paused: false,
    said: "",
  };

  constructor(opened: Opened<OrderData>) {
    this.#opened = opened;
  }

  async start(): Promise<void> {
    this.#draw();
    const who = await this.#session.find();
    const paths = pathsOf(this.#opened.language);
    if (who.kind === "unknown") return void setTimeout(() => void this.start(), 2_000 + Math.random() * 3_000);
    if (who.kind !== "account") return location.replace(paths.signIn(paths.order(this.#id)));
    void this.#time.ask();
    this.#stream = purchaseStream(this.#session, who, {
      onPurchase: (heard) =>
        heard.id === this.#id && (this.#order === undefined || isOlder(this.#order, heard)) ? void this.#reading.ask() : undefined,
      onHearing: (hearing) => this.#set({ hearing }),
    });
    followAttention(
      () => (this.#stream === undefined || this.#shown.paused ? [] : [this.#stream]),
      () => {
        this.#time.wake();
        void this.#reading.ask();
      },
    );
    this.#stream.join();
    this.#tickOn();
    await this.#reading.ask();
  }

  #tickOn(): void {
    const nowMs = this.#time.clock.nowMs();
    setTimeout(() => this.#tickOn(), nowMs === undefined ? 250 : 1002 - (nowMs % 1000));
    this.#time.watch();
    this.#sayIfSoon();
    this.#draw();
  }

  #sayIfSoon(): void {
    const order = this.#order;
    const urgency = order === undefined ? 0 : urgencyOf(order, this.#time.clock.nowMs());
    if (order !== undefined && urgency !== 0 && urgency > this.#urgency) this.#announcer.say(this.#opened.t(warningOf(order, urgency)));
    this.#urgency = urgency;
  }

  async #readOnce(): Promise<void> {
    clearTimeout(this.#looking);
    const told = await this.#session.call<OrderOnWire>(`/api/v1/orders/${this.#id}`);
    if (told.kind === "done") this.#know(told.data);
    if (told.kind === "no" && told.status === 404) return this.#set({ isUnknown: true });
    if (told.kind === "no" && told.status === 401) return this.#leave();
    const retryAfterMs = told.kind === "no" ? (told.retryAfterMs ?? 0) : 0;
    const isOpen = told.kind !== "done" || openPayment(told.data) !== undefined;
    if (isOpen) this.#looking = setTimeout(() => void this.#reading.ask(), Math.max(retryAfterMs, lookEachMs * (0.75 + Math.random() / 2)));
  }

  #know(order: OrderOnWire): void {
    if (order.state === "paid" && this.#order?.state === "reserved") this.#announcer.say(this.#opened.t("say_paid"));
    if (order.state !== "reserved") this.#set({ asksCancel: false });
    this.#order = order;
    this.#draw();
    if (this.#shown.saleName === undefined) void this.#readName(order.sale_id);
  }

  async #readName(saleId: string): Promise<void> {
    const told = await callApi<SaleOnWire>(`/api/v1/sales/${saleId}`);
    if (told.kind !== "done") return;
    document.title = told.data.name;
    this.#set({ saleName: told.data.name });
  }

  async #act(path: "payments" | "extend" | "cancel", body: unknown): Promise<void> {
    if (this.#shown.working) return;
    this.#set({ working: true, told: undefined });
    const told = await this.#session.call(`/api/v1/orders/${this.#id}/${path}`, { method: "POST", body });
    if (told.kind === "no" && told.status === 401) return this.#leave();
    this.#set({ working: false, told: told.kind === "done" ? undefined : problemText(this.#opened.t, told) });
    await this.#reading.ask();
  }

  /** The session is over: whoever it was signs in again, or hears there why not. */
  #leave(): void {
    const paths = pathsOf(this.#opened.language);
    location.replace(paths.signIn(paths.order(this.#id)));
  }

  /** However often it is clicked, a deadline that was seen is good for one minute more. */
  async #extend(): Promise<void> {
    const before = this.#order;
    if (before === undefined || before.pay_by === null) return;
    await this.#act("extend", { pay_by: before.pay_by });
    const payBy = this.#order?.pay_by ?? before.pay_by;
    const { language, t } = this.#opened;
    if (payBy > before.pay_by) this.#announcer.answer(t("say_more_time", { time: instant(language, Date.parse(payBy)) }));
  }

  #set(change: Partial<Shown>): void {
    this.#shown = { ...this.#shown, ...change };
    this.#draw();
  }

  #askCancel(asksCancel: boolean): void {
    this.#set({ asksCancel });
    document.getElementById("cancel-question")?.focus();
  }

  #togglePause(): void {
    const paused = !this.#shown.paused;
    this.#set({ paused });
    if (paused) this.#stream?.part();
    else this.#stream?.join();
  }

  #draw(): void {
    const { language, t, own, root } = this.#opened;
    const { working, asksCancel, told, isUnknown, saleName, ...live } = this.#shown;
    const acts = {
      pay: (scenario: string) => void this.#act("payments", own.payWay === "trial" ? { scenario } : {}),
      extend: () => void this.#extend(),
      askCancel: () => this.#askCancel(true),
      keep: () => this.#askCancel(false),
      cancel: () => void this.#act("cancel", {}),
      togglePause: () => this.#togglePause(),
    };
    const nowMs = this.#time.clock.nowMs();
    const draw = () =>
      render(
        orderView({
          language,
          t,
          payWay: own.payWay,
          order: this.#order,
          isUnknown,
          saleName,
          nowMs,
          working,
          asksCancel,
          told,
          live,
          acts,
        }),
        root,
      );
    drawKeepingFocus(root, draw, [".cancel button", ".pay .main", ".state-word"]);
  }
}
