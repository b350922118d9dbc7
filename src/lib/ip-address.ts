/**
 * Internet addresses as eight groups of 16 bits; an IPv4 address as the IPv6 address it is mapped to, so that one machine
 * has one form however a socket or a proxy writes it.
 */
export type IpAddress = readonly number[];
export type IpRange = { readonly address: IpAddress; readonly bits: number };

const groupCount = 8;
const mappedPrefix: IpAddress = [0, 0, 0, 0, 0, 0xffff];
const mappedBits = 96;
/** Longer than any address with a zone; nothing longer is looked at. */
const textLengthMax = 64;

export function parseIp(text: string): IpAddress | undefined {
  if (text.length > textLengthMax) return undefined;
  if (!text.includes(":")) return parseIpv4(text);
  const zone = text.indexOf("%");
  return parseIpv6(zone < 0 ? text : text.slice(0, zone));
}

/** `address/bits`, or an address alone. */
export function parseIpRange(text: string): IpRange | undefined {
  const [, addressText = "", bitsText] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseIp(addressText);
  if (address === undefined) return undefined;
  const base = addressText.includes(":") ? 0 : mappedBits;
  const bits = bitsText === undefined ? groupCount * 16 : base + Number(bitsText);
  return bits <= groupCount * 16 ? { address, bits } : undefined;
}

export function isInRange(address: IpAddress, { address: of, bits }: IpRange): boolean {
  for (let group = 0; group * 16 < bits; group++) {
    const kept = Math.min(16, bits - group * 16);
    const shift = 16 - kept;
    if ((address[group] ?? 0) >> shift !== (of[group] ?? 0) >> shift) return false;
  }
  return true;
}

/** Whether a range leaves anybody out, of those with IPv4 addresses and of all. */
export function isPartialRange(range: IpRange): boolean {
  return range.bits > mappedBits || (range.bits > 0 && !isInRange([...mappedPrefix, 0, 0], range));
}

const isIpv4 = (address: IpAddress): boolean => mappedPrefix.every((group, i) => address[i] === group);

/** An IPv4 address with dots, or the /64 network of an IPv6 address, which is what one customer gets. */
export function networkOf(address: IpAddress): string {
  const [a = 0, b = 0, c = 0, d = 0, , , g = 0, h = 0] = address;
  if (isIpv4(address)) return `${g >> 8}.${g & 255}.${h >> 8}.${h & 255}`;
  return `${[a, b, c, d].map((group) => group.toString(16)).join(":")}::/64`;
}

function parseIpv4(text: string): IpAddress | undefined {
  // A leading zero is octal to some readers: nobody's meaning is guessed.
  const parts = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(text);
  if (parts === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = parts.slice(1).map(Number);
  return Math.max(a, b, c, d) <= 255 ? [...mappedPrefix, a * 256 + b, c * 256 + d] : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = groupsOf(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = groupCount - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : undefined;
  return missing >= 1 ? [...head, ...Array.from({ length: missing }, () => 0), ...tail] : undefined;
}

/** The groups of one side of the `::`; the last of the whole address may be written as IPv4. */
function groupsOf(text: string, isLast: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const words = text.split(":");
  for (const [i, word] of words.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(word)) {
      groups.push(Number.parseInt(word, 16));
      continue;
    }
    const embedded = isLast && i === words.length - 1 ? parseIpv4(word) : undefined;
    if (embedded === undefined) return undefined;
    groups.push(...embedded.slice(-2));
  }
  return groups;
}
