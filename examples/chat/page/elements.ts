/** The elements of index.html that the script works with. */
function find<E extends HTMLElement>(id: string, kind: new () => E): E {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`index.html has no ${kind.name} #${id}`);
}

export const account = find('account', HTMLElement);
export const spent = find('spent', HTMLElement);
export const budget = find('budget', HTMLElement);
export const resets = find('resets', HTMLElement);
export const spentBar = find('spent-bar', HTMLElement);
export const disconnectButton = find('disconnect', HTMLButtonElement);
export const welcome = find('welcome', HTMLElement);
export const connectButton = find('connect', HTMLButtonElement);
export const chat = find('chat', HTMLElement);
export const log = find('log', HTMLElement);
export const composer = find('composer', HTMLFormElement);
export const question = find('question', HTMLTextAreaElement);
export const model = find('model', HTMLSelectElement);
export const sendButton = find('send', HTMLButtonElement);
export const stopButton = find('stop', HTMLButtonElement);
export const notice = find('notice', HTMLElement);
export const noticeText = find('notice-text', HTMLElement);
export const noticeAction = find('notice-action', HTMLButtonElement);
