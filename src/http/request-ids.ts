/** Names answers, so that a caller's complaint finds its log line: the caller's own name for it where it is fit, else ours. */
export type RequestIds = (given: string | null) => string;

const givenLengthMax = 64;

/** `prefix` sets this process's ids apart from every other's. */
export function createRequestIds(prefix: string): RequestIds {
  let count = 0;
  return (given) => (given !== null && isFit(given) ? given : `${prefix}-${(++count).toString(36)}`);
}

function isFit(text: string): boolean {
  if (text.length === 0 || text.length > givenLengthMax) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 33 || code > 126) return false;
  }
  return true;
}
