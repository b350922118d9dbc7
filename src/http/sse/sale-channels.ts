/** The sales that somebody watches, each with one channel for as long as anybody does. */
import type { SaleId } from "../../domain/ids.ts";
import type { Sale } from "../../domain/sale.ts";
import type { EventStream } from "./event-stream.ts";
import { SaleChannel, type ChannelDeps } from "./sale-channel.ts";

export class SaleChannels {
  readonly #deps: ChannelDeps;
  readonly #channels = new Map<SaleId, SaleChannel>();

  constructor(deps: ChannelDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#channels.size;
  }

  /** `sale` is the newest copy at hand. */
  join(sale: Sale, stream: EventStream, knownId: string | undefined): void {
    let channel = this.#channels.get(sale.id);
    if (channel === undefined) this.#channels.set(sale.id, (channel = new SaleChannel(sale, this.#deps)));
    channel.hear(sale);
    channel.join(stream, knownId);
  }

  leave(saleId: SaleId, stream: EventStream): void {
    const channel = this.#channels.get(saleId);
    channel?.leave(stream);
    if (channel?.size === 0) this.#channels.delete(saleId);
  }
}
