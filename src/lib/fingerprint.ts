/** A short name of a text, to compare with that of another; not for secrets. FNV-1a over UTF-16 units, twice 32 bits. */
export function fingerprint(text: string): string {
  let high = 0x81_1c_9d_c5;
  let low = 0x05_0c_5d_1f;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x01_00_01_93);
    low = Math.imul(low ^ (unit + i), 0x01_00_01_93);
  }
  return hex(high) + hex(low);
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");
