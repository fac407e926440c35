/** A body without its framing, and where what follows begins. */
export interface Framed {
  readonly text: string;
  readonly end: number;
}

/** The body that begins at a place of bytes as latin-1 text (RFC 9112, 6); undefined until all of it is there. */
export function framedBody(head: string, text: string, from: number): Framed | undefined {
  if (/^transfer-encoding:/im.test(head)) return chunked(text, from);
  const end = from + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return end <= text.length ? { text: text.slice(from, end), end } : undefined;
}

/** RFC 9112, 7.1; neither KeyPass nor a provider here has anything to say in a trailer. */
function chunked(text: string, from: number): Framed | undefined {
  const parts: string[] = [];
  for (let at = from; ;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (!(at + size + 2 <= text.length)) return undefined;
    if (size === 0) return { text: parts.join(''), end: at + 2 };
    parts.push(text.slice(at, at + size));
    at += size + 2;
  }
}
