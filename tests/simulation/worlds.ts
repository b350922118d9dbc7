/** The worlds there are, by the names that the command line knows. */
import { embeddedMutants } from "./embedded/embedded-mutants.ts";
import { EmbeddedWorld } from "./embedded/embedded-world.ts";
import { embeddedFaults, rabbitFaults, sqlFaults, type FaultKind, type Faults } from "./faults.ts";
import type { Sim } from "./kernel.ts";
import type { CountedMutant } from "./mutants.ts";
import { clustered, queued, type Shape } from "./shape.ts";
import { rabbitMutants } from "./rabbitmq/rabbit-mutants.ts";
import { RabbitWorld } from "./rabbitmq/rabbit-world.ts";
import { sqlMutants } from "./sql/sql-mutants.ts";
import { SqlWorld } from "./sql/sql-world.ts";
import type { World, WorldSetup } from "./world.ts";

export type WorldKind = {
  readonly open: (sim: Sim, setup: WorldSetup) => World;
  readonly faults: FaultKind;
  /** What the world draws beyond what is sold. */
  readonly reshaped: (shape: Shape, seed: number, faults: Faults) => Shape;
  readonly mutants: Readonly<Record<string, CountedMutant>>;
};

export type WorldName = "embedded" | "sql" | "rabbitmq";

export const kinds: Readonly<Record<WorldName, WorldKind>> = {
  embedded: {
    open: (sim, setup) => new EmbeddedWorld(sim, setup),
    faults: embeddedFaults,
    reshaped: (shape) => shape,
    mutants: embeddedMutants,
  },
  sql: {
    open: (sim, setup) => new SqlWorld(sim, setup),
    faults: sqlFaults,
    reshaped: clustered,
    mutants: sqlMutants,
  },
  rabbitmq: {
    open: (sim, setup) => new RabbitWorld(sim, setup),
    faults: rabbitFaults,
    reshaped: queued,
    mutants: rabbitMutants,
  },
};
