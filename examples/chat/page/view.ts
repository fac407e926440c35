import type { ConnectionView } from '../protocol.ts';
import * as ui from './elements.ts';

const names: Readonly<Record<string, string>> = {
  openai: 'OpenAI',
  anthropic: 'Anthropic',
  google: 'Google Gemini',
  groq: 'Groq',
};

/** Offered where the owner allows every model of a provider. */
const someModels: Readonly<Record<string, readonly string[]>> = {
  openai: ['gpt-5-mini', 'gpt-4o-mini'],
  anthropic: ['claude-haiku-4-5', 'claude-sonnet-4-5'],
};

const usd = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', maximumFractionDigits: 6 });
const day = new Intl.DateTimeFormat('en-US', { day: 'numeric', month: 'long', timeZone: 'UTC' });

export function showWelcome(): void {
  ui.welcome.hidden = false;
  ui.chat.hidden = true;
  ui.account.hidden = true;
  ui.log.replaceChildren();
}

export function showChat(connection: ConnectionView): void {
  ui.welcome.hidden = true;
  ui.chat.hidden = false;
  ui.account.hidden = false;
  showBudget(connection);
  ui.model.replaceChildren(...connection.providers.map(modelGroup));
  ui.question.focus();
}

export function showBudget({ spent, budgetCents, resetsAt }: ConnectionView): void {
  const budget = budgetCents / 100;
  ui.spent.textContent = usd.format(Number(spent));
  ui.budget.textContent = usd.format(budget);
  ui.resets.textContent = resetsAt === null ? 'spent' : `spent, resets ${day.format(new Date(resetsAt))}`;
  const share = budget === 0 ? 1 : Math.min(1, Number(spent) / budget);
  ui.spentBar.style.inlineSize = `${share * 100}%`;
}

function modelGroup({ id, models }: ConnectionView['providers'][number]): HTMLOptGroupElement {
  const group = document.createElement('optgroup');
  group.label = names[id] ?? id;
  for (const model of models ?? someModels[id] ?? []) group.append(new Option(model, `${id}/${model}`));
  return group;
}

export function addMessage(role: 'user' | 'assistant', text: string): HTMLElement {
  const message = document.createElement('article');
  message.className = role;
  message.setAttribute('aria-label', role === 'user' ? 'You' : 'Answer');
  message.textContent = text;
  ui.log.append(message);
  scrollToEnd();
  return message;
}

export function scrollToEnd(): void {
  ui.log.scrollTop = ui.log.scrollHeight;
}

/** While an answer is written, screen readers wait for the whole of it (WAI-ARIA 1.2, aria-busy). */
export function showWriting(isWriting: boolean): void {
  ui.log.setAttribute('aria-busy', String(isWriting));
  ui.sendButton.hidden = isWriting;
  ui.stopButton.hidden = !isWriting;
}

interface Action {
  label: string;
  run: () => void;
}

let noticeAction: Action | undefined;
ui.noticeAction.addEventListener('click', () => noticeAction?.run());

export function showNotice(text: string, action?: Action): void {
  noticeAction = action;
  ui.noticeText.textContent = text;
  ui.noticeAction.hidden = action === undefined;
  ui.noticeAction.textContent = action?.label ?? '';
  ui.notice.hidden = false;
  scrollToEnd();
}

export function hideNotice(): void {
  ui.notice.hidden = true;
}
