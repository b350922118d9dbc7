/** Server-sent events out of a stream's text, as the HTML standard has them. */
export type StreamEvent = { readonly name: string; readonly data: string };

export class EventReader {
  /** What the server calls the last event; sent back when coming again. */
  lastId: string | undefined;
  /** After which it wishes to be asked again. */
  retryMs: number | undefined;
  #rest = "";
  #name = "message";
  #data: string[] = [];

  /** The events that these characters complete. */
  push(text: string): StreamEvent[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line.replace(/\r$/, "")));
  }

  /** What was begun on a connection that is gone is never completed. */
  reset(): void {
    this.#rest = "";
    this.#name = "message";
    this.#data = [];
  }

  #line(line: string): StreamEvent[] {
    if (line === "") {
      const event = { name: this.#name, data: this.#data.join("\n") };
      const isEvent = this.#data.length > 0;
      this.#name = "message";
      this.#data = [];
      return isEvent ? [event] : [];
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id") this.lastId = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
    return [];
  }
}
