/**
 * Bytes that a balancer in front and this server might read as different requests. Each holds one request, and where a
 * second reading is possible, a purchase that only that reading finds. There is never more than one answer to them, and the
 * hidden purchase never happens. `may` is what a strict reader may answer besides closing.
 */
export type Desync = { readonly name: string; readonly bytes: string };

/** The request that is hidden, and the head of the one that hides it. */
export type Hidden = { readonly purchase: string; readonly postHead: string; readonly getHead: string };

const body = '{"quantity":1}';
const get = (headers: string) => `GET /api/v1/time HTTP/1.1\r\n${headers}\r\n`;
const chunked = (head: string, chunks: string) => `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`;

export function desyncCases(hidden: Hidden): Desync[] {
  return [...lengths(hidden), ...codings(hidden), ...chunks(hidden), ...lines(hidden), ...starts(hidden), ...hosts(hidden)];
}

/** Content-Length in every odd form; behind the 14 bytes it might mean stands the hidden purchase. */
function lengths({ purchase, postHead }: Hidden): Desync[] {
  const odd: readonly [string, string][] = [
    ["two lengths, the second longer", "Content-Length: 14\r\nContent-Length: 400\r\n"],
    ["two lengths, the second shorter", "Content-Length: 400\r\nContent-Length: 14\r\n"],
    ["two lengths, the second zero", "Content-Length: 14\r\nContent-Length: 0\r\n"],
    ["a list of two lengths", "Content-Length: 14, 400\r\n"],
    ["a length with a plus", "Content-Length: +14\r\n"],
    ["a negative length", "Content-Length: -1\r\n"],
    ["a length of minus zero", "Content-Length: -0\r\n"],
    ["a length with letters behind", "Content-Length: 14abc\r\n"],
    ["a length in hexadecimal", "Content-Length: 0xe\r\n"],
    ["a length with an exponent", "Content-Length: 1e1\r\n"],
    ["a length with a fraction", "Content-Length: 14.0\r\n"],
    ["a length with an underscore", "Content-Length: 1_4\r\n"],
    ["a length with a space inside", "Content-Length: 1 4\r\n"],
    ["a length with a parameter", "Content-Length: 14;a=b\r\n"],
    ["a length in quotes", 'Content-Length: "14"\r\n'],
    ["an empty length", "Content-Length:\r\n"],
    ["a length that wraps 64 bits", "Content-Length: 18446744073709551630\r\n"],
    ["a length that wraps 32 bits", "Content-Length: 4294967310\r\n"],
    ["a length of full-width digits", "Content-Length: \uff11\uff14\r\n"],
    ["a length behind a vertical tab", "Content-Length: \u000b14\r\n"],
    ["a length behind a NUL", "Content-Length: \u000014\r\n"],
  ];
  return odd.map(([name, headers]) => ({ name, bytes: `${postHead}${headers}\r\n${body}${purchase}` }));
}

