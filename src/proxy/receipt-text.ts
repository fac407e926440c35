const mostCharacters = 200;
const mostRawBytes = 16 * 1024;

/** Text of a provider's as a receipt keeps it: at most 200 characters, all of them visible or single spaces. */
export function cleanText(text: string): string {
  if (/^[!-~]{0,200}$/.test(text)) return text;
  // Cut before it is cleaned, too: a provider may send a megabyte.
  const visible = text
    .slice(0, 8 * mostCharacters)
    .replace(/\p{C}/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
  return Array.from(visible).slice(0, mostCharacters).join('');
}

/** A usage is a few levels deep; each level costs the database a little of its stack. */
const mostLevels = 32;

/**
 * A provider's own usage object as a receipt keeps it; null for one that no usage looks like: too large, too deep, or
 * with text that PostgreSQL's JSON refuses (U+0000 and half a surrogate pair, which JSON.stringify escapes).
 */
export function storable(raw: unknown): unknown {
  try {
    const json = JSON.stringify(raw) ?? 'null';
    const isKept = json.length <= mostRawBytes && !/\\u(?:0000|d[89a-f])/i.test(json) && !isDeeper(raw, mostLevels);
    return isKept ? raw : null;
  } catch {
    return null;
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Object.values(value)) if (isDeeper(inner, levels - 1)) return true;
  return false;
}
