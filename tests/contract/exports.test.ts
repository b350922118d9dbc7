import { StoreBench } from "../kit/sqlite-shop.ts";
import { exportsContract } from "./exports.ts";

const bench = new StoreBench();

exportsContract("the SQLite store", { open: () => bench.open(), close: () => bench[Symbol.asyncDispose]() });
