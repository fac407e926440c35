/** Addresses as developers type them, one per line. */
export function lines(text: string): string[] {
  const trimmed = text.split('\n').map((line) => line.trim());
  return [...new Set(trimmed)].filter((line) => line !== '');
}

/** `https://app.example/` → `https://app.example`; undefined when a line is no web origin. */
export function originsOf(addresses: readonly string[]): string[] | undefined {
  const origins = addresses.map((address) => {
    const url = secureUrl(address);
    const bare = url !== null && url.pathname === '/' && url.search === '' && url.hash === '';
    return bare ? url.origin : undefined;
  });
  return complete(origins);
}

/** The addresses as they are, because a redirect must match exactly; undefined when one is none. */
export function redirectsOf(addresses: readonly string[]): string[] | undefined {
  return complete(addresses.map((address) => (secureUrl(address)?.hash === '' ? address : undefined)));
}

function secureUrl(address: string): URL | null {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '') return null;
  const local = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && local) ? url : null;
}

function complete(values: readonly (string | undefined)[]): string[] | undefined {
  const found = values.filter((value) => value !== undefined);
  return found.length === values.length ? found : undefined;
}