/** Length beside coding, and codings in every odd form: by its length the purchase is body, by its chunks it is not. */
function codings({ purchase, postHead }: Hidden): Desync[] {
  const spellings: readonly [string, string][] = [
    ["chunked", "Transfer-Encoding: chunked"],
    ["capitals", "Transfer-Encoding: CHUNKED"],
    ["a space before the colon", "Transfer-Encoding : chunked"],
    ["a tab before the value", "Transfer-Encoding:\tchunked"],
    ["a tab behind the value", "Transfer-Encoding: chunked\t"],
    ["a vertical tab", "Transfer-Encoding: \u000bchunked"],
    ["quotes", 'Transfer-Encoding: "chunked"'],
    ["a parameter", "Transfer-Encoding: chunked;q=1"],
    ["identity before", "Transfer-Encoding: identity, chunked"],
    ["identity behind", "Transfer-Encoding: chunked, identity"],
    ["identity alone", "Transfer-Encoding: identity"],
    ["chunked twice", "Transfer-Encoding: chunked, chunked"],
    ["two headers", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"],
    ["two headers, the other way", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"],
    ["xchunked", "Transfer-Encoding: xchunked"],
    ["chunkedx", "Transfer-Encoding: chunkedx"],
    ["an unknown coding", "Transfer-Encoding: cow"],
    ["gzip", "Transfer-Encoding: gzip"],
    ["an empty value", "Transfer-Encoding:"],
    ["a comma before", "Transfer-Encoding: ,chunked"],
    ["on a folded line", "Transfer-Encoding:\r\n chunked"],
    ["behind a folded header", "X-A: a\r\n Transfer-Encoding: chunked"],
    ["behind a bare CR", "X-A: a\rTransfer-Encoding: chunked"],
    ["behind a bare LF", "X-A: a\nTransfer-Encoding: chunked"],
    ["an underscore in the name", "Transfer_Encoding: chunked"],
    ["a NUL in the name", "Transfer-Encoding\u0000: chunked"],
  ];
  const chunksThenPurchase = `0\r\n\r\n${purchase}`;
  return [
    ...spellings.map(([name, header]) => ({
      name: `length and coding: ${name}`,
      bytes: `${postHead}Content-Length: ${chunksThenPurchase.length}\r\n${header}\r\n\r\n${chunksThenPurchase}`,
    })),
    {
      name: "coding before length",
      bytes: `${postHead}Transfer-Encoding: chunked\r\nContent-Length: ${chunksThenPurchase.length}\r\n\r\n${chunksThenPurchase}`,
    },
    {
      name: "length shorter than the chunks",
      bytes: `${postHead}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${purchase.length.toString(16)}\r\n${purchase}\r\n0\r\n\r\n`,
    },
    { name: "chunks in HTTP/1.0", bytes: chunked(postHead.replace("HTTP/1.1", "HTTP/1.0"), chunksThenPurchase) },
  ];
}

/** Chunks that end where not everybody sees it. */
function chunks({ purchase, postHead }: Hidden): Desync[] {
  const odd: readonly [string, string][] = [
    ["a size that is none", `zz\r\n${body}\r\n0\r\n\r\n`],
    ["an empty size", `\r\n${body}\r\n0\r\n\r\n`],
    ["a size with 0x", `0xe\r\n${body}\r\n0\r\n\r\n`],
    ["a size with a plus", `+e\r\n${body}\r\n0\r\n\r\n`],
    ["a negative size", `-e\r\n${body}\r\n0\r\n\r\n`],
    ["a space before the size", ` e\r\n${body}\r\n0\r\n\r\n`],
    ["an underscore in the size", `0_e\r\n${body}\r\n0\r\n\r\n`],
    ["a size that wraps 64 bits", `1000000000000000e\r\n${body}\r\n0\r\n\r\n`],
    ["a size of many digits", `${"f".repeat(40)}\r\n${body}\r\n0\r\n\r\n`],
    ["a size line that ends in LF", `e\n${body}\r\n0\r\n\r\n`],
    ["a size line that ends in CR", `e\r${body}\r\n0\r\n\r\n`],
    ["data that ends in LF", `e\r\n${body}\n0\r\n\r\n`],
    ["data without an end", `e\r\n${body}0\r\n\r\n`],
    ["data longer than its size", `5\r\n${body}\r\n0\r\n\r\n`],
    ["data shorter than its size", `20\r\n${body}\r\n0\r\n\r\n`],
    ["an extension with a bare LF", `e;a\nb\r\n${body}\r\n0\r\n\r\n`],
    ["an extension with a bare CR", `e;a\rb\r\n${body}\r\n0\r\n\r\n`],
    ["an extension that opens a quote", `e;a="\r\n${body}\r\n0\r\n\r\n`],
    ["an extension with a NUL", `e;\u0000\r\n${body}\r\n0\r\n\r\n`],
    ["an extension of 100,000 bytes", `e;${"a".repeat(100_000)}\r\n${body}\r\n0\r\n\r\n`],
    ["a last chunk that ends in LF", `e\r\n${body}\r\n0\n\n`],
    ["a trailer with a length", `e\r\n${body}\r\n0\r\nContent-Length: 400\r\n\r\n`],
    ["a trailer with a space before its colon", `e\r\n${body}\r\n0\r\nX-A : b\r\n\r\n`],
    ["a trailer without an end", `e\r\n${body}\r\n0\r\nX-A: b\r\n`],
  ];
  return odd.map(([name, text]) => ({ name: `chunk: ${name}`, bytes: chunked(postHead, `${text}${purchase}`) }));
}

/** Header lines that end, begin or are divided where not everybody sees it. */
function lines({ purchase, postHead, getHead }: Hidden): Desync[] {
  const length = `Content-Length: ${purchase.length}`;
  const odd: readonly [string, string][] = [
    ["a space before the colon", `Content-Length : ${purchase.length}\r\n\r\n${purchase}`],
    ["a tab before the colon", `Content-Length\t: ${purchase.length}\r\n\r\n${purchase}`],
    ["no colon", `Content-Length ${purchase.length}\r\n\r\n${purchase}`],
    ["a name that begins with a space", ` ${length}\r\n\r\n${purchase}`],
    ["an empty name", `: x\r\n${length}\r\n\r\n${purchase}`],
    ["a name with a bracket", `Content-Length[: 4\r\n${length}\r\n\r\n${purchase}`],
    ["a name with a byte beyond ASCII", `Content-L\u00e9ngth: 4\r\n${length}\r\n\r\n${purchase}`],
    ["a name with a NUL", `Content-Length\u0000: 4\r\n\r\n${purchase}`],
    ["a value with a NUL", `X-A: a\u0000b\r\n${length}\r\n\r\n${purchase}`],
    ["a value with a bare CR", `X-A: a\rContent-Length: 0\r\n${length}\r\n\r\n${purchase}`],
    ["a line that ends in LF", `X-A: a\n${length}\r\n\r\n${purchase}`],
    ["lines that end in CR", `X-A: a\r${length}\r\r${purchase}`],
    ["a folded line", `X-A: a\r\n b\r\n${length}\r\n\r\n${purchase}`],
    ["a folded length", `Content-Length:\r\n ${purchase.length}\r\n\r\n${purchase}`],
    ["headers that end in LF LF", `${length}\n\n${purchase}`],
    ["headers that end in CR LF LF", `${length}\r\n\n${purchase}`],
  ];
  return odd
    .map(([name, text]) => ({ name: `line: ${name}`, bytes: `${postHead}${text}` }))
    .concat([
      { name: "line: a request all in LF", bytes: `${getHead}${length}\r\n\r\n${purchase}`.replaceAll("\r\n", "\n") },
      { name: "line: 100,000 bytes without an end", bytes: `${getHead}X-A: ${"a".repeat(100_000)}` },
    ]);
}

/** First lines of another form. A purchase behind them would be a second request. */
function starts({ purchase }: Hidden): Desync[] {
  const rest = `Host: x\r\nContent-Length: ${purchase.length}\r\n\r\n${purchase}`;
  const first: readonly [string, string][] = [
    ["no version", "GET /api/v1/time"],
    ["no target", "GET HTTP/1.1"],
    ["HTTP/0.9", "GET /api/v1/time HTTP/0.9"],
    ["HTTP/1.2", "GET /api/v1/time HTTP/1.2"],
    ["HTTP/9.9", "GET /api/v1/time HTTP/9.9"],
    ["HTTP/1.10", "GET /api/v1/time HTTP/1.10"],
    ["a version in lower case", "GET /api/v1/time http/1.1"],
    ["a version with a space", "GET /api/v1/time HTTP/ 1.1"],
    ["two spaces", "GET  /api/v1/time HTTP/1.1"],
    ["tabs", "GET\t/api/v1/time\tHTTP/1.1"],
    ["a space behind", "GET /api/v1/time HTTP/1.1 "],
    ["a space before", " GET /api/v1/time HTTP/1.1"],
    ["a space in the target", "GET /api/v1/ti me HTTP/1.1"],
    ["a NUL in the target", "GET /api/v1/\u0000time HTTP/1.1"],
    ["a bare CR in the target", "GET /api/v1/\rtime HTTP/1.1"],
    ["a byte beyond ASCII in the target", "GET /api/v1/t\u00efme HTTP/1.1"],
    ["a fragment", "GET /api/v1/time#x HTTP/1.1"],
    ["a target without slash", "GET api/v1/time HTTP/1.1"],
    ["an asterisk", "GET * HTTP/1.1"],
    ["another server's target", "GET http://elsewhere.test/api/v1/time HTTP/1.1"],
    ["another scheme's target", "GET ftp://x/api/v1/time HTTP/1.1"],
    ["a method in lower case", "get /api/v1/time HTTP/1.1"],
    ["an unknown method", "BREW /api/v1/time HTTP/1.1"],
    ["a method of 10,000 letters", `${"A".repeat(10_000)} /api/v1/time HTTP/1.1`],
    ["a method with a colon", "GE:T /api/v1/time HTTP/1.1"],
    ["CONNECT", "CONNECT x:80 HTTP/1.1"],
    ["TRACE", "TRACE /api/v1/time HTTP/1.1"],
    ["the preface of HTTP/2", "PRI * HTTP/2.0"],
    ["a path of 100,000 bytes", `GET /${"a".repeat(100_000)} HTTP/1.1`],
    ["a TLS greeting", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003"],
    ["nothing but NULs", "\u0000".repeat(64)],
  ];
  return first.map(([name, line]) => ({ name: `start: ${name}`, bytes: `${line}\r\n${rest}` }));
}

/** Host in every odd form, and headers that speak of the connection. */
function hosts({ purchase }: Hidden): Desync[] {
  const rest = `Content-Length: ${purchase.length}\r\n\r\n${purchase}`;
  const odd: readonly [string, string][] = [
    ["no Host", ""],
    ["two Hosts", "Host: x\r\nHost: y\r\n"],
    ["two equal Hosts", "Host: x\r\nHost: x\r\n"],
    ["an empty Host", "Host:\r\n"],
    ["a Host with a path", "Host: x/y\r\n"],
    ["a Host with a user", "Host: a@b\r\n"],
    ["a Host with a space", "Host: x y\r\n"],
    ["a Host with a bad port", "Host: x:99999\r\n"],
    ["a Host of 10,000 letters", `Host: ${"a".repeat(10_000)}\r\n`],
    ["a length named as the connection's own", "Host: x\r\nConnection: Content-Length\r\n"],
    ["an upgrade to HTTP/2", "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"],
    [
      "an upgrade to a WebSocket",
      "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
    ],
    ["an expectation there is not", "Host: x\r\nExpect: 200-ok\r\n"],
    ["1,000 headers", `Host: x\r\n${Array.from({ length: 1_000 }, (_, i) => `X-${i}: a\r\n`).join("")}`],
    ["200 cookies", `Host: x\r\n${Array.from({ length: 200 }, (_, i) => `Cookie: a${i}=b\r\n`).join("")}`],
  ];
  return odd.map(([name, headers]) => ({ name: `head: ${name}`, bytes: get(`${headers}${rest}`).replace(/\r\n$/, "") }));
}
