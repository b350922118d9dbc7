/** Reads a stream of server-sent events as a page would: comments apart, fields put together. */
export type HeardEvent = { readonly event: string; readonly id: string | undefined; readonly data: Record<string, unknown> };

/** What a text/event-stream holds so far. */
export function eventsIn(text: string): HeardEvent[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .filter((block) => block.startsWith("event: "))
    .map((block) => {
      const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      return { event: fields.get("event") ?? "", id: fields.get("id"), data: JSON.parse(fields.get("data") ?? "{}") };
    });
}

export class EventReader {
  text = "";
  /** The stream's end was seen. */
  isOver = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    void this.#read();
  }

  get events(): HeardEvent[] {
    return eventsIn(this.text);
  }

  named(event: string): HeardEvent[] {
    return this.events.filter((heard) => heard.event === event);
  }

  get comments(): string[] {
    return this.text.split("\n").filter((line) => line.startsWith(": "));
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for (let read = await this.#reader.read(); !read.done; read = await this.#reader.read())
        this.text += decoder.decode(read.value, { stream: true });
    } finally {
      this.isOver = true;
    }
  }
}
