import { connect, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";

export type RawAnswer = {
  /** Status lines in the order they came. */
  readonly statuses: readonly number[];
  readonly text: string;
  /** Whether the server closed the connection within the time there was. */
  readonly closed: boolean;
};

/**
 * Sends bytes as they are and collects what comes back until the server closes, or is silent for `quietMs`. To an https URL
 * they go through TLS, whoever it says it is.
 */
export function sendRaw(url: string, parts: readonly (string | Uint8Array)[], quietMs = 500): Promise<RawAnswer> {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === "https:";
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket: Socket = isSecure
      ? connectSecurely({ port: Number(port), host: hostname, ALPNProtocols: ["http/1.1"], rejectUnauthorized: false })
      : connect(Number(port), hostname);
    const finish = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(chunks).toString("latin1");
      resolve({ statuses: [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1])), text, closed });
    };
    let timer = setTimeout(() => finish(false), quietMs * 4);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      clearTimeout(timer);
      timer = setTimeout(() => finish(false), quietMs);
    });
    socket.on("close", () => finish(true));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? finish(true) : reject(error),
    );
    socket.on(isSecure ? "secureConnect" : "connect", () => {
      for (const part of parts) socket.write(part);
    });
  });
}
