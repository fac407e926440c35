export interface Overlay {
  /** Not opened: the browser blocked the window, so the person has to press the button. */
  show(opened: boolean): void;
  remove(): void;
}

const styles = `
:host { all: initial }
dialog { box-sizing: border-box; width: min(26rem, calc(100vw - 2rem)); padding: 1.5rem; border: 0; border-radius: 1rem;
  font: 1rem/1.5 system-ui, sans-serif; color: CanvasText; background: Canvas; color-scheme: light dark;
  box-shadow: 0 1rem 4rem rgb(0 0 0 / .3) }
dialog::backdrop { background: rgb(0 0 0 / .55) }
h2 { margin: 0 0 .5rem; font-size: 1.125rem }
p { margin: 0 0 .75rem; overflow-wrap: anywhere }
button { min-height: 2.75rem; margin: .5rem .5rem 0 0; padding: 0 1.125rem; border: 1px solid currentColor; border-radius: .625rem;
  font: inherit; color: inherit; background: none; cursor: pointer }
button:first-of-type { color: Canvas; background: CanvasText }
button:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px }
`;

/**
 * Covers the app's page while the KeyPass window is open. It shows nothing secret and asks for nothing: everything is
 * typed in the window, where the address bar says whose page it is. A modal `<dialog>` brings focus, Escape and the
 * top layer; styles go through the CSSOM, so a strict style-src of the page doesn't matter.
 */
export function showOverlay(host: string, onOpen: () => void, onCancel: () => void): Overlay {
  const element = document.createElement('div');
  const shadow = element.attachShadow({ mode: 'closed' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  shadow.adoptedStyleSheets = [sheet];
  const dialog = make('dialog');
  const title = make('h2', 'Continue in the KeyPass window');
  const text = make('p');
  const open = make('button');
  const cancel = make('button', 'Cancel');
  title.id = 'title';
  text.id = 'text';
  dialog.setAttribute('role', 'dialog');
  dialog.setAttribute('aria-labelledby', 'title');
  dialog.setAttribute('aria-describedby', 'text');
  open.addEventListener('click', onOpen);
  cancel.addEventListener('click', onCancel);
  dialog.addEventListener('close', onCancel);
  dialog.append(title, text, open, cancel);
  shadow.append(dialog);
  document.documentElement.append(element);
  dialog.showModal();
  return {
    show(opened) {
      text.textContent = opened
        ? `Approve in the window of ${host} what this page may use.`
        : `Your browser blocked the window of ${host}.`;
      open.textContent = opened ? 'Show the window' : 'Open the window';
    },
    remove() {
      dialog.removeEventListener('close', onCancel);
      dialog.close(); // gives the focus back to where it was
      element.remove();
    },
  };
}

function make<Name extends keyof HTMLElementTagNameMap>(name: Name, text = ''): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
