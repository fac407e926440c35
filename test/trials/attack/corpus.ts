import { answers } from './answers.ts';
import { bodies } from './bodies.ts';
import type { Family } from './case.ts';
import { contents } from './contents.ts';
import { credentials } from './credentials.ts';
import { forms } from './forms.ts';
import { headers } from './headers.ts';
import { hosts } from './hosts.ts';
import { methods } from './methods.ts';
import { paths } from './paths.ts';
import { policies } from './policies.ts';
import { redirects } from './redirects.ts';
import { stateful } from './references.ts';
import { smuggling } from './smuggling.ts';
import { uploads } from './uploads.ts';
import { urls } from './urls.ts';

/** Every attack, as data. What a provider answers comes last: it is the one that could leave something behind. */
export const families: readonly Family[] = [
  paths,
  hosts,
  headers,
  smuggling,
  credentials,
  urls,
  methods,
  bodies,
  forms,
  uploads,
  policies,
  stateful,
  redirects,
  answers,
  contents,
];
