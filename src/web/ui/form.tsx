import type { ComponentChildren } from 'preact';
import { Notice } from './card.tsx';
import type { Task } from './failure.ts';
import { Progress } from './progress.tsx';

interface FormProps {
  task: Task;
  onSubmit: () => void;
  children: ComponentChildren;
  /** Said while the task runs; without it the button alone shows the waiting. */
  waiting?: string;
  label?: string;
}

/** A form whose submission is a task: what goes wrong stands at its end and is announced. */
export function Form({ task, onSubmit, children, waiting, label }: FormProps) {
  const submit = (event: Event): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form class="stack" noValidate onSubmit={submit} aria-label={label} autoComplete="on">
      {children}
      {waiting !== undefined && task.busy.value && <Progress text={waiting} />}
      {task.fault.value !== undefined && <Notice tone="bad">{task.fault.value}</Notice>}
    </form>
  );
}
