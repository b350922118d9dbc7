import { describe } from "bun:test";
import { allCases } from "./all-cases.ts";
import { useServer } from "./server-under-test.ts";

describe("the server on Node", () => allCases(useServer("node")));
