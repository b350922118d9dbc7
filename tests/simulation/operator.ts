/** The shop's operator, who turns every switch there is while the sale runs, and repeats what got no answer. */
import { parseProductId, type SaleId } from "../../src/domain/ids.ts";
import { parseCurrency } from "../../src/domain/money.ts";
import { switchSale } from "../../src/engine/sales.ts";
import { envelopeOf } from "./history.ts";
import type { Rng } from "./rng.ts";
import { apiKey } from "./server.ts";
import { epochMs, productIdText, type World } from "./world.ts";

type Act = "pause" | "resume" | "extend" | "adjust" | "count" | "refund" | "publish" | "cancel";

export class Operator {
  readonly #world: World;
  readonly #random: Rng;
  readonly #saleIds: SaleId[];
  /** Sales of which somebody still waits for an answer that never came. */
  readonly #unsettled = new Set<string>();
  #late: SaleId | undefined;

  constructor(world: World, saleIds: SaleId[]) {
    this.#world = world;
    this.#random = world.sim.random("operator");
    this.#saleIds = saleIds;
  }

  /** A sale that buyers know of, by its id, before it is there. */
  foresee(): void {
    const parts = this.#world.running[0]?.parts;
    if (this.#world.shape.cluster?.lateSaleInMs === undefined || parts === undefined) return;
    // A freshly minted id is a sale's id by its use here.
    this.#late = parts.ids.mint() as SaleId;
    this.#saleIds.push(this.#late);
  }

  /** Makes it and publishes it at once, as an import may. */
  async openLate(): Promise<void> {
    const { sim, shape } = this.#world;
    const id = this.#late;
    const [terms] = shape.sales;
    const productId = parseProductId(productIdText);
    const currency = parseCurrency("EUR");
    if (id === undefined || terms === undefined || productId === undefined || currency === undefined) return;
    await sim.sleep(shape.cluster?.lateSaleInMs ?? 0);
    const { stock, limit: perBuyerLimit, payWindowMs, payExtensionsMax, refundedUnitsCount, priceMinor } = terms;
    const startsAtMs = Math.floor(this.#world.nowMs());
    const price = { minor: priceMinor, currency };
    const rules = { perBuyerLimit, limitGroup: undefined, refundedUnitsCount, payWindowMs, payExtensionsMax };
    const draft = { productId, name: "Lamp", price, stock, ...rules, startsAtMs, endsAtMs: startsAtMs + 60_000 };
    const answer = await this.#world.patiently((parts) => parts.catalogue.addSale({ id, draft, createdAtMs: startsAtMs }));
    sim.probe(`late-sale ${answer.kind}`);
    await this.#world.patiently(async (parts) => {
      const { kind } = await switchSale(parts, id, { kind: "publish" });
      return kind === "not_tried" || kind === "unknown" ? undefined : kind;
    });
  }

  async live(): Promise<void> {
    const { sim, shape } = this.#world;
    const random = this.#random;
    if (shape.operatorGapMs === Infinity) return;
    for (;;) {
      await sim.sleep(random.around(shape.operatorGapMs));
      if (sim.now > shape.faultsForMs) break;
      const acts: Act[] = ["pause", "resume", "resume", "extend", "adjust", "adjust", "count", "refund", "publish"];
      const act: Act = shape.cancelsSales && random.chance(0.15) ? "cancel" : random.pick(acts);
      await this.#do(act, random.pick(this.#saleIds));
    }
    for (const saleId of this.#saleIds) await this.#switch(saleId, "resume");
    // When some sales are over and settled.
    await sim.sleep(random.around(2_500));
    await this.#refund();
  }

  async #do(act: Act, saleId: SaleId): Promise<void> {
    const { sim } = this.#world;
    sim.probe(`operator-${act}`);
    if (act === "adjust") return this.#adjust(saleId);
    if (act === "count") return this.#count();
    if (act === "refund") return this.#refund();
    const sale = this.#world.auditor.books.sales.get(saleId);
    // Of a sale that is not there yet nobody knows when it ends.
    if (sale === undefined) this.#unsettled.add(saleId);
    const endsAtMs = Math.max(sale?.endsAtMs ?? 0, epochMs) + this.#random.int(1, 3000);
    await this.#switch(saleId, act, act === "extend" ? { ends_at: new Date(endsAtMs).toISOString() } : {});
  }

  async #switch(saleId: string, act: string, body: object = {}): Promise<void> {
    const statuses = await this.#post(`/api/v1/sales/${saleId}/${act}`, body);
    const last = statuses.at(-1);
    const isLost = (status: number | undefined): boolean => status === 0 || status === 504;
    const unsure = statuses.slice(0, -1).some(isLost) && !this.#unsettled.has(saleId);
    // An earlier wish that is still on its way may come between.
    if (statuses.some(isLost) && (last === undefined || last >= 300)) this.#unsettled.add(saleId);
    // The first try may have been applied, so a repeat that calls the wish itself wrong lies about it.
    this.#world.sim.check(!(unsure && last === 422), "I8", () => `the operator's ${act} got no answer, and its repeat was called invalid`);
  }

  /** Under a key, which the reason names: whatever is lost and repeated, each has one effect. */
  async #adjust(saleId: SaleId): Promise<void> {
    const units = this.#random.chance(0.5) ? this.#random.int(1, 3) : -this.#random.int(1, 3);
    const key = `a${this.#random.int(1, 1_000_000_000)}`;
    await this.#post(`/api/v1/sales/${saleId}/stock-adjustments`, { units, reason: `as counted ${key}` }, key);
  }

  /** What is free is counted while sales take from it and give back. */
  async #count(): Promise<void> {
    const units = this.#random.chance(0.5) ? this.#random.int(1, 3) : -this.#random.int(1, 3);
    const key = `c${this.#random.int(1, 1_000_000_000)}`;
    await this.#post(`/api/v1/products/${productIdText}/inventory`, { adjust: units, reason: `as counted ${key}` }, key);
  }

  async #refund(): Promise<void> {
    const paid = [...this.#world.auditor.books.purchases.values()].filter((purchase) => purchase.state === "paid");
    if (paid.length === 0) return;
    await this.#post(`/api/v1/orders/${this.#random.pick(paid).id}/refunds`, { return_stock: this.#random.chance(0.5) });
  }

  /** The statuses until a definite one, 0 for no answer. */
  async #post(path: string, body: object, key?: string): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries++) {
      const headers = { "x-api-key": apiKey, ...(key === undefined ? {} : { "idempotency-key": key }) };
      const reply = await this.#world.send({ method: "POST", path, headers, body: JSON.stringify(body) }, 1500);
      const status = reply.kind === "answer" ? reply.status : 0;
      statuses.push(status);
      if (status !== 0 && status < 500) {
        if (reply.kind === "answer") envelopeOf(reply.text);
        break;
      }
      await this.#world.sim.sleep(100 * (0.5 + this.#random.unit()));
    }
    return statuses;
  }
}
