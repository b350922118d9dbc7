/** The browser's storage. Where it is forbidden, what is kept lasts as long as the page. */
export type Storage = {
  readonly get: (name: string) => string | undefined;
  readonly set: (name: string, value: string) => void;
  readonly remove: (name: string) => void;
};

export function memoryStorage(): Storage {
  const kept = new Map<string, string>();
  return { get: (name) => kept.get(name), set: (name, value) => void kept.set(name, value), remove: (name) => void kept.delete(name) };
}

export function browserStorage(): Storage {
  const memory = memoryStorage();
  const tried = <Result>(run: () => Result): Result | undefined => {
    try {
      return run();
    } catch {
      return undefined;
    }
  };
  return {
    get: (name) => tried(() => localStorage.getItem(name)) ?? memory.get(name),
    set(name, value) {
      memory.set(name, value);
      tried(() => localStorage.setItem(name, value));
    },
    remove(name) {
      memory.remove(name);
      tried(() => localStorage.removeItem(name));
    },
  };
}
