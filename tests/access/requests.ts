/** For each operation a request that could be answered: what is asked is who may ask, not what. */
import type { Contract } from "../../src/http/route.ts";
import type { Call } from "../harness/memory-api.ts";
import { goodPassword } from "../kit/account-world.ts";
import type { Doorstep } from "./personas.ts";

type Sent = { readonly path: string; readonly call: Call };

export function requestFor({ method, path, operation }: Contract, { params, api }: Doorstep): Sent {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`tests/access/personas.ts knows no value for ":${name}" of ${path}; add one`);
    return value;
  });
  const json = method === "GET" ? undefined : bodyOf(operation, params, api.time.nowMs);
  return { path: filled, call: { json, idempotencyKey: operation.endsWith("urchase") ? "k2" : undefined } };
}

function bodyOf(operation: string, params: Doorstep["params"], nowMs: number): unknown {
  const at = (seconds: number) => new Date(nowMs + seconds * 1000).toISOString();
  const proof = { password: goodPassword };
  const productId = params["product_id"];
  const bodies: Readonly<Record<string, unknown>> = {
    grantToken: { user_id: "cat" },
    exchangeToken: { token: "x" },
    register: { username: "new-one", password: goodPassword },
    logIn: { username: "new-one", password: goodPassword },
    refreshTokens: { refresh_token: "x" },
    logOut: { refresh_token: "x" },
    changeOwnAccount: { display_name: "Ann" },
    eraseOwnAccount: proof,
    changePassword: { ...proof, new_password: "seven lemons in a row" },
    enrolTotp: proof,
    confirmTotp: { code: "123456" },
    removeTotp: proof,
    createAccount: { username: "new-one", password: goodPassword, role: "auditor" },
    changeRole: { role: "auditor" },
    banAccount: { reason: "resells" },
    createMerchant: { id: "third", name: "Third" },
    renameMerchant: { name: "Shop" },
    createKey: { name: "till", scopes: ["orders:read"], merchant: "shop" },
    createProduct: { name: "Lamp", price_minor: 1, currency: "CNY", seller: "shop" },
    updateProduct: { name: "Lampe" },
    changeInventory: { count: 5, reason: "stocktaking" },
    editSale: { name: "Lampe" },
    adjustStock: { units: 1, reason: "a delivery" },
    setQuota: { units: 3 },
    createSale: { product_id: productId, stock: 1, starts_at: at(60), ends_at: at(120) },
    extendSale: { ends_at: at(7200) },
    extendOrder: { pay_by: at(900) },
    payOrder: {},
    activityCreate: { product_id: productId, name: "Lamp", price: "1.00", stock: 1, start_time: at(60), end_time: at(120) },
    seckillPrewarm: { product_id: productId, product_name: "Lamp", price: "1.00", stock: 1, start_time: at(60), end_time: at(120) },
    seckillPurchase: { product_id: productId, user_id: "ann" },
    seckillPurchaseAsync: { product_id: productId, user_id: "ann" },
    shopRegister: { username: "new-one", password: goodPassword },
    shopLogIn: { username: "new-one", password: goodPassword },
    shopPurchase: { product_id: productId, quantity: 1 },
    shopProductCreate: { name: "Lamp", price: 1 },
  };
  return bodies[operation] ?? {};
}
