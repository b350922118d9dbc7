/** Planted bugs of the rabbitmq world, each one that somebody could write: around the production code, never in it. */
import type { CountedMutant } from "../mutants.ts";

export const rabbitMutants: Readonly<Record<string, CountedMutant>> = {};
