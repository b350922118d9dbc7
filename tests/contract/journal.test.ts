import { MemoryBroker, MemoryJournal } from "../../src/adapters/memory/memory-journal.ts";
import { journalContract, type Connected, type JournalFixture } from "./journal.ts";

async function openModel(): Promise<JournalFixture> {
  const broker = new MemoryBroker();
  const journals = new Map<Connected, MemoryJournal>();
  const all = () => [...journals.values()];
  return {
    connect: async () => {
      const journal = new MemoryJournal(broker);
      const connected = { journal, source: journal, close: async () => journal.die() };
      journals.set(connected, journal);
      return connected;
    },
    cutOff: async (process) => journals.get(process)?.die(),
    restart: async () => {
      broker.stop();
      broker.start();
    },
    stop: async () => {
      broker.stop();
      return async () => broker.start();
    },
    loseConfirm: async () => {
      const [first] = all();
      if (first !== undefined) first.fate = () => "confirm_lost";
      return async () => {
        if (first !== undefined) first.fate = () => "taken";
      };
    },
    block: async () => {
      for (const journal of all()) journal.isBlocked = true;
      return async () => {
        for (const journal of all()) journal.isBlocked = false;
      };
    },
    closeChannels: async () => broker.closeReaders(),
    takeAway: async (partition) => broker.takeAway(partition),
    close: async () => undefined,
  };
}

journalContract("the model of a broker", openModel);
