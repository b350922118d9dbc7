/** The two streams of our pages, each shared by all tabs of the browser. */
import type { PurchaseOnWire, SaleOnWire, StockOnWire } from "../../http/contract/wire.ts";
import { callApi, type Told } from "./api.ts";
import { LiveStream, type Hearing } from "./live.ts";
import { SharedStream } from "./one-stream.ts";
import type { Session, SignedIn } from "./session.ts";

type HearsSale = {
  readonly onStock: (stock: StockOnWire) => void;
  readonly onSale: (sale: SaleOnWire) => void;
  readonly onHearing: (hearing: Hearing) => void;
};

/** Without Web Locks there is nobody to agree with. */
// Both are absent where a page was not loaded securely, whatever the types say.
const browserLocks = () => navigator.locks as LockManager | undefined;
const channelFor = (name: string) => (browserLocks() === undefined ? undefined : new BroadcastChannel(`doorbuster.${name}`));

const asEvent = (name: string, data: unknown) => ({ name, data: JSON.stringify(data) });

export function saleStream(saleId: string, { onStock, onSale, onHearing }: HearsSale): SharedStream {
  const path = `/api/v1/sales/${saleId}`;
  return new SharedStream({
    name: `sale.${saleId}`,
    locks: browserLocks(),
    channel: channelFor(`sale.${saleId}`),
    wordOf: () => "stock",
    onHearing,
    onEvent({ name, data }) {
      // Of our own server: its stream has the first, its reads the second.
      if (name === "stock") onStock(JSON.parse(data) as StockOnWire);
      if (name === "sale") onSale(JSON.parse(data) as SaleOnWire);
    },
    make: ({ onEvent, onHearing: hears }) =>
      new LiveStream({
        url: `${path}/events`,
        headers: async () => ({}),
        onEvent,
        onHearing: hears,
        poll: async () => tellPolled(await callApi<SaleOnWire>(path), (sale) => onEvent(asEvent("sale", sale))),
      }),
  });
}

export type HeardPurchase = PurchaseOnWire & { readonly refunded?: boolean };
type HearsPurchases = { readonly onPurchase: (purchase: HeardPurchase) => void; readonly onHearing: (hearing: Hearing) => void };

/** Of whoever is signed in; another account is another stream. */
export function purchaseStream(
  session: Session,
  { account }: Pick<SignedIn, "account">,
  { onPurchase, onHearing }: HearsPurchases,
): SharedStream {
  const name = `purchases.${account.id}`;
  const poll = "/api/v1/purchases?page_size=20";
  return new SharedStream({
    name,
    locks: browserLocks(),
    channel: channelFor(name),
    wordOf: (event) => (event.name === "purchase" ? purchaseIn(event.data).id : event.name),
    onHearing,
    onEvent: (event) => (event.name === "purchase" ? onPurchase(purchaseIn(event.data)) : undefined),
    make: ({ onEvent, onHearing: hears }) =>
      new LiveStream({
        url: "/api/v1/purchases/events",
        headers: async () => {
          const who = await session.find();
          return who.kind === "account" && who.account.id === account.id ? { Authorization: `Bearer ${who.token}` } : undefined;
        },
        onEvent,
        onHearing: hears,
        poll: async () =>
          tellPolled(await session.call<{ items: readonly PurchaseOnWire[] }>(poll), ({ items }) => {
            for (const purchase of items) onEvent(asEvent("purchase", purchase));
          }),
      }),
  });
}

// The stream of purchases says nothing else under this name.
const purchaseIn = (data: string): HeardPurchase => JSON.parse(data) as HeardPurchase;

function tellPolled<Data>(told: Told<Data>, tell: (data: Data) => void): Told<Data> {
  if (told.kind === "done") tell(told.data);
  return told;
}
