/** What live push is made of, as routes see it: the streams, the sales watched, and the answers that open a stream. */
import type { BuyerId } from "../../domain/ids.ts";
import type { Sale } from "../../domain/sale.ts";
import type { HttpDeps, Peer } from "../deps.ts";
import { failure, type Reply } from "../envelope.ts";
import type { EventStream } from "./event-stream.ts";
import { parsePurchaseEventId, retryMs } from "./frames.ts";
import { PurchaseFeed, snapshotMax } from "./purchase-feed.ts";
import { SaleChannels } from "./sale-channels.ts";
import { Streams, type StreamAsk, type StreamOpening } from "./streams.ts";

export const eventStreamType = "text/event-stream";
const streamsDefaultMax = 10_000;
const streamHeaders: Readonly<Record<string, string>> = {
  "Content-Type": eventStreamType,
  // Neither kept nor compressed nor gathered on the way.
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
};

/** Who opens a stream, and how it is counted. */
export type StreamGuest = Pick<StreamAsk, "client" | "buyerId" | "mayStay"> & { readonly request: Request; readonly peer: Peer };

export type LiveDeps = Pick<HttpDeps, "changes" | "clock" | "tasks" | "entropy" | "records" | "isDraining" | "options">;

export class Live {
  readonly streams: Streams;
  readonly sales: SaleChannels;
  readonly #deps: LiveDeps;

  constructor(deps: LiveDeps) {
    const { changes, clock, tasks, options } = deps;
    this.#deps = deps;
    this.streams = new Streams(deps, { streamsMax: options.streamsMax ?? streamsDefaultMax });
    this.sales = new SaleChannels({ changes, clock, tasks, streams: this.streams });
  }

  /** A sale's stock, from `sale` on. */
  watchSale(guest: StreamGuest, sale: Sale): Reply {
    return this.#open(guest, {
      begin: (stream) => this.sales.join(sale, stream, guest.request.headers.get("last-event-id") ?? undefined),
      end: (stream) => this.sales.leave(sale.id, stream),
    });
  }

  /** A buyer's own purchases. Answers when they are read, so that a store that cannot read is told by the status. */
  async watchPurchases(guest: StreamGuest & { readonly buyerId: BuyerId }): Promise<Reply> {
    const { changes, clock, records } = this.#deps;
    const { streams } = this;
    let stop = () => {};
    let feed: PurchaseFeed | undefined;
    let opened: EventStream | undefined;
    const reply = this.#open(guest, {
      begin: (stream) => {
        opened = stream;
        feed = new PurchaseFeed(stream, { streams, clock });
        stop = changes.watchPurchases(guest.buyerId, (purchase) => feed?.hear(purchase));
      },
      end: () => stop(),
    });
    if (feed === undefined) return reply;
    try {
      const { items } = await records.purchasesOf(guest.buyerId, {}, { offset: 0, limit: snapshotMax });
      feed.begin(items, parsePurchaseEventId(guest.request.headers.get("last-event-id") ?? ""));
      return reply;
    } catch (error) {
      opened?.leave();
      throw error;
    }
  }

  #open(guest: StreamGuest, { begin, end }: { begin: (stream: EventStream) => void; end: (stream: EventStream) => void }): Reply {
    if (this.#deps.isDraining()) return failure("draining");
    // It says what GET would, and nobody reads a stream of it.
    if (guest.request.method === "HEAD") return { status: 200, body: "", headers: streamHeaders };
    const { client, buyerId, mayStay, request, peer } = guest;
    let stream: EventStream | undefined;
    const onEnd = () => stream !== undefined && end(stream);
    const opening = this.streams.open({ client, buyerId, mayStay, socket: peer.stream, signal: request.signal, onEnd });
    if (opening.kind === "full") return this.#fullReply(opening);
    stream = opening.stream;
    if (stream.isOpen) begin(stream);
    return { status: 200, body: "", stream: stream.body, headers: streamHeaders };
  }

  #fullReply({ of, max }: Extract<StreamOpening, { kind: "full" }>): Reply {
    const reply = failure("too_many_streams", { limit: max, problem: `There are ${max} open streams of this ${of}` });
    const seconds = Math.ceil(retryMs(this.#deps.entropy.random()) / 1000);
    return { ...reply, headers: { "Retry-After": String(seconds) } };
  }
}
