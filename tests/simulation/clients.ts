/**
 * Buyers as they are: they double-click, repeat what got no answer under the same key, come back after the sell-out,
 * change their mind about the payload, pay in every way there is, cancel, or just leave. What they are told about an
 * order must never move backwards, and an order they were promised must never be missing.
 */
import { envelopeOf, fateOf, type Attempt, type Fate } from "./history.ts";
import { subjectOf, type Judge } from "./judge.ts";
import type { Recorder } from "./recorder.ts";
import type { Rng } from "./rng.ts";
import { apiKey, type Reply } from "./server.ts";
import type { World } from "./world.ts";

type Wish = Pick<Attempt, "saleId" | "key" | "quantity" | "note">;
const triesMax = 12;
/** Of somebody who waits for an order. */
const looksMax = 60;
/** Refusals of which another day may know nothing. */
const mayChange = ["all_taken", "paused", "sold_out", "sale_unknown"];
/** Later states have larger numbers; equal ones exclude each other. */
const ranks: Readonly<Record<string, number>> = { queued: -1, refused: -0.5, reserved: 0, paid: 1, cancelled: 1, expired: 1, closed: 1 };

export class Buyer {
  readonly #world: World;
  readonly #judge: Judge;
  readonly #number: number;
  readonly #random: Rng;
  /** Of its own, so that other buyers' lives, and all else of this one's, stay what they are in a seed. */
  readonly #extending: Rng;
  readonly #seen = new Map<string, string>();
  readonly #later: Promise<void>[] = [];
  readonly #recorder: Recorder;
  readonly #user: string;
  readonly #comesAlone: boolean;
  #token: string | undefined;

  constructor(world: World, judge: Judge, number: number) {
    this.#world = world;
    this.#judge = judge;
    this.#number = number;
    this.#random = world.sim.random(`buyer ${number}`);
    this.#extending = world.sim.random(`extending ${number}`);
    this.#recorder = world.recorder;
    this.#user = subjectOf(number);
    this.#comesAlone = this.#random.chance(world.shape.comesAlone);
  }

  async live(saleIds: readonly string[]): Promise<void> {
    const { sim, shape } = this.#world;
    const random = this.#random;
    await sim.sleep(random.around(shape.rushMs));
    const wishes = random.int(1, shape.intentsMax);
    for (let i = 0; i < wishes; i++) {
      const wanted = this.#want(this.#wish(random.pick(saleIds), i));
      // Who is in a hurry wants everything at once.
      if (shape.againMs === undefined) await wanted;
      else this.#later.push(wanted);
      await sim.sleep(random.around(shape.againMs ?? 300));
    }
    for (let later = this.#later.splice(0); later.length > 0; later = this.#later.splice(0)) await Promise.all(later);
  }

  /** Whether the crowd asks on and on, as long as things go wrong. */
  get #isHot(): boolean {
    const { sim, shape } = this.#world;
    return shape.againMs !== undefined && sim.now < shape.faultsForMs;
  }

