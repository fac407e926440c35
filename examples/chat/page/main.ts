import { KeyPass, type LinkError } from '@keypass/link-sdk';
import type { Message } from '../protocol.ts';
import * as ui from './elements.ts';
import { ask, disconnect, exchange, fetchConnection, fetchLinkToken, RequestFailed } from './api.ts';
import * as view from './view.ts';

/** Filled in by build.ts: where the consent window is. */
declare const KEYPASS_URL: string;

const messages: Message[] = [];
let writing: AbortController | undefined;
let refreshLater: ReturnType<typeof setTimeout> | undefined;

/** The consent window. It must open in the click itself, so the SDK fetches the token when the window is there. */
function link(path: '/connect' | '/ask-for-more'): void {
  view.hideNotice();
  const handler = KeyPass.create({
    token: () => fetchLinkToken(path),
    apiBaseUrl: KEYPASS_URL,
    onSuccess: ({ publicToken }) => run(() => finishLink(publicToken)),
    onExit: (error) => showExit(error),
  });
  handler.open();
}

/** Without a public token it was an update: the connection is the same, with a new budget. */
async function finishLink(publicToken: string | null): Promise<void> {
  if (publicToken !== null) view.showChat(await exchange(publicToken));
  else await refresh();
}

function showExit(error: LinkError | undefined): void {
  if (error === undefined) view.showNotice('The window was closed before anything was approved.');
  else if (error.code === 'denied') view.showNotice('You declined. Nothing was connected.');
  else view.showNotice(error.message);
}

async function send(): Promise<void> {
  const content = ui.question.value.trim();
  const [, provider, model] = /^([^/]+)\/(.+)$/.exec(ui.model.value) ?? [];
  if (content === '' || provider === undefined || model === undefined || writing) return;
  view.hideNotice();
  ui.question.value = '';
  view.addMessage('user', content);
  messages.push({ role: 'user', content });
  writing = new AbortController();
  const { signal } = writing;
  const answer = view.addMessage('assistant', '');
  view.showWriting(true);
  try {
    for await (const piece of ask({ provider, model, messages }, signal)) {
      answer.append(piece);
      view.scrollToEnd();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    writing = undefined;
    view.showWriting(false);
    keepAnswer(answer);
    ui.question.focus();
  }
  await refresh();
}

/** What an answer held is settled a moment after its last word, so it is looked at again. */
async function refresh(): Promise<void> {
  clearTimeout(refreshLater);
  const connection = await fetchConnection();
  if (connection === null) return;
  view.showBudget(connection);
  if (Number(connection.held) > 0) refreshLater = setTimeout(() => run(refresh), 1000);
}

/** What came before a stop or a failure stays in the conversation; without a word the question comes back. */
function keepAnswer(answer: HTMLElement): void {
  const content = answer.textContent;
  if (content !== '') {
    messages.push({ role: 'assistant', content });
    return;
  }
  answer.previousElementSibling?.remove();
  answer.remove();
  ui.question.value = messages.pop()?.content ?? '';
}

async function letGo(): Promise<void> {
  clearTimeout(refreshLater);
  await disconnect();
  messages.length = 0;
  view.showWelcome();
}

async function start(): Promise<void> {
  try {
    const connection = await fetchConnection();
    if (connection === null) view.showWelcome();
    else view.showChat(connection);
  } catch (error) {
    view.showWelcome();
    throw error;
  }
}

const endedCodes = new Set(['access_token_invalid', 'connection_revoked', 'connection_expired', 'key_missing']);

/** Every failure in the reader's words, with what they can do about it. */
function showFailure(error: unknown): void {
  const { code, message } =
    error instanceof RequestFailed ? error : { code: '', message: 'This page failed. Reload it.' };
  if (code === 'budget_exceeded') {
    const text =
      'What is left of your budget for Wren is not enough for this answer. You can raise it, or wait until it resets.';
    view.showNotice(text, { label: 'Raise the budget', run: () => link('/ask-for-more') });
  } else if (endedCodes.has(code)) {
    const text = 'Wren may no longer use your AI keys: the connection was revoked, or it has expired.';
    view.showNotice(text, { label: 'Connect again', run: () => link('/connect') });
  } else if (code === 'connection_paused') {
    view.showNotice('You paused Wren in your vault. Resume it there to go on.');
  } else {
    view.showNotice(message);
  }
}

function run(task: () => Promise<void>): void {
  task().catch(showFailure);
}

ui.connectButton.addEventListener('click', () => link('/connect'));
ui.disconnectButton.addEventListener('click', () => run(letGo));
ui.stopButton.addEventListener('click', () => writing?.abort());
ui.composer.addEventListener('submit', (event) => {
  event.preventDefault();
  run(send);
});
ui.question.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  run(send);
});
run(start);
