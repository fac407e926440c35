import { texts } from './texts.ts';

/** Where one is in a short row of screens. */
export function Steps({ total, current }: { total: number; current: number }) {
  const items = Array.from({ length: total }, (_, index) => <i key={index} class={index < current ? 'done' : ''} />);
  return (
    <div class="steps" role="img" aria-label={texts.stepOf(current, total)}>
      {items}
    </div>
  );
}

/** Work of unknown length, in words. */
export function Progress({ text }: { text: string }) {
  return (
    <div class="progress" role="status">
      <div class="rail" aria-hidden="true" />
      {text}
    </div>
  );
}

/** Resolves when what was drawn last is on the screen: heavy work on the main thread would keep it from getting there. */
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, 120);
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        clearTimeout(late);
        resolve();
      }),
    );
  });
}