  #wish(saleId: string, number: number): Wish {
    const { shape, faults } = this.#world;
    const random = this.#random;
    const limit = shape.sales[0]?.limit ?? 1;
    const quantity = random.chance(0.6) ? 1 : random.int(1, limit + (random.chance(0.2) ? 1 : 0));
    const poisoned = random.chance(0.15) && faults.on.has("poison");
    const note = poisoned ? "poison" : random.chance(0.1) ? `note ${number}` : undefined;
    return { saleId, quantity, note, key: random.chance(shape.keyed) ? `k${number}` : undefined };
  }

  async #want(wish: Wish): Promise<void> {
    const { sim, shape } = this.#world;
    const random = this.#random;
    const clicks = random.chance(shape.doubleClick) ? random.int(2, 3) : 1;
    const fates = await Promise.all(Array.from({ length: clicks }, () => this.#buy(wish)));
    let fate = fates.find(({ kind }) => kind === "accepted") ??
      fates.find(({ kind }) => kind === "queued") ??
      fates[0] ?? { kind: "unknown" };
    const { againMs } = shape;
    for (let tries = 1; (tries < triesMax || this.#isHot) && this.#mayRepeat(wish, fate); tries++) {
      await sim.sleep(againMs === undefined ? Math.min(1500, 40 * 2 ** tries) * (0.5 + random.unit()) : random.around(againMs));
      fate = await this.#buy(wish);
    }
    if (fate.kind !== "accepted" && fate.kind !== "queued") return;
    const { id } = fate;
    if (fate.kind === "queued") this.#later.push(this.#await(id));
    else this.#later.push(this.#own(id));
    if (wish.key !== undefined) this.#later.push(this.#comeBack(wish));
  }

  /** A repeat is for what is not known, was not tried, or may become possible; without a key only for the latter two. */
  #mayRepeat(wish: Wish, fate: Fate): boolean {
    const random = this.#random;
    switch (fate.kind) {
      case "unknown":
        return wish.key !== undefined && random.chance(0.95);
      case "untried":
        return random.chance(0.9);
      case "refused":
        if (fate.reason === "not_started") return true;
        return mayChange.includes(fate.reason) && random.chance(this.#isHot ? 0.98 : 0.6);
      default:
        return false;
    }
  }

  async #buy(wish: Wish): Promise<Fate> {
    const { shape } = this.#world;
    const { saleId, key, quantity, note } = wish;
    const attempt = this.#judge.invoked({ buyer: this.#number, ...wish });
    const body = JSON.stringify({ quantity, ...(note === undefined ? {} : { metadata: { note } }) });
    // Some do not wait for the order.
    const isAsync = this.#world.cacheDecides && this.#random.chance(0.3);
    const headers = { ...(key !== undefined && { "idempotency-key": key }), ...(isAsync && { prefer: "respond-async" }) };
    const heard = this.#recorder.asked({ f: "purchase", user: this.#user, event: saleId, key, qty: quantity });
    const reply = await this.#send(`/api/v1/sales/${saleId}/purchases`, { body, headers, timeoutMs: shape.timeoutMs });
    heard(reply);
    if (reply.kind === "answer" && reply.status === 401) this.#token = undefined;
    const fate = fateOf(reply);
    this.#judge.answered(attempt, fate, reply);
    return fate;
  }

  /** Late repeats of an accepted key, some with another payload. */
  async #comeBack(wish: Wish): Promise<void> {
    const { sim, shape } = this.#world;
    const random = this.#random;
    if (random.chance(shape.changesPayload)) {
      await sim.sleep(random.around(200));
      await this.#buy({ ...wish, quantity: wish.quantity + 1, note: random.chance(0.5) ? "another" : wish.note });
    }
    while (random.chance(this.#isHot ? 0.98 : shape.repeatsLate)) {
      await sim.sleep(random.around(shape.againMs ?? 1200));
      await this.#buy(wish);
    }
  }

  /** What was accepted becomes an order, and until then is there to be looked at. */
  async #await(id: string): Promise<void> {
    this.#seen.set(id, "queued");
    for (let looks = 0; looks < looksMax && this.#seen.get(id) === "queued"; looks++) {
      await this.#world.sim.sleep(this.#random.around(300));
      await this.#look(id);
    }
    if (this.#seen.get(id) === "reserved") await this.#own(id);
  }

  async #own(id: string): Promise<void> {
    const { sim, shape } = this.#world;
    const random = this.#random;
    await sim.sleep(random.around(100));
    if (this.#extending.chance(shape.extends)) this.#later.push(this.#extend(id));
    const pays = random.chance(shape.pays);
    if (pays) await this.#pay(id);
    if (random.chance(shape.cancels)) {
      await sim.sleep(random.around(random.chance(0.5) ? 20 : 600));
      await this.#until(async () => {
        const heard = this.#recorder.asked({ f: "cancel", user: this.#user, id });
        const reply = await this.#send(`/api/v1/orders/${id}/cancel`, { body: "{}" });
        this.#judge.cancelled(id, reply);
        heard(reply);
        return reply;
      });
    }
    for (let looks = random.int(0, 3); looks > 0; looks--) {
      await this.#look(id);
      await sim.sleep(random.around(500));
    }
  }

  /** Sees a deadline, and asks for more than that: often twice, sometimes too late, now and then after a long look. */
  async #extend(id: string): Promise<void> {
    const { sim } = this.#world;
    const random = this.#extending;
    for (let wishes = random.int(1, 3); wishes > 0; wishes--) {
      await sim.sleep(random.around(random.chance(0.3) ? 1_500 : 50));
      const order = await this.#send(`/api/v1/orders/${id}`, {});
      if (order.kind !== "answer" || order.status !== 200) return;
      const payBy = envelopeOf(order.text).data["pay_by"];
      if (typeof payBy !== "string") return;
      const ask = () =>
        this.#until(async () => {
          const reply = await this.#send(`/api/v1/orders/${id}/extend`, { body: JSON.stringify({ pay_by: payBy }) });
          this.#judge.extended({ id, payBy }, reply);
          return reply;
        }, random);
      await Promise.all(random.chance(0.6) ? [ask(), ask()] : [ask()]);
    }
  }

  async #pay(id: string): Promise<void> {
    const { sim, shape } = this.#world;
    const random = this.#random;
    const body = JSON.stringify({ scenario: random.pick(shape.scenarios) });
    if (random.chance(0.2)) await sim.sleep(random.around(2000));
    await this.#until(async () => {
      const heard = this.#recorder.asked({ f: "pay", user: this.#user, id });
      const reply = await this.#send(`/api/v1/orders/${id}/payments`, { body });
      heard(reply);
      return reply;
    });
  }

  /** Repeats what got no definite answer, a few times. */
  async #until(ask: () => Promise<Reply>, random = this.#random): Promise<void> {
    const { sim } = this.#world;
    for (let tries = 0; tries < triesMax; tries++) {
      const reply = await ask();
      if (reply.kind === "answer" && reply.status < 500) {
        sim.check(reply.status !== 404, "I12", () => `buyer ${this.#number} was told 404 about its own order: ${reply.text}`);
        return;
      }
      if (random.chance(0.1)) return;
      await sim.sleep(Math.min(1500, 60 * 2 ** tries) * (0.5 + random.unit()));
    }
  }

  async #look(id: string): Promise<void> {
    const { sim } = this.#world;
    const before = this.#seen.get(id) ?? "reserved";
    const heard = this.#recorder.asked({ f: "get", user: this.#user, id });
    const reply = await this.#send(`/api/v1/orders/${id}`, {});
    heard(reply);
    if (reply.kind !== "answer" || reply.status >= 500) return;
    sim.check(reply.status === 200, "I12", () => `order ${id} was answered ${reply.status} after its yes`);
    const state = String(envelopeOf(reply.text).data["state"]);
    const rank = ranks[state] ?? -1;
    const legal = rank > (ranks[before] ?? 0) || state === before;
    sim.check(legal, "I12", () => `order ${id} went from ${before} to ${state}`);
    this.#seen.set(id, state);
  }

  async #send(path: string, options: { body?: string; headers?: Record<string, string>; timeoutMs?: number }): Promise<Reply> {
    const headers = { ...(await this.#credentials()), ...options.headers };
    const method = options.body === undefined ? "GET" : "POST";
    return this.#world.send({ method, path, headers, body: options.body }, options.timeoutMs);
  }

  /** Some buyers come through the shop's server, others by themselves with a token that the shop got for them. */
  async #credentials(): Promise<Record<string, string>> {
    const byShop = { "x-api-key": apiKey };
    if (!this.#comesAlone) return { ...byShop, "x-user-id": this.#user };
    if (this.#token === undefined) {
      const body = JSON.stringify({ user_id: this.#user, expires_in_seconds: 3600 });
      const reply = await this.#world.send({ method: "POST", path: "/api/v1/tokens", headers: byShop, body });
      if (reply.kind === "answer" && reply.status === 201) this.#token = String(envelopeOf(reply.text).data["token"]);
    }
    return this.#token === undefined ? { ...byShop, "x-user-id": this.#user } : { authorization: `Bearer ${this.#token}` };
  }
}
