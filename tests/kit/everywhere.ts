/** Staff whose reach has no bounds. */
import type { Viewer } from "../../src/engine/orders.ts";

export const everywhere: Viewer = { access: { merchant: undefined, permissions: new Set() } };
