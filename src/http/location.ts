/** Where a request goes, cut out of the text of its URL, as the router does: to parse it costs more than to route it. */
export interface Location {
  /** With its port, as it was sent. */
  readonly host: string;
  readonly path: string;
}

/** Of what is no absolute URL, both are empty. */
export function locationOf(requestUrl: string): Location {
  const scheme = requestUrl.indexOf('://');
  const start = requestUrl.indexOf('/', scheme + 3);
  if (scheme < 0 || start < 0) return nowhere;
  const mark = requestUrl.indexOf('?', start);
  return { host: requestUrl.slice(scheme + 3, start), path: requestUrl.slice(start, mark < 0 ? undefined : mark) };
}

const nowhere: Location = { host: '', path: '' };
