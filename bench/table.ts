import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A figure of one subject in one round; NaN where the subject could not do it. */
export type Measure =
  | 'calls64'
  | 'calls256'
  | 'cpu'
  | 'databaseCpu'
  | 'p50'
  | 'p99'
  | 'first'
  | 'frame'
  | 'frameP99'
  | 'rest'
  | 'loaded'
  | 'start';

/** What was measured, by subject and measure, one entry a round. */
export class Samples {
  readonly #values = new Map<string, number[]>();

  add(subject: string, measure: Measure, value: number): void {
    const key = `${subject}\n${measure}`;
    this.#values.set(key, [...(this.#values.get(key) ?? []), value]);
  }

  /** NaN where nothing was measured. */
  median(subject: string, measure: Measure): number {
    return median(this.#values.get(`${subject}\n${measure}`) ?? []);
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [upper = NaN, lower = NaN] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 0 ? (lower + upper) / 2 : upper;
}

interface Column {
  readonly title: string;
  readonly cell: (samples: Samples, subject: string) => string;
}

const direct = 'direct';

function absolute(title: string, measure: Measure, digits: number): Column {
  return { title, cell: (samples, subject) => shown(samples.median(subject, measure), digits) };
}

/** What the subject adds to the same call without it. */
function added(title: string, measure: Measure): Column {
  const cell = (samples: Samples, subject: string): string =>
    subject === direct
      ? `(${shown(samples.median(subject, measure), 2)})`
      : shown(samples.median(subject, measure) - samples.median(direct, measure), 2);
  return { title, cell };
}

/** Calls a second at saturation: whoever waits for a disk needs more calls at a time to be busy. */
function saturated(samples: Samples, subject: string): number {
  return Math.max(samples.median(subject, 'calls64'), samples.median(subject, 'calls256'));
}

/** Calls a second as a part of another subject's. */
function ratio(title: string, other: string): Column {
  const cell = (samples: Samples, subject: string): string =>
    subject === direct ? '' : shown(saturated(samples, subject) / saturated(samples, other), 3);
  return { title, cell };
}

const tables: readonly (readonly Column[])[] = [
  [
    absolute('calls/s, 64 connections', 'calls64', 0),
    absolute('calls/s, 256', 'calls256', 0),
    ratio('÷ nginx', 'nginx'),
    ratio('÷ Portkey on Bun', 'Portkey on Bun'),
    absolute('CPU of one call, µs', 'cpu', 0),
    absolute('and of PostgreSQL, µs', 'databaseCpu', 0),
  ],
  [
    added('added at 500 calls/s, p50 ms', 'p50'),
    added('p99', 'p99'),
    added('added to the first frame, p50 ms', 'first'),
    added('added to each frame, p50', 'frame'),
    added('p99', 'frameP99'),
  ],
  [
    absolute('memory at rest, MB', 'rest', 0),
    absolute('under load', 'loaded', 0),
    absolute('start to first answer, ms', 'start', 0),
  ],
];

/** The medians as Markdown. */
export function tablesOf(samples: Samples, subjects: readonly string[]): string {
  return tables
    .map((columns) => {
      const head = ['', ...columns.map(({ title }) => title)];
      const rows = subjects.map((subject) => [subject, ...columns.map(({ cell }) => cell(samples, subject))]);
      return [head, ['---', ...columns.map(() => '---:')], ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
    })
    .join('\n\n');
}

/** What the project aims at, and whether these figures reach it. */
export function goalsOf(samples: Samples, subject: string): string {
  const calls = (name: string): number => saturated(samples, name);
  const addedBy = (name: string): number => samples.median(name, 'p50') - samples.median(direct, 'p50');
  const most = 4 * addedBy('nginx') + 1;
  const goals: [goal: string, seen: string, isMet: boolean][] = [
    [
      "calls/s on one core: at least 10 % of nginx's",
      `${shown((100 * calls(subject)) / calls('nginx'), 1)} %`,
      calls(subject) >= calls('nginx') / 10,
    ],
    [
      'calls/s on one core: at least twice those of Portkey on Bun',
      `${shown(calls(subject) / calls('Portkey on Bun'), 2)} ×`,
      calls(subject) >= 2 * calls('Portkey on Bun'),
    ],
    [
      `added p50 at 500 calls/s: at most 4 × nginx's and 1 ms, ${shown(most, 2)} ms`,
      `${shown(addedBy(subject), 2)} ms`,
      addedBy(subject) <= most,
    ],
  ];
  const rows = goals.map(([goal, seen, isMet]) => `| ${goal} | ${seen} | ${isMet ? 'met' : 'missed'} |`);
  return [`| goal (${subject}) | measured | |`, '|---|---:|---|', ...rows].join('\n');
}

function shown(value: number, digits: number): string {
  if (Number.isNaN(value)) return '–';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const page = join(import.meta.dir, '../docs/benchmarks.md');

/** Puts a text between the page's markers of that name. */
export function writeToPage(name: string, text: string): void {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const old = readFileSync(page, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for ${name}.`);
  writeFileSync(page, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}
