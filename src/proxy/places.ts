import { isAbsent, memberAt } from '../money/json.ts';

/** Whether a rule applies to a value (not null) at its place; `holder` is the object or list that holds the value. */
type Applies<Rule> = (rule: Rule, value: unknown, holder: unknown) => boolean;

/** A rule, and where it stands in its list. */
interface Numbered<Rule> {
  readonly number: number;
  readonly rule: Rule;
}

/** A point of a body: the rules whose place it is, and where other places go on from there. */
interface Branch<Rule> {
  readonly rules: Numbered<Rule>[];
  readonly members: { readonly name: string; readonly branch: Branch<Rule> }[];
  items: Branch<Rule> | undefined;
}

/**
 * The places of a list of rules as one tree: a body is walked once, however many they are, and only where it has
 * something. A place is written as the providers' tables write it: members joined by dots, `*` for each item of a list,
 * or for the value itself where it is no list. A name in camelCase stands for its snake_case form too, because Google
 * takes both (protobuf.dev/programming-guides/json). null counts as absent.
 */
export class Places<Rule> {
  readonly #root: Branch<Rule> = newBranch();

  constructor(rules: readonly Rule[], placeOf: (rule: Rule) => string) {
    for (const [number, rule] of rules.entries()) {
      let branch = this.#root;
      for (const step of placeOf(rule).split('.')) branch = step === '*' ? itemsOf(branch) : memberOf(branch, step);
      branch.rules.push({ number, rule });
    }
  }

  /** The first rule of the list that applies to a value at its place. */
  find(body: unknown, applies: Applies<Rule>): Rule | undefined {
    return firstIn(this.#root, body, undefined, applies, undefined)?.rule;
  }
}

function newBranch<Rule>(): Branch<Rule> {
  return { rules: [], members: [], items: undefined };
}

function itemsOf<Rule>(branch: Branch<Rule>): Branch<Rule> {
  branch.items ??= newBranch();
  return branch.items;
}

/** Each spelling of the name leads to the same branch. */
function memberOf<Rule>({ members }: Branch<Rule>, name: string): Branch<Rule> {
  const known = members.find((member) => member.name === name);
  if (known !== undefined) return known.branch;
  const branch = newBranch<Rule>();
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  members.push({ name, branch });
  if (snake !== name) members.push({ name: snake, branch });
  return branch;
}

function firstIn<Rule>(
  { rules, members, items }: Branch<Rule>,
  value: unknown,
  holder: unknown,
  applies: Applies<Rule>,
  found: Numbered<Rule> | undefined,
): Numbered<Rule> | undefined {
  let first = found;
  for (const candidate of rules) {
    const isEarlier = first === undefined || candidate.number < first.number;
    if (isEarlier && applies(candidate.rule, value, holder)) first = candidate;
  }
  if (items !== undefined && Array.isArray(value)) {
    for (const item of value) first = firstIn(items, item, value, applies, first);
  } else if (items !== undefined) first = firstIn(items, value, holder, applies, first);
  for (const { name, branch } of members) {
    const member = memberAt(value, name);
    if (!isAbsent(member)) first = firstIn(branch, member, value, applies, first);
  }
  return first;
}
