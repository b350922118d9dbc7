/**
 * Text that is made while it is sent. Nothing is made ahead of what the client takes: the socket's back-pressure reaches
 * the store. Whatever ends it (the end, a failure, a client that leaves or stands still) ends the making, once.
 *
 * A failure breaks the answer off in the middle, without the end that HTTP gives a whole one: a file that is cut short
 * must not look complete.
 */
import type { CancelTask, Tasks } from "../ports/tasks.ts";

export type TextStream = {
  readonly texts: AsyncGenerator<string, void>;
  readonly tasks: Pick<Tasks, "after">;
  /** How long a client may take nothing before it is given up. */
  readonly stallMaxMs: number;
  /** Runs once, with the failure if there was one. */
  readonly onEnd: (failure?: unknown) => void;
};

export function streamOf({ texts, tasks, stallMaxMs, onEnd }: TextStream): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let stall: CancelTask = () => {};
  let ended = false;
  const end = (failure?: unknown) => {
    stall();
    if (ended) return;
    ended = true;
    onEnd(failure);
  };
  const watch = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    stall = tasks.after(stallMaxMs, () => {
      end();
      controller.error(new Error(`The client took nothing for ${stallMaxMs} ms`));
      void texts.return();
    });
  };
  return new ReadableStream<Uint8Array>(
    {
      start: watch,
      async pull(controller) {
        stall();
        try {
          const next = await texts.next();
          if (ended) return;
          if (next.done === true) {
            end();
            return controller.close();
          }
          controller.enqueue(encoder.encode(next.value));
          watch(controller);
        } catch (error) {
          end(error);
          controller.error(error);
        }
      },
      async cancel() {
        end();
        await texts.return();
      },
    },
    // Made when asked for, not before.
    { highWaterMark: 0 },
  );
}
