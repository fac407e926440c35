/** The first letter of a name in a quiet square: it tells rows apart and says nothing that the name does not. */
export function Monogram({ name }: { name: string }) {
  return (
    <span class="monogram" aria-hidden="true">
      {String.fromCodePoint(name.trim().codePointAt(0) ?? 63).toUpperCase()}
    </span>
  );
}
