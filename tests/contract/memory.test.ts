import { acceptanceContract } from "./acceptance.ts";
import { openMemoryFixture } from "./memory-fixture.ts";

acceptanceContract("direct acceptance on the memory store", { open: () => openMemoryFixture() });
