/** A ref that takes the focus when its element appears, and never again while it stays. */
export function focusOnce(element: HTMLElement | null): void {
  if (element === null || element.dataset['seen'] !== undefined) return;
  element.dataset['seen'] = '';
  element.focus();
}
